/*
 * consumer_commit: one batch at a time, and its one answer: the events', the clock's, or a refusal
 * told from the loop, because `done` may not answer from within itself.
 *
 * Kafka refuses a position for its topic's sake and commits those beside it. librdkafka 2.0.2 then
 * tells that error of all of them, which says nothing of the others: so what was refused like that
 * is sent once more, topic by topic. To commit a position twice does no harm.
 */
#include "kafka/consumer_private.h"

#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- requests ---- */

/* `place` is the position's in the batch: librdkafka sorts its copy of the list. */
static void add(rd_kafka_topic_partition_list_t *list, size_t place, const char *topic,
                int32_t number, int64_t offset, const char *metadata, size_t metadata_size)
{
    rd_kafka_topic_partition_t *it = rd_kafka_topic_partition_list_add(list, topic, number);

    it->opaque = (void *)place;
    it->offset = offset;
    if (!metadata)
        return;
    it->metadata = xstrndup(metadata, metadata_size); /* librdkafka frees it with the list */
    it->metadata_size = metadata_size;
}

/* Takes the list. NULL, or why it was not sent (static text). */
static const char *request(struct consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t error = rd_kafka_commit_queue(consumer->kafka, list, consumer->queue, NULL,
                                                      (void *)consumer->commit.id);

    rd_kafka_topic_partition_list_destroy(list);
    consumer->commit.waiting += !error;
    return error ? rd_kafka_err2str(error) : NULL;
}

static const char *send_batch(struct consumer *consumer, const struct source_position *positions,
                              size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);

    for (size_t i = 0; i < count; i++) {
        const struct source_partition *partition = positions[i].handle;
        const char *metadata = positions[i].metadata;

        add(list, i, partition->topic, partition->number, positions[i].offset, metadata,
            metadata ? strlen(metadata) : 0);
    }
    return request(consumer, list);
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
    *commit = (struct commit){.in_flight = true, .id = commit->id + 1, .count = count};
    commit->answers = xcalloc(count, sizeof(*commit->answers));
    commit->deadline = uv_now(consumer->loop) + COMMIT_TIMEOUT_MS;
    commit->refused = may_not_commit(consumer);
    if (!commit->refused)
        commit->refused = send_batch(consumer, positions, count);
    if (commit->refused)
        consumer_soon(consumer);
}

/* ---- answers ---- */

static void answer(struct consumer *consumer)
{
    struct source_answer *answers = consumer->commit.answers;
    size_t count = consumer->commit.count;

    consumer->commit.in_flight = false;
    consumer->commit.refused = NULL;
    consumer->commit.answers = NULL;
    consumer_committed(consumer);
    consumer->source.sink_calls->committed(consumer->source.sink, answers, count);
    free(answers);
}

void consumer_commit_answer(struct consumer *consumer, enum source_result result,
                            const char *why_not)
{
    if (!consumer->commit.in_flight)
        return;
    for (size_t i = 0; i < consumer->commit.count; i++)
        consumer->commit.answers[i] = (struct source_answer){result, why_not};
    answer(consumer);
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
    case RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE:
        return SOURCE_TOPIC_REFUSED;
    case RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE:
        return SOURCE_TOO_LONG;
    default:
        return SOURCE_REFUSED;
    }
}

static void note(struct commit *commit, const rd_kafka_topic_partition_list_t *list,
                 rd_kafka_resp_err_t of_all)
{
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *it = &list->elems[i];
        rd_kafka_resp_err_t error = it->err ? it->err : of_all;

        commit->answers[(size_t)it->opaque] =
            (struct source_answer){result_of(error), error ? rd_kafka_err2str(error) : NULL};
    }
}

/* ---- topic by topic ---- */

static bool is_one_topic(const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 1; i < list->cnt; i++)
        if (strcmp(list->elems[i].topic, list->elems[0].topic) != 0)
            return false;
    return true;
}

/* Sends the positions of one topic, which begin at `first`. Returns where they end. */
static int send_topic(struct consumer *consumer, const rd_kafka_topic_partition_list_t *sorted,
                      int first)
{
    rd_kafka_topic_partition_list_t *part = rd_kafka_topic_partition_list_new(sorted->cnt - first);
    const char *topic = sorted->elems[first].topic;
    int i;

    for (i = first; i < sorted->cnt && strcmp(sorted->elems[i].topic, topic) == 0; i++) {
        const rd_kafka_topic_partition_t *it = &sorted->elems[i];

        add(part, (size_t)it->opaque, topic, it->partition, it->offset, it->metadata,
            it->metadata_size);
    }
    request(consumer, part); /* what is not sent keeps the answer it has */
    return i;
}

static void send_apart(struct consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    consumer->commit.apart = true;
    if (may_not_commit(consumer))
        return;
    rd_kafka_topic_partition_list_sort(list, NULL, NULL);
    for (int i = 0; i < list->cnt;)
        i = send_topic(consumer, list, i);
}

void consumer_on_commit(struct consumer *consumer, rd_kafka_event_t *event)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    struct commit *commit = &consumer->commit;
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);

    if ((uintptr_t)rd_kafka_event_opaque(event) != commit->id || !commit->in_flight)
        return; /* answered already: too late */
    commit->waiting--;
    note(commit, list, error);
    if (result_of(error) == SOURCE_TOPIC_REFUSED && !commit->apart && !is_one_topic(list))
        send_apart(consumer, list);
    if (!commit->waiting)
        answer(consumer);
}

void consumer_commit_tick(struct consumer *consumer)
{
    if (consumer->commit.in_flight && uv_now(consumer->loop) >= consumer->commit.deadline)
        consumer_commit_answer(consumer, SOURCE_UNREACHED, "no answer in time");
}
