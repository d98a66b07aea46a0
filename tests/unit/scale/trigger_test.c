/* trigger: what metadata asks for, and what of it is refused. */
#include "scale/trigger.h"

#include "scale/scaler.h"

#include <criterion/criterion.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { ENTRIES_MOST = 8 };

static struct scale_config config;
static struct option_group groups[SCALE_GROUPS];
static struct trigger trigger;
static struct option_list unknown;
static struct option_faults faults;

static void set_up(void)
{
    scale_config_init(&config, groups);
}

static void tear_down(void)
{
    trigger_release(&trigger);
    option_list_release(&unknown);
    option_faults_release(&faults);
    option_release(groups, SCALE_GROUPS);
}

TestSuite(trigger, .init = set_up, .fini = tear_down);

/* "--flag=value --flag=value", and metadata key after value, ended by NULL. */
static void read_with(const char *flags, const char *const *metadata)
{
    char text[256], *argv[16], *rest = text, *nothing = NULL;
    struct option_input input = {.argv = argv, .environment = &nothing};
    struct scaler_entry entries[ENTRIES_MOST];
    size_t count = 0;

    strncpy(text, flags, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    while ((argv[input.argc] = strtok_r(rest, " ", &rest)))
        input.argc++;
    option_read(groups, SCALE_GROUPS, &input, &faults);
    cr_assert_eq(faults.count, 0);
    for (; metadata[2 * count]; count++)
        entries[count] = (struct scaler_entry){metadata[2 * count], metadata[2 * count + 1]};
    trigger_init(&trigger, &config);
    trigger_read(&trigger, &config, entries, count, &unknown, &faults);
}

#define METADATA (const char *[])
#define GROUP    "consumerGroup", "workers"

Test(trigger, stands_over_the_defaults)
{
    read_with("--lagThreshold=70 --sustainSeconds=30",
              METADATA{GROUP, "topic", "orders", "sustainSeconds", "60", "bootstrapServers",
                       "a:9092, b", NULL});
    cr_expect_eq(faults.count, 0);
    cr_expect_str_eq(trigger.group, "workers");
    cr_expect_str_eq(trigger.topic, "orders");
    cr_expect_eq(trigger.policy.kafka.lag_threshold, 70, "the process's");
    cr_expect_eq(trigger.policy.sustain_ms, 60000, "its own");
    cr_expect_eq(trigger.policy.drain_ms, 60000, "as that");
    cr_assert_eq(trigger.brokers.count, 2);
    cr_expect_str_eq(trigger.brokers.items[1], "b");
}

Test(trigger, without_metadata_is_the_process_own)
{
    read_with("--consumerGroup=workers --topic=orders", METADATA{NULL});
    cr_expect_eq(faults.count, 0);
    cr_expect_str_eq(trigger.group, "workers");
    cr_expect_str_eq(trigger.topic, "orders");
}

Test(trigger, another_group_is_not_in_the_process_own_topic)
{
    read_with("--consumerGroup=own --topic=orders", METADATA{GROUP, NULL});
    cr_expect_null(trigger.topic, "all topics of it");
}

Test(trigger, a_window_that_was_not_given_here_grows)
{
    read_with("--windowSize=30", METADATA{GROUP, "sustainSeconds", "600", NULL});
    cr_expect_eq(faults.count, 0);
    cr_expect_eq(trigger.policy.window_size, 61);
}

Test(trigger, a_window_of_the_defaults_is_the_least)
{
    read_with("--windowSize=100", METADATA{GROUP, NULL});
    cr_expect_eq(trigger.policy.window_size, 100);
}

Test(trigger, an_empty_value_is_none)
{
    read_with("--lagThreshold=70", METADATA{GROUP, "lagThreshold", "", "topic", "", NULL});
    cr_expect_eq(faults.count, 0);
    cr_expect_eq(trigger.policy.kafka.lag_threshold, 70);
    cr_expect_null(trigger.topic);
}

/* The presets of Persistent Kafka Lag Scaler's concept, as they stand. */
static const char *const presets[][7] = {
    {"lagThreshold", "200", "sustainSeconds", "60", "scaleUpStabilization", "30", NULL},
    {"lagThreshold", "1000", "sustainSeconds", "300", "scaleUpStabilization", "120", NULL},
    {"lagThreshold", "2000", "sustainSeconds", "180", "scaleDownStabilization", "600", NULL},
};

Test(trigger, presets_are_accepted_as_they_stand)
{
    for (size_t i = 0; i < COUNT(presets); i++) {
        read_with("--consumerGroup=workers --windowSize=30", presets[i]);
        cr_expect_eq(faults.count, 0, "%zu: %s", i, faults.count ? faults.items[0] : "");
        option_faults_release(&faults);
        trigger_release(&trigger);
        option_release(groups, SCALE_GROUPS);
    }
}

static const struct {
    const char *sentence, *flags, *metadata[7];
    const char *fault;   /* a part of the only one; NULL: none */
    const char *unknown; /* the only key that is passed over; NULL: none */
} cases[] = {
    {"no number", "", {GROUP, "lagThreshold", "abc", NULL}, "lagThreshold: \"abc\"", NULL},
    {"none", "", {GROUP, "lagThreshold", "0", NULL}, "lagThreshold: \"0\"", NULL},
    {"below none", "", {GROUP, "lagThreshold", "-1", NULL}, "lagThreshold: \"-1\"", NULL},
    {"no time", "", {GROUP, "sustainSeconds", "soon", NULL}, "sustainSeconds: \"soon\"", NULL},
    {"a time below none",
     "",
     {GROUP, "sustainSeconds", "-1", NULL},
     "sustainSeconds: \"-1\"",
     NULL},
    {"a window that is too small",
     "",
     {GROUP, "windowSize", "12", NULL},
     "windowSize: \"12\" is too small",
     NULL},
    {"no group", "", {"topic", "orders", NULL}, "consumerGroup: it must be given", NULL},
    {"an empty one", "", {"consumerGroup", "", NULL}, "consumerGroup: it must be given", NULL},
    {"no name of a topic", "", {GROUP, "topic", "a b", NULL}, "topic: \"a b\" is not", NULL},
    {"no broker",
     "",
     {GROUP, "bootstrapServers", "a:b", NULL},
     "bootstrapServers: \"a:b\" has a port",
     NULL},
    {"sampled too often",
     "--min_sampling_interval=5s",
     {GROUP, "samplingInterval", "1", NULL},
     "samplingInterval: \"1s\" is less than min_sampling_interval, 5s",
     NULL},
    {"how KEDA's kafka scaler signs in", "", {GROUP, "sasl", "plaintext", NULL}, "sasl: how", NULL},
    {"and by whom", "", {GROUP, "username", "admin", NULL}, "username: how Kafka", NULL},
    {"TLS", "", {GROUP, "tls", "enable", NULL}, "tls: how Kafka is reached", NULL},
    {"a certificate", "", {GROUP, "ca", "-----BEGIN", NULL}, "ca: how Kafka is reached", NULL},
    {"AWS", "", {GROUP, "awsRegion", "eu-west-1", NULL}, "awsRegion: how Kafka", NULL},
    {"how KEDA reaches us", "", {GROUP, "scalerAddress", "lag-scaler:50051", NULL}, NULL, NULL},
    {"by its TLS", "", {GROUP, "tlsClientCert", "-----BEGIN", NULL}, NULL, NULL},
    {"a slip", "", {GROUP, "lagTreshold", "5", NULL}, NULL, "lagTreshold (lagThreshold?)"},
    {"somebody's own", "", {GROUP, "zebra", "5", NULL}, NULL, "zebra"},
};

Test(trigger, tells_good_metadata_from_bad)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        read_with(cases[i].flags, cases[i].metadata);
        cr_expect_eq(faults.count, cases[i].fault ? 1 : 0, "%s: %s", cases[i].sentence,
                     faults.count ? faults.items[0] : "no fault");
        if (faults.count && cases[i].fault)
            cr_expect(strstr(faults.items[0], cases[i].fault), "%s: %s", cases[i].sentence,
                      faults.items[0]);
        cr_expect_eq(unknown.count, cases[i].unknown ? 1 : 0, "%s", cases[i].sentence);
        if (unknown.count && cases[i].unknown)
            cr_expect_str_eq(unknown.items[0], cases[i].unknown);
        option_list_release(&unknown);
        option_faults_release(&faults);
        trigger_release(&trigger);
        option_release(groups, SCALE_GROUPS);
    }
}

/* Of all that share the cluster's connections. */
Test(trigger, a_group_that_no_request_can_hold_is_refused)
{
    char group[INT16_MAX + 2];

    memset(group, 'g', sizeof(group));
    group[INT16_MAX] = '\0';
    read_with("", METADATA{"consumerGroup", group, NULL});
    cr_expect_eq(faults.count, 0, "the longest that there can be");
    trigger_release(&trigger);
    option_release(groups, SCALE_GROUPS);
    group[INT16_MAX] = 'g';
    group[INT16_MAX + 1] = '\0';
    read_with("", METADATA{"consumerGroup", group, NULL});
    cr_assert_eq(faults.count, 1);
    cr_expect_str_eq(faults.items[0],
                     "consumerGroup: \"gggggggggggggggggggg...\" is longer than 32767 bytes");
}

Test(trigger, shows_no_secret)
{
    read_with("", METADATA{GROUP, "password", "hunter2", "saslPassword", "hunter3", NULL});
    cr_expect_eq(faults.count, 2);
    cr_expect_null(strstr(faults.items[0], "hunter2"));
    cr_expect_null(strstr(faults.items[1], "hunter3"));
}
