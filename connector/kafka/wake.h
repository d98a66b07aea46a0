/*
 * wake: how librdkafka's queues wake the loop.
 *
 * One pipe for all queues of an owner: a descriptor for each would soon meet a container's limit of
 * 1024. librdkafka writes into it when an *empty* queue gets an element, and never again before
 * that queue was emptied. So whoever is woken empties the queue, and what a queue held before it
 * was watched is made good by kafka_wake_watch, which has it told of once in any case.
 */
#ifndef KAFKA_WAKE_H
#define KAFKA_WAKE_H

#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <uv.h>

struct kafka_wake {
    uv_poll_t poll;
    int fds[2]; /* read, written */
    void (*woken)(void *context, uint64_t mark);
    void (*closed)(void *context);
    void *context;
};

/* `woken` is called on the loop with a queue's mark; that it is empty then is no fault. Dies where
 * the system has no pipe left. */
void kafka_wake_open(struct kafka_wake *wake, uv_loop_t *loop,
                     void (*woken)(void *context, uint64_t mark), void *context);

/* Until kafka_wake_ignore, or the queue's end. A wake-up that finds the pipe full is lost. */
void kafka_wake_watch(struct kafka_wake *wake, rd_kafka_queue_t *queue, uint64_t mark);
void kafka_wake_ignore(rd_kafka_queue_t *queue);

/* Tells no more, at once also from within `woken`. */
void kafka_wake_stop(struct kafka_wake *wake);

/* Stops; `closed` is called with the context on the loop, when the handle is. */
void kafka_wake_close(struct kafka_wake *wake, void (*closed)(void *context));

/* The pipe's end. Not before librdkafka's client is gone, which writes into it. */
void kafka_wake_release(struct kafka_wake *wake);

#endif
