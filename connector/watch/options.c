/* options: the tables of watch mode. See options.h. */
#include "watch/options.h"

#include "kafka/sampler.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BINDING(name) offsetof(struct binding_options, name)
#define KAFKA(name)   offsetof(struct watch_kafka, name)
#define WATCH(name)   offsetof(struct watch_options, name)
#define COUNT(array)  (sizeof(array) / sizeof(*(array)))

#define OLD_BINDINGS "SlimKafka__Bindings"

static const struct option_row kafka_rows[] = {
    {.name = "Kafka__BootstrapServers",
     .aliases = "broker_host broker_hosts",
     .type = OPTION_LIST,
     .offset = KAFKA(client.brokers),
     .default_text = "kafka:9092",
     .value_name = "HOST:PORT,...",
     .text = "Kafka brokers to begin with; port 9092 is added where none is given."},
    {.name = "Kafka__ClientId",
     .aliases = "client_id",
     .type = OPTION_STRING,
     .offset = KAFKA(client.client_id),
     .default_text = "slimkafka-monitor",
     .text = "Name the brokers know this client by, in their logs and quotas."},
    {.name = "Kafka__CheckIntervalSeconds",
     .type = OPTION_DURATION,
     .offset = KAFKA(interval),
     .default_text = "5s",
     .min = 100,
     .max = 86400000,
     .text = "How often groups and topics are looked at."},
    {.name = "Kafka__KafkaTimeoutSeconds",
     .type = OPTION_DURATION,
     .offset = KAFKA(timeout),
     .default_text = "5s",
     .min = 100,
     .max = 3600000,
     .text = "How long an answer of the brokers is waited for; until the next one what was known "
             "stays."},
    {.name = "Kafka__AllowAutoCreateTopics",
     .type = OPTION_BOOL,
     .offset = KAFKA(create_topics),
     .default_text = "true",
     .text = "A bound topic that does not exist is made, where the brokers make topics by "
             "themselves."},
    {.name = "X",
     .type = OPTION_PROPERTIES,
     .offset = KAFKA(client.properties),
     .text = KAFKA_PROPERTIES_TEXT},
};

static const struct option_row binding_rows[] = {
    {.name = "Topic",
     .type = OPTION_STRING,
     .offset = BINDING(topic),
     .text = "The topic that is watched. It must be given."},
    {.name = "ConsumerGroupId",
     .type = OPTION_STRING,
     .offset = BINDING(group),
     .value_name = "GROUP",
     .text = "The consumer group whose committed offsets say what waits. It must be given."},
    {.name = "FunctionName",
     .type = OPTION_STRING,
     .offset = BINDING(function),
     .value_name = "NAME",
     .text = "The function that is woken. It must be given."},
    {.name = "MinPendingMessages",
     .type = OPTION_INT,
     .offset = BINDING(min_pending),
     .default_text = "1",
     .max = INT64_MAX,
     .text = "Wakes when so many records wait. 0: always."},
    {.name = "CooldownSeconds",
     .type = OPTION_INT,
     .offset = BINDING(cooldown),
     .default_text = "30",
     .min = -1,
     .max = INT32_MAX,
     .text = "Seconds from an accepted wake-up to the next at least. 0 or -1: none."},
    {.name = "ActivityKeepAliveSeconds",
     .type = OPTION_INT,
     .offset = BINDING(keep_alive),
     .default_text = "60",
     .min = -1,
     .max = INT32_MAX,
     .text = "Wakes for so many seconds after the group was seen to consume, even when nothing "
             "waits. 0 or -1: never."},
    {.name = "MinConsumedDeltaForActivity",
     .type = OPTION_INT,
     .offset = BINDING(min_delta),
     .default_text = "1",
     .min = 1,
     .max = INT64_MAX,
     .text = "So many records must be consumed to count as that; smaller numbers add up."},
};

static const struct option_table binding_table = {"Binding", binding_rows, COUNT(binding_rows)};

static const struct option_row watch_rows[] = {
    {.name = WATCH_BINDINGS,
     .aliases = OLD_BINDINGS,
     .type = OPTION_ITEMS,
     .offset = WATCH(bindings),
     .item_table = &binding_table,
     .item_size = sizeof(struct binding_options),
     .text = "The bindings: each has a number N, from 0 on and not necessarily the next."},
    {.name = "activity_on_start",
     .type = OPTION_BOOL,
     .offset = WATCH(on_start),
     .default_text = "false",
     .text = "The first committed offsets that are seen count as activity, as SlimFaas Kafka has "
             "it: each start of this program then wakes every function whose group has committed."},
};

static const struct option_table kafka_table = {"Kafka", kafka_rows, COUNT(kafka_rows)};
static const struct option_table watch_table = {"Watch", watch_rows, COUNT(watch_rows)};

