/* options: see options.h. */
#include "scale/options.h"

#include "kafka/sampler.h"
#include "scale/profile.h"
#include "scale/trigger.h"

#define KAFKA(name)  offsetof(struct kafka_options, name)
#define SCALE(name)  offsetof(struct scale_options, name)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { HOUR_MS = 60 * 60 * 1000 };

static const struct option_row kafka_rows[] = {
    {.name = "bootstrapServers",
     .aliases = "KAFKA_BROKERS broker_host broker_hosts",
     .type = OPTION_LIST,
     .offset = KAFKA(brokers),
     .default_text = "localhost:9092",
     .value_name = "HOST:PORT,...",
     .text =
         "Kafka brokers to begin with, where metadata names none; port 9092 is added where none "
         "is given."},
    {.name = "client_id",
     .type = OPTION_STRING,
     .offset = KAFKA(client_id),
     .default_text = "kafka-connector-scale",
     .text = "Name the brokers know this client by, in their logs and quotas."},
    {.name = "X",
     .type = OPTION_PROPERTIES,
     .offset = KAFKA(properties),
     .text = KAFKA_PROPERTIES_TEXT},
};

static const struct option_row scale_rows[] = {
    {.name = "consumerGroup",
     .aliases = "KAFKA_GROUP_ID",
     .type = OPTION_STRING,
     .offset = SCALE(group),
     .text = "The consumer group, where metadata names none. With it calls without metadata are "
             "answered, whatever scaled object they name."},
    {.name = "topic",
     .aliases = "KAFKA_TOPIC",
     .type = OPTION_STRING,
     .offset = SCALE(topic),
     .text = "The topic, where metadata names neither one nor a group. Empty: all that the group "
             "has committed in."},
    {.name = "clusters_path",
     .type = OPTION_PATH,
     .offset = SCALE(clusters_path),
     .text = "A folder of profiles: metadata `cluster: payments` means its file payments.json, "
             "which says by bootstrapServers, client_id and kafka_... (kafka_sasl_password) how "
             "that cluster is reached. Metadata never holds credentials."},
    {.name = "allowed_brokers",
     .type = OPTION_LIST,
     .offset = SCALE(allowed_brokers),
     .value_name = "HOST:PORT,...",
     .text = "What metadata may name as bootstrapServers, besides our own; * stands for any "
             "letters (*.kafka.svc:9092). Empty: anything, unless X holds credentials, which are "
             "for our own brokers then. With a profile only its brokers may be named."},
    {.name = "sample_timeout",
     .type = OPTION_DURATION,
     .offset = SCALE(timeout_ms),
     .default_text = "5s",
     .min = 100,
     .max = HOUR_MS,
     .text = "How long an answer of the brokers is waited for; until the next one what was known "
             "stays."},
    {.name = "min_sampling_interval",
     .type = OPTION_DURATION,
     .offset = SCALE(min_sampling_ms),
     .default_text = "1s",
     .min = 1000,
     .max = HOUR_MS,
     .text = "The shortest samplingInterval that metadata may ask for. A cluster is asked at the "
             "shortest of all its scaled objects."},
    {.name = "object_ttl",
     .type = OPTION_DURATION,
     .offset = SCALE(object_ttl_ms),
     .default_text = "1h",
     .min = 1000,
     .max = 30 * 24 * (int64_t)HOUR_MS,
     .text = "A scaled object that nobody has asked about for so long is forgotten."},
    {.name = "max_objects",
     .type = OPTION_INT,
     .offset = SCALE(max_objects),
     .default_text = "20000",
     .min = 1,
     .max = 1000000,
     .text = "Scaled objects at most; further ones are answered UNAVAILABLE."},
    {.name = "max_clusters",
     .type = OPTION_INT,
     .offset = SCALE(max_clusters),
     .default_text = "16",
     .min = 1,
     .max = 256,
     .text = "Clusters at most (each has a Kafka client); objects of further ones are answered "
             "UNAVAILABLE."},
    {.name = "max_measured",
     .type = OPTION_INT,
     .offset = SCALE(max_measured),
     .default_text = "2000",
     .max = 1000000,
     .text = "Scaled objects with metrics of their own, and partitions likewise; a metric says how "
             "many are left out."},
};

static const struct option_table kafka_table = {"Kafka", kafka_rows, COUNT(kafka_rows)};
static const struct option_table scale_table = {"Scale", scale_rows, COUNT(scale_rows)};

void scale_config_init(struct scale_config *config, struct option_group groups[SCALE_GROUPS])
{
    *config = (struct scale_config){0};
    groups[0] = (struct option_group){&kafka_table, &config->kafka};
    groups[1] = (struct option_group){&scale_table, &config->scale};
    groups[2] = (struct option_group){&scale_policy_table, &config->policy};
    groups[3] = (struct option_group){&admin_option_table, &config->admin};
}

/* What no metadata has changed must be good by itself, whoever is asked about. */
static void check_defaults(const struct scale_config *config, struct option_faults *faults)
{
    struct trigger trigger;

    trigger_init(&trigger, config);
    trigger_settle(&trigger, config, faults);
    trigger_release(&trigger);
}

void scale_config_check(const struct scale_config *config, struct option_faults *faults)
{
    const char *group = config->scale.group, *topic = config->scale.topic;

    sampler_check(&config->kafka, faults);
    admin_options_check(&config->admin, faults);
    check_defaults(config, faults);
    if (topic && *topic && !(group && *group))
        option_fault(faults, "topic: \"%s\" needs a consumerGroup (KAFKA_GROUP_ID)", topic);
    profiles_check(config->scale.clusters_path, faults);
}
