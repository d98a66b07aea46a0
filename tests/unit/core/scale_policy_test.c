/* scale_policy: its keys, their defaults, and what cannot be together. */
#include "core/scale_policy.h"

#include <criterion/criterion.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Reads flags and settles. The policy is to be released. */
static struct scale_policy read_policy(const char *flags, bool has_topic,
                                       struct option_faults *faults)
{
    struct scale_policy policy; /* nothing may be left as it comes */
    struct option_group group = {&scale_policy_table, &policy};
    char text[256], *argv[16], *rest = text;
    int argc = 0;

    memset(&policy, 0x5a, sizeof(policy));
    strncpy(text, flags, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    while ((argv[argc] = strtok_r(rest, " ", &rest)))
        argc++;
    option_read(&group, 1, &(struct option_input){.argc = argc, .argv = argv}, faults);
    scale_policy_settle(&policy, has_topic, faults);
    return policy;
}

static void release(struct scale_policy *policy)
{
    option_release(&(struct option_group){&scale_policy_table, policy}, 1);
}

Test(scale_policy, has_the_documented_defaults)
{
    struct option_faults faults = {0};
    struct scale_policy policy = read_policy("", true, &faults);

    cr_expect_eq(faults.count, 0);
    cr_expect_eq(policy.kafka.lag_threshold, 500);
    cr_expect_eq(policy.sustain_ms, 120000);
    cr_expect_eq(policy.sampling_ms, 10000);
    cr_expect_eq(policy.up_ms, 60000);
    cr_expect_eq(policy.down_ms, 300000);
    cr_expect_eq(policy.drain_ms, 120000, "as sustainSeconds");
    cr_expect_eq(policy.window_size, 31, "30 intervals of 10 s are the 300 s to look back: 31");
    cr_expect_eq(policy.time_lag_ms, 0);
    cr_expect_eq(policy.sizing, SIZING_PACE);
    cr_expect_eq(policy.kafka.activation_lag_threshold, 0);
    cr_expect_eq(policy.kafka.offset_reset, OFFSET_RESET_LATEST);
    cr_expect_eq(policy.limit.count, 0);
    cr_expect_eq(policy.finer, 1);
    cr_expect_not(scale_policy_is_kafkas(&policy));
    release(&policy);
}

Test(scale_policy, is_kedas_without_any_time)
{
    struct option_faults faults = {0};
    struct scale_policy policy = read_policy(
        "--sustainSeconds=0 --scaleUpStabilization=0 --scaleDownStabilization=0", true, &faults);

    cr_expect(scale_policy_is_kafkas(&policy));
    cr_expect_eq(policy.window_size, 30);
    release(&policy);
    policy = read_policy("--sustainSeconds=0 --scaleUpStabilization=0", true, &faults);
    cr_expect_not(scale_policy_is_kafkas(&policy));
    release(&policy);
    cr_expect_eq(faults.count, 0);
}

static const struct {
    const char *flags;
    bool has_topic;
    const char *fault; /* a part of it; NULL: none */
} cases[] = {
    {"--windowSize=30", true, NULL}, /* Persistent Kafka Lag Scaler's, as it is written there */
    {"--windowSize=29", true, "windowSize: \"29\" is too small"},
    {"--windowSize=11 --scaleDownStabilization=60", true, "must be at least 12"},
    {"--windowSize=12 --scaleDownStabilization=60", true, NULL},
    {"--lagThreshold=200 --sustainSeconds=60 --scaleUpStabilization=30", true, NULL},
    {"--lagThreshold=1000 --sustainSeconds=300 --scaleUpStabilization=120", true, NULL},
    {"--lagThreshold=2000 --sustainSeconds=180 --scaleDownStabilization=600", true, NULL},
    {"--samplingInterval=1 --sustainSeconds=86400", true, "samplingInterval: too short"},
    {"--samplingInterval=0.5", true, "samplingInterval"},
    {"--lagThreshold=0", true, "lagThreshold"},
    {"--lagThreshold=ten", true, "is not a whole number"},
    {"--activationLagThreshold=-1", true, "activationLagThreshold"},
    {"--offsetResetPolicy=none", true, "latest, earliest"},
    {"--partitionLimitation=1-4,8", true, NULL},
    {"--partitionLimitation=1-x", true, "partitionLimitation: \"1-x\" is no list"},
    {"--limitToPartitionsWithLag --allowIdleConsumers", true, "together with allowIdleConsumers"},
    {"--limitToPartitionsWithLag --ensureEvenDistributionOfPartitions", true,
     "together with ensure"},
    {"--limitToPartitionsWithLag", false, "needs a topic"},
    {"--ensureEvenDistributionOfPartitions", false, "needs a topic"},
    {"--allowIdleConsumers --ensureEvenDistributionOfPartitions", true, NULL},
};

Test(scale_policy, tells_what_cannot_be)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct option_faults faults = {0};
        struct scale_policy policy = read_policy(cases[i].flags, cases[i].has_topic, &faults);

        cr_expect_eq(faults.count, cases[i].fault ? 1 : 0, "%s: %zu", cases[i].flags, faults.count);
        if (faults.count && cases[i].fault)
            cr_expect(strstr(faults.items[0], cases[i].fault), "%s: %s", cases[i].flags,
                      faults.items[0]);
        option_faults_release(&faults);
        release(&policy);
    }
}

Test(scale_policy, limits_partitions_of_one_topic_only)
{
    struct option_faults faults = {0};
    struct scale_policy policy = read_policy("--partitionLimitation=3", true, &faults);

    cr_expect_not(partition_limit_allows(&policy.limit, 2));
    release(&policy);
    policy = read_policy("--partitionLimitation=3", false, &faults);
    cr_expect(partition_limit_allows(&policy.limit, 2));
    release(&policy);
    cr_expect_eq(faults.count, 0);
}
