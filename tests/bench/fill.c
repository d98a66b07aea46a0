/*
 * fill: makes a topic and fills it, record after record to the partitions in turn. A value says who
 * it is, "PARTITION:NUMBER:", as tests/bench/accounts.h wants it.
 *
 *     fill BROKER TOPIC PARTITIONS RECORDS SIZE
 */
#include "base/xalloc.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 60 * 1000, SIZE_LEAST = 24 };

static size_t failed;

_Noreturn static void die(const char *what, const char *why)
{
    fprintf(stderr, "fill: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static void on_delivered(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *unused)
{
    (void)kafka;
    (void)unused;
    failed += message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_t *producer_new(const char *broker)
{
    static const char *const settings[][2] = {
        {"max.in.flight", "1"}, /* with no retry: offsets are the records' numbers */
        {"message.send.max.retries", "0"},
        {"linger.ms", "20"},
        {"queue.buffering.max.messages", "1000000"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[512];
    rd_kafka_t *kafka;

    if (rd_kafka_conf_set(conf, "bootstrap.servers", broker, reason, sizeof(reason)))
        die(broker, reason);
    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], reason, sizeof(reason)))
            die(settings[i][0], reason);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
    kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (!kafka)
        die("producer", reason);
    return kafka;
}

static void create_topic(rd_kafka_t *kafka, const char *name, int partitions)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka);
    const rd_kafka_topic_result_t **results;
    char reason[512];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, 1, reason, sizeof(reason));
    rd_kafka_event_t *event;
    size_t count;

    if (!topic)
        die(name, reason);
    rd_kafka_CreateTopics(kafka, &topic, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, WAIT_MS);
    if (!event || rd_kafka_event_error(event))
        die(name, event ? rd_kafka_event_error_string(event) : "no answer");
    results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    if (count != 1 || rd_kafka_topic_result_error(results[0]))
        die(name, count == 1 ? rd_kafka_topic_result_error_string(results[0]) : "no result");
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
}

static void fill(rd_kafka_t *kafka, const char *name, size_t partitions, size_t records,
                 size_t size)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka, name, NULL);
    char *value = xmalloc(size + 1);

    for (size_t i = 0; i < records; i++) {
        int head = snprintf(value, size + 1, "%zu:%zu:", i % partitions, i / partitions);

        memset(value + head, 'x', size - (size_t)head);
        while (rd_kafka_produce(topic, (int32_t)(i % partitions), RD_KAFKA_MSG_F_COPY, value, size,
                                NULL, 0, NULL)) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                die(name, rd_kafka_err2str(rd_kafka_last_error()));
            rd_kafka_poll(kafka, 100);
        }
        rd_kafka_poll(kafka, 0);
    }
    if (rd_kafka_flush(kafka, WAIT_MS) || failed)
        die(name, "not all records were acknowledged");
    free(value);
    rd_kafka_topic_destroy(topic);
}

int main(int argc, char **argv)
{
    long partitions = argc == 6 ? strtol(argv[3], NULL, 10) : 0;
    long records = argc == 6 ? strtol(argv[4], NULL, 10) : 0;
    long size = argc == 6 ? strtol(argv[5], NULL, 10) : 0;
    rd_kafka_t *kafka;

    if (partitions < 1 || records < 1 || size < SIZE_LEAST)
        die("usage", "fill BROKER TOPIC PARTITIONS RECORDS SIZE");
    kafka = producer_new(argv[1]);
    create_topic(kafka, argv[2], (int)partitions);
    fill(kafka, argv[2], (size_t)partitions, (size_t)records, (size_t)size);
    rd_kafka_destroy(kafka);
    return EXIT_SUCCESS;
}
