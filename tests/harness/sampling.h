/*
 * sampling: a sampler on a loop, and groups that commit without joining, for tests. One a test,
 * which is a program of its own.
 */
#ifndef HARNESS_SAMPLING_H
#define HARNESS_SAMPLING_H

#include "kafka/sampler.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { SAMPLING_INTERVAL_MS = 100, SAMPLING_TIMEOUT_MS = 2000, SAMPLING_PATIENCE_MS = 60000 };

struct sampling {
    uv_loop_t loop;
    char *bootstrap;
    struct sampler *sampler;
    unsigned ticks; /* ended */
    bool closed;
    int64_t unanswered_ms; /* set before sampling_open */
};

extern struct sampling sampling;

/* `properties` further ones of librdkafka's, or NULL. */
void sampling_open(const char *bootstrap, char **properties, size_t count);
/* Fails the test when a handle is left behind. */
void sampling_close(void);

/* Runs the loop until so many further ticks ended. Ends the test if they do not. */
void sampling_await_ticks(unsigned count);
/* Until something holds, looked at after each tick. False: patience is over. */
bool sampling_await(bool (*holds)(void *context), void *context);

/* Whether all of an interest's topic was read at the last tick. */
bool sampling_is_read(void *interest);

/* `count` records for each partition; acknowledged when this returns. */
void sampling_produce(const char *topic, int partitions, int count);
void sampling_commit(const char *group, const char *topic, int partition, int64_t offset);

/* A partition of the interest's first topic; NULL: it has none such. */
const struct sampler_partition *sampling_partition(const struct sampler_interest *interest,
                                                   size_t number);
/* Its lag, where none committed counts as the whole log; -1: not known. */
int64_t sampling_lag(const struct sampler_interest *interest, size_t number);

#endif
