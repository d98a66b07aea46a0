/* history: what is kept of a partition's end and a group's commit, and what is told from it. */
#include "core/history.h"

#include <criterion/criterion.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define NONE         OFFSET_NONE

enum { SECOND = 1000 };

static struct history history;

static void set_up(void)
{
    history_init(&history, 8);
}

static void tear_down(void)
{
    history_release(&history);
}

TestSuite(history, .init = set_up, .fini = tear_down);

static enum history_result add(int second, int64_t committed, int64_t end)
{
    return history_add(&history, second * SECOND, &(struct offsets){committed, -1, end});
}

/* ---- what is kept ---- */

Test(history, of_nothing_nothing_is_known)
{
    struct offsets none = history_newest(&history);

    cr_expect_eq(history_count(&history), 0);
    cr_expect_eq(none.committed, OFFSET_UNKNOWN);
    cr_expect_eq(none.end, OFFSET_UNKNOWN);
    cr_expect_eq(none.start, OFFSET_UNKNOWN);
}

Test(history, keeps_the_newest)
{
    for (int i = 0; i < 100; i++) {
        add(i, i, 2 * i);
        cr_assert_eq((int)history_count(&history), i < 8 ? i + 1 : 8);
        for (size_t k = 0; k < history_count(&history); k++) {
            int64_t second = i + 1 - (int64_t)(history_count(&history) - k);

            cr_assert_eq(history_at(&history, k).at_ms, second * SECOND);
            cr_assert_eq(history_at(&history, k).committed, second);
            cr_assert_eq(history_at(&history, k).end, 2 * second);
        }
    }
}

Test(history, more_room_keeps_what_is_there_and_never_shrinks)
{
    for (int i = 0; i < 11; i++)
        add(i, i, i);
    history_reserve(&history, 20);
    history_reserve(&history, 10);
    for (int i = 11; i < 40; i++)
        add(i, i, i);
    cr_assert_eq(history_count(&history), 20);
    for (size_t k = 0; k < 20; k++)
        cr_expect_eq(history_at(&history, k).end, 20 + (int64_t)k);
}

Test(history, a_missed_sample_is_counted_and_takes_no_room)
{
    add(0, 1, 1);
    history_miss(&history, 1);
    history_miss(&history, 2);
    cr_expect_eq(history_missed(&history), 3);
    cr_expect_eq(history_count(&history), 1);
    add(40, 1, 5);
    add(50, 2, 6);
    cr_expect_eq(history_missed(&history), 0);
    cr_expect_eq(history_at(&history, 0).missed, 0);
    cr_expect_eq(history_at(&history, 1).missed, 3);
    cr_expect_eq(history_at(&history, 2).missed, 0);
}

Test(history, an_outage_of_years_is_counted_as_long)
{
    add(0, 1, 1);
    history_miss(&history, 60000);
    history_miss(&history, 60000);
    history_miss(&history, UINT32_MAX);
    add(1000000, 1, 1);
    cr_expect_eq(history_at(&history, 1).missed, UINT16_MAX);
}

Test(history, a_clock_set_back_takes_the_place_of_what_it_had_passed)
{
    add(10, 1, 1);
    add(20, 2, 2);
    add(30, 3, 3);
    cr_expect_eq(add(15, 4, 4), HISTORY_ADDED);
    cr_assert_eq(history_count(&history), 2);
    cr_expect_eq(history_at(&history, 1).at_ms, 15 * SECOND);
    add(15, 5, 5);
    cr_assert_eq(history_count(&history), 2, "one sample a time");
    cr_expect_eq(history_at(&history, 1).end, 5);
}

Test(history, times_are_those_of_a_clock)
{
    int64_t now = INT64_C(1795612549123);

    history_add(&history, now, &(struct offsets){NONE, 3, 7});
    cr_expect_eq(history_at(&history, 0).at_ms, now);
    cr_expect_eq(history_at(&history, 0).committed, NONE);
    cr_expect_eq(history_newest(&history).start, 3);
    history_add(&history, now + 1, &(struct offsets){NONE, OFFSET_UNKNOWN, 8});
    cr_expect_eq(history_newest(&history).start, 3, "the one known before");
    cr_expect_eq(history_newest(&history).end, 8);
}

Test(history, an_end_that_falls_once_is_a_bad_reading)
{
    add(0, 5, 100);
    cr_expect_eq(add(10, 5, 99), HISTORY_MISSED);
    cr_expect_eq(history_missed(&history), 1);
    cr_expect_eq(add(20, 5, 101), HISTORY_ADDED);
    cr_expect_eq(history_count(&history), 2);
    cr_expect_eq(add(30, 5, 100), HISTORY_MISSED, "the first fall is forgotten");
    cr_expect_eq(history_newest(&history).end, 101);
}

