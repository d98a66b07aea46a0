/*
 * writer: writes a run's records at a steady rate from a thread of its own, by an idempotent
 * producer with acks=all, and knows which of them the brokers acknowledged and where they lie.
 *
 * A record's value begins with its number, so that a call is known by its body. In a topic of
 * transactions some of them are aborted. Read its records only while it does not run.
 */
#ifndef FAULTS_WRITER_H
#define FAULTS_WRITER_H

#include "tests/faults/plan.h"

#include <stdatomic.h>
#include <stdint.h>
#include <uv.h>

enum record_state {
    RECORD_UNKNOWN, /* not answered, or refused: it may be in the log or not, and is not owed */
    RECORD_WRITTEN,
    RECORD_ABORTED, /* its transaction was aborted: must never be delivered */
};

struct record_entry {
    int64_t offset; /* of RECORD_WRITTEN */
    int32_t partition;
    int32_t key; /* -1: none */
    uint8_t state;
    uint8_t era; /* 1: of the topic that was made anew */
};

struct writer {
    const char *bootstrap, *topic;
    const struct plan *plan;
    struct record_entry *records; /* by number */
    uint32_t count, room;
    atomic_int partitions; /* may grow while it runs */
    atomic_uint written;   /* for others' eyes: how many were acknowledged */

    uv_thread_t thread;
    bool started; /* and not joined */
    atomic_bool over;
    struct random random;
    uint8_t era;
    uint32_t wanted; /* records of this start */
    char *trouble;   /* why it ended early; NULL: it did not */
};

/* Room for so many records; the rest is borrowed. */
void writer_init(struct writer *writer, const struct plan *plan, const char *bootstrap,
                 const char *topic, uint32_t room);
void writer_release(struct writer *writer);

/* Begins to write so many more. */
void writer_start(struct writer *writer, uint8_t era, uint32_t wanted);
/* Whether it has written them all and knows what became of each. */
bool writer_is_over(const struct writer *writer);
/* Of one that is over. */
void writer_join(struct writer *writer);

#endif
