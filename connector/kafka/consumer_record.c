/*
 * consumer_record: records as the sink takes them from a partition's queue.
 *
 * Records are polled as events rather than by rd_kafka_consume_queue, which asserts that nothing
 * else is in the queue. A record keeps its event, and with it librdkafka's message.
 */
#include "kafka/consumer_private.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* What librdkafka keeps for a record beside its bytes (its op, its share of the fetch), roughly. */
enum { RECORD_OVERHEAD = 512 };

struct kafka_record {
    struct record record;    /* first */
    rd_kafka_event_t *event; /* NULL: detached */
    char *copy;              /* what it borrowed from the event, once detached */
    struct record_header headers[];
};

static void record_release(struct record *record)
{
    struct kafka_record *it = (struct kafka_record *)record;

    if (it->event)
        rd_kafka_event_destroy(it->event);
    free(it->copy);
    free(it);
}

/* Copies bytes to *at, which moves on, and says where they are now. NULL stays NULL. */
static const void *put(char **at, const void *bytes, size_t size)
{
    char *to = *at;

    if (!bytes)
        return NULL;
    memcpy(to, bytes, size);
    *at += size;
    return to;
}

static size_t borrowed_size(const struct kafka_record *it)
{
    const struct record *record = &it->record;
    size_t size = strlen(record->topic) + 1 + record->key_size + record->value_size;

    for (size_t i = 0; i < record->header_count; i++)
        size += strlen(it->headers[i].name) + 1 + it->headers[i].size;
    return size;
}

static void record_copy_out(struct record *record)
{
    struct kafka_record *it = (struct kafka_record *)record;
    char *at = it->copy = xmalloc(borrowed_size(it));

    record->topic = put(&at, record->topic, strlen(record->topic) + 1);
    record->key = put(&at, record->key, record->key_size);
    record->value = put(&at, record->value, record->value_size);
    for (size_t i = 0; i < record->header_count; i++) {
        struct record_header *header = &it->headers[i];

        header->name = put(&at, header->name, strlen(header->name) + 1);
        header->value = put(&at, header->value, header->size);
    }
    rd_kafka_event_destroy(it->event);
    it->event = NULL;
}

static size_t fill_headers(struct record_header *to, const rd_kafka_headers_t *headers,
                           size_t count)
{
    size_t memory = 0;

    for (size_t i = 0; i < count; i++) {
        rd_kafka_header_get_all(headers, i, &to[i].name, &to[i].value, &to[i].size);
        memory += sizeof(to[i]) + strlen(to[i].name) + to[i].size;
    }
    return memory;
}

static struct record *record_new(rd_kafka_event_t *event, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_timestamp_type_t type;
    struct kafka_record *it;
    size_t count = 0;

    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        count = rd_kafka_header_cnt(headers);
    it = xmalloc(sizeof(*it) + count * sizeof(it->headers[0]));
    it->event = event;
    it->copy = NULL;
    it->record = (struct record){
        .topic = rd_kafka_topic_name(message->rkt),
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, &type),
        .key = message->key,
        .key_size = message->key_len,
        .value = message->payload,
        .value_size = message->len,
        .headers = count ? it->headers : NULL,
        .header_count = count,
        .refs = 1,
        .release = record_release,
        .detach = record_copy_out,
    };
    it->record.memory = RECORD_OVERHEAD + sizeof(*it) + message->key_len + message->len +
                        fill_headers(it->headers, headers, count);
    return &it->record;
}

/* A record without a key has key NULL already; one with an empty key keeps a pointer, size 0. */
static struct record *read_fetch(struct source_partition *partition, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *message = rd_kafka_event_message_next(event);

    if (!message || message->err) {
        rd_kafka_event_destroy(event);
        return NULL;
    }
    partition->end_offset = -1; /* the end told of lies before this record: old news */
    partition->next = message->offset + 1;
    return record_new(event, message);
}

static void note_end(struct consumer *consumer, struct source_partition *partition,
                     rd_kafka_event_t *event)
{
    rd_kafka_topic_partition_t *where = rd_kafka_event_topic_partition(event);

    if (!where)
        return;
    partition->end_offset = where->offset;
    rd_kafka_topic_partition_destroy(where);
    consumer_soon(consumer);
}

static void note_error(struct consumer *consumer, struct source_partition *partition,
                       rd_kafka_event_t *event)
{
    struct log_subject subject = {partition->topic, partition->number, -1, NULL};
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);

    consumer->counts.errors++;
    if (code == partition->trouble)
        return;
    partition->trouble = code;
    log_warning(&subject, "cannot be read just now: %s", rd_kafka_event_error_string(event));
}

/* Consumes the event; NULL: it was no record. */
static struct record *read_event(struct consumer *consumer, struct source_partition *partition,
                                 rd_kafka_event_t *event)
{
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_FETCH) {
        partition->trouble = RD_KAFKA_RESP_ERR_NO_ERROR;
        return read_fetch(partition, event);
    }
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
        if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            note_end(consumer, partition, event);
        else
            note_error(consumer, partition, event);
    }
    rd_kafka_event_destroy(event);
    return NULL;
}

struct record *consumer_take(struct source *source, struct source_partition *partition)
{
    struct consumer *consumer = (struct consumer *)source;
    struct record *record = NULL;
    rd_kafka_event_t *event;

    if (consumer->state != CONSUMER_ASSIGNED || !partition->queue)
        return NULL;
    while (!record && (event = rd_kafka_queue_poll(partition->queue, 0)))
        record = read_event(consumer, partition, event);
    return record;
}

/* The sink may do anything from within `end`, even release the partitions: hence the generation. */
void consumer_tell_ends(struct consumer *consumer)
{
    unsigned generation = consumer->generation;

    for (size_t i = 0; consumer->state == CONSUMER_ASSIGNED && consumer->generation == generation &&
                       i < consumer->count;
         i++) {
        struct source_partition *partition = &consumer->partitions[i];
        int64_t end = partition->end_offset;

        partition->end_offset = -1;
        if (end >= 0)
            consumer->source.sink_calls->end(consumer->source.sink, partition->sink_partition, end);
    }
}

int64_t consumer_log_end(struct source *source, const struct source_partition *partition)
{
    struct consumer *consumer = (struct consumer *)source;
    int64_t low, high;

    if (rd_kafka_get_watermark_offsets(consumer->kafka, partition->topic, partition->number, &low,
                                       &high) ||
        high < 0)
        return -1;
    return high;
}
