/*
 * kafka_client: what all that is a Kafka client of a test's own needs of librdkafka. Ends the test
 * on a fault of the test's.
 */
#ifndef HARNESS_KAFKA_CLIENT_H
#define HARNESS_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>

void kafka_client_set(rd_kafka_conf_t *conf, const char *name, const char *value);

/* What became of the one topic that a CreateTopics, CreatePartitions or DeleteTopics was about. */
rd_kafka_resp_err_t kafka_client_topic_error(rd_kafka_event_t *event);

#endif
