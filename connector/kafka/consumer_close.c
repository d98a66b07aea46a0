/*
 * consumer_close: leaving the group, and the end.
 *
 * close: revokes are served until librdkafka says that it has left, then the worker destroys the
 * handle. free: at once; the last hold (an open handle, work under way) takes the memory with it.
 */
#include "kafka/consumer_private.h"

#include "base/log.h"
#include "kafka/destroy.h"

#include <assert.h>
#include <stdlib.h>

/* The last client to be gone is not always the last that there was. */
static void tell_closed(struct consumer *consumer)
{
    if (consumer->ending || consumer->freed || consumer->state != CONSUMER_LEFT)
        return;
    consumer_commit_answer(consumer, SOURCE_REFUSED, "the consumer is closed");
    consumer_move(consumer, CONSUMER_CLOSED);
    consumer->closed(consumer->closed_context);
}

static void on_destroyed(void *context)
{
    struct consumer *consumer = context;

    consumer->ending--;
    tell_closed(consumer);
    consumer_unhold(consumer);
}

void consumer_destroy_client(struct consumer *consumer)
{
    rd_kafka_queue_destroy(consumer->queue);
    consumer->queue = NULL;
    consumer->ending++;
    consumer->holds++;
    kafka_destroy_take(consumer->loop, consumer->kafka, on_destroyed, consumer);
    consumer->kafka = NULL;
}

/* A client that failed is with the worker already, or gone. */
static void leave(struct consumer *consumer)
{
    consumer_move(consumer, CONSUMER_LEFT);
    uv_timer_stop(&consumer->tick);
    kafka_wake_stop(&consumer->wake);
    if (consumer->kafka)
        consumer_destroy_client(consumer);
    tell_closed(consumer);
}

static bool has_left(const struct consumer *consumer)
{
    return consumer->fatal || rd_kafka_consumer_closed(consumer->kafka);
}

/* A reading abandoned but still at work uses the handle: then the next tick tries again. An earlier
 * client that does not come to its end does not keep us in the group. */
void consumer_finish_close(struct consumer *consumer)
{
    if (consumer->state == CONSUMER_CLOSING && consumer->holds == HANDLES + consumer->ending &&
        has_left(consumer))
        leave(consumer);
}

/* Of partitions held a REVOKE tells; all else ends here. */
void consumer_close(struct consumer *consumer, void (*closed)(void *context), void *context)
{
    rd_kafka_error_t *error;

    assert(!consumer->closing);
    consumer->closing = true;
    consumer->closed = closed;
    consumer->closed_context = context;
    if (consumer->assigned && !consumer->told)
        consumer_give_up(consumer);
    else if (!consumer->assigned)
        consumer_move(consumer, CONSUMER_CLOSING);
    if (consumer->fatal)
        return;
    error = rd_kafka_consumer_close_queue(consumer->kafka, consumer->queue);
    if (error) {
        log_warning(NULL, "Leaving the group: %s", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
}

void consumer_unhold(struct consumer *consumer)
{
    if (--consumer->holds > 0)
        return;
    if (consumer->kafka)
        rd_kafka_destroy_flags(consumer->kafka, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    kafka_wake_release(&consumer->wake);
    free(consumer);
}

static void on_wake_closed(void *context)
{
    consumer_unhold(context);
}

static void on_handle_closed(uv_handle_t *handle)
{
    consumer_unhold(handle->data);
}

void consumer_free(struct consumer *consumer)
{
    if (!consumer)
        return;
    consumer->freed = true;
    reading_abandon(consumer);
    consumer_forget_partitions(consumer);
    if (consumer->rebalance)
        rd_kafka_event_destroy(consumer->rebalance);
    if (consumer->queue)
        rd_kafka_queue_destroy(consumer->queue);
    consumer->queue = NULL;
    rd_kafka_topic_partition_list_destroy(consumer->topics);
    utarray_free(consumer->names);
    rd_kafka_conf_destroy(consumer->conf);
    free(consumer->renewal.why);
    free(consumer->trouble);
    free(consumer->refused);
    credentials_release(&consumer->credentials);
    free(consumer->commit.answers);
    kafka_wake_close(&consumer->wake, on_wake_closed);
    uv_close((uv_handle_t *)&consumer->tick, on_handle_closed);
    uv_close((uv_handle_t *)&consumer->soon, on_handle_closed);
}
