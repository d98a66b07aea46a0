/* commits: see commits.h. The topic __consumer_offsets holds a record for each commit of each
 * partition, in the layout of Kafka's OffsetCommitKey (versions 0, 1) and OffsetCommitValue. */
#include "tests/faults/commits.h"

#include "base/xalloc.h"
#include "core/progress.h"
#include "tests/harness/fail.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { CALL_MS = 5000, PATIENCE_MS = 60 * 1000, POLL_MS = 100, KEY_VERSION_MOST = 1 };

static const char log_topic[] = "__consumer_offsets";

/* ---- the layout ---- */

struct cursor {
    const uint8_t *at, *end;
    bool torn;
};

static int64_t read_number(struct cursor *cursor, size_t size)
{
    uint64_t number = 0;

    if ((size_t)(cursor->end - cursor->at) < size) {
        cursor->torn = true;
        return -1;
    }
    for (size_t i = 0; i < size; i++)
        number = number << 8 | *cursor->at++;
    return size == 8 ? (int64_t)number : size == 4 ? (int32_t)number : (int16_t)number;
}

/* Caller frees. */
static char *read_text(struct cursor *cursor)
{
    int64_t size = read_number(cursor, 2);
    char *text;

    if (size < 0 || cursor->end - cursor->at < size) {
        cursor->torn = true;
        return xstrdup("");
    }
    text = xstrndup(cursor->at, (size_t)size);
    cursor->at += size;
    return text;
}

/* The partition that a commit of the group is about; -1: it is another record. */
static int32_t read_key(const struct commits *commits, struct cursor cursor)
{
    int64_t version = read_number(&cursor, 2), partition = -1;
    char *group, *topic;

    if (cursor.torn || version > KEY_VERSION_MOST)
        return -1;
    group = read_text(&cursor);
    topic = read_text(&cursor);
    if (strcmp(group, commits->group) == 0 && strcmp(topic, commits->group) == 0)
        partition = read_number(&cursor, 4);
    free(group);
    free(topic);
    return partition < PARTITIONS_MOST ? (int32_t)partition : -1;
}

static struct commit read_value(struct cursor cursor)
{
    struct commit commit;
    int64_t version = read_number(&cursor, 2);

    commit.offset = read_number(&cursor, 8);
    if (version >= 3)
        read_number(&cursor, 4); /* the leader's epoch */
    commit.metadata = read_text(&cursor);
    commit.at_us = 1000 * read_number(&cursor, 8);
    if (cursor.torn)
        fail("a commit in %s is laid out as never before (version %d)", log_topic, (int)version);
    return commit;
}

static void add(struct commit_log *log, struct commit commit)
{
    if (log->count == log->room) {
        log->room = log->room ? 2 * log->room : 64;
        log->list = xrealloc(log->list, log->room * sizeof(*log->list));
    }
    log->list[log->count++] = commit;
}

static void take(struct commits *commits, const rd_kafka_message_t *message)
{
    struct cursor key = {message->key, (const uint8_t *)message->key + message->key_len, false};
    struct cursor value = {message->payload, (const uint8_t *)message->payload + message->len,
                           false};
    int32_t partition = message->key ? read_key(commits, key) : -1;

    if (partition >= 0 && message->payload)
        add(&commits->partition[partition], read_value(value));
}

/* ---- the log ---- */

static rd_kafka_t *consumer_new(const struct commits *commits)
{
    const char *const settings[][2] = {
        {"bootstrap.servers", commits->bootstrap},
        {"group.id", "reader-of-commits"},
        {"enable.auto.commit", "false"},
        {"enable.partition.eof", "true"},
        {"isolation.level", "read_uncommitted"},
        {"reconnect.backoff.max.ms", "500"},
        {"log_level", "0"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];
    rd_kafka_t *consumer;

    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], reason, sizeof(reason)))
            fail("%s", reason);
    consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    if (!consumer)
        fail("%s", reason);
    rd_kafka_poll_set_consumer(consumer);
    return consumer;
}

/* 0: not made yet. */
static int count_partitions(rd_kafka_t *consumer)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(consumer, log_topic, NULL);
    const struct rd_kafka_metadata *metadata;
    int count = 0;

    if (!rd_kafka_metadata(consumer, 0, topic, &metadata, CALL_MS)) {
        count = metadata->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
    return count;
}

void commits_begin(void *context)
{
    struct commits *commits = context;
    rd_kafka_t *consumer = consumer_new(commits);
    int64_t low;

    commits->from_count = count_partitions(consumer);
    commits->from = xcalloc((size_t)commits->from_count + 1, sizeof(*commits->from));
    for (int i = 0; i < commits->from_count; i++)
        if (rd_kafka_query_watermark_offsets(consumer, log_topic, i, &low, &commits->from[i],
                                             CALL_MS))
            commits->from[i] = 0; /* all of it, then */
    rd_kafka_destroy(consumer);
}

static int assign(struct commits *commits, rd_kafka_t *consumer)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    int count = count_partitions(consumer);

    for (int i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, log_topic, i)->offset =
            i < commits->from_count ? commits->from[i] : 0;
    rd_kafka_assign(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    return count;
}

void commits_read(void *context)
{
    struct commits *commits = context;
    rd_kafka_t *consumer = consumer_new(commits);
    uint64_t deadline = uv_hrtime() + PATIENCE_MS * UINT64_C(1000000);
    int left = assign(commits, consumer);
    bool ended[PARTITIONS_MOST] = {false};

    while (left > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, POLL_MS);

        if (uv_hrtime() > deadline)
            fail("%s cannot be read", log_topic);
        if (!message)
            continue;
        if (!message->err)
            take(commits, message);
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && !ended[message->partition]) {
            ended[message->partition] = true;
            left--;
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}

void commits_release(struct commits *commits)
{
    for (int i = 0; i < PARTITIONS_MOST; i++) {
        for (size_t k = 0; k < commits->partition[i].count; k++)
            free(commits->partition[i].list[k].metadata);
        free(commits->partition[i].list);
    }
    free(commits->from);
}

/* ---- what they say ---- */

bool commits_cover(const struct commits *commits, int partition, int64_t offset,
                   const char *function_path, int64_t at_us)
{
    const struct commit_log *log = &commits->partition[partition];
    const struct commit *last = NULL;
    struct progress progress = {0};
    bool finished = false;

    for (size_t i = 0; i < log->count && log->list[i].at_us <= at_us; i++)
        last = &log->list[i];
    if (!last || offset < last->offset)
        return last != NULL;
    if (progress_decode(last->metadata, last->offset, &progress))
        finished = progress_finished(&progress, progress_name(function_path), offset);
    progress_clear(&progress);
    return finished;
}
