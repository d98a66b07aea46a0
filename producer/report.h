/*
 * report: what came of the records sent: lines for those acknowledged, progress, the closing line.
 *
 * The closing line has the form of Kafka's kafka-producer-perf-test, so that whatever reads that
 * reads this. Bounded: latencies are a histogram, reasons a short table. Time is an argument.
 */
#ifndef PRODUCER_REPORT_H
#define PRODUCER_REPORT_H

#include "producer/latency.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { REPORT_REASONS = 16 };

struct report_record {
    const char *topic;
    int32_t partition;
    int64_t offset;
    size_t size; /* of its value */
    int64_t latency_us;
};

struct report_reason {
    char *text; /* NULL: the row is free */
    uint64_t count;
};

struct report {
    FILE *out;      /* borrowed */
    FILE *progress; /* a terminal, borrowed; NULL: progress is not shown */
    bool each;      /* a line for each acknowledged record */
    int64_t started_us, shown_us;
    uint64_t bytes;
    struct latency latency; /* of those acknowledged */
    uint64_t failed;
    struct report_reason reasons[REPORT_REASONS]; /* the last one: all further reasons */
};

void report_init(struct report *report, FILE *out, int64_t now_us);
void report_release(struct report *report);

void report_acknowledged(struct report *report, const struct report_record *record);
void report_failed(struct report *report, const char *reason);

/* Rewrites the progress line, once a second at most. */
void report_progress(struct report *report, int64_t now_us);

/* The closing line and, if records failed, how many and why. */
void report_close(struct report *report, int64_t now_us);

#endif
