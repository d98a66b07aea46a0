/*
 * sampler: what groups have committed and where logs end, of one cluster, asked once for everybody.
 *
 * Whoever wants to know says of which group and topic (an *interest*); at each tick, a multiple of
 * the interval on the wall clock so that replicas see the same samples, the sampler asks for the
 * union: metadata first, then each group's commits, then in one question the ends of all logs, so
 * that a commit is never read behind an end that is older. What it read lies in struct
 * sampler_group, _topic and _partition, which are the loop's own and change only within a tick's
 * last turn, just before `ticked` is called. No record is read, no group is joined.
 *
 * Requests a tick: at most one FindCoordinator and one OffsetFetch a group, one ListOffsets a
 * broker and one Metadata (librdkafka has no call for the metadata of some topics: it is that of
 * one, or of all). Besides: another ListOffsets a broker when the start of a log is needed (where a
 * group has committed nothing, once a minute), or a broker failed; another Metadata when a group
 * has committed in a topic that was not known, and for a topic that is missing; and a few
 * FindCoordinators again while connections are made.
 *
 * What fails leaves what was known before, as stale, with the reason: a group, a topic, a
 * partition, or, when no broker answers, the whole tick (sampler_fault). A fault is logged when it
 * appears and when it is over. Nothing ends the sampler but its user.
 */
#ifndef KAFKA_SAMPLER_H
#define KAFKA_SAMPLER_H

#include "core/history.h"
#include "kafka/client.h"

#include <uv.h>

struct sampler;
struct sampler_interest;

struct sampler_setup {
    uv_loop_t *loop;
    const struct kafka_options *kafka; /* borrowed until sampler_new returns */
    const char *group; /* one that is asked for, or NULL: the client's own, which it never joins */
    int64_t interval_ms;   /* > 0 */
    int64_t timeout_ms;    /* an answer that is later is none; > 0 */
    int64_t unanswered_ms; /* a group is, for so long: the client is replaced; 0: a minute */
    bool create_topics;    /* a missing one that is asked for by name is made, where
                              the broker allows it */
    void (*ticked)(void *context); /* on the loop, at the end of each tick, good or not */
    void *context;
};

/* Ticks begin with the first interest, the first one at once. NULL: at least one fault was added.
 */
struct sampler *sampler_new(const struct sampler_setup *setup, struct option_faults *faults);

/* Faults of the properties, as sampler_new would find them. */
void sampler_check(const struct kafka_options *kafka, struct option_faults *faults);

/* Gives up what is under way; `closed` (or NULL) is called on the loop when the client is gone, as
 * the last thing before the sampler is freed. Interests are to be dropped before. Once, also from
 * within `ticked`; no call on the sampler after it. */
void sampler_close(struct sampler *sampler, void (*closed)(void *context), void *context);

/* Another interval: the next tick is the next multiple of it. */
void sampler_set_interval(struct sampler *sampler, int64_t interval_ms);

/* ---- who asks ---- */

/* Topic NULL: all topics that the group has committed in. samples: how many of the past are kept at
 * least. Asked for twice the same is sampled once and kept until both are dropped. What is kept for
 * a new one begins with the next tick. */
struct sampler_interest *sampler_ask(struct sampler *sampler, const char *group, const char *topic,
                                     size_t samples);
/* Within `ticked` too. NULL: nothing. */
void sampler_drop(struct sampler_interest *interest);

/* ---- what was read ---- */

enum sampler_access {
    SAMPLER_UNREAD, /* no answer yet */
    SAMPLER_ADMIN,  /* the group's commits are read */
    SAMPLER_NO_ACL, /* we have no right to (DESCRIBE on the group): commits are OFFSET_HIDDEN */
};

struct sampler_partition {
    int32_t number;
    struct offsets offsets; /* the newest known of each, stale or not */
    int64_t read_ms;        /* the newest tick at which commit and end were read; -1: none */
    const char *error;      /* why not at the last one, static text; NULL: they were */
    struct history history; /* newest sample: that of read_ms */
};

struct sampler_topic {
    const char *name;
    const char *error; /* why its partitions are not known, static text; NULL: they are */
    bool missing;      /* the cluster says that there is none: no partitions, nothing waits */
    size_t count;      /* of partitions; 0: never known, or missing */
    struct sampler_partition *partitions; /* by number, from 0 */
};

struct sampler_group {
    const char *name;
    enum sampler_access access; /* by the last answer */
    bool read_whole;            /* the last answer told of all topics that it has committed in, not
                                   only of those asked for by name */
    const char *error;          /* why there was none at the last tick, static text; NULL */
};

/* Borrowed: good until the next tick ends or an interest is dropped. */
const struct sampler_group *sampler_group_of(const struct sampler_interest *interest);

/* The topics of an interest, by name: *topic NULL begins, NULL ends. One that was asked for by name
 * is always there, once a tick has ended. */
const struct sampler_topic *sampler_next_topic(const struct sampler_interest *interest,
                                               const struct sampler_topic *topic);

/* When the last tick was due, of the wall clock; -1: none has ended yet. */
int64_t sampler_ticked_ms(const struct sampler *sampler);

/* Why nothing at all could be read at the last tick, in words; NULL: something was. Borrowed until
 * the next. */
const char *sampler_fault(const struct sampler *sampler);

/* ---- what it cost ---- */

enum sampler_request {
    SAMPLER_METADATA,
    SAMPLER_LIST_OFFSETS,
    SAMPLER_OFFSET_FETCH,
    SAMPLER_FIND_COORDINATOR,
    SAMPLER_REQUEST_KINDS,
};

struct sampler_counts {
    int64_t requests[SAMPLER_REQUEST_KINDS]; /* sent since the beginning */
    int64_t ticks;                           /* ended */
    int64_t late_groups;                     /* answers that did not come within the timeout */
    int64_t replaced; /* clients given up: a broker or group was silent, a coordinator moved */
    int64_t tick_ms;  /* how long the last tick took */
};

struct sampler_counts sampler_counts(const struct sampler *sampler);

#endif
