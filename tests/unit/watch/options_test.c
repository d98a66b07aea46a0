/* options: the settings of watch mode: SlimFaas Kafka's defaults and spellings, faults with the
 * number of their binding, what is taken up only at a new start. */
#include "watch/options.h"

#include <criterion/criterion.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define LIST(...)    ((char *[]){__VA_ARGS__, NULL})
#define ITEM         "SlimFaasKafka__Bindings__"
#define WHOLE(n, topic)                                                                            \
    ITEM #n "__Topic=" topic, ITEM #n "__ConsumerGroupId=g", ITEM #n "__FunctionName=f"

struct reading {
    struct watch_config config;
    struct option_group groups[WATCH_GROUPS];
    struct option_faults faults;
};

static void read_environment(struct reading *reading, char **environment)
{
    const struct option_input input = {.environment = environment};

    *reading = (struct reading){0};
    watch_config_init(&reading->config, reading->groups);
    option_read(reading->groups, WATCH_GROUPS, &input, &reading->faults);
    watch_config_check(&reading->config, &reading->faults);
}

static void release(struct reading *reading)
{
    option_release(reading->groups, WATCH_GROUPS);
    option_faults_release(&reading->faults);
}

Test(watch_options, the_defaults_are_slimfaas_kafkas)
{
    struct reading reading;
    struct activity_rules rules;

    read_environment(&reading, LIST(WHOLE(0, "t")));
    cr_expect_eq(reading.faults.count, 0);
    cr_expect_str_eq(reading.config.kafka.client.brokers.items[0], "kafka:9092");
    cr_expect_str_eq(reading.config.kafka.client.client_id, "slimkafka-monitor");
    cr_expect_eq(reading.config.kafka.interval, 5000);
    cr_expect_eq(reading.config.kafka.timeout, 5000);
    cr_expect(reading.config.kafka.create_topics);
    cr_expect_str_eq(reading.config.wake.url, "http://slimfaas:5000");
    cr_expect_str_eq(reading.config.wake.path_template, "/wake-function/{functionName}");
    cr_expect_eq(reading.config.wake.timeout, 10000);
    rules = watch_rules(&reading.config.watch, watch_binding(&reading.config.watch, 0));
    cr_expect_eq(rules.min_pending, 1);
    cr_expect_eq(rules.min_delta, 1);
    cr_expect_eq(rules.cooldown_ms, 30000);
    cr_expect_eq(rules.keep_alive_ms, 60000);
    cr_expect_not(rules.on_start);
    release(&reading);
}

/* The example of SlimFaas Kafka's documents, in the spelling of its Compose file. */
Test(watch_options, the_documents_example_is_read)
{
    struct reading reading;
    const struct binding_options *binding;
    struct activity_rules rules;

    read_environment(&reading,
                     LIST("Kafka__BootstrapServers=kafka:9092", "Kafka__CheckIntervalSeconds=7",
                          "Kafka__KafkaTimeoutSeconds=3", "Kafka__AllowAutoCreateTopics=False",
                          "SlimFaas__BaseUrl=http://slimfaas:30021",
                          "SlimFaas__WakeUpPathTemplate=/functions/{functionName}/wake",
                          "SlimFaas__HttpTimeoutSeconds=4",
                          "SlimKafka__Bindings__0__Topic=fibo-public",
                          "SlimKafka__Bindings__0__ConsumerGroupId=fibonacci-listener-group",
                          "SlimKafka__Bindings__0__FunctionName=fibonaccilistener",
                          "SlimKafka__Bindings__0__MinPendingMessages=2",
                          "SlimKafka__Bindings__0__CooldownSeconds=20",
                          "SlimKafka__Bindings__0__ActivityKeepAliveSeconds=-1",
                          "SlimKafka__Bindings__0__MinConsumedDeltaForActivity=9"));
    cr_expect_eq(reading.faults.count, 0);
    cr_expect_eq(reading.config.kafka.interval, 7000);
    cr_expect_eq(reading.config.kafka.timeout, 3000);
    cr_expect_not(reading.config.kafka.create_topics);
    cr_expect_str_eq(reading.config.wake.url, "http://slimfaas:30021");
    cr_expect_eq(reading.config.wake.timeout, 4000);
    cr_assert_eq(reading.config.watch.bindings.count, 1);
    binding = watch_binding(&reading.config.watch, 0);
    cr_expect_str_eq(binding->topic, "fibo-public");
    cr_expect_str_eq(binding->group, "fibonacci-listener-group");
    cr_expect_str_eq(binding->function, "fibonaccilistener");
    rules = watch_rules(&reading.config.watch, binding);
    cr_expect_eq(rules.min_pending, 2);
    cr_expect_eq(rules.min_delta, 9);
    cr_expect_eq(rules.cooldown_ms, 20000);
    cr_expect_eq(rules.keep_alive_ms, -1000);
    release(&reading);
}

