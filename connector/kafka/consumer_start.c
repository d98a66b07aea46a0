/*
 * consumer_start: what is read of an assignment's partitions before it is answered.
 *
 * Runs on libuv's worker, because every call here waits for a broker. The worker sees its struct
 * reading only. Whatever fails fails the whole reading: a commit that could not be read must never
 * look like "none committed". Traps: on an error of the whole call every entry of a list reads
 * -1001 with err 0, so the return code comes first; and offsets_for_times trusts cached metadata,
 * so metadata is asked first.
 */
#include "kafka/consumer_private.h"

#include "base/xalloc.h"
#include "core/progress.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALL_TIMEOUT_MS = 5000,
    LOOKS = 5, /* at a log's end that cannot be right */
    LOOK_AGAIN_MS = 500,
    LOG_START = RD_KAFKA_OFFSET_BEGINNING, /* what offsets_for_times takes in place of a time */
    LOG_END = RD_KAFKA_OFFSET_END,
};

struct reading {
    uv_work_t work;
    struct consumer *consumer; /* for the loop's thread only */
    rd_kafka_t *kafka;
    atomic_bool abandoned;
    rd_kafka_topic_partition_list_t *assigned;  /* sorted by topic and number */
    rd_kafka_topic_partition_list_t *committed; /* all partitions of their topics, sorted so too */
    int *place;                                 /* of each assigned one in committed */
    rd_kafka_topic_partition_list_t *low, *end; /* of the assigned ones */
    char *failure;
};

static bool fail(struct reading *reading, const char *what, const char *topic,
                 rd_kafka_resp_err_t why)
{
    free(reading->failure);
    reading->failure = xasprintf("%s%s%s: %s", what, topic ? " of " : "", topic ? topic : "",
                                 rd_kafka_err2str(why));
    return false;
}

static void list_free(rd_kafka_topic_partition_list_t *list)
{
    if (list)
        rd_kafka_topic_partition_list_destroy(list);
}

/* The first entry's error stands for all. */
static bool entries_good(struct reading *reading, const char *what,
                         const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err)
            return fail(reading, what, list->elems[i].topic, list->elems[i].err);
    return true;
}

static bool read_partition_count(struct reading *reading, const char *topic, int *count)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(reading->kafka, topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error;

    if (!handle)
        return fail(reading, "metadata", topic, rd_kafka_last_error());
    error = rd_kafka_metadata(reading->kafka, 0, handle, &metadata, CALL_TIMEOUT_MS);
    rd_kafka_topic_destroy(handle);
    if (!error && metadata->topic_cnt != 1)
        error = RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    if (!error)
        error = metadata->topics[0].err;
    *count = error ? 0 : metadata->topics[0].partition_cnt;
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    return error ? fail(reading, "metadata", topic, error) : true;
}

/* Siblings are read too: whether a partition without a commit is new is told by theirs. */
static bool read_metadata(struct reading *reading)
{
    const char *topic = "";

    reading->committed = rd_kafka_topic_partition_list_new(reading->assigned->cnt);
    for (int i = 0; i < reading->assigned->cnt; i++) {
        int count = 0;

        if (strcmp(topic, reading->assigned->elems[i].topic) == 0)
            continue;
        topic = reading->assigned->elems[i].topic;
        if (!read_partition_count(reading, topic, &count))
            return false;
        if (count < 1)
            return fail(reading, "metadata", topic, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION);
        rd_kafka_topic_partition_list_add_range(reading->committed, topic, 0, count - 1);
    }
    return true;
}

/* librdkafka 2.0.2 gives metadata without the NUL behind it. */
static void end_metadata(rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *it = &list->elems[i];
        char *text = it->metadata ? xstrndup(it->metadata, it->metadata_size) : NULL;

        free(it->metadata);
        it->metadata = text; /* freed with the list */
    }
}

static bool read_committed(struct reading *reading)
{
    rd_kafka_resp_err_t error =
        rd_kafka_committed(reading->kafka, reading->committed, CALL_TIMEOUT_MS);

    if (error)
        return fail(reading, "committed offsets", NULL, error);
    end_metadata(reading->committed);
    return entries_good(reading, "committed offset", reading->committed);
}

static bool read_offsets(struct reading *reading, const char *what, int64_t which,
                         rd_kafka_topic_partition_list_t **list)
{
    rd_kafka_resp_err_t error;

    *list = rd_kafka_topic_partition_list_copy(reading->assigned);
    for (int i = 0; i < (*list)->cnt; i++)
        (*list)->elems[i].offset = which;
    error = rd_kafka_offsets_for_times(reading->kafka, *list, CALL_TIMEOUT_MS);
    if (error)
        return fail(reading, what, NULL, error);
    if (!entries_good(reading, what, *list))
        return false;
    for (int i = 0; i < (*list)->cnt; i++)
        if ((*list)->elems[i].offset < 0)
            return fail(reading, what, (*list)->elems[i].topic, RD_KAFKA_RESP_ERR__NO_OFFSET);
    return true;
}

static bool read_low(struct reading *reading)
{
    return read_offsets(reading, "log start", LOG_START, &reading->low);
}