Test(history, one_that_falls_twice_is_another_topic)
{
    history_add(&history, 0, &(struct offsets){5, 4, 100});
    add(10, 5, 2);
    history_miss(&history, 1);
    cr_expect_eq(add(30, NONE, 3), HISTORY_ANEW);
    cr_assert_eq(history_count(&history), 1);
    cr_expect_eq(history_at(&history, 0).at_ms, 30 * SECOND);
    cr_expect_eq(history_at(&history, 0).missed, 0);
    cr_expect_eq(history_newest(&history).start, OFFSET_UNKNOWN);
    cr_expect_eq(add(40, NONE, 3), HISTORY_ADDED);
}

Test(history, a_commit_may_fall)
{
    int64_t delta = 0;

    add(0, 50, 100);
    cr_expect_eq(add(10, 20, 100), HISTORY_ADDED);
    cr_assert(history_moved(&history, 1, &delta));
    cr_expect_eq(delta, -30);
}

Test(history, a_commit_moved_where_both_samples_have_one)
{
    int64_t delta = 0;

    add(0, NONE, 100);
    add(10, 20, 100);
    add(20, 20, 100);
    history_miss(&history, 4);
    add(30, 27, 100);
    add(40, OFFSET_HIDDEN, 100);
    cr_expect_not(history_moved(&history, 0, &delta), "there is none before");
    cr_expect_not(history_moved(&history, 1, &delta), "nothing was committed before");
    cr_expect(history_moved(&history, 2, &delta) && delta == 0);
    cr_expect(history_moved(&history, 3, &delta) && delta == 7, "over missed ones too");
    cr_expect_not(history_moved(&history, 4, &delta), "it may not be read");
}

/* ---- time ---- */

/* 10 records a second, then 100, then none, then a gap, and 1 a second. */
static void write_log(void)
{
    add(100, 0, 1000);
    add(110, 0, 1100);
    add(120, 0, 2100);
    add(130, 0, 2100);
    history_miss(&history, 5);
    add(190, 0, 2160);
}

static const struct {
    const char *sentence;
    size_t sample;
    int64_t offset;
    int64_t ms;
    bool at_least;
} ages[] = {
    {"older than all we know", 4, 0, 90000, true},
    {"the last that was there at first", 4, 999, 90000, true},
    {"the first that came after", 4, 1000, 90000, false},
    {"half-way between two samples", 4, 1050, 85000, false},
    {"of the quick ones", 4, 1600, 75000, false},
    {"the last of them", 4, 2099, 70010, false},
    {"over the samples that were missed", 4, 2130, 30000, false},
    {"the newest", 4, 2159, 1000, false},
    {"not written yet", 4, 2160, 0, false},
    {"beyond the end", 4, 9999, 0, false},
    {"at an earlier sample", 2, 1600, 5000, false},
    {"which knew nothing of what came later", 2, 2100, 0, false},
    {"at the oldest sample", 0, 999, 0, true},
};

Test(history, tells_when_a_record_was_written)
{
    write_log();
    for (size_t i = 0; i < COUNT(ages); i++) {
        struct history_age age = history_age_of(&history, ages[i].sample, ages[i].offset);

        cr_expect_eq(age.ms, ages[i].ms, "%s: %d", ages[i].sentence, (int)age.ms);
        cr_expect_eq(age.at_least, ages[i].at_least, "%s", ages[i].sentence);
    }
}

Test(history, the_oldest_that_waits_is_at_the_commit)
{
    add(0, 0, 0);
    add(10, 5, 10);
    add(20, 20, 20);
    add(30, OFFSET_HIDDEN, 30);
    cr_expect_eq(history_age(&history, 1).ms, 5000);
    cr_expect_eq(history_age(&history, 2).ms, 0);
    cr_expect_eq(history_age(&history, 3).ms, OFFSET_UNKNOWN);
}

Test(history, or_at_the_logs_start)
{
    add(0, NONE, 0);
    add(10, NONE, 10);
    cr_expect_eq(history_age(&history, 1).ms, OFFSET_UNKNOWN);
    history_add(&history, 20 * SECOND, &(struct offsets){NONE, 5, 10});
    cr_expect_eq(history_age(&history, 2).ms, 15000);
    history_add(&history, 30 * SECOND, &(struct offsets){NONE, 10, 10});
    cr_expect_eq(history_age(&history, 3).ms, 0, "all has expired");
}
