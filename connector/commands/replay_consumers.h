/*
 * replay_consumers: a group of consumers, second by second: how many there are, what they consume,
 * and how old each record was then.
 *
 * A replica consumes so many records a second and begins so long after it was called for; whenever
 * one joins or leaves, all pause. Partition p is the p-th modulo the number of members; one member
 * spends on its partitions evenly, and what one does not need on the others.
 */
#ifndef COMMANDS_REPLAY_CONSUMERS_H
#define COMMANDS_REPLAY_CONSUMERS_H

#include "commands/replay_trace.h"

#include <stdint.h>

enum { SLO_AGE_S = 300, SLO_WINDOW_S = 300 };

struct consumers_rules {
    int64_t rate; /* records a second, of one replica */
    int64_t startup_s, pause_s;
};

struct consumers {
    const struct trace *trace; /* borrowed */
    struct consumers_rules rules;
    int64_t *committed; /* of each partition */
    int64_t *written;   /* the second in which the record there was written */
    int64_t members;    /* replicas that have started */
    int64_t *starting;  /* when each of the others begins, in order */
    int64_t starting_count;
    int64_t paused_until;
    int64_t *ages; /* records consumed at each age in seconds, 0 to the trace's length */
    int64_t *late; /* of those written in each SLO_WINDOW_S, consumed after more than SLO_AGE_S */
};

void consumers_init(struct consumers *consumers, const struct trace *trace,
                    const struct consumers_rules *rules, int64_t replicas);
void consumers_release(struct consumers *consumers);

/* From second s on there are so many replicas. */
void consumers_scale(struct consumers *consumers, int64_t replicas, int64_t s);
int64_t consumers_replicas(const struct consumers *consumers);

/* Second s passes. */
void consumers_step(struct consumers *consumers, int64_t s);

/* All that waits at the beginning of second s. */
int64_t consumers_lag(const struct consumers *consumers, int64_t s);

/* What is never consumed is late, too, where its time is over when the trace ends. */
void consumers_close(struct consumers *consumers);

/* ---- what became of it, once closed ---- */

/* The age under or at which this part of all consumed records was. */
int64_t consumers_age(const struct consumers *consumers, double part);
int64_t consumers_late(const struct consumers *consumers); /* records */
/* Windows of SLO_WINDOW_S of whose records more than one in twenty was late. */
int64_t consumers_breaches(const struct consumers *consumers);

#endif
