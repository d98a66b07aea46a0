/*
 * activity: when a function that sleeps is to be woken: its group has records waiting, or was
 * active a moment ago.
 *
 *   pending   the sum over partitions of their lag by SlimFaas' rule (core/lag): of a partition
 * that nothing is committed for, all that its log holds; where the group may not be read, the sum
 * of the ends. activity  the sum of the committed offsets rose by at least `min_delta` since it
 * last counted; smaller rises add up until they reach it. The first sum is a base line. A fall
 *             (offsets set back, a topic made anew) makes a new one. Where the group may not be
 *             read there is none.
 *   wake-up   when pending >= min_pending, or when activity lies at most `keep_alive_ms` back, and
 *             the last wake-up that was *accepted* at least `cooldown_ms`.
 *
 * A partition that could not be read is unknown, and keeps what was last known of it; so does all
 * of it while no sample comes. Time is an argument, by one clock, in ms.
 */
#ifndef CORE_ACTIVITY_H
#define CORE_ACTIVITY_H

#include "core/lag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct activity_rules {
    int64_t min_pending;
    int64_t min_delta;     /* >= 1 */
    int64_t keep_alive_ms; /* <= 0: activity wakes nobody */
    int64_t cooldown_ms;   /* <= 0: none */
    bool on_start;         /* the first sum counts as activity, when it is not 0 */
};

enum wake_reason {
    REASON_NONE,
    REASON_PENDING,
    REASON_ACTIVITY,
    REASON_PENDING_AND_ACTIVITY,
    REASON_COUNT
};

struct activity {
    struct activity_rules rules;           /* may be replaced at any time */
    struct activity_partition *partitions; /* what is known of each, by number */
    size_t count;
    bool sampled, has_base;
    int64_t rise;      /* of the sum, that did not count yet */
    int64_t active_ms; /* when activity was last seen; -1: never */
    int64_t woken_ms;  /* when the last accepted wake-up was sent; -1: never */
};

void activity_init(struct activity *activity, const struct activity_rules *rules);
void activity_release(struct activity *activity);

/* Takes a sample of all partitions of the topic, which has `count` of them; 0: it does not exist.
 * What is OFFSET_UNKNOWN in it keeps its last value. */
void activity_observe(struct activity *activity, const struct offsets *sample, size_t count,
                      int64_t now_ms);

int64_t activity_pending(const struct activity *activity);
bool activity_recent(const struct activity *activity, int64_t now_ms);

/* Why the function is to be awake now, cool-down or not. */
enum wake_reason activity_reason(const struct activity *activity, int64_t now_ms);

/* Whether the last accepted wake-up lies so far back that another may be sent. */
bool activity_cooled(const struct activity *activity, int64_t now_ms);

/* A wake-up that was sent at `sent_ms` was accepted. One that was not is not told: it is due as
 * before. */
void activity_woken(struct activity *activity, int64_t sent_ms);

/* "pending", "activity", "pending_and_activity"; "none". */
const char *wake_reason_name(enum wake_reason reason);

#endif
