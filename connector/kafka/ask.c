/* ask: see ask.h. */
#include "kafka/ask.h"

#include "base/line.h"
#include "base/xalloc.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

/* Errors are told by the answer: librdkafka's own lines would say them a second time. */
static const struct kafka_setting quiet[] = {{"log_level", "0"}, {NULL, NULL}};

/* Keeps the newest: the metadata call says only that there was no transport, not why. */
static void on_error(rd_kafka_t *kafka, int error, const char *reason, void *opaque)
{
    char **newest = opaque;

    (void)kafka;
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        return; /* follows from the others */
    free(*newest);
    *newest = line_escape_dup(reason, strlen(reason));
}

static rd_kafka_t *client_new(const struct kafka_options *options, char **error)
{
    struct option_faults faults = {0};
    rd_kafka_conf_t *conf = kafka_conf_new(options, NULL, quiet, &faults);
    rd_kafka_t *kafka = NULL;
    char reason[512] = "";

    if (conf) {
        rd_kafka_conf_set_error_cb(conf, on_error);
        rd_kafka_conf_set_opaque(conf, error);
        kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    }
    if (conf && !kafka)
        rd_kafka_conf_destroy(conf);
    if (!kafka)
        *error = xstrdup(faults.count ? faults.items[0] : reason);
    option_faults_release(&faults);
    return kafka;
}

static bool ask(rd_kafka_t *kafka, const char *bootstrap, char **newest, FILE *to)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error = rd_kafka_metadata(kafka, 1, NULL, &metadata, KAFKA_ASK_TIMEOUT_MS);

    if (!error) {
        fprintf(to, "broker %s: brokers: %d, topics: %d\n", bootstrap, metadata->broker_cnt,
                metadata->topic_cnt);
        rd_kafka_metadata_destroy(metadata);
        return true;
    }
    rd_kafka_poll(kafka, 0); /* calls on_error */
    fprintf(to, "broker %s: no answer within %d s: %s\n", bootstrap, KAFKA_ASK_TIMEOUT_MS / 1000,
            *newest ? *newest : rd_kafka_err2str(error));
    return false;
}

bool kafka_ask(const struct kafka_options *options, FILE *to)
{
    char *bootstrap = kafka_bootstrap(options);
    char *error = NULL;
    rd_kafka_t *kafka = client_new(options, &error);
    bool good = false;

    if (kafka) {
        fprintf(to, "asking broker %s ...\n", bootstrap);
        fflush(to);
        good = ask(kafka, bootstrap, &error, to);
        rd_kafka_destroy(kafka);
    } else {
        fprintf(to, "broker %s: %s\n", bootstrap, error);
    }
    free(error);
    free(bootstrap);
    return good;
}
