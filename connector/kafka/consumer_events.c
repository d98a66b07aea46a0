/* consumer_events: how what happens reaches the consumer. */
#include "kafka/consumer_private.h"

#include "base/log.h"
#include "kafka/log_line.h"

#include <assert.h>

static void on_error(struct consumer *consumer, rd_kafka_event_t *event)
{
    consumer->counts.errors++;
    if (rd_kafka_event_error_is_fatal(event))
        consumer_fail(consumer, rd_kafka_event_error_string(event));
    else
        consumer_log_error(consumer, event);
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

/* A wake-up that is lost is made good by the tick. */
void consumer_on_woken(void *context, uint64_t mark)
{
    struct consumer *consumer = context;

    if (mark == CONSUMER_EVENTS)
        serve_events(consumer);
    else if (mark >> 32 == consumer->generation && consumer->state == CONSUMER_ASSIGNED)
        consumer->source.sink_calls->ready(consumer->source.sink,
                                           consumer->partitions[(uint32_t)mark].sink_partition);
}

void consumer_on_tick(uv_timer_t *handle)
{
    struct consumer *consumer = handle->data;

    serve_events(consumer);
    consumer_renew_tick(consumer);
    if (!consumer->kafka)
        return;
    credentials_look(&consumer->credentials, uv_now(consumer->loop), consumer->kafka,
                     consumer->conf);
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
