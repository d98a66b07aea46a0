/*
 * evaluator: what the lag of a group has been up to now, by one policy. Pure: it looks at
 * histories, and remembers nothing; what follows over time is core/scale_judge's.
 *
 *   over       a sample: lag >= lagThreshold, or its time lag >= timeLagSeconds
 *   stretch    samples over, one after another, up to the newest. One that was missed neither
 *              extends nor breaks it; more than EVALUATOR_MISSED_MOST in a row break it
 *   sustained  a partition whose stretch is sustainSeconds long or longer
 *   draining   a partition that is over, and whose lag falls over the last half of sustainSeconds
 *              (three samples at least) so fast, by the newer half of them, that it is under the
 *              threshold within drainSeconds. Where it is over by its time lag that must fall so
 *   raising    a sustained partition that is not draining, nor excluded by excludePersistentLag:
 *              what may raise the value
 *   stuck      a sustained partition whose commit stands where it stood when the stretch began,
 *              while another's has moved: more replicas are no help
 *   waiting    more than activationLagThreshold waits, and no commit has moved for sustainSeconds:
 *              nobody consumes
 *   unknown    a partition that was never read, or not for more than EVALUATOR_MISSED_MOST samples.
 *              It is not over and not calm either; its last lag stays in the sum
 */
#ifndef CORE_EVALUATOR_H
#define CORE_EVALUATOR_H

#include "core/history.h"
#include "core/kafka_policy.h"
#include "core/scale_policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the policy's samples: a history that is finer (scale_policy.finer) may miss so many times as
 * many. */
enum { EVALUATOR_MISSED_MOST = 3, EVALUATOR_DRAIN_SAMPLES = 3 };

/* A time that is before every other: nothing is proved, nothing has moved. */
#define EVALUATOR_NEVER INT64_MIN

/* What core/recovery found out without the history: at at_ms the partition was over, and had been
 * since since_ms. A stretch at the edge of what is known, in which at_ms lies, began then.
 * at_ms EVALUATOR_NEVER: nothing was proved. */
struct recovery_proof {
    int64_t since_ms, at_ms;
};

struct evaluator_partition {
    const char *topic; /* borrowed */
    int32_t number;
    const struct history *history; /* borrowed */
    struct recovery_proof proof;
};

/* Records a second, where the policy is to size by pace. Zero where the history is too short. */
struct flow {
    double arrived, consumed; /* of late: in a quarter of sustainSeconds, two intervals at least */
    double arrived_long;      /* in the last scaleDownStabilization */
};

/* Of one partition. */
struct partition_finding {
    int64_t lag; /* the newest, or LAG_UNKNOWN */
    bool known;
    bool over;
    int64_t stretch_ms; /* how long; 0 with one sample; -1: there is none */
    bool at_edge;       /* it may have begun earlier: there are no samples in front of it */
    bool sustained, draining, stuck;
    bool unmoved; /* its commit is the one of the sample before */
    bool raising;
    int64_t moved_ms; /* the newest sample at which its commit had moved on, or EVALUATOR_NEVER */
    struct flow flow;
};

/* Of all partitions. */
struct evaluation {
    int64_t at_ms; /* the newest sample of any, or EVALUATOR_NEVER */
    struct kafka_sum sum;
    size_t partitions;
    size_t unknown, over, sustained, draining, stuck, raising; /* partitions; draining of those
                                                                  sustained */
    size_t unread;       /* of those unknown: no lag at all is known, and none in the sum */
    int64_t highest_lag; /* of a partition, or LAG_UNKNOWN */
    int64_t longest_ms;  /* the longest stretch; -1: none is over */
    size_t busy;         /* partitions that were over in all of the time that flow is of */
    struct flow flow;
    bool waiting;
    bool uncertain;  /* one is over and not sustained, but at the edge of what is known */
    size_t foremost; /* the index of the partition with the longest stretch, of those raising; or,
                        where there is none, of those sustained; or of those over */
};

struct partition_finding evaluator_find(const struct scale_policy *policy,
                                        const struct evaluator_partition *partition);

/* Of the partitions that the policy counts (partition_limit_allows). findings: room for `count`. */
struct evaluation evaluator_look(const struct scale_policy *policy,
                                 const struct evaluator_partition *partitions, size_t count,
                                 struct partition_finding *findings);

#endif
