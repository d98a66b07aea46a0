/* kafka/client: from options to a librdkafka configuration. */
#include "kafka/client.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 4 };

/* Options as the engine would fill them; the texts are borrowed. */
static struct kafka_options options_of(char **brokers, char **properties)
{
    struct kafka_options options = {.client_id = "tested"};

    options.brokers.items = brokers;
    while (brokers && options.brokers.count < ITEMS_MAX && brokers[options.brokers.count])
        options.brokers.count++;
    options.properties.items = properties;
    while (properties && options.properties.count < ITEMS_MAX &&
           properties[options.properties.count])
        options.properties.count++;
    return options;
}

Test(client, bootstrap_gets_a_port_where_none_is)
{
    static const struct {
        const char *sentence;
        char *brokers[ITEMS_MAX];
        const char *expected;
    } cases[] = {
        {"a bare host gets 9092", {"kafka"}, "kafka:9092"},
        {"a port given stays", {"kafka:9093"}, "kafka:9093"},
        {"each of several is judged alone", {"a", "b:1"}, "a:9092,b:1"},
        {"an IPv6 address in brackets gets one", {"[::1]"}, "[::1]:9092"},
        {"an IPv6 address in brackets keeps its own", {"[::1]:7"}, "[::1]:7"},
        {"a bare IPv6 address is put into brackets", {"fe80::2"}, "[fe80::2]:9092"},
        {"a protocol before the host is no port", {"SSL://kafka"}, "SSL://kafka:9092"},
        {"a protocol before host and port", {"SSL://kafka:1"}, "SSL://kafka:1"},
        {"a protocol before a bare IPv6 address", {"SSL://::1"}, "SSL://[::1]:9092"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct kafka_options options = options_of((char **)cases[i].brokers, NULL);
        char *bootstrap = kafka_bootstrap(&options);

        cr_expect_str_eq(bootstrap, cases[i].expected, "%s", cases[i].sentence);
        free(bootstrap);
    }
}

Test(client, brokers_that_librdkafka_could_not_read_are_faults)
{
    static const struct {
        char *broker;
        const char *says; /* NULL: it is good */
    } cases[] = {
        {"kafka", NULL},
        {"kafka-0.kafka_svc:9092", NULL},
        {"127.0.0.1:65535", NULL},
        {"[::1]:9092", NULL},
        {"[fe80::2%eth0]", NULL},
        {"::1", NULL},
        {"sasl_ssl://kafka:1", NULL},
        {"k\xc3\xa4"
         "fka",
         NULL},
        {"127.0.0.1:9999999", "\"127.0.0.1:9999999\" has a port that is not 1 to 65535"},
        {"127.0.0.1:x", "\"127.0.0.1:x\" has a port"},
        {"kafka:0", "has a port"},
        {"kafka:", "has a port"},
        {"kafka:+1", "has a port"},
        {"[::1]:x", "has a port"},
        {"a:9092:1", "\"a:9092:1\" is no HOST or HOST:PORT"},
        {":9092", "is no HOST"},
        {"[::1", "is no HOST"},
        {"[", "is no HOST"},
        {"[]:1", "is no HOST"},
        {"[kafka]:1", "is no HOST"},
        {"[::1]9:1", "is no HOST"},
        {"kafka 1", "is no HOST"},
        {"kafka:9092/x", "has a port"},
        {"SSL://", "is no HOST"},
        {"http://kafka:9092", "none of PLAINTEXT, SSL"},
        {"://kafka", "none of PLAINTEXT, SSL"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *brokers[] = {"good", cases[i].broker, NULL};
        struct kafka_options options = options_of(brokers, NULL);
        struct option_faults faults = {0};

        kafka_brokers_check(&options, &faults);
        cr_assert_eq(faults.count, cases[i].says != NULL, "%s", cases[i].broker);
        cr_expect(!cases[i].says || strstr(faults.items[0], cases[i].says), "%s: %s",
                  cases[i].broker, faults.items[0]);
        option_faults_release(&faults);
    }
}

Test(client, no_broker_at_all_is_a_fault)
{
    struct kafka_options options = options_of(NULL, NULL);
    struct option_faults faults = {0};

    cr_expect_null(kafka_conf_new(&options, NULL, NULL, &faults));
    cr_assert_eq(faults.count, 1);
    cr_expect_str_eq(faults.items[0], "broker_host: it names no broker");
    option_faults_release(&faults);
}

Test(client, topic_names_are_judged_as_kafka_does)
{
    char longest[251];
    static const struct {
        const char *name;
        bool valid;
    } cases[] = {
        {"faas-request", true}, {"a", true},          {"A_b.c-9", true},
        {"...", true},          {"", false},          {".", false},
        {"..", false},          {"a b", false},       {"a/b", false},
        {"caf\xc3\xa9", false}, {"^orders.*", false}, {"a\n", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        cr_expect_eq(kafka_topic_name_valid(cases[i].name), cases[i].valid, "\"%s\"",
                     cases[i].name);
    memset(longest, 'a', sizeof(longest));
    longest[250] = '\0';
    cr_expect_not(kafka_topic_name_valid(longest), "250 characters are one too many");
    longest[249] = '\0';
    cr_expect(kafka_topic_name_valid(longest), "249 characters are good");
}

static const struct kafka_setting fixed[] = {
    {"group.id", "workers"}, {"enable.auto.commit", "false"}, {NULL, NULL}};
static const struct kafka_setting defaults[] = {{"heartbeat.interval.ms", "250"}, {NULL, NULL}};

static void expect_setting(const rd_kafka_conf_t *conf, const char *name, const char *expected)
{
    char value[256];
    size_t size = sizeof(value);

    cr_assert_eq(rd_kafka_conf_get(conf, name, value, &size), RD_KAFKA_CONF_OK, "%s", name);
    cr_expect_str_eq(value, expected, "%s", name);
}

Test(client, settings_defaults_and_properties_all_arrive)
{
    char *brokers[] = {"one", "two:1", NULL};
    char *properties[] = {"heartbeat.interval.ms=500", "fetch.wait.max.ms=7", NULL};
    struct kafka_options options = options_of(brokers, properties);
    struct option_faults faults = {0};
    rd_kafka_conf_t *conf = kafka_conf_new(&options, fixed, defaults, &faults);

    cr_assert_not_null(conf);
    expect_setting(conf, "bootstrap.servers", "one:9092,two:1");
    expect_setting(conf, "client.id", "tested");
    expect_setting(conf, "group.id", "workers");
    expect_setting(conf, "enable.auto.commit", "false");
    expect_setting(conf, "heartbeat.interval.ms", "500"); /* the user's, over our default */
    expect_setting(conf, "fetch.wait.max.ms", "7");
    rd_kafka_conf_destroy(conf);
}

Test(client, faults_say_what_is_wrong_and_no_secret)
{
    static const struct {
        const char *sentence;
        char *property;
        const char *says, *never_says;
    } cases[] = {
        {"an unknown property is named with the nearest", "security.protokol=SSL",
         "did you mean security.protocol?", "SSL"},
        {"one like nothing known is only named", "no.such.thing.at.all=1",
         "unknown Kafka property no.such.thing.at.all", "did you mean"},
        {"a refused value is told in librdkafka's words", "security.protocol=TLS",
         "security.protocol", NULL},
        {"a number out of range is refused", "fetch.wait.max.ms=-4", "fetch.wait.max.ms", NULL},
        {"a fixed property cannot be changed", "enable.auto.commit=true", "enable.auto.commit",
         NULL},
        {"the brokers have an option", "bootstrap.servers=evil:1", "broker_host", "evil"},
        {"and so under the property's other name", "metadata.broker.list=evil:1", "broker_host",
         "evil"},
        {"an entry without a name", "=x", "name=value", NULL},
        {"an entry without a value may be a secret", "sasl.password:hunter2", "name=value",
         "hunter2"},
        {"a secret under a wrong name stays one", "sasl.pasword=hunter2", "sasl.password",
         "hunter2"},
        {"a refused secret is not repeated", "ssl.key.pem=hunter2", "ssl.key.pem", "hunter2"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *brokers[] = {"kafka", NULL}, *properties[] = {cases[i].property, NULL};
        struct kafka_options options = options_of(brokers, properties);
        struct option_faults faults = {0};
        rd_kafka_conf_t *conf = kafka_conf_new(&options, fixed, defaults, &faults);

        if (faults.count == 0) { /* librdkafka judges some values only when a client is made */
            cr_expect_eq(cases[i].property, strstr(cases[i].property, "ssl.key.pem"), "%s",
                         cases[i].sentence);
            rd_kafka_conf_destroy(conf);
            continue;
        }
        cr_expect_null(conf, "%s", cases[i].sentence);
        cr_assert_eq(faults.count, 1, "%s", cases[i].sentence);
        cr_expect(strstr(faults.items[0], cases[i].says), "%s: %s", cases[i].sentence,
                  faults.items[0]);
        cr_expect(!cases[i].never_says || !strstr(faults.items[0], cases[i].never_says), "%s: %s",
                  cases[i].sentence, faults.items[0]);
        option_faults_release(&faults);
    }
}

Test(client, every_fault_is_collected)
{
    char *brokers[] = {"kafka", NULL};
    char *properties[] = {"nonsense=1", "group.id=mine", "socket.timeout.ms=no", NULL};
    struct kafka_options options = options_of(brokers, properties);
    struct option_faults faults = {0};

    cr_expect_null(kafka_conf_new(&options, fixed, NULL, &faults));
    cr_expect_eq(faults.count, 3);
    option_faults_release(&faults);
}

/* Kerberos is one; librdkafka reads the value in any case. */
Test(client, sasl_in_any_case_keeps_its_plugins)
{
    static const struct {
        char *property;
        bool kept;
    } cases[] = {
        {"security.protocol=SASL_SSL", true},   {"security.protocol=Sasl_Ssl", true},
        {"security.protocol=sasl_ssl", true},   {"sasl.mechanism=GSSAPI", true},
        {"security.protocol=plaintext", false}, {"client.rack=a", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *brokers[] = {"kafka", NULL}, *properties[] = {cases[i].property, NULL};
        struct kafka_options options = options_of(brokers, properties);
        struct option_faults faults = {0};

        unsetenv("SASL_PATH");
        rd_kafka_conf_t *conf = kafka_conf_new(&options, fixed, defaults, &faults);

        if (conf) /* not of SASL alone: it says no mechanism */
            rd_kafka_conf_destroy(conf);
        option_faults_release(&faults);
        cr_expect_eq(!getenv("SASL_PATH"), cases[i].kept, "%s", cases[i].property);
    }
}

Test(client, who_asks_a_ticket_server)
{
    static const struct {
        const char *sentence;
        char *properties[ITEMS_MAX];
        bool kerberos;
    } cases[] = {
        {"Kerberos is librdkafka's default, but not without SASL", {NULL}, false},
        {"nor with TLS alone", {"security.protocol=SSL"}, false},
        {"it is with SASL", {"security.protocol=Sasl_Ssl", "sasl.kerberos.principal=us"}, true},
        {"and when named", {"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=GSSAPI"}, true},
        {"but not with another",
         {"security.protocol=SASL_SSL", "sasl.mechanism=PLAIN", "sasl.username=us",
          "sasl.password=x"},
         false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *brokers[] = {"kafka", NULL};
        struct kafka_options options = options_of(brokers, (char **)cases[i].properties);
        struct option_faults faults = {0};
        rd_kafka_conf_t *conf = kafka_conf_new(&options, fixed, defaults, &faults);

        cr_assert_not_null(conf, "%s", cases[i].sentence);
        cr_expect_eq(kafka_uses_kerberos(conf), cases[i].kerberos, "%s", cases[i].sentence);
        rd_kafka_conf_destroy(conf);
    }
}