static const struct {
    const char *sentence;
    char *environment[8];
    const char *fault; /* the only one; NULL: none */
} cases[] = {
    {"no bindings are no fault", {NULL}, NULL},
    {"gaps in the numbers are fine", {WHOLE(3, "a"), WHOLE(9, "b")}, NULL},
    {"one group and topic may wake two functions",
     {WHOLE(0, "a"), ITEM "1__Topic=a", ITEM "1__ConsumerGroupId=g", ITEM "1__FunctionName=other"},
     NULL},
    {"no topic",
     {ITEM "4__ConsumerGroupId=g", ITEM "4__FunctionName=f"},
     ITEM "4__Topic: it must be given"},
    {"no group",
     {ITEM "4__Topic=t", ITEM "4__FunctionName=f"},
     ITEM "4__ConsumerGroupId: it must be given"},
    {"no function",
     {ITEM "4__Topic=t", ITEM "4__ConsumerGroupId=g"},
     ITEM "4__FunctionName: it must be given"},
    {"what is no topic's name",
     {WHOLE(4, "a b")},
     ITEM "4__Topic: \"a b\" is not a topic's name: 1 to 249 letters, digits, dots, dashes or "
          "underscores"},
    {"two that are equal are both named",
     {WHOLE(2, "a"), WHOLE(7, "a")},
     ITEM "7: topic, group and function are those of " ITEM "2"},
    {"no delta at all would be activity always",
     {WHOLE(1, "a"), ITEM "1__MinConsumedDeltaForActivity=0"},
     ITEM "1__MinConsumedDeltaForActivity: \"0\" is out of range; it must be at least 1 "
          "[environment]"},
};

Test(watch_options, faults_name_the_binding)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reading reading;

        read_environment(&reading, (char **)cases[i].environment);
        cr_expect_eq(reading.faults.count, cases[i].fault != NULL, "%s: %zu faults",
                     cases[i].sentence, reading.faults.count);
        if (cases[i].fault && reading.faults.count)
            cr_expect_str_eq(reading.faults.items[0], cases[i].fault, "%s", cases[i].sentence);
        release(&reading);
    }
}

static const struct {
    char *setting;
    const char *late; /* "": it is taken up at once */
} changes[] = {
    {"Kafka__BootstrapServers=other:9092", "Kafka__BootstrapServers"},
    {"Kafka__ClientId=other", "Kafka__ClientId"},
    {"kafka_socket_timeout_ms=1000", "X"},
    {"Kafka__KafkaTimeoutSeconds=9", "Kafka__KafkaTimeoutSeconds"},
    {"Kafka__AllowAutoCreateTopics=false", "Kafka__AllowAutoCreateTopics"},
    {"gateway_tls_insecure=true", "gateway_ca_file and what goes with it"},
    {"admin_listen=none", "admin_listen"},
    {"Kafka__CheckIntervalSeconds=9", ""},
    {"SlimFaas__BaseUrl=http://other", ""},
    {ITEM "0__CooldownSeconds=9", ""},
};

static void expect_late(const struct reading *before, const struct reading *after,
                        const char *wanted)
{
    UT_string late;

    utstring_init(&late);
    watch_config_needs_start(&before->config, &after->config, &late);
    cr_expect_str_eq(utstring_body(&late), wanted, "%s, not %s", utstring_body(&late), wanted);
    utstring_done(&late);
}

Test(watch_options, what_needs_a_new_start_is_named)
{
    struct reading before, after;

    read_environment(&before, LIST(WHOLE(0, "t")));
    for (size_t i = 0; i < COUNT(changes); i++) {
        read_environment(&after, LIST(WHOLE(0, "t"), changes[i].setting));
        expect_late(&before, &after, changes[i].late);
        release(&after);
    }
    read_environment(&after, LIST(WHOLE(0, "t"), "admin_token_file=/dev/null", "admin_listen=none",
                                  "Kafka__ClientId=other"));
    expect_late(&before, &after, "Kafka__ClientId, admin_listen, admin_token_file");
    release(&after);
    release(&before);
}

Test(watch_options, bindings_in_the_environment_are_known_by_their_names)
{
    cr_expect(watch_is_binding_variable("SlimFaasKafka__Bindings__0__Topic=t"));
    cr_expect(watch_is_binding_variable("SlimKafka__Bindings__12__FunctionName=f"));
    cr_expect(watch_is_binding_variable("SLIMFAASKAFKA__BINDINGS__0__TOPIC=t"));
    cr_expect_not(watch_is_binding_variable("SlimFaasKafka__BindingsX=t"));
    cr_expect_not(watch_is_binding_variable("SlimFaas__BaseUrl=http://slimfaas"));
    cr_expect_not(watch_is_binding_variable(""));
}
