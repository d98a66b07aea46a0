/* kafka/sampler: a loop that is held up. */
#include "base/clock.h"
#include "kafka/mock.h"
#include "tests/harness/sampling.h"

#include <criterion/criterion.h>

static struct mock *mock;

static void set_up(void)
{
    const char *reason = NULL;

    mock = mock_new(1, &reason);
    cr_assert_not_null(mock, "%s", reason);
    sampling_open(mock_bootstrap(mock), NULL, 0);
}

static void tear_down(void)
{
    sampling_close();
    mock_free(mock);
}

TestSuite(sampler_late, .init = set_up, .fini = tear_down, .timeout = 240);

/* Over the time of the next tick, which so is more than half an interval late. */
static void hold_up(void)
{
    int64_t begin = clock_wall_ms() / SAMPLING_INTERVAL_MS, now;

    do
        now = clock_wall_ms();
    while (now / SAMPLING_INTERVAL_MS == begin ||
           now % SAMPLING_INTERVAL_MS < SAMPLING_INTERVAL_MS * 6 / 10);
}

Test(sampler_late, a_tick_that_is_late_has_a_time_of_its_own)
{
    struct sampler_interest *interest;
    unsigned ticks;
    size_t before;

    mock_create_topic(mock, "orders", 1);
    sampling_produce("orders", 1, 10);
    sampling_commit("workers", "orders", 0, 4);
    interest = sampler_ask(sampling.sampler, "workers", "orders", 100);
    cr_assert(sampling_await(sampling_is_read, interest));
    before = history_count(&sampling_partition(interest, 0)->history);
    ticks = sampling.ticks;
    for (int i = 0; i < 10; i++) {
        hold_up();
        sampling_await_ticks(2);
    }
    cr_expect_eq(history_count(&sampling_partition(interest, 0)->history) - before,
                 sampling.ticks - ticks);
    sampler_drop(interest);
}
