/*
 * client: see client.h. Settings are laid on in three coats: our defaults, the user's properties,
 * and the fixed ones, which therefore win even over a property's alias that nobody thought of.
 */
#define _GNU_SOURCE /* strcasestr */
#include "kafka/client.h"

#include "base/secret.h"
#include "base/xalloc.h"
#include "kafka/oauth.h"
#include "kafka/refusal.h"
#include "kafka/security.h"

#include <ctype.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>
#include <utarray.h>

enum { TOPIC_NAME_MAX = 249, REASON_SIZE = 512 };

static const struct option_row rows[] = {
    {.name = "broker_host",
     .aliases = "broker_hosts",
     .type = OPTION_LIST,
     .offset = offsetof(struct kafka_options, brokers),
     .default_text = "kafka",
     .value_name = "HOST:PORT,...",
     .text = "Kafka brokers to begin with; port 9092 is added where none is given."},
    {.name = "client_id",
     .type = OPTION_STRING,
     .offset = offsetof(struct kafka_options, client_id),
     .default_text = "kafka-connector",
     .text = "Name the brokers know this client by, in their logs and quotas."},
    {.name = "X",
     .type = OPTION_PROPERTIES,
     .offset = offsetof(struct kafka_options, properties),
     .text = KAFKA_PROPERTIES_TEXT},
};

const struct option_table kafka_option_table = {"Kafka", rows, sizeof(rows) / sizeof(*rows)};

/* The names of all properties, cut in place out of the table that librdkafka prints of them: the
 * only list that has those without a value too. */
static void list_properties(char *table, UT_array *rows_of)
{
    char *rest = NULL;

    for (char *line = strtok_r(table, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        struct option_row row = {.name = line};

        if (!islower((unsigned char)*line) || !strchr(line, '|'))
            continue;
        line[strcspn(line, " |")] = '\0';
        utarray_push_back(rows_of, &row);
    }
}

/* The property whose name is nearest, by the option engine's own measure. Caller frees. */
static char *nearest_property(const char *name)
{
    static const UT_icd icd = {sizeof(struct option_row), NULL, NULL, NULL};
    struct option_table known = {.title = "Properties"};
    struct option_group group = {&known, NULL};
    UT_array *names;
    char *table, *nearest;
    size_t size;
    FILE *to = xopen_memstream(&table, &size);

    rd_kafka_conf_properties_show(to);
    xclose_memstream(to);
    utarray_new(names, &icd);
    list_properties(table, names);
    known.rows = utarray_front(names);
    known.count = utarray_len(names);
    nearest = xstrdup(option_nearest(&group, 1, name));
    utarray_free(names);
    free(table);
    return nearest;
}

static void fault_unknown(const char *name, struct option_faults *faults)
{
    char *nearest = nearest_property(name);

    if (nearest)
        option_fault(faults, "unknown Kafka property %s; did you mean %s?", name, nearest);
    else
        option_fault(faults, "unknown Kafka property %s", name);
    free(nearest);
}

static void set_property(rd_kafka_conf_t *conf, const char *name, const char *value,
                         struct option_faults *faults)
{
    char reason[REASON_SIZE];

    switch (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason))) {
    case RD_KAFKA_CONF_OK:
        break;
    case RD_KAFKA_CONF_UNKNOWN:
        fault_unknown(name, faults);
        break;
    default:
        option_fault(faults, "Kafka property %s: %s", name,
                     /* which repeats the value */
                     secret_is_name(name, strlen(name)) ? "its value is refused" : reason);
    }
}

static void set_all(rd_kafka_conf_t *conf, const struct kafka_setting *settings,
                    struct option_faults *faults)
{
    for (; settings && settings->name; settings++)
        set_property(conf, settings->name, settings->value, faults);
}

static bool is_fixed(const char *name, const struct kafka_setting *settings)
{
    for (; settings && settings->name; settings++)
        if (strcmp(settings->name, name) == 0)
            return true;
    return false;
}

/* What every client of ours sets from options of its own: the property, and the option. */
static const struct kafka_setting option_of[] = {
    {"bootstrap.servers", "broker_host"},
    {"metadata.broker.list", "broker_host"},
    {"client.id", "client_id"},
    {NULL, NULL},
};

static const char *option_instead(const char *property)
{
    for (const struct kafka_setting *row = option_of; row->name; row++)
        if (strcmp(row->name, property) == 0)
            return row->value;
    return NULL;
}

