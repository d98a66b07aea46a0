/* ask: see ask.h. */
#include "kafka/ask.h"

#include "base/xalloc.h"
#include "kafka/refusal.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

/* Errors are told by the answer: librdkafka's own lines would say them a second time. Whoever asks
 * for a topic does not make it. */
static const struct kafka_setting settings[] = {
    {"log_level", "0"}, {"allow.auto.create.topics", "false"}, {NULL, NULL}};

/* Keeps the newest: the metadata call says only that there was no transport, not why. */
static void on_error(rd_kafka_t *kafka, int error, const char *reason, void *opaque)
{
    char **newest = opaque;

    (void)kafka;
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        return; /* follows from the others */
    free(*newest);
    *newest = refusal_or_text_dup(reason);
}

static rd_kafka_t *client_new(const struct kafka_options *options, char **error)
{
    struct option_faults faults = {0};
    rd_kafka_conf_t *conf = kafka_conf_new(options, NULL, settings, &faults);
    rd_kafka_t *kafka = NULL;
    char reason[512] = "";

    if (conf) {
        rd_kafka_conf_set_error_cb(conf, on_error);
        rd_kafka_conf_set_opaque(conf, error);
        kafka = kafka_client_new(false, conf, reason, sizeof(reason));
    }
    if (conf && !kafka)
        rd_kafka_conf_destroy(conf);
    if (!kafka)
        *error = xstrdup(faults.count ? faults.items[0] : reason);
    option_faults_release(&faults);
    return kafka;
}

static bool ask(rd_kafka_t *kafka, const char *option, const char *bootstrap, char **newest,
                FILE *to)
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
    fprintf(to, "%s %s: no answer within %d s: %s\n", option, bootstrap,
            KAFKA_ASK_TIMEOUT_MS / 1000, *newest ? *newest : rd_kafka_err2str(error));
    return false;
}

bool kafka_ask(const struct kafka_options *options, const char *option, FILE *to)
{
    char *bootstrap = kafka_bootstrap(options);
    char *error = NULL;
    rd_kafka_t *kafka = client_new(options, &error);
    bool good = false;

    if (kafka) {
        fprintf(to, "asking broker %s ...\n", bootstrap);
        fflush(to);
        good = ask(kafka, option, bootstrap, &error, to);
        rd_kafka_destroy(kafka);
    } else {
        fprintf(to, "%s %s: %s\n", option, bootstrap, error);
    }
    free(error);
    free(bootstrap);
    return good;
}

/* ---- topics ---- */

struct topic_found {
    rd_kafka_resp_err_t error;
    int partitions;
    int32_t broker; /* that has answered */
};

static struct topic_found ask_topic(rd_kafka_t *kafka, const char *topic)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(kafka, topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    struct topic_found found = {
        .error = rd_kafka_metadata(kafka, 0, handle, &metadata, KAFKA_ASK_TIMEOUT_MS)};

    if (metadata) {
        found.broker = metadata->orig_broker_id;
        if (metadata->topic_cnt == 1) {
            found.error = metadata->topics[0].err;
            found.partitions = metadata->topics[0].partition_cnt;
        }
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(handle);
    return found;
}

static bool tell_absent(rd_kafka_t *kafka, const char *topic, FILE *to)
{
    struct topic_found found = ask_topic(kafka, topic);

    if (found.error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        fprintf(to, "topic %s: missing; it is read from when it is there\n", topic);
    else if (found.error)
        fprintf(to, "topic %s: %s\n", topic, rd_kafka_err2str(found.error));
    return !found.error;
}

bool kafka_ask_topics(const struct kafka_options *options, const struct name_set *topics, FILE *to)
{
    char *error = NULL;
    rd_kafka_t *kafka = client_new(options, &error);
    const char *topic = NULL;
    bool good = kafka;

    while (kafka && (topic = name_set_next(topics, topic)))
        good &= tell_absent(kafka, topic, to);
    if (kafka)
        rd_kafka_destroy(kafka);
    free(error);
    return good;
}

/* ---- topics for dead letters ---- */

struct topics_asked {
    rd_kafka_t *kafka;
    FILE *to;
    char *makes; /* the brokers' auto.create.topics.enable; "": they do not say; NULL: not asked */
};

static const char *setting_of(const rd_kafka_ConfigResource_t *resource, const char *name)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    return NULL;
}

/* A broker's setting; "": it was not told, which needs the right to describe the cluster's. Caller
 * frees. */
static char *ask_setting(rd_kafka_t *kafka, int32_t broker, const char *name)
{
    char *number = xasprintf("%d", (int)broker), *value = NULL;
    rd_kafka_ConfigResource_t *wanted =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_BROKER, number);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka);
    rd_kafka_event_t *event;

    rd_kafka_DescribeConfigs(kafka, &wanted, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, KAFKA_ASK_TIMEOUT_MS);
    if (event && !rd_kafka_event_error(event)) {
        size_t count;
        const rd_kafka_ConfigResource_t **answered = rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(event), &count);
        const char *told = count ? setting_of(answered[0], name) : NULL;

        value = told ? xstrdup(told) : NULL;
    }
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(wanted);
    free(number);
    return value ? value : xstrdup("");
}

/* Whether one that is missing may come. */
static bool tell_missing(struct topics_asked *asked, const char *topic, int32_t broker)
{
    static const char option[] = "auto.create.topics.enable";

    if (!asked->makes)
        asked->makes = ask_setting(asked->kafka, broker, option);
    if (strcmp(asked->makes, "true") == 0)
        fprintf(asked->to, "dead-letter topic %s: missing; the first letter has it made (%s)\n",
                topic, option);
    else if (*asked->makes)
        fprintf(asked->to,
                "dead-letter topic %s: missing, and the brokers do not make it by themselves "
                "(%s=%s): until you make it letters wait, and their records with them\n",
                topic, option, asked->makes);
    else
        fprintf(asked->to,
                "dead-letter topic %s: missing, and the brokers do not tell whether they make it "
                "by themselves (%s): if not, letters wait until you make it\n",
                topic, option);
    return !*asked->makes || strcmp(asked->makes, "true") == 0;
}

static bool tell_topic(struct topics_asked *asked, const char *topic)
{
    struct topic_found found = ask_topic(asked->kafka, topic);

    if (found.error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return tell_missing(asked, topic, found.broker);
    if (found.error)
        fprintf(asked->to, "dead-letter topic %s: %s\n", topic, rd_kafka_err2str(found.error));
    else
        fprintf(asked->to, "dead-letter topic %s: partitions: %d\n", topic, found.partitions);
    return !found.error;
}

bool kafka_ask_dead_topics(const struct kafka_options *options, const struct name_set *topics,
                           FILE *to)
{
    char *error = NULL;
    struct topics_asked asked = {.kafka = client_new(options, &error), .to = to};
    const char *topic = NULL;
    bool good = asked.kafka;

    while (asked.kafka && (topic = name_set_next(topics, topic)))
        good &= tell_topic(&asked, topic);
    if (asked.kafka)
        rd_kafka_destroy(asked.kafka);
    free(asked.makes);
    free(error);
    return good;
}
