/*
 * pace: when the next record may leave so that a rate is kept. Time is an argument.
 *
 * Records are due at even distances from the start. What was late (a full queue, a slow broker) is
 * caught up, but never more than PACE_CATCH_UP_US of it: a rate, not a flood after a stall.
 */
#ifndef PRODUCER_PACE_H
#define PRODUCER_PACE_H

#include <stdint.h>

enum { PACE_CATCH_UP_US = 1000 * 1000 };

struct pace {
    double interval_us; /* between two records; 0: no limit */
    double due_us;      /* when the next one is due */
};

/* `per_second` -1: no limit; else > 0. */
void pace_init(struct pace *pace, int64_t per_second, int64_t now_us);

/* How long to wait until the next record may leave; 0: now. */
int64_t pace_wait_us(struct pace *pace, int64_t now_us);

/* One has left. */
void pace_sent(struct pace *pace);

#endif
