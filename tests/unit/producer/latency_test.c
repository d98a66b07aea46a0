/* latency: how exact the distribution is. */
#include "producer/latency.h"

#include <criterion/criterion.h>

static struct latency of(const int64_t *us, size_t count)
{
    struct latency latency = {0};

    for (size_t i = 0; i < count; i++)
        latency_add(&latency, us[i]);
    return latency;
}

Test(latency, empty_is_zero)
{
    struct latency latency = {0};

    cr_assert_eq(latency_percentile_us(&latency, 0.99), 0);
    cr_assert_eq(latency_average_us(&latency), 0);
    cr_assert_eq(latency.max_us, 0);
}

Test(latency, small_values_are_exact)
{
    struct latency latency = {0};

    for (int64_t us = 1; us <= 100; us++)
        latency_add(&latency, us);
    cr_assert_eq(latency_percentile_us(&latency, 0.5), 50);
    cr_assert_eq(latency_percentile_us(&latency, 0.99), 99);
    cr_assert_eq(latency_percentile_us(&latency, 0.999), 100);
    cr_assert_eq(latency_percentile_us(&latency, 0), 1);
    cr_assert_float_eq(latency_average_us(&latency), 50.5, 1e-9);
}

Test(latency, any_value_is_told_within_a_64th)
{
    for (int64_t us = 0; us < (int64_t)1 << 35; us = us * 9 / 8 + 1) {
        struct latency latency = of((int64_t[]){us, (int64_t)1 << 35}, 2);
        int64_t told = latency_percentile_us(&latency, 0.5);

        cr_assert(told >= us && told <= us + us / 64, "%ld was told as %ld", (long)us, (long)told);
    }
}

Test(latency, a_power_of_two_and_its_neighbours_stay_apart)
{
    for (int bit = 7; bit < 35; bit++) {
        int64_t us = (int64_t)1 << bit;
        struct latency latency = of((int64_t[]){us - 1, us, 4 * us}, 3);

        cr_assert_lt(latency_percentile_us(&latency, 0.3), us, "below 2^%d", bit);
        cr_assert_geq(latency_percentile_us(&latency, 0.6), us, "at 2^%d", bit);
    }
}

Test(latency, is_never_above_the_maximum)
{
    struct latency latency = of((int64_t[]){1000001}, 1);

    cr_assert_eq(latency_percentile_us(&latency, 0.999), 1000001);
    cr_assert_eq(latency.max_us, 1000001);
}

Test(latency, values_out_of_range_are_cut)
{
    struct latency latency = of((int64_t[]){-5, INT64_MAX}, 2);

    cr_assert_eq(latency_percentile_us(&latency, 0.5), 0);
    cr_assert_eq(latency.max_us, ((int64_t)1 << 36) - 1);
}
