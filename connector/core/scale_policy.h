/*
 * scale_policy: what a scaled object asks for: KEDA's keys, which keep KEDA's meaning, and those of
 * lag that lasts.
 *
 * One table knows the keys. It reads them from a ScaledObject's metadata by option_set, from flags
 * and environment by option_read. What names a topic, a group or a cluster is no policy and is not
 * here. After reading, scale_policy_settle says what the keys mean together.
 */
#ifndef CORE_SCALE_POLICY_H
#define CORE_SCALE_POLICY_H

#include "base/option.h"
#include "core/kafka_policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scale_sizing { SIZING_LAG, SIZING_PACE };

struct scale_policy {
    struct kafka_policy kafka;
    int sizing;          /* enum scale_sizing: what the value is made of */
    int64_t sustain_ms;  /* a stretch must be so long; 0: as soon as one is over */
    int64_t sampling_ms; /* from sample to sample */
    int64_t window_size; /* samples that a history must hold; 0 in the table: not given */
    int64_t finer;       /* a history has so many samples in sampling_ms, for who shares it wants
                            them; settled as 1, and 0 is that too */
    int64_t up_ms;       /* the value rises at most once in this time */
    int64_t down_ms;     /* it falls to the highest of this time */
    int64_t drain_ms;    /* 0 in the table: sustain_ms */
    int64_t time_lag_ms; /* a sample is also over by its time lag; 0: never */
    char *partition_limitation;
    struct partition_limit limit; /* of which partitions are counted */
};

extern const struct option_table scale_policy_table;

/* Completes what was read: the limit, the window, drainSeconds, finer. What cannot be together is a
 * fault, as it is with KEDA. has_topic: one topic is named, not all of the group. */
void scale_policy_settle(struct scale_policy *policy, bool has_topic, struct option_faults *faults);

/* Whether time plays no part: active and value are KEDA's arithmetic exactly. */
bool scale_policy_is_kafkas(const struct scale_policy *policy);

#endif
