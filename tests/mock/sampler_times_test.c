/* What kafka/sampler_times is told of the past. The mock brokers know of no time but the present,
 * and of no settings: so what is asked when, and who is told. */
#include "kafka/sampler_times.h"

#include "kafka/mock.h"
#include "tests/harness/sampling.h"

#include <criterion/criterion.h>

static struct mock *mock;
static struct sampler_interest *interest;
static unsigned told;

static void set_up(void)
{
    const char *reason = NULL;

    mock = mock_new(1, &reason);
    cr_assert_not_null(mock, "%s", reason);
    sampling_open(mock_bootstrap(mock), NULL, 0);
    mock_create_topic(mock, "orders", 3);
    sampling_produce("orders", 3, 10);
    interest = sampler_ask(sampling.sampler, "workers", "orders", 10);
}

static void tear_down(void)
{
    sampler_drop(interest);
    sampling_close();
    mock_free(mock);
}

TestSuite(sampler_times, .init = set_up, .fini = tear_down, .timeout = 120);

static void on_told(void *context, const struct sampler_look *looks, size_t count)
{
    (void)context;
    told++;
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(looks[i].offset, -1);
        cr_expect_not(looks[i].append_time);
        cr_expect_str_eq(looks[i].topic, "orders");
        cr_expect_eq(looks[i].partition, (int32_t)i, "as they were given");
    }
}

static struct sampler_times *look(int64_t at_ms)
{
    const struct sampler_look looks[] = {{.topic = "orders", .partition = 0, .at_ms = at_ms},
                                         {.topic = "orders", .partition = 1, .at_ms = at_ms + 1},
                                         {.topic = "orders", .partition = 2, .at_ms = at_ms}};

    return sampler_look_up(sampling.sampler, looks, 3, on_told, NULL);
}

static bool is_told(void *count)
{
    return told >= *(unsigned *)count;
}

Test(sampler_times, each_who_asks_is_told)
{
    look(1000);
    look(1000); /* the same partitions and times, before the first tick */
    cr_expect(sampling_await(is_told, &(unsigned){2}));
    look(2000);
    cr_expect_eq(told, 2, "never from within");
    cr_expect(sampling_await(is_told, &(unsigned){3}));
}

/* None of its brokers answers what a topic's settings are. */
Test(sampler_times, ticks_go_on_meanwhile)
{
    for (int i = 0; i < 5; i++) {
        look(1000 + i);
        sampling_await_ticks(3);
    }
    cr_expect(sampling_await(is_told, &(unsigned){5}));
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(history_missed(&sampling_partition(interest, i)->history), 0);
}

Test(sampler_times, who_gave_up_is_not_told)
{
    struct sampler_times *before, *under_way;

    before = look(1000);
    sampler_times_cancel(before);
    sampling_await_ticks(1);
    under_way = look(1000);
    look(1000);
    sampler_times_cancel(under_way);
    cr_expect(sampling_await(is_told, &(unsigned){1}));
    sampling_await_ticks(2);
    cr_expect_eq(told, 1);
}

Test(sampler_times, is_given_up_when_the_sampler_is_closed)
{
    sampling_await_ticks(1);
    look(1000);
    look(1000);
    cr_expect_eq(told, 0); /* tear_down closes */
}
