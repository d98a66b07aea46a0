/* dead_letter_record: a letter as a record of Kafka. */
#include "kafka/dead_letter_private.h"

#include "base/decimal.h"

#include <string.h>

#define PREFIX "x-dead-letter-"

enum { OWN_HEADERS = 8 };

static void add_text(rd_kafka_headers_t *to, const char *name, const char *text)
{
    rd_kafka_header_add(to, name, -1, text, -1);
}

static void add_number(rd_kafka_headers_t *to, const char *name, int64_t number)
{
    char buffer[DECIMAL_SIZE];
    size_t length;
    const char *text = decimal(buffer, number, &length);

    rd_kafka_header_add(to, name, -1, text, (ssize_t)length);
}

static void add_records(rd_kafka_headers_t *to, const struct record *record)
{
    for (size_t i = 0; i < record->header_count; i++) {
        const struct record_header *header = &record->headers[i];

        if (strncmp(header->name, PREFIX, sizeof(PREFIX) - 1) != 0)
            rd_kafka_header_add(to, header->name, -1, header->value, (ssize_t)header->size);
    }
}

static rd_kafka_headers_t *headers_new(const struct letter *letter)
{
    const struct record *record = letter->record;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count + OWN_HEADERS);

    add_records(headers, record);
    add_text(headers, PREFIX "topic", record->topic);
    add_number(headers, PREFIX "partition", record->partition);
    add_number(headers, PREFIX "offset", record->offset);
    add_text(headers, PREFIX "function", letter->why.function);
    add_text(headers, PREFIX "reason", letter_reason_name(letter->why.reason));
    if (letter->why.status)
        add_number(headers, PREFIX "status", letter->why.status);
    add_number(headers, PREFIX "attempts", letter->why.attempts);
    if (letter->value_size < record->value_size)
        add_number(headers, PREFIX "truncated", (int64_t)record->value_size);
    return headers;
}

rd_kafka_resp_err_t letter_produce(struct dead_letters *letters, struct letter *letter)
{
    const struct record *record = letter->record;
    rd_kafka_headers_t *headers = headers_new(letter);
    rd_kafka_resp_err_t error;

    if (!letter->to->handle)
        letter->to->handle = rd_kafka_topic_new(letters->kafka, letter->to->name, NULL);
    error = rd_kafka_producev(
        letters->kafka, RD_KAFKA_V_RKT(letter->to->handle),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(record->key, record->key_size),
        RD_KAFKA_V_VALUE((void *)record->value, letter->value_size),
        RD_KAFKA_V_TIMESTAMP(record->timestamp_ms > 0 ? record->timestamp_ms : 0),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(letter), RD_KAFKA_V_END);
    if (error)
        rd_kafka_headers_destroy(headers); /* else they are librdkafka's now */
    return error;
}
