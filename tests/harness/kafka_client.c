/* kafka_client: see kafka_client.h. */
#include "tests/harness/kafka_client.h"

#include "tests/harness/fail.h"

void kafka_client_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];

    if (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason)) != RD_KAFKA_CONF_OK)
        fail("%s", reason);
}

rd_kafka_resp_err_t kafka_client_topic_error(rd_kafka_event_t *event)
{
    const rd_kafka_topic_result_t **results = NULL;
    size_t count = 0;

    if (rd_kafka_event_CreateTopics_result(event))
        results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    else if (rd_kafka_event_CreatePartitions_result(event))
        results = rd_kafka_CreatePartitions_result_topics(
            rd_kafka_event_CreatePartitions_result(event), &count);
    else if (rd_kafka_event_DeleteTopics_result(event))
        results =
            rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
    return count ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
}