/* Whether a log ends below what the group has committed or finished in it. */
static bool is_log_too_short(const struct reading *reading, int i)
{
    const rd_kafka_topic_partition_t *it = &reading->committed->elems[reading->place[i]];
    int64_t end = reading->end->elems[i].offset;
    struct progress progress = {0};
    bool too_short = it->offset > end;

    if (it->offset >= 0 && progress_decode(it->metadata, it->offset, &progress)) {
        too_short |= progress_top(&progress) >= end;
        progress_clear(&progress);
    }
    return too_short;
}

static bool is_any_log_too_short(const struct reading *reading)
{
    for (int i = 0; i < reading->assigned->cnt; i++)
        if (is_log_too_short(reading, i))
            return true;
    return false;
}

/* A log that is too short was made anew; or its new leader does not know yet how far the one before
 * it had come (KIP-207), which passes. To take the second for the first would repeat all of it. */
static bool read_end(struct reading *reading)
{
    for (int look = 0; look < LOOKS; look++) {
        if (look > 0)
            uv_sleep(LOOK_AGAIN_MS);
        list_free(reading->end);
        reading->end = NULL;
        if (!read_offsets(reading, "log end", LOG_END, &reading->end))
            return false;
        if (!is_any_log_too_short(reading) || atomic_load(&reading->abandoned))
            break;
    }
    return true;
}

/* Both lists have their topics in the same order, and committed has each topic's numbers from 0. */
static bool find_places(struct reading *reading)
{
    const rd_kafka_topic_partition_list_t *all = reading->committed;
    int first = 0;

    reading->place = xcalloc((size_t)reading->assigned->cnt, sizeof(*reading->place));
    for (int i = 0; i < reading->assigned->cnt; i++) {
        const rd_kafka_topic_partition_t *it = &reading->assigned->elems[i];

        while (strcmp(all->elems[first].topic, it->topic) != 0)
            first++;
        if (it->partition >= all->cnt - first ||
            strcmp(all->elems[first + it->partition].topic, it->topic) != 0)
            return fail(reading, "metadata", it->topic, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION);
        reading->place[i] = first + it->partition;
    }
    return true;
}

static void reading_work(uv_work_t *work)
{
    static bool (*const steps[])(struct reading *) = {
        read_metadata, find_places, read_committed, read_low, read_end,
    };
    struct reading *reading = work->data;

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
        if (atomic_load(&reading->abandoned) || !steps[i](reading))
            return;
}

void reading_free(struct reading *reading)
{
    list_free(reading->assigned);
    list_free(reading->committed);
    list_free(reading->low);
    list_free(reading->end);
    free(reading->place);
    free(reading->failure);
    free(reading);
}

static void reading_over(uv_work_t *work, int status)
{
    struct reading *reading = work->data;
    struct consumer *consumer = reading->consumer;

    (void)status; /* never cancelled */
    if (atomic_load(&reading->abandoned))
        reading_free(reading);
    else
        consumer_read_done(consumer);
    consumer_unhold(consumer);
}

void reading_begin(struct consumer *consumer)
{
    struct reading *reading = xcalloc(1, sizeof(*reading));

    reading->work.data = reading;
    reading->consumer = consumer;
    reading->kafka = consumer->kafka;
    reading->assigned = rd_kafka_topic_partition_list_copy(consumer->assigned);
    atomic_init(&reading->abandoned, false);
    consumer->reading = reading;
    consumer->holds++;
    uv_queue_work(consumer->loop, &reading->work, reading_work, reading_over);
}

void reading_abandon(struct consumer *consumer)
{
    if (consumer->reading)
        atomic_store(&consumer->reading->abandoned, true);
    consumer->reading = NULL;
}

const char *reading_failure(const struct reading *reading)
{
    return reading->failure;
}

/* Partition count and the least `born` of a topic, from its first entry on. A commit whose metadata
 * is not ours tells no `born` and is passed over. */
static void fill_topic(const struct reading *reading, int first,
                       struct source_assignment *assignment)
{
    assignment->partitions = 0;
    assignment->least_born = -1;
    for (int i = first; i < reading->committed->cnt; i++) {
        const rd_kafka_topic_partition_t *it = &reading->committed->elems[i];
        struct progress progress = {0};

        if (strcmp(it->topic, assignment->topic) != 0)
            break;
        assignment->partitions++;
        if (it->offset < 0 || !progress_decode(it->metadata, it->offset, &progress))
            continue;
        if (assignment->least_born < 0 || progress.born < assignment->least_born)
            assignment->least_born = progress.born;
        progress_clear(&progress);
    }
}

static void fill_partition(const struct reading *reading, int i,
                           struct source_assignment *assignment)
{
    const rd_kafka_topic_partition_t *it = &reading->committed->elems[reading->place[i]];

    assignment->committed = it->offset >= 0 ? it->offset : -1;
    assignment->metadata = it->metadata;
    assignment->low = reading->low->elems[i].offset;
    assignment->end = reading->end->elems[i].offset;
}

void reading_fill(const struct reading *reading, struct source_assignment *assignments)
{
    for (int i = 0; i < reading->assigned->cnt; i++) {
        struct source_assignment *assignment = &assignments[i];
        const struct source_assignment *before = i ? &assignments[i - 1] : NULL;

        fill_partition(reading, i, assignment);
        if (before && strcmp(before->topic, assignment->topic) == 0) {
            assignment->partitions = before->partitions;
            assignment->least_born = before->least_born;
        } else {
            fill_topic(reading, reading->place[i] - assignment->number, assignment);
        }
    }
}
