/*
 * latency: a distribution of latencies in bounded memory.
 *
 * A histogram of whole microseconds whose buckets grow with the value: exact below 128 us, at most
 * 1/64 (1.6 %) wide above, up to 2^36 us (19 hours; longer counts as that). Count, sum and
 * maximum are exact.
 */
#ifndef PRODUCER_LATENCY_H
#define PRODUCER_LATENCY_H

#include <stdint.h>

enum { LATENCY_BUCKETS = (36 - 6 + 1) * 64 };

struct latency { /* zeroed: empty */
    uint64_t counts[LATENCY_BUCKETS];
    uint64_t count;
    int64_t sum_us, max_us;
};

void latency_add(struct latency *latency, int64_t us);

/* 0 when empty. */
double latency_average_us(const struct latency *latency);

/* The value that a share (0 .. 1) of all does not exceed, at most one bucket's width too high and
 * never above the maximum. 0 when empty. */
int64_t latency_percentile_us(const struct latency *latency, double share);

#endif
