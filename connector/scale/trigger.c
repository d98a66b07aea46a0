/* trigger: see trigger.h. */
#include "scale/trigger.h"

#include "base/duration.h"
#include "base/xalloc.h"
#include "scale/scaler.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TRIGGER(name) offsetof(struct trigger, name)
#define COUNT(array)  (sizeof(array) / sizeof(*(array)))

/* Kafka's protocol has 15 bits for a text's size. A request with a longer one cannot be read: the
 * broker closes the connection, and with it fails what everybody else has asked on it. */
enum { GROUP_MOST = INT16_MAX };

static const struct option_row rows[] = {
    {.name = "bootstrapServers",
     .type = OPTION_LIST,
     .offset = TRIGGER(brokers),
     .text = "Kafka brokers to begin with."},
    {.name = "cluster",
     .type = OPTION_STRING,
     .offset = TRIGGER(cluster),
     .text = "A profile of clusters_path."},
    {.name = "topic",
     .type = OPTION_STRING,
     .offset = TRIGGER(topic),
     .text = "The topic; none: all of the group."},
    {.name = "consumerGroup",
     .type = OPTION_STRING,
     .offset = TRIGGER(group),
     .text = "The consumer group whose lag counts."},
};

static const struct option_table table = {"Metadata", rows, COUNT(rows)};

/* How KEDA reaches us. */
static const char *const kedas[] = {
    "scalerAddress", "enableTLS", "tlsCertFile", "caCert",           "tlsClientCert",
    "tlsClientKey",  "unsafeSsl", "metricType",  "useCachedMetrics", "authenticationRef",
};

/* How KEDA's kafka scalers reach Kafka; beside all that begin with one of the beginnings. */
static const char *const credentials[] = {
    "username", "password", "ca", "cert", "key", "keyPassword", "realm", "keytab", "scopes",
};

static const char *const beginnings[] = {"sasl", "tls", "ssl", "aws", "oauth", "kerberos"};

static bool is_one_of(const char *key, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], key) == 0)
            return true;
    return false;
}