/* NAME=VALUE, or NAME.file=PATH. */
static void set_value(rd_kafka_conf_t *conf, const char *name, bool is_file, const char *value,
                      struct option_faults *faults)
{
    char *read;

    if (is_file && strcmp(name, OAUTH_TOKEN) == 0) {
        oauth_use_file(conf, value, faults);
        return;
    }
    read = is_file ? security_read_file(name, value, faults) : NULL;

    if (!is_file)
        security_check_path(name, value, faults);
    if (!is_file || read)
        set_property(conf, name, is_file ? read : value, faults);
    if (read)
        xfree_secret(read);
}

static void set_users(rd_kafka_conf_t *conf, const char *property,
                      const struct kafka_setting *settings, struct option_faults *faults)
{
    const char *equals = strchr(property, '=');
    bool is_file;
    char *name;

    if (!equals || equals == property) {
        option_fault(faults, "a Kafka property is given as name=value");
        return;
    }
    name = xstrndup(property, (size_t)(equals - property));
    is_file = security_cut_file(name);
    if (option_instead(name))
        option_fault(faults, "Kafka property %s is set by the option %s", name,
                     option_instead(name));
    else if (is_fixed(name, settings))
        option_fault(faults, "Kafka property %s is set by this program and cannot be changed",
                     name);
    else
        set_value(conf, name, is_file, equals + 1, faults);
    free(name);
}

/* At its first call librdkafka loads every SASL plugin of the system, Berkeley DB with them: 0.6 MB
 * for nothing, unless Kerberos is used; PLAIN, SCRAM and OAUTHBEARER are its own. */
static void load_no_plugins(const struct kafka_options *options)
{
    for (size_t i = 0; i < options->properties.count; i++)
        if (strcasestr(options->properties.items[i], "sasl"))
            return;
    setenv("SASL_PATH", "/nonexistent", 0);
}

rd_kafka_conf_t *kafka_conf_new(const struct kafka_options *options,
                                const struct kafka_setting *settings,
                                const struct kafka_setting *defaults, struct option_faults *faults)
{
    rd_kafka_conf_t *conf;
    char *bootstrap = kafka_bootstrap(options);
    size_t faults_before = faults->count;

    load_no_plugins(options);
    conf = rd_kafka_conf_new();
    refusal_listen(conf);
    kafka_brokers_check(options, faults);
    set_all(conf, defaults, faults);
    for (size_t i = 0; i < options->properties.count; i++)
        set_users(conf, options->properties.items[i], settings, faults);
    set_property(conf, "bootstrap.servers", bootstrap, faults);
    set_property(conf, "client.id", options->client_id, faults);
    set_all(conf, settings, faults);
    if (faults->count == faults_before)
        security_check(conf, &options->properties, faults);
    free(bootstrap);
    if (faults->count == faults_before)
        return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}

rd_kafka_t *kafka_client_new(bool consumes, rd_kafka_conf_t *conf, char *reason, size_t size)
{
    rd_kafka_t *kafka =
        rd_kafka_new(consumes ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, reason, size);
    rd_kafka_error_t *none = kafka ? rd_kafka_sasl_background_callbacks_enable(kafka) : NULL;

    if (none) /* there are no tokens */
        rd_kafka_error_destroy(none);
    return kafka;
}

char *kafka_conf_value_dup(const rd_kafka_conf_t *conf, const char *name)
{
    size_t size = 0;
    char *value;

    if (rd_kafka_conf_get(conf, name, NULL, &size) != RD_KAFKA_CONF_OK)
        return xstrdup("");
    value = xcalloc(1, size + 1);
    rd_kafka_conf_get(conf, name, value, &size);
    return value;
}

static bool is_about(const rd_kafka_conf_t *conf, const char *name, const char *part)
{
    char *value = kafka_conf_value_dup(conf, name);
    bool about = strcasestr(value, part) != NULL;

    free(value);
    return about;
}

bool kafka_uses_kerberos(const rd_kafka_conf_t *conf)
{
    return is_about(conf, "security.protocol", "sasl") &&
           is_about(conf, "sasl.mechanisms", "GSSAPI");
}

bool kafka_topic_name_valid(const char *name)
{
    size_t size = strlen(name);

    if (size < 1 || size > TOPIC_NAME_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (; *name; name++)
        if (!isascii(*name) || !(isalnum(*name) || strchr("._-", *name)))
            return false;
    return true;
}
