/*
 * consumer_record: records as the sink takes them from a partition's queue.
 *
 * Records are polled as events rather than by rd_kafka_consume_queue, which asserts that nothing
 * else is in the queue. A record is copied out into one block of its own and its event destroyed
 * at once: librdkafka keeps 400 bytes for a message beside the message, and the whole fetch that it
 * came in for as long as one of its messages is held.
 */
#include "kafka/consumer_private.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Behind it lies what it points at, but the topic's name, which the consumer keeps. */
struct kafka_record {
    struct record record; /* first */
    struct record_header headers[];
};

static void record_release(struct record *record)
{
    free(record);
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

/* One of a message's headers; `which` is below their count. */
static struct record_header header_of(const rd_kafka_headers_t *headers, size_t which)
{
    struct record_header header;

    rd_kafka_header_get_all(headers, which, &header.name, &header.value, &header.size);
    return header;
}

static size_t headers_size(const rd_kafka_headers_t *headers, size_t count)
{
    size_t size = count * sizeof(struct record_header);

    for (size_t i = 0; i < count; i++) {
        struct record_header header = header_of(headers, i);

        size += strlen(header.name) + 1 + header.size;
    }
    return size;
}

static void put_headers(struct kafka_record *it, const rd_kafka_headers_t *headers, char **at)
{
    for (size_t i = 0; i < it->record.header_count; i++) {
        struct record_header header = header_of(headers, i);

        it->headers[i].name = put(at, header.name, strlen(header.name) + 1);
        it->headers[i].value = put(at, header.value, header.size);
        it->headers[i].size = header.size;
    }
}

static struct record *record_new(const char *topic, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_timestamp_type_t type;
    struct kafka_record *it;
    size_t count = 0, memory;
    char *at;

    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        count = rd_kafka_header_cnt(headers);
    memory = sizeof(*it) + headers_size(headers, count) + message->key_len + message->len;
    it = xmalloc(memory);
    at = (char *)(it->headers + count);
    it->record = (struct record){
        .topic = topic,
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, &type),
        .key = put(&at, message->key, message->key_len),
        .key_size = message->key_len,
        .value = put(&at, message->payload, message->len),
        .value_size = message->len,
        .headers = count ? it->headers : NULL,
        .header_count = count,
        .memory = memory,
        .refs = 1,
        .release = record_release,
    };
    put_headers(it, headers, &at);
    return &it->record;
}

/* A record without a key has key NULL already; one with an empty key keeps a pointer, size 0. */
static struct record *read_fetch(struct source_partition *partition, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *message = rd_kafka_event_message_next(event);

    if (!message || message->err)
        return NULL;
    partition->end_offset = -1; /* the end told of lies before this record: old news */
    partition->next = message->offset + 1;
    return record_new(partition->topic, message);
}

static void note_end(struct consumer *consumer, struct source_partition *partition,
                     rd_kafka_event_t *event)
{
    rd_kafka_topic_partition_t *where = rd_kafka_event_topic_partition(event);

    if (!where)
        return;
    partition->end_offset = where->offset;
    if (where->offset > partition->next) /* between them lies nothing that is a record */
        partition->next = where->offset;
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

/* NULL: it was no record. */
static struct record *read_event(struct consumer *consumer, struct source_partition *partition,
                                 rd_kafka_event_t *event)
{
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_FETCH) {
        partition->trouble = RD_KAFKA_RESP_ERR_NO_ERROR;
        return read_fetch(partition, event);
    }
    if (rd_kafka_event_type(event) != RD_KAFKA_EVENT_ERROR)
        return NULL;
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        note_end(consumer, partition, event);
    else if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        consumer_go_astray(consumer, partition);
    else
        note_error(consumer, partition, event);
    return NULL;
}

struct record *consumer_take(struct source *source, struct source_partition *partition)
{
    struct consumer *consumer = (struct consumer *)source;
    struct record *record = NULL;
    rd_kafka_event_t *event;

    if (consumer->state != CONSUMER_ASSIGNED || !partition->queue)
        return NULL;
    while (!record && (event = rd_kafka_queue_poll(partition->queue, 0))) {
        partition->unasked = true; /* an end counts too: the queue was not empty with it */
        record = read_event(consumer, partition, event);
        rd_kafka_event_destroy(event);
    }
    if (!record)
        consumer_want_fetch(consumer, partition);
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

bool consumer_has_records(struct source *source, const struct source_partition *partition)
{
    const struct consumer *consumer = (const struct consumer *)source;

    return consumer->state == CONSUMER_ASSIGNED && partition->queue &&
           rd_kafka_queue_length(partition->queue) > 0;
}
