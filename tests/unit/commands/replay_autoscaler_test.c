/* replay_autoscaler: what becomes of values, sync by sync. */
#include "commands/replay_autoscaler.h"

#include <criterion/criterion.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { MOST_SYNCS = 48 };

/* A value at each sync, 15 s apart, for a target of 500; -1: unknown. */
static const struct {
    const char *sentence;
    struct autoscaler_bounds bounds;
    struct {
        int64_t value;
        int times;
    } values[6];
    int64_t replicas, events;
} stories[] = {
    {"nothing", {1, 12}, {{0, 4}}, 1, 0},
    {"rounded up", {1, 12}, {{1001, 1}}, 3, 1},
    {"a tenth more is none", {1, 12}, {{550, 1}}, 1, 0},
    {"more than a tenth is", {1, 12}, {{551, 1}}, 2, 1},
    {"at most four more at once", {1, 12}, {{6000, 1}}, 5, 1},
    {"then twice as many", {1, 12}, {{6000, 2}}, 10, 2},
    {"up to what was wanted", {1, 12}, {{6000, 3}}, 12, 3},
    {"or may be", {1, 7}, {{6000, 3}}, 7, 2},
    {"at least so many", {3, 12}, {{0, 4}}, 3, 0},
    {"no fewer within 300 s of the last that were wanted", {1, 12}, {{2000, 1}, {0, 19}}, 4, 1},
    {"then fewer", {1, 12}, {{2000, 1}, {0, 20}}, 1, 2},
    {"to the highest of that time", {1, 12}, {{2000, 1}, {0, 10}, {1000, 1}, {0, 9}}, 2, 2},
    {"without a value they stay", {1, 12}, {{2000, 1}, {-1, 40}}, 4, 1},
};

Test(replay_autoscaler, tells_stories)
{
    for (size_t i = 0; i < COUNT(stories); i++) {
        struct autoscaler autoscaler;
        int64_t s = 0;

        autoscaler_init(&autoscaler, &stories[i].bounds, 500);
        for (size_t part = 0; part < 6; part++)
            for (int t = 0; t < stories[i].values[part].times; t++, s += AUTOSCALER_SYNC_S) {
                int64_t value = stories[i].values[part].value;
                struct replay_answer answer = {value >= 0, value > 0, value};

                autoscaler_step(&autoscaler, &answer, s);
            }
        cr_expect_eq(autoscaler.replicas, stories[i].replicas, "%s: %ld", stories[i].sentence,
                     (long)autoscaler.replicas);
        cr_expect_eq(autoscaler.events, stories[i].events, "%s: %ld events", stories[i].sentence,
                     (long)autoscaler.events);
    }
}

Test(replay_autoscaler, leaves_zero_to_keda)
{
    struct autoscaler autoscaler;
    struct replay_answer answer = {true, false, 5000};
    int64_t s = 0;

    autoscaler_init(&autoscaler, &(struct autoscaler_bounds){0, 12}, 500);
    autoscaler_step(&autoscaler, &answer, s);
    cr_expect_eq(autoscaler.replicas, 0, "a value wakes nobody");
    answer.active = true;
    autoscaler_step(&autoscaler, &answer, s += AUTOSCALER_SYNC_S);
    cr_expect_eq(autoscaler.replicas, 0, "KEDA polls every 30 s");
    autoscaler_step(&autoscaler, &answer, s += AUTOSCALER_SYNC_S);
    cr_expect_eq(autoscaler.replicas, 5, "woken, and then scaled");
    answer = (struct replay_answer){true, false, 0};
    for (; s <= 30 + AUTOSCALER_COOLDOWN_S; s += AUTOSCALER_SYNC_S) {
        cr_expect_geq(autoscaler.replicas, 1, "it cools down for 300 s");
        autoscaler_step(&autoscaler, &answer, s);
    }
    for (int t = 0; t < 2; t++, s += AUTOSCALER_SYNC_S)
        autoscaler_step(&autoscaler, &answer, s);
    cr_expect_eq(autoscaler.replicas, 0);
}
