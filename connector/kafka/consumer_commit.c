/*
 * consumer_commit: one commit at a time, and its one answer: the event's, the clock's, or a refusal
 * told from the loop, because `done` may not answer from within itself.
 */
#include "kafka/consumer_private.h"

#include "base/xalloc.h"

#include <assert.h>
#include <string.h>

static const char *send_commit(struct consumer *consumer, const struct source_position *positions,
                               size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    rd_kafka_resp_err_t error;

    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_t *it = rd_kafka_topic_partition_list_add(
            list, positions[i].handle->topic, positions[i].handle->number);

        it->offset = positions[i].offset;
        if (!positions[i].metadata)
            continue;
        it->metadata = xstrdup(positions[i].metadata); /* librdkafka frees it with the list */
        it->metadata_size = strlen(positions[i].metadata);
    }
    error = rd_kafka_commit_queue(consumer->kafka, list, consumer->queue, NULL,
                                  (void *)consumer->commit.id);
    rd_kafka_topic_partition_list_destroy(list);
    return error ? rd_kafka_err2str(error) : NULL;
}

/* Static text, or NULL: it may commit. */
static const char *may_not_commit(const struct consumer *consumer)
{
    if (consumer->state != CONSUMER_ASSIGNED && consumer->state != CONSUMER_REVOKING)
        return "no partitions are assigned";
    if (rd_kafka_assignment_lost(consumer->kafka))
        return "the assignment was lost";
    return NULL;
}

void consumer_done(struct source *source, const struct source_position *positions, size_t count)
{
    struct consumer *consumer = (struct consumer *)source;
    struct commit *commit = &consumer->commit;

    assert(!commit->in_flight);
    commit->in_flight = true;
    commit->id++;
    commit->deadline = uv_now(consumer->loop) + COMMIT_TIMEOUT_MS;
    commit->refused = may_not_commit(consumer);
    if (!commit->refused)
        commit->refused = send_commit(consumer, positions, count);
    if (commit->refused)
        consumer_soon(consumer);
}

void consumer_commit_answer(struct consumer *consumer, const char *why_not)
{
    if (!consumer->commit.in_flight)
        return;
    consumer->commit.in_flight = false;
    consumer->commit.refused = NULL;
    if (why_not)
        consumer->counts.commit_failures++;
    else
        consumer->counts.commits++;
    consumer->source.sink_calls->committed(consumer->source.sink, why_not);
}

static rd_kafka_resp_err_t commit_error(rd_kafka_event_t *event)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);

    for (int i = 0; !error && list && i < list->cnt; i++)
        error = list->elems[i].err;
    return error;
}

void consumer_on_commit(struct consumer *consumer, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t error = commit_error(event);

    if ((uintptr_t)rd_kafka_event_opaque(event) != consumer->commit.id)
        return; /* answered already: too late */
    consumer_commit_answer(consumer, error ? rd_kafka_err2str(error) : NULL);
}

void consumer_commit_tick(struct consumer *consumer)
{
    if (consumer->commit.in_flight && uv_now(consumer->loop) >= consumer->commit.deadline)
        consumer_commit_answer(consumer, "no answer in time");
}
