/*
 * consumer_commit: one commit at a time, and its one answer: the event's, the clock's, or a refusal
 * told from the loop, because `done` may not answer from within itself.
 *
 * A position that is refused for its topic's sake does not concern the others: Kafka has committed
 * them.
 */
#include "kafka/consumer_private.h"

#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>
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
        it->opaque = (void *)i; /* librdkafka sorts its copy of the list */
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

    assert(count && !commit->in_flight);
    commit->in_flight = true;
    commit->id++;
    commit->count = count;
    commit->deadline = uv_now(consumer->loop) + COMMIT_TIMEOUT_MS;
    commit->refused = may_not_commit(consumer);
    if (!commit->refused)
        commit->refused = send_commit(consumer, positions, count);
    if (commit->refused)
        consumer_soon(consumer);
}

/* Takes answers. */
static void answer(struct consumer *consumer, struct source_answer *answers)
{
    size_t count = consumer->commit.count, failed = 0;

    consumer->commit.in_flight = false;
    consumer->commit.refused = NULL;
    for (size_t i = 0; i < count; i++)
        failed += answers[i].result != SOURCE_COMMITTED;
    if (failed)
        consumer->counts.commit_failures++;
    else
        consumer->counts.commits++;
    consumer->source.sink_calls->committed(consumer->source.sink, answers, count);
    free(answers);
}

static struct source_answer *all_alike(size_t count, struct source_answer each)
{
    struct source_answer *answers = xcalloc(count, sizeof(*answers));

    for (size_t i = 0; i < count; i++)
        answers[i] = each;
    return answers;
}

void consumer_commit_answer(struct consumer *consumer, enum source_result result,
                            const char *why_not)
{
    struct source_answer each = {result, why_not};

    if (consumer->commit.in_flight)
        answer(consumer, all_alike(consumer->commit.count, each));
}

static enum source_result result_of(rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return SOURCE_COMMITTED;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
        return SOURCE_UNREACHED;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE:
        return SOURCE_TOPIC_REFUSED;
    default:
        return SOURCE_REFUSED;
    }
}

static struct source_answer answer_of(rd_kafka_resp_err_t error)
{
    return (struct source_answer){result_of(error), error ? rd_kafka_err2str(error) : NULL};
}

/* librdkafka tells the last position's error as the event's, though others may be without one; and
 * a request that failed as a whole as the event's alone. */
static struct source_answer *answers_of(rd_kafka_event_t *event, size_t count)
{
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    struct source_answer *answers = all_alike(count, answer_of(rd_kafka_event_error(event)));
    bool each = false;

    for (int i = 0; list && i < list->cnt; i++)
        each |= list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; each && i < list->cnt; i++)
        answers[(size_t)list->elems[i].opaque] = answer_of(list->elems[i].err);
    return answers;
}

void consumer_on_commit(struct consumer *consumer, rd_kafka_event_t *event)
{
    if ((uintptr_t)rd_kafka_event_opaque(event) != consumer->commit.id ||
        !consumer->commit.in_flight)
        return; /* answered already: too late */
    answer(consumer, answers_of(event, consumer->commit.count));
}

void consumer_commit_tick(struct consumer *consumer)
{
    if (consumer->commit.in_flight && uv_now(consumer->loop) >= consumer->commit.deadline)
        consumer_commit_answer(consumer, SOURCE_UNREACHED, "no answer in time");
}
