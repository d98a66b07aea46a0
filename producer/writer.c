/* writer: see writer.h. */
#include "producer/writer.h"

#include "base/xalloc.h"
#include "kafka/credentials.h"
#include "kafka/refusal.h"
#include "producer/clock.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PURGED_MS = 100 }; /* for what was given up to be told */

struct writer {
    const struct producer_options *options;
    struct writer_sink sink;
    rd_kafka_t *client;
    struct credentials credentials;
    rd_kafka_topic_t *topic;
    rd_kafka_headers_t *headers; /* NULL: none */
    rd_kafka_queue_t *queue;     /* of what can be served; NULL: nobody is woken */
    void (*wake)(void *context);
    void *wake_context;
    int64_t taken;            /* records; they count the keys */
    rd_kafka_resp_err_t said; /* the client's error told last */
};

/* ---- what librdkafka tells ---- */

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct writer *writer = opaque;
    struct writer_end end = {.of = message->_private,
                             .reason = message->err ? rd_kafka_err2str(message->err) : NULL,
                             .partition = message->partition,
                             .offset = message->offset,
                             .size = message->len,
                             .latency_us = rd_kafka_message_latency(message)};

    (void)client;
    writer->sink.ended(writer->sink.context, &end);
}

/* A broker that is away is told once, not at each attempt. */
static void on_error(rd_kafka_t *client, int error, const char *reason, void *opaque)
{
    struct writer *writer = opaque;
    char *refusal;

    (void)client;
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) /* told already, broker by broker */
        return;
    refusal = refusal_dup(reason);
    if (refusal)
        error = RD_KAFKA_RESP_ERR__AUTHENTICATION; /* one refusal comes under several codes */
    if (writer->said != (rd_kafka_resp_err_t)error)
        fprintf(stderr, "producer: %s\n", refusal ? refusal : reason);
    writer->said = (rd_kafka_resp_err_t)error;
    free(refusal);
}

static void on_wake(rd_kafka_t *client, void *opaque)
{
    const struct writer *writer = opaque;

    (void)client;
    writer->wake(writer->wake_context);
}

/* ---- setting up ---- */

static rd_kafka_t *open_client(struct writer *writer, struct option_faults *faults)
{
    static const struct kafka_setting defaults[] = {
        {"message.timeout.ms", "30000"}, /* librdkafka's 5 minutes look like a hang */
        {"topic.metadata.propagation.max.ms", "10000"}, /* then a topic is said to be unknown */
        {"partitioner", "murmur2_random"}, /* keys go where Java's producer sends them */
        {"queue.buffering.max.kbytes", "262144"},
        {"log_level", "2"}, /* on_error tells what a person needs */
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf = kafka_conf_new(&writer->options->kafka, NULL, defaults, faults);
    char reason[256];
    rd_kafka_t *client;

    if (!conf)
        return NULL;
    rd_kafka_conf_set_opaque(conf, writer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    client = kafka_client_new(false, conf, reason, sizeof(reason));
    if (!client) {
        option_fault(faults, "X: %s", reason);
        rd_kafka_conf_destroy(conf);
    }
    return client;
}

static rd_kafka_headers_t *make_headers(const struct option_list *list)
{
    rd_kafka_headers_t *headers = list->count ? rd_kafka_headers_new(list->count) : NULL;

    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strchr(list->items[i], '=');

        rd_kafka_header_add(headers, list->items[i], equals - list->items[i], equals + 1, -1);
    }
    return headers;
}

struct writer *writer_new(const struct producer_options *options, const struct writer_sink *sink,
                          struct option_faults *faults)
{
    struct writer *writer = xcalloc(1, sizeof(*writer));

    writer->options = options;
    writer->sink = *sink;
    writer->client = open_client(writer, faults);
    if (!writer->client) {
        free(writer);
        return NULL;
    }
    credentials_init(&writer->credentials, &options->kafka);
    writer->topic = rd_kafka_topic_new(writer->client, options->topic, NULL);
    writer->headers = make_headers(&options->headers);
    return writer;
}

void writer_free(struct writer *writer)
{
    if (!writer)
        return;
    if (writer->queue) {
        rd_kafka_queue_cb_event_enable(writer->queue, NULL, NULL);
        rd_kafka_queue_destroy(writer->queue);
    }
    if (writer->headers)
        rd_kafka_headers_destroy(writer->headers);
    rd_kafka_topic_destroy(writer->topic);
    rd_kafka_destroy(writer->client);
    credentials_release(&writer->credentials);
    free(writer);
}

/* ---- records ---- */

static size_t make_key(const struct writer *writer, const struct writer_record *record,
                       char text[32], const char **key)
{
    *key = record->key ? record->key : writer->options->key;
    if (!record->key && writer->options->keys) {
        *key = text;
        return (size_t)snprintf(text, 32, "%lld",
                                (long long)(writer->taken % writer->options->keys));
    }
    return *key ? strlen(*key) : 0;
}

static rd_kafka_resp_err_t produce(const struct writer *writer, const struct writer_record *record)
{
    char text[32];
    const char *key;
    size_t key_size = make_key(writer, record, text, &key);
    rd_kafka_headers_t *headers = writer->headers ? rd_kafka_headers_copy(writer->headers) : NULL;
    rd_kafka_resp_err_t error;

    error = rd_kafka_producev(
        writer->client, RD_KAFKA_V_RKT(writer->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_VALUE((void *)record->value, record->size),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(record->of), RD_KAFKA_V_END);
    if (error && headers)
        rd_kafka_headers_destroy(headers); /* taken over only when it was accepted */
    return error;
}

enum writer_sent writer_send(struct writer *writer, const struct writer_record *record,
                             const char **reason)
{
    rd_kafka_resp_err_t error = produce(writer, record);

    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return WRITER_FULL;
    writer->taken++;
    if (!error)
        return WRITER_TAKEN;
    *reason = rd_kafka_err2str(error);
    return WRITER_REFUSED;
}

void writer_serve(struct writer *writer, int wait_ms)
{
    rd_kafka_poll(writer->client, wait_ms);
    credentials_look(&writer->credentials, (uint64_t)clock_us() / 1000, writer->client, NULL);
}

void writer_on_wake(struct writer *writer, void (*wake)(void *context), void *context)
{
    writer->wake = wake;
    writer->wake_context = context;
    writer->queue = rd_kafka_queue_get_main(writer->client);
    rd_kafka_queue_cb_event_enable(writer->queue, on_wake, writer);
}

bool writer_flush(struct writer *writer, int wait_ms)
{
    return rd_kafka_flush(writer->client, wait_ms) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

void writer_give_up(struct writer *writer)
{
    rd_kafka_purge(writer->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(writer->client, PURGED_MS);
}
