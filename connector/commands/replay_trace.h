/*
 * replay_trace: what is written to a topic, second by second: a built-in trace, or one read from a
 * file of offsets.
 *
 * Offsets are of the log; record r of a partition was written in second s when
 * end(s) <= r < end(s + 1). While Kafka is away writers keep their records: nobody sees an end
 * move, and what was written then is in the log when it is back.
 */
#ifndef COMMANDS_REPLAY_TRACE_H
#define COMMANDS_REPLAY_TRACE_H

#include "base/option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TRACE_SECONDS_MOST = 31 * 24 * 60 * 60,
    TRACE_PARTITIONS_MOST = 10000,
    TRACE_CELLS_MOST = 20000000, /* partitions x seconds: 160 MB */
};

/* A time in which something is not as always; until == from: never. */
struct trace_span {
    int64_t from_s, until_s;
};

struct trace {
    char *name;
    int64_t seconds;
    size_t partitions;
    int32_t *numbers;       /* of the partitions; the index here is used elsewhere */
    int64_t *ends;          /* partitions x (seconds + 1); see trace_end */
    int64_t *committed;     /* of each partition, when it begins */
    struct trace_span away; /* of Kafka */
    struct trace_span stuck;
    size_t stuck_partition;
};

/* The names of the built-in traces, one after another; NULL behind the last. */
const char *trace_name(size_t index);

/* A built-in trace. False: there is none of that name. */
bool trace_build(const char *name, size_t partitions, struct trace *trace);

/* Reads lines of time, partition, committed, end (a first line of such names is passed over): time
 * in seconds from anywhere, growing for each partition; between two lines the log is taken to have
 * grown evenly; committed may be empty or -1: nothing is. Of a partition's commits only the first
 * counts, the rest is what is replayed. False: a fault names file, line and column. */
bool trace_read(const char *path, struct trace *trace, struct option_faults *faults);

void trace_release(struct trace *trace);

/* The log's end at the beginning of second s, as if Kafka were always there; s <= seconds. */
static inline int64_t trace_end(const struct trace *trace, size_t partition, int64_t s)
{
    return trace->ends[partition * (size_t)(trace->seconds + 1) + (size_t)s];
}

static inline bool trace_within(const struct trace_span *span, int64_t s)
{
    return s >= span->from_s && s < span->until_s;
}

/* The same as a broker tells it; before the trace what it was when it began. */
int64_t trace_visible_end(const struct trace *trace, size_t partition, int64_t s);

/* Room for so many partitions and seconds, all zero, the numbers counted from 0. */
void trace_init(struct trace *trace, const char *name, size_t partitions, int64_t seconds);

#endif
