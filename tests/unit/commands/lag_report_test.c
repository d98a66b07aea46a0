/* lag_report: what is told of a partition. */
#include "commands/lag_report.h"

#include <criterion/criterion.h>

static struct sampler_partition partition;

static void set_up(void)
{
    partition = (struct sampler_partition){.offsets = OFFSETS_UNKNOWN, .read_ms = -1};
    history_init(&partition.history, 100);
}

static void tear_down(void)
{
    history_release(&partition.history);
}

TestSuite(lag_report, .init = set_up, .fini = tear_down);

static void add(int64_t second, int64_t committed, int64_t start, int64_t end)
{
    history_add(&partition.history, second * 1000, &(struct offsets){committed, start, end});
    partition.offsets = history_newest(&partition.history);
}

Test(lag_report, of_nothing_says_nothing)
{
    struct lag_line line = lag_line_of(&partition);

    cr_expect_eq(line.lag, LAG_UNKNOWN);
    cr_expect_eq(line.age.ms, OFFSET_UNKNOWN);
    cr_expect_not(line.has_trend);
}

Test(lag_report, one_sample_tells_the_lag_and_no_more)
{
    struct lag_line line;

    add(0, 40, 0, 100);
    line = lag_line_of(&partition);
    cr_expect_eq(line.lag, 60);
    cr_expect_eq(line.age.ms, OFFSET_UNKNOWN, "that it is more than nothing is no age");
    cr_expect_not(line.has_trend);
}

Test(lag_report, a_second_tells_age_and_trend)
{
    struct lag_line line;

    add(0, 40, 0, 100);
    add(10, 90, 0, 120);
    line = lag_line_of(&partition);
    cr_expect_eq(line.lag, 30);
    cr_expect_eq(line.age.ms, 10000);
    cr_expect(line.age.at_least);
    cr_expect(line.has_trend);
    cr_expect_float_eq(line.trend, -3.0, 0.001);
}

Test(lag_report, the_trend_is_of_the_last_samples)
{
    for (int i = 0; i < 50; i++)
        add(i, 0, 0, 1000);
    for (int i = 50; i < 60; i++)
        add(i, 0, 0, 1000 + 7 * (i - 49));
    cr_expect_float_eq(lag_line_of(&partition).trend, 7.0, 0.001);
}

Test(lag_report, nothing_committed_is_no_lag)
{
    struct lag_line line;

    add(0, OFFSET_NONE, 0, 100);
    add(10, OFFSET_NONE, 0, 200);
    line = lag_line_of(&partition);
    cr_expect_eq(line.lag, LAG_UNKNOWN);
    cr_expect(line.age.at_least, "all of the log waits");
}

Test(lag_report, nor_is_what_may_not_be_read)
{
    add(0, OFFSET_HIDDEN, OFFSET_UNKNOWN, 100);
    add(10, OFFSET_HIDDEN, OFFSET_UNKNOWN, 200);
    cr_expect_eq(lag_line_of(&partition).lag, LAG_UNKNOWN);
    cr_expect_eq(lag_line_of(&partition).age.ms, OFFSET_UNKNOWN);
    cr_expect_not(lag_line_of(&partition).has_trend);
}
