/*
 * consumer_events: how what happens reaches the consumer.
 *
 * One pipe wakes the loop for all queues: what librdkafka writes into it says which queue is meant
 * (struct wake). A descriptor for each partition would soon meet a container's limit of 1024.
 */
#include "kafka/consumer_private.h"

#include "base/log.h"
#include "kafka/log_line.h"

#include <assert.h>
#include <unistd.h>

static void on_error(struct consumer *consumer, rd_kafka_event_t *event)
{
    consumer->counts.errors++;
    if (!rd_kafka_event_error_is_fatal(event)) {
        consumer_log_error(consumer, event);
        return;
    }
    log_error(NULL, "Out of the consumer group for good: %s; restart this replica",
              rd_kafka_event_error_string(event));
    consumer->fatal = true;
    if (!consumer->assigned && !consumer->closing)
        consumer_move(consumer, CONSUMER_FAILED);
}

/* Takes the event. */
static void on_event(struct consumer *consumer, rd_kafka_event_t *event)
{
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_REBALANCE:
        consumer_on_rebalance(consumer, event);
        return;
    case RD_KAFKA_EVENT_OFFSET_COMMIT:
        consumer_on_commit(consumer, event);
        break;
    case RD_KAFKA_EVENT_ERROR:
        on_error(consumer, event);
        break;
    case RD_KAFKA_EVENT_LOG:
        kafka_log_line(event);
        break;
    default:
        /* A record here would be lost for its partition. Their queues are cut off before a
         * fetch starts (consumer_group.c), so none can be. */
        assert(rd_kafka_event_type(event) != RD_KAFKA_EVENT_FETCH);
    }
    rd_kafka_event_destroy(event);
}

static void serve_events(struct consumer *consumer)
{
    rd_kafka_event_t *event;

    while (consumer->queue && (event = rd_kafka_queue_poll(consumer->queue, 0)))
        on_event(consumer, event);
    consumer_finish_close(consumer);
}

static void on_wake_of(struct consumer *consumer, const struct wake *wake)
{
    if (wake->partition == WAKE_EVENTS)
        serve_events(consumer);
    else if (wake->generation == consumer->generation && consumer->state == CONSUMER_ASSIGNED)
        consumer->source.sink_calls->ready(consumer->source.sink,
                                           consumer->partitions[wake->partition].sink_partition);
}

/* Writes of so few bytes are atomic, so no struct arrives in halves. One that found the pipe full
 * is made good by the tick. */
void consumer_on_wake(uv_poll_t *handle, int status, int events)
{
    struct consumer *consumer = handle->data;
    struct wake wakes[64];
    ssize_t size;

    (void)status;
    (void)events;
    size = read(consumer->wake_fds[0], wakes, sizeof(wakes));
    for (ssize_t i = 0; i < size / (ssize_t)sizeof(wakes[0]) && !consumer->freed; i++)
        on_wake_of(consumer, &wakes[i]);
}

void consumer_on_tick(uv_timer_t *handle)
{
    struct consumer *consumer = handle->data;

    serve_events(consumer);
    if (!consumer->kafka)
        return;
    credentials_look(&consumer->credentials, uv_now(consumer->loop), consumer->kafka, NULL);
    consumer_commit_tick(consumer);
    consumer_group_tick(consumer);
}

static void on_soon(uv_idle_t *handle)
{
    struct consumer *consumer = handle->data;

    uv_idle_stop(handle);
    consumer_wake_fetchers(consumer);
    if (consumer->commit.refused)
        consumer_commit_answer(consumer, SOURCE_REFUSED, consumer->commit.refused);
    consumer_tell_ends(consumer);
}

void consumer_soon(struct consumer *consumer)
{
    uv_idle_start(&consumer->soon, on_soon);
}
