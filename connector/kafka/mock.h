/*
 * mock: librdkafka's mock brokers, for the sandbox and the tests.
 *
 * In memory, one process, loopback only, on random ports: read the address from mock_bootstrap.
 * Lacks (librdkafka 2.0.2): TLS and SASL, CreateTopics (use mock_create_topic), OffsetFetch of all
 * partitions at once, ListGroups and DescribeGroups. Differs from Kafka: whoever asks for a topic
 * that does not exist makes it (4 partitions; see mock_hide_topic); while a group waits for its
 * members to join again every commit is refused, so a drain's last one too; and that wait is
 * session.timeout.ms less a second, however soon they come (3 s for a group's first).
 */
#ifndef KAFKA_MOCK_H
#define KAFKA_MOCK_H

#include <stdbool.h>
#include <stdint.h>

struct mock;

/* NULL: *reason says why (static text). The brokers' threads take no signals. */
struct mock *mock_new(int brokers, const char **reason);
void mock_free(struct mock *mock);

const char *mock_bootstrap(const struct mock *mock); /* "127.0.0.1:40123,..." */
bool mock_create_topic(struct mock *mock, const char *topic, int partitions);

/* Faults. broker 1..n. */
void mock_broker_down(struct mock *mock, int32_t broker);
void mock_broker_up(struct mock *mock, int32_t broker);
/* An existing topic is answered as one that does not exist, until shown again. */
void mock_hide_topic(struct mock *mock, const char *topic, bool hidden);
/* 0: the partition has no leader; its records stay. */
void mock_set_leader(struct mock *mock, const char *topic, int32_t partition, int32_t broker);
/* Each answer of a broker leaves so much later; 0: at once. */
void mock_set_delay(struct mock *mock, int32_t broker, int ms);
/* From now on that broker coordinates the group. */
void mock_set_coordinator(struct mock *mock, const char *group, int32_t broker);
/* The next `count` requests of a kind (Kafka's ApiKey) are answered with a Kafka error code. */
void mock_push_errors(struct mock *mock, int16_t api_key, int16_t error, int count);

#endif