static bool is_credential(const char *key)
{
    for (size_t i = 0; i < COUNT(beginnings); i++)
        if (strncasecmp(key, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return is_one_of(key, credentials, COUNT(credentials));
}

/* ---- the defaults ---- */

static char *dup_given(const char *text)
{
    return text && *text ? xstrdup(text) : NULL;
}

void trigger_init(struct trigger *trigger, const struct scale_config *config)
{
    *trigger = (struct trigger){
        .topic = dup_given(config->scale.topic),
        .group = dup_given(config->scale.group),
        .policy = config->policy,
    };
    trigger->policy.partition_limitation = xstrdup(config->policy.partition_limitation);
}

void trigger_release(struct trigger *trigger)
{
    option_list_release(&trigger->brokers);
    free(trigger->cluster);
    free(trigger->topic);
    free(trigger->group);
    free(trigger->policy.partition_limitation);
    *trigger = (struct trigger){0};
}

/* ---- one entry ---- */

static const struct option_row *find_row(const struct option_table *among, const char *key)
{
    for (size_t i = 0; i < among->count; i++)
        if (strcmp(among->rows[i].name, key) == 0)
            return &among->rows[i];
    return NULL;
}

static void tell_unknown(const char *key, struct option_list *unknown)
{
    static const struct option_group groups[] = {{&table, NULL}, {&scale_policy_table, NULL}};
    const char *nearest = option_nearest(groups, COUNT(groups), key);
    char *text = nearest ? xasprintf("%s (%s?)", key, nearest) : xstrdup(key);

    option_list_add(unknown, text, strlen(text));
    free(text);
}

/* An empty value is one that was not given. */
static void read_entry(struct trigger *trigger, const struct scaler_entry *entry,
                       struct option_list *unknown, struct option_faults *faults)
{
    const struct option_row *own = find_row(&table, entry->key);
    const struct option_row *row = own ? own : find_row(&scale_policy_table, entry->key);

    if (row && *entry->value)
        option_set(row, own ? (void *)trigger : &trigger->policy, entry->value, faults);
    else if (row || is_one_of(entry->key, kedas, COUNT(kedas)))
        return;
    else if (is_credential(entry->key))
        option_fault(faults,
                     "%s: how Kafka is reached is not taken from metadata; name a profile "
                     "(cluster: NAME, a file of clusters_path), or set librdkafka's property (X)",
                     entry->key);
    else
        tell_unknown(entry->key, unknown);
}

/* ---- together ---- */

static void check_interval(const struct trigger *trigger, const struct scale_config *config,
                           struct option_faults *faults)
{
    int64_t given = trigger->policy.sampling_ms, least = config->scale.min_sampling_ms;

    if (given && given < least)
        option_fault(faults, "samplingInterval: \"%s\" is less than min_sampling_interval, %s",
                     duration_format(given, (char[DURATION_TEXT_SIZE]){0}),
                     duration_format(least, (char[DURATION_TEXT_SIZE]){0}));
}

static void check_brokers(const struct trigger *trigger, struct option_faults *faults)
{
    for (size_t i = 0; i < trigger->brokers.count; i++) {
        const char *broker = trigger->brokers.items[i], *reason = kafka_broker_fault(broker);

        if (reason)
            option_fault(faults, "bootstrapServers: \"%s\" %s", broker, reason);
    }
}

void trigger_settle(struct trigger *trigger, const struct scale_config *config,
                    struct option_faults *faults)
{
    scale_policy_settle(&trigger->policy, trigger->topic != NULL, faults);
    check_interval(trigger, config, faults);
    check_brokers(trigger, faults);
    if (trigger->topic && !kafka_topic_name_valid(trigger->topic))
        option_fault(faults,
                     "topic: \"%s\" is not a topic's name: 1 to 249 letters, digits, dots, dashes "
                     "or underscores",
                     trigger->topic);
    if (trigger->group && strlen(trigger->group) > GROUP_MOST)
        option_fault(faults, "consumerGroup: \"%.20s...\" is longer than %d bytes", trigger->group,
                     GROUP_MOST);
}

static bool is_given(const struct scaler_entry *metadata, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(metadata[i].key, key) == 0 && *metadata[i].value)
            return true;
    return false;
}

/* What the defaults say of what the metadata says anew. */
static void drop_defaults(struct trigger *trigger, const struct scaler_entry *metadata,
                          size_t count)
{
    if (is_given(metadata, count, "consumerGroup")) {
        free(trigger->topic);
        trigger->topic = NULL;
    }
    trigger->policy.window_size = 0;
}

void trigger_read(struct trigger *trigger, const struct scale_config *config,
                  const struct scaler_entry *metadata, size_t count, struct option_list *unknown,
                  struct option_faults *faults)
{
    int64_t least = trigger->policy.window_size;

    drop_defaults(trigger, metadata, count);
    for (size_t i = 0; i < count; i++)
        read_entry(trigger, &metadata[i], unknown, faults);
    trigger_settle(trigger, config, faults);
    if (!is_given(metadata, count, "windowSize") && trigger->policy.window_size < least)
        trigger->policy.window_size = least;
    if (!trigger->group)
        option_fault(faults, "consumerGroup: it must be given, here or by KAFKA_GROUP_ID");
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool trigger_is_of_same(const struct trigger *a, const struct trigger *b)
{
    if (!same_text(a->cluster, b->cluster) || !same_text(a->topic, b->topic) ||
        !same_text(a->group, b->group) || a->brokers.count != b->brokers.count)
        return false;
    for (size_t i = 0; i < a->brokers.count; i++)
        if (strcmp(a->brokers.items[i], b->brokers.items[i]) != 0)
            return false;
    return true;
}
