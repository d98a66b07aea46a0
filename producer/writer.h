/*
 * writer: the producer's one way to a topic; the only part of it that knows librdkafka.
 *
 * What is sent carries the keys and headers of the options. Every record that was taken ends once,
 * acknowledged or failed, while the writer is served.
 */
#ifndef PRODUCER_WRITER_H
#define PRODUCER_WRITER_H

#include "producer/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer;

/* How a record ended; borrowed. */
struct writer_end {
    void *of;           /* the record's */
    const char *reason; /* why it failed; NULL: it was acknowledged, and what follows is known */
    int32_t partition;
    int64_t offset;
    size_t size; /* of its value */
    int64_t latency_us;
};

struct writer_record {
    const void *value; /* copied */
    size_t size;
    const char *key; /* copied; NULL: as the options have it */
    void *of;        /* whoever sends it: told when it ends */
};

struct writer_sink {
    void (*ended)(void *context, const struct writer_end *end);
    void *context;
};

/* Options are borrowed. NULL: faults were added. */
struct writer *writer_new(const struct producer_options *options, const struct writer_sink *sink,
                          struct option_faults *faults);
void writer_free(struct writer *writer); /* what has not ended is dropped unsaid */

enum writer_sent {
    WRITER_TAKEN,
    WRITER_FULL,    /* no room: serve it, and try again */
    WRITER_REFUSED, /* *reason; it does not end */
};

/* Hands a record over. */
enum writer_sent writer_send(struct writer *writer, const struct writer_record *record,
                             const char **reason);

/* Tells the sink of what has ended, waiting for something up to wait_ms. */
void writer_serve(struct writer *writer, int wait_ms);

/* Has `wake` called, on a thread of librdkafka's, when there is something to serve. */
void writer_on_wake(struct writer *writer, void (*wake)(void *context), void *context);

/* Serves it until all have ended or wait_ms passed. False: some are still on their way. */
bool writer_flush(struct writer *writer, int wait_ms);

/* Gives up what is on its way: it ends as failed. */
void writer_give_up(struct writer *writer);

#endif
