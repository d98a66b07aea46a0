/*
 * sampler_judge: a sampler that asks about all that `traffic` does, judged at each tick:
 *
 *   - an end or a commit is never above what was attempted, and never falls;
 *   - what waits is never 0, as TRAFFIC_BEHIND records do: what is not known is not taken for that;
 *   - what was read at a tick says so, and what was not says why.
 *
 * And once the cluster is *back*: at the second tick that began after, all is read, no less than
 * was acknowledged before. The cluster is back when every broker, every leader and every
 * coordinator has answered others (the caller says which brokers, traffic_is_served asks the rest).
 */
#ifndef HARNESS_SAMPLER_JUDGE_H
#define HARNESS_SAMPLER_JUDGE_H

#include "kafka/sampler.h"
#include "tests/harness/traffic.h"

struct sampler_judge;

/* Its first tick is awaited. */
struct sampler_judge *sampler_judge_new(uv_loop_t *loop, const char *bootstrap, const char *topic,
                                        struct traffic *traffic, int64_t interval_ms);
void sampler_judge_free(struct sampler_judge *judge);

/* The cluster is back: awaits that the sampler is. */
void sampler_judge_recovers(struct sampler_judge *judge);

/* What was wrong so far, in words; NULL: nothing. Borrowed. */
const char *sampler_judge_verdict(const struct sampler_judge *judge);

struct sampler_judge_counts {
    unsigned ticks, good;          /* good: at which all was read */
    unsigned recoveries, at_first; /* at_first: at the first tick after */
};

struct sampler_judge_counts sampler_judge_counts(const struct sampler_judge *judge);

#endif
