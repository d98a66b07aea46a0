/*
 * destroy: the end of a handle of librdkafka's, which waits for its threads and so belongs to the
 * worker.
 */
#ifndef KAFKA_DESTROY_H
#define KAFKA_DESTROY_H

#include <librdkafka/rdkafka.h>
#include <uv.h>

/* Takes the handle; `over` is called on the loop, once, when it is gone. */
void kafka_destroy_take(uv_loop_t *loop, rd_kafka_t *kafka, void (*over)(void *context),
                        void *context);

#endif