void watch_config_init(struct watch_config *config, struct option_group groups[WATCH_GROUPS])
{
    *config = (struct watch_config){0};
    groups[0] = (struct option_group){&kafka_table, &config->kafka};
    groups[1] = (struct option_group){&watch_table, &config->watch};
    groups[2] = (struct option_group){&wake_option_table, &config->wake};
    groups[3] = (struct option_group){&http_option_table, &config->http};
    groups[4] = (struct option_group){&admin_option_table, &config->admin};
}

const struct binding_options *watch_binding(const struct watch_options *options, size_t index)
{
    return (const struct binding_options *)options->bindings.items + index;
}

struct activity_rules watch_rules(const struct watch_options *options,
                                  const struct binding_options *binding)
{
    return (struct activity_rules){
        .min_pending = binding->min_pending,
        .min_delta = binding->min_delta,
        .keep_alive_ms = binding->keep_alive * 1000,
        .cooldown_ms = binding->cooldown * 1000,
        .on_start = options->on_start,
    };
}

static bool begins_item(const char *text, const char *name)
{
    size_t size = strlen(name);

    return strncasecmp(text, name, size) == 0 && strncmp(text + size, "__", 2) == 0;
}

bool watch_is_binding_variable(const char *variable)
{
    return begins_item(variable, WATCH_BINDINGS) || begins_item(variable, OLD_BINDINGS);
}

/* ---- faults ---- */

static void check_given(const char *value, int64_t number, const char *name,
                        struct option_faults *faults)
{
    if (!value || !*value)
        option_fault(faults, WATCH_BINDINGS "__%lld__%s: it must be given", (long long)number,
                     name);
}

static void check_binding(const struct binding_options *binding, int64_t number,
                          struct option_faults *faults)
{
    const char *topic = binding->topic;

    check_given(topic, number, "Topic", faults);
    check_given(binding->group, number, "ConsumerGroupId", faults);
    check_given(binding->function, number, "FunctionName", faults);
    if (topic && *topic && !kafka_topic_name_valid(topic))
        option_fault(faults,
                     WATCH_BINDINGS
                     "__%lld__Topic: \"%s\" is not a topic's name: 1 to 249 letters, "
                     "digits, dots, dashes or underscores",
                     (long long)number, topic);
}

static bool same_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static bool same_binding(const struct binding_options *a, const struct binding_options *b)
{
    return same_text(a->topic, b->topic) && same_text(a->group, b->group) &&
           same_text(a->function, b->function);
}

static void check_equal(const struct watch_options *options, size_t index,
                        struct option_faults *faults)
{
    for (size_t i = 0; i < index; i++) {
        if (!same_binding(watch_binding(options, i), watch_binding(options, index)))
            continue;
        option_fault(faults,
                     WATCH_BINDINGS "__%lld: topic, group and function are those of " WATCH_BINDINGS
                                    "__%lld",
                     (long long)options->bindings.numbers[index],
                     (long long)options->bindings.numbers[i]);
        return;
    }
}

void watch_config_check(const struct watch_config *config, struct option_faults *faults)
{
    const struct watch_options *watch = &config->watch;

    sampler_check(&config->kafka.client, faults);
    wake_options_check(&config->wake, faults);
    http_options_check(&config->http, faults);
    admin_options_check(&config->admin, faults);
    for (size_t i = 0; i < watch->bindings.count; i++) {
        check_binding(watch_binding(watch, i), watch->bindings.numbers[i], faults);
        check_equal(watch, i, faults);
    }
}

/* ---- changes ---- */

static bool differ(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") != 0;
}

static bool lists_differ(const struct option_list *a, const struct option_list *b)
{
    if (a->count != b->count)
        return true;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return true;
    return false;
}

static bool tls_differs(const struct http_options *a, const struct http_options *b)
{
    return differ(a->ca_file, b->ca_file) || differ(a->cert_file, b->cert_file) ||
           differ(a->key_file, b->key_file) || a->insecure != b->insecure;
}

static void name_if(bool differs, const char *name, UT_string *names)
{
    if (differs)
        utstring_printf(names, "%s%s", utstring_len(names) ? ", " : "", name);
}

void watch_config_needs_start(const struct watch_config *config, const struct watch_config *other,
                              UT_string *names)
{
    const struct watch_kafka *a = &config->kafka, *b = &other->kafka;
    const struct admin_options *admin = &config->admin;

    name_if(lists_differ(&a->client.brokers, &b->client.brokers), "Kafka__BootstrapServers", names);
    name_if(differ(a->client.client_id, b->client.client_id), "Kafka__ClientId", names);
    name_if(lists_differ(&a->client.properties, &b->client.properties), "X", names);
    name_if(a->timeout != b->timeout, "Kafka__KafkaTimeoutSeconds", names);
    name_if(a->create_topics != b->create_topics, "Kafka__AllowAutoCreateTopics", names);
    name_if(tls_differs(&config->http, &other->http), "gateway_ca_file and what goes with it",
            names);
    name_if(differ(admin->listen, other->admin.listen), "admin_listen", names);
    name_if(differ(admin->token_file, other->admin.token_file), "admin_token_file", names);
}
