/*
 * history: what one partition's end and one group's commit in it were, over wall-clock time.
 *
 * It belongs to (group, topic, partition), not to who asks: a policy that is edited, or made anew,
 * judges what is already there. It holds the last `capacity` good samples, oldest first, and what
 * is asked of it are facts; what they mean is core/evaluator's and core/activity's.
 *
 * A *sample* is a time and two offsets that were both read. A time at which they were not is
 * *missed*: it is counted and takes no room, so an outage pushes nothing out. Times grow: a sample
 * that is not later than others (the clock was set back) takes the place of those.
 *
 * Offsets of a log only grow. An end below the one before is taken for a reading of a leader that
 * does not know its log's end yet, and missed; when the next is below too the topic was made anew,
 * and all that was known before is forgotten. A commit may fall (a reset by hand).
 */
#ifndef CORE_HISTORY_H
#define CORE_HISTORY_H

#include "core/history_ring.h"
#include "core/lag.h"

struct history {
    struct history_ring ring;
    uint32_t capacity;
    uint16_t missed; /* since the newest sample */
    bool fell;       /* the last reading was below the newest end */
    int64_t start;   /* of the log, the newest known; or OFFSET_UNKNOWN */
};

enum { HISTORY_LEAST = 2 };

/* capacity: samples kept at most, >= HISTORY_LEAST. */
void history_init(struct history *history, size_t capacity);
void history_release(struct history *history);

/* Room for so many from now on; it never shrinks. */
void history_reserve(struct history *history, size_t capacity);

enum history_result {
    HISTORY_ADDED,
    HISTORY_MISSED, /* the end was below the one before */
    HISTORY_ANEW,   /* it was again: the topic was made anew, and this is the first sample */
};

/* One sample more. Committed and end are known (committed may be none or hidden); a start that is
 * OFFSET_UNKNOWN leaves the one known before. */
enum history_result history_add(struct history *history, int64_t at_ms,
                                const struct offsets *offsets);

/* So many samples that should have been there and are not. */
void history_miss(struct history *history, unsigned count);

/* ---- what is there ---- */

size_t history_count(const struct history *history);

/* The i-th sample, 0 the oldest; i < history_count. */
struct history_sample history_at(const struct history *history, size_t i);

/* The newest sample's offsets, with the newest start known; OFFSETS_UNKNOWN where there is none. */
struct offsets history_newest(const struct history *history);

/* Samples missed since the newest: how stale it is. */
unsigned history_missed(const struct history *history);

/* How far the commit moved from the sample before the i-th to the i-th, < 0 when it was set back.
 * False: one of the two is no offset, or there is none before. */
bool history_moved(const struct history *history, size_t i, int64_t *delta);

/* ---- time ---- */

/* How long ago a record was written. */
struct history_age {
    int64_t ms;    /* OFFSET_UNKNOWN: there is nothing to tell it from */
    bool at_least; /* it was there before the oldest sample: it is that old or older */
};

/* The age, at the i-th sample's time, of the record at `offset`, from the ends of the samples up to
 * the i-th: between two samples the log is taken to have grown evenly. An offset at the i-th
 * sample's end or beyond it is not written yet: {0, false}. */
struct history_age history_age_of(const struct history *history, size_t i, int64_t offset);

/* That of the oldest record that waits at the i-th sample: the one at its commit or, none being
 * committed, at the log's start, where that is known. {0, false}: none waits. */
struct history_age history_age(const struct history *history, size_t i);

#endif
