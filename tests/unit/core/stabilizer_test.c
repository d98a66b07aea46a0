/* stabilizer: when a value may rise, and when it falls. */
#include "core/stabilizer.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A step every 10 s; up 30 s, down 50 s. */
static const struct {
    const char *sentence;
    int64_t wanted[12], value[12];
    const char *may_rise; /* y or n a step */
} stories[] = {
    {"it rises at once, when it has never risen", {5}, {5}, "y"},
    {"not where it may not", {5, 5, 5}, {0, 0, 5}, "nny"},
    {"again only 30 s later", {5, 6, 7, 8, 9}, {5, 5, 5, 8, 8}, "yyyyy"},
    {"the last that is called for, not the highest in between",
     {5, 9, 9, 7, 7},
     {5, 5, 5, 7, 7},
     "yyyyy"},
    {"it falls when nothing higher was called for in 50 s",
     {5, 1, 1, 1, 1, 1, 1},
     {5, 5, 5, 5, 5, 5, 1},
     "yyyyyyy"},
    {"to the highest of that time",
     {5, 1, 3, 1, 1, 1, 1, 1, 1},
     {5, 5, 5, 5, 5, 5, 3, 3, 1},
     "yyyyyyyyy"},
    {"what was called for and not granted counts there",
     {5, 7, 1, 1, 1, 1, 1, 1},
     {5, 5, 5, 5, 5, 5, 5, 1},
     "yyyyyyyy"},
    {"a fall does not put off the next rise",
     {5, 0, 0, 0, 0, 0, 0, 4},
     {5, 5, 5, 5, 5, 5, 0, 4},
     "yyyyyyyy"},
};

Test(stabilizer, tells_stories)
{
    struct stabilizer_times times = {30000, 50000};

    for (size_t i = 0; i < COUNT(stories); i++) {
        struct stabilizer stabilizer = {0};

        for (size_t t = 0; stories[i].may_rise[t]; t++) {
            int64_t value = stabilizer_step(&stabilizer, &times, stories[i].wanted[t],
                                            stories[i].may_rise[t] == 'y', (int64_t)t * 10000);

            cr_expect_eq(value, stories[i].value[t], "%s, step %zu: %ld", stories[i].sentence, t,
                         (long)value);
        }
    }
}

Test(stabilizer, remembers_its_rise_when_dropped)
{
    struct stabilizer_times times = {30000, 50000};
    struct stabilizer stabilizer = {0};

    stabilizer_step(&stabilizer, &times, 5, true, 0);
    stabilizer_drop(&stabilizer);
    cr_expect_eq(stabilizer_step(&stabilizer, &times, 3, true, 10000), 0, "10 s after a rise");
    cr_expect_eq(stabilizer_step(&stabilizer, &times, 3, true, 30000), 3);
}

Test(stabilizer, follows_at_once_without_times)
{
    struct stabilizer_times times = {0, 0};
    struct stabilizer stabilizer = {0};
    uint64_t random = 1;

    for (int64_t t = 0; t < 1000; t++) {
        int64_t wanted = (int64_t)random_below(&random, 20);

        cr_expect_eq(stabilizer_step(&stabilizer, &times, wanted, true, t), wanted);
    }
}

/* Against the plain rule, with all of the past looked through. Seeds 1 to 200. */
Test(stabilizer, never_falls_below_the_highest_nor_rises_twice)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t random = seed;
        struct stabilizer_times times = {(int64_t)random_below(&random, 100),
                                         (int64_t)random_below(&random, 400)};
        struct stabilizer stabilizer = {0};
        int64_t wanted[500], value = 0, risen = -1000, now = 0, at[500];

        for (size_t t = 0; t < COUNT(wanted); t++) {
            int64_t before = value, highest = 0, late = 0;

            now += (int64_t)random_below(&random, 8);
            at[t] = now;
            wanted[t] = (int64_t)random_below(&random, 1000000);
            value = stabilizer_step(&stabilizer, &times, wanted[t], random_below(&random, 2), now);
            for (size_t i = 0; i <= t; i++) {
                int64_t ago = now - at[i], part = times.down_ms / STABILIZER_SLOTS + 1;

                highest = ago <= times.down_ms && wanted[i] > highest ? wanted[i] : highest;
                late = ago <= times.down_ms + part && wanted[i] > late ? wanted[i] : late;
            }
            if (value > before) {
                cr_assert(now - risen >= times.up_ms, "seed %lu", (unsigned long)seed);
                cr_assert_eq(value, wanted[t]);
                risen = now;
            } else if (value < before) {
                cr_assert(value >= highest, "seed %lu", (unsigned long)seed);
            }
            cr_assert(value <= late, "seed %lu: held too long", (unsigned long)seed);
        }
    }
}

/* More values than slots, each lower than the one before: it falls late, never early. */
Test(stabilizer, falls_late_rather_than_early_when_it_is_full)
{
    struct stabilizer_times times = {0, 1000};
    struct stabilizer stabilizer = {0};

    for (int64_t t = 0; t < 4000; t++) {
        int64_t value = stabilizer_step(&stabilizer, &times, 5000 - t, true, t);
        int64_t highest = t < 1000 ? 5000 : 5000 - (t - 1000);

        cr_assert(value >= highest, "at %ld: %ld", (long)t, (long)value);
        cr_assert(value <= highest + 1000 / STABILIZER_SLOTS + 1, "at %ld: %ld", (long)t,
                  (long)value);
    }
}

Test(stabilizer, counts_in_another_unit)
{
    const struct stabilizer_times times = {0, 50000};
    struct stabilizer stabilizer = {0};

    stabilizer_step(&stabilizer, &times, 1500, true, 1000);
    stabilizer_scale(&stabilizer, 20, 500);
    cr_expect_eq(stabilizer.value, 60);
    cr_expect_eq(stabilizer_step(&stabilizer, &times, 0, true, 2000), 60,
                 "what was called for too");
    cr_expect_eq(stabilizer_step(&stabilizer, &times, 0, true, 60000), 0);
}
