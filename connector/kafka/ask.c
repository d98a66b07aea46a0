/* ask: see ask.h. */
#include "kafka/ask.h"

#include "base/xalloc.h"

#include <librdkafka/rdkafka.h>

/* Errors are told by the answer: librdkafka's own lines would say them a second time. */
static const struct kafka_setting quiet[] = {{"log_level", "0"}, {NULL, NULL}};

static rd_kafka_t *client_new(const struct kafka_options *options, char **answer)
{
    struct option_faults faults = {0};
    rd_kafka_conf_t *conf = kafka_conf_new(options, NULL, quiet, &faults);
    rd_kafka_t *kafka = NULL;
    char reason[512] = "";

    if (conf)
        kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (conf && !kafka)
        rd_kafka_conf_destroy(conf);
    if (!kafka)
        *answer = xstrdup(faults.count ? faults.items[0] : reason);
    option_faults_release(&faults);
    return kafka;
}

bool kafka_ask(const struct kafka_options *options, char **answer)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_t *kafka = client_new(options, answer);
    rd_kafka_resp_err_t error;

    if (!kafka)
        return false;
    error = rd_kafka_metadata(kafka, 1, NULL, &metadata, KAFKA_ASK_TIMEOUT_MS);
    *answer = error
                  ? xasprintf("no answer within %d s: %s", KAFKA_ASK_TIMEOUT_MS / 1000,
                              rd_kafka_err2str(error))
                  : xasprintf("brokers: %d, topics: %d", metadata->broker_cnt, metadata->topic_cnt);
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_destroy(kafka);
    return !error;
}
