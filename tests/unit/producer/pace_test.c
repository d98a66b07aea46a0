/* pace: when records are due, and how much is caught up. */
#include "producer/pace.h"

#include <criterion/criterion.h>

/* How many records leave within `us` when every one leaves as soon as it may. */
static int64_t sent_within(struct pace *pace, int64_t from_us, int64_t us)
{
    int64_t now = from_us, sent = 0;

    while (now < from_us + us) {
        int64_t wait = pace_wait_us(pace, now);

        if (wait > 0) {
            now += wait;
            continue;
        }
        pace_sent(pace);
        sent++;
    }
    return sent;
}

Test(pace, keeps_a_rate)
{
    static const struct {
        const char *says;
        int64_t per_second, us, records;
    } cases[] = {
        {"one a second: at 0 s, 1 s and 2 s", 1, 2500 * 1000, 3},
        {"an even distance", 1000, 1000 * 1000, 1000},
        {"a distance that is no whole number of microseconds", 3, 10 * 1000 * 1000, 30},
        {"faster than the clock's step", 3000000, 1000 * 1000, 3000000},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct pace pace;
        int64_t sent;

        pace_init(&pace, cases[i].per_second, 12345);
        sent = sent_within(&pace, 12345, cases[i].us);
        cr_assert(sent >= cases[i].records - 3 && sent <= cases[i].records + 3, "%s: %ld",
                  cases[i].says, (long)sent);
    }
}

Test(pace, no_limit_never_waits)
{
    struct pace pace;

    pace_init(&pace, -1, 0);
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(pace_wait_us(&pace, 0), 0);
        pace_sent(&pace);
    }
}

Test(pace, says_how_long_to_wait)
{
    struct pace pace;

    pace_init(&pace, 100, 0);
    cr_assert_eq(pace_wait_us(&pace, 0), 0, "the first leaves at once");
    pace_sent(&pace);
    cr_assert_eq(pace_wait_us(&pace, 0), 10000);
    cr_assert_eq(pace_wait_us(&pace, 4000), 6000);
    cr_assert_eq(pace_wait_us(&pace, 10000), 0);
}

Test(pace, catches_up_a_short_stall)
{
    struct pace pace;

    pace_init(&pace, 1000, 0);
    cr_assert_eq(sent_within(&pace, 500 * 1000, 1), 501, "half a second was missed");
}

Test(pace, a_long_stall_brings_no_flood)
{
    struct pace pace;

    pace_init(&pace, 1000, 0);
    cr_assert_eq(sent_within(&pace, 60 * 1000 * 1000, 1), 1001,
                 "one second's worth, not a minute's");
}
