/* kafka_policy: KEDA's arithmetic, a case a sentence. */
#include "core/kafka_policy.h"

#include <criterion/criterion.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { MOST = 12 };

static const struct {
    const char *sentence;
    struct kafka_policy policy; /* of all: the threshold is 500 where none is given */
    int64_t lags[MOST];         /* up to -1 */
    int64_t value;
    bool active;
} cases[] = {
    {"nothing there", {0}, {-1}, 0, false},
    {"nothing waits", {0}, {0, 0, -1}, 0, false},
    {"the value is the sum", {0}, {100, 250, -1}, 350, true},
    {"one record makes it active", {0}, {0, 1, -1}, 1, true},
    {"capped at one replica a partition", {0}, {5000, 7000, -1}, 1000, true},
    {"the cap divides by whole numbers: 2.99 is not above 2", {0}, {1499, 0, -1}, 1499, true},
    {"3 is", {0}, {1500, 0, -1}, 1000, true},
    {"idle consumers are allowed: no cap",
     {.allow_idle_consumers = true},
     {5000, 7000, -1},
     12000,
     true},
    {"capped at the partitions with lag",
     {.limit_to_partitions_with_lag = true},
     {5000, 0, 0, 7000, 0, -1},
     1000,
     true},
    {"of which there may be none", {.limit_to_partitions_with_lag = true}, {0, 0, -1}, 0, false},
    {"an even number of partitions each: 3 of 6, not 2.4",
     {.ensure_even_distribution = true},
     {1200, 0, 0, 0, 0, 0, -1},
     1500,
     true},
    {"3 just suffice", {.ensure_even_distribution = true}, {1500, 0, 0, 0, 0, 0, -1}, 1500, true},
    {"not any more: 6", {.ensure_even_distribution = true}, {1501, 0, 0, 0, 0, 0, -1}, 3000, true},
    {"no more than all", {.ensure_even_distribution = true}, {90000, 0, 0, -1}, 1500, true},
    {"without lag it is one replica's",
     {.ensure_even_distribution = true},
     {0, 0, 0, -1},
     500,
     false},
    {"even distribution caps though idle consumers are allowed",
     {.ensure_even_distribution = true, .allow_idle_consumers = true},
     {90000, 0, 0, -1},
     1500,
     true},
    {"active is another threshold, which must be passed",
     {.activation_lag_threshold = 350},
     {100, 250, -1},
     350,
     false},
    {"and is", {.activation_lag_threshold = 350}, {100, 251, -1}, 351, true},
    {"a threshold of 1", {.lag_threshold = 1}, {7, 0, 0, -1}, 3, true},
};

static struct kafka_sum sum_of(const struct kafka_policy *policy, const int64_t *lags)
{
    struct kafka_sum sum = {0};

    for (; *lags >= 0; lags++)
        kafka_sum_add(&sum, policy, *lags, false);
    return sum;
}

Test(kafka_policy, counts_as_keda_does)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct kafka_policy policy = cases[i].policy;
        struct kafka_sum sum;

        if (!policy.lag_threshold)
            policy.lag_threshold = 500;
        sum = sum_of(&policy, cases[i].lags);
        cr_expect_eq(kafka_policy_value(&policy, &sum), cases[i].value, "%s: %ld",
                     cases[i].sentence, (long)kafka_policy_value(&policy, &sum));
        cr_expect_eq(kafka_policy_active(&policy, &sum), cases[i].active, "%s", cases[i].sentence);
    }
}

Test(kafka_policy, leaves_out_what_does_not_move_but_wakes_for_it)
{
    struct kafka_policy policy = {.lag_threshold = 500, .exclude_persistent_lag = true};
    struct kafka_sum sum = {0};

    kafka_sum_add(&sum, &policy, 400, true);
    cr_expect_eq(kafka_policy_value(&policy, &sum), 0);
    cr_expect(kafka_policy_active(&policy, &sum));
    kafka_sum_add(&sum, &policy, 30, false);
    cr_expect_eq(kafka_policy_value(&policy, &sum), 30);
    cr_expect_eq(sum.with_lag, 1);
    policy.exclude_persistent_lag = false;
    kafka_sum_add(&sum, &policy, 5, true);
    cr_expect_eq(kafka_policy_value(&policy, &sum), 35);
}

Test(kafka_policy, has_a_rule_for_nothing_committed)
{
    static const struct {
        const char *sentence;
        enum offset_reset reset;
        bool zero;
        int64_t lag;
    } rules[] = {
        {"latest: one, so that somebody comes and commits", OFFSET_RESET_LATEST, false, 1},
        {"or none", OFFSET_RESET_LATEST, true, 0},
        {"earliest: all there is", OFFSET_RESET_EARLIEST, false, 60},
        {"or none", OFFSET_RESET_EARLIEST, true, 0},
    };
    struct offsets offsets = {OFFSET_NONE, 40, 100};

    for (size_t i = 0; i < COUNT(rules); i++) {
        struct kafka_policy policy = {.offset_reset = rules[i].reset,
                                      .scale_to_zero_on_invalid_offset = rules[i].zero};
        struct lag_rule rule = kafka_policy_lag_rule(&policy);

        cr_expect_eq(lag_of(&rule, &offsets), rules[i].lag, "%s", rules[i].sentence);
    }
}

static const struct {
    const char *text;
    bool good;
    const char *allowed; /* of 0 to 9 */
} limits[] = {
    {"", true, "0123456789"},
    {"  ", true, "0123456789"},
    {"1-4,8", true, "12348"},
    {" 1 - 4 , 8 ", true, "12348"},
    {"0", true, "0"},
    {"3,3,2-3", true, "23"},
    {"4-1", true, ""},
    {"1-", false, NULL},
    {"-1", false, NULL},
    {"1,", false, NULL},
    {",1", false, NULL},
    {"1-2-3", false, NULL},
    {"1;2", false, NULL},
    {"a", false, NULL},
    {"+1", false, NULL},
    {"2147483648", false, NULL},
    {"99999999999999999999", false, NULL},
};

Test(kafka_policy, reads_which_partitions_count)
{
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct partition_limit limit = {.count = 0};
        char allowed[11] = "";
        size_t n = 0;

        cr_expect_eq(partition_limit_parse(limits[i].text, &limit), limits[i].good, "\"%s\"",
                     limits[i].text);
        for (int32_t number = 0; limits[i].good && number < 10; number++)
            if (partition_limit_allows(&limit, number))
                allowed[n++] = (char)('0' + number);
        if (limits[i].good)
            cr_expect_str_eq(allowed, limits[i].allowed, "\"%s\"", limits[i].text);
    }
}

Test(kafka_policy, reads_no_more_ranges_than_it_holds)
{
    char text[2 * PARTITION_RANGES_MAX + 2];
    struct partition_limit limit = {.count = 1, .ranges = {{7, 7}}};

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = i % 2 ? ',' : '5';
    text[sizeof(text) - 1] = '\0';
    cr_expect_not(partition_limit_parse(text, &limit));
    cr_expect(partition_limit_allows(&limit, 7), "it is as it was");
    cr_expect_not(partition_limit_allows(&limit, 5));
    text[2 * PARTITION_RANGES_MAX - 1] = '\0';
    cr_expect(partition_limit_parse(text, &limit));
    cr_expect(partition_limit_allows(&limit, 5));
}
