/*
 * mock: see mock.h. A producer handle that never produces carries the cluster, as librdkafka wants
 * one for its own books.
 */
#include "kafka/mock.h"

#include "base/xalloc.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdlib.h>

struct mock {
    rd_kafka_t *kafka;
    rd_kafka_mock_cluster_t *cluster;
};

static rd_kafka_t *carrier_new(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *kafka;

    rd_kafka_conf_set(conf, "client.id", "mock", NULL, 0);
    rd_kafka_conf_set(conf, "log_level", "3", NULL, 0); /* that it has no brokers is no news */
    kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    if (!kafka)
        rd_kafka_conf_destroy(conf);
    return kafka;
}

/* What went wrong, or NULL. */
static const char *start(struct mock *mock, int brokers)
{
    mock->kafka = carrier_new();
    if (!mock->kafka)
        return "librdkafka made no client";
    mock->cluster = rd_kafka_mock_cluster_new(mock->kafka, brokers);
    if (mock->cluster)
        return NULL;
    rd_kafka_destroy(mock->kafka);
    return "librdkafka made no mock brokers";
}

/* librdkafka's threads inherit that all signals are blocked: the brokers end for good when one
 * interrupts their poll (2.0.2), as the SIGCHLD of the caller's children does. */
struct mock *mock_new(int brokers, const char **reason)
{
    struct mock *mock = xcalloc(1, sizeof(*mock));
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    *reason = start(mock, brokers);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!*reason)
        return mock;
    free(mock);
    return NULL;
}

void mock_free(struct mock *mock)
{
    if (!mock)
        return;
    rd_kafka_mock_cluster_destroy(mock->cluster);
    rd_kafka_destroy(mock->kafka);
    free(mock);
}

const char *mock_bootstrap(const struct mock *mock)
{
    return rd_kafka_mock_cluster_bootstraps(mock->cluster);
}

bool mock_create_topic(struct mock *mock, const char *topic, int partitions)
{
    return !rd_kafka_mock_topic_create(mock->cluster, topic, partitions, 1);
}

void mock_broker_down(struct mock *mock, int32_t broker)
{
    rd_kafka_mock_broker_set_down(mock->cluster, broker);
}

void mock_broker_up(struct mock *mock, int32_t broker)
{
    rd_kafka_mock_broker_set_up(mock->cluster, broker);
}

void mock_hide_topic(struct mock *mock, const char *topic, bool hidden)
{
    rd_kafka_mock_topic_set_error(mock->cluster, topic,
                                  hidden ? RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                                         : RD_KAFKA_RESP_ERR_NO_ERROR);
}

void mock_set_leader(struct mock *mock, const char *topic, int32_t partition, int32_t broker)
{
    rd_kafka_mock_partition_set_leader(mock->cluster, topic, partition, broker ? broker : -1);
}

void mock_set_delay(struct mock *mock, int32_t broker, int ms)
{
    rd_kafka_mock_broker_set_rtt(mock->cluster, broker, ms);
}

void mock_set_coordinator(struct mock *mock, const char *group, int32_t broker)
{
    rd_kafka_mock_coordinator_set(mock->cluster, "group", group, broker);
}

void mock_push_errors(struct mock *mock, int16_t api_key, int16_t error, int count)
{
    for (int i = 0; i < count; i++)
        rd_kafka_mock_push_request_errors(mock->cluster, api_key, 1, error);
}
