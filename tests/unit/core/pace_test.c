/* pace: what one replica is seen to consume, and how many are called for by that. */
#include "core/pace.h"

#include "tests/unit/core/lag_scene.h"

#include <criterion/criterion.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
    double times;
    int64_t partitions, consumers;
} shares[] = {
    {0, 12, 1},   {0.3, 12, 1}, {1, 12, 1},  {1.01, 12, 2}, {2, 12, 2},    {2.5, 12, 3},
    {3.5, 12, 4}, {4.1, 12, 6}, {6, 12, 6},  {6.1, 12, 12}, {11, 12, 12},  {900, 12, 12},
    {2.5, 1, 1},  {1.5, 2, 2},  {3, 100, 4}, {10, 100, 10}, {11, 100, 12}, {51, 100, 100},
    {5, 0, 1},    {1.5, 3, 2},  {2.5, 3, 3},
};

Test(pace, counts_consumers_by_whole_partitions)
{
    for (size_t i = 0; i < COUNT(shares); i++)
        cr_expect_eq(pace_consumers(shares[i].times, shares[i].partitions), shares[i].consumers,
                     "%g times with %ld partitions: %ld", shares[i].times,
                     (long)shares[i].partitions,
                     (long)pace_consumers(shares[i].times, shares[i].partitions));
}

/* 12 partitions, all busy with a backlog, written to at 1000/s while one replica consumes 400/s. */
static struct evaluation busy(void)
{
    return (struct evaluation){
        .partitions = 12,
        .busy = 12,
        .over = 12,
        .sustained = 12,
        .raising = 12,
        .sum = {.lag = 24000, .total = 24000, .partitions = 12, .with_lag = 12},
        .flow = {.arrived = 1000, .consumed = 400, .arrived_long = 1000},
    };
}

static struct evaluation calm(double arrived)
{
    return (struct evaluation){
        .partitions = 12,
        .sum = {.partitions = 12},
        .flow = {.arrived = arrived, .consumed = arrived, .arrived_long = arrived},
    };
}

static int64_t want(struct pace *pace, const struct evaluation *all, int64_t value, int64_t kedas,
                    int64_t now_ms)
{
    struct scale_policy policy = scene_policy();
    struct stabilizer stabilizer = {.value = value};

    return pace_wanted(pace, &policy, all, &stabilizer, kedas, now_ms);
}

Test(pace, is_kedas_until_a_rate_was_seen)
{
    struct evaluation all = busy();
    struct pace pace = {0};

    all.busy = 11;
    cr_expect_eq(want(&pace, &all, 0, 6000, 0), 6000, "a consumer may be idle");
    cr_expect_eq(pace.rate, 0);
}

Test(pace, calls_for_what_is_written_and_what_waits)
{
    struct evaluation all = busy();
    struct pace pace = {0};

    /* 1000/s: 2.5 times what one does; 24000 in 120 s are 200/s, which it does meanwhile */
    cr_expect_eq(want(&pace, &all, 0, 6000, 0), 1500);
    cr_expect_eq(pace.rate, 400);
    cr_expect_eq(want(&pace, &all, 0, 700, 0), 700, "never more than KEDA's");
    all.sum.lag = 240000;
    cr_expect_eq(want(&pace, &all, 0, 6000, 0), 3000,
                 "2000/s are 5 times: what is written stands behind what waits");
    all.sum.lag = 480000;
    cr_expect_eq(want(&pace, &all, 0, 6000, 0), 6000, "12.5 times: all there may be");
}

Test(pace, adds_one_at_least_while_lag_lasts)
{
    struct evaluation all = busy();
    struct pace pace = {.rate = 4000}; /* not true any more, and not seen anew: one is idle */

    all.busy = 11;
    cr_expect_eq(want(&pace, &all, 500, 6000, 0), 1000);
    cr_expect_eq(want(&pace, &all, 1000, 6000, 0), 1500);
    cr_expect_eq(want(&pace, &all, 3000, 6000, 0), 12 * 500, "7 are no faster than 6");
    cr_expect_eq(want(&pace, &all, 6000, 6000, 0), 6000);
}

Test(pace, adds_none_while_lag_falls)
{
    struct evaluation all = busy();
    struct pace pace = {.rate = 400};

    all.busy = 11;
    all.flow.consumed = 1200;
    cr_expect_eq(want(&pace, &all, 1500, 6000, 0), 1500, "3 keep up, and have what waits in time");
    all.flow.consumed = 1000;
    cr_expect_eq(want(&pace, &all, 1500, 6000, 0), 2000);
}

Test(pace, falls_once_when_what_is_written_is_level)
{
    struct pace pace = {.rate = 400};
    struct evaluation all = calm(300);

    all.flow.arrived_long = 1000; /* a burst is yet in it */
    cr_expect_eq(want(&pace, &all, 6000, 0, 0), 6000);
    all.flow.arrived_long = 361;
    cr_expect_eq(want(&pace, &all, 6000, 0, 0), 6000);
    all.flow.arrived_long = 360;
    cr_expect_eq(want(&pace, &all, 6000, 0, 0), 500);
}

Test(pace, divides_partitions_evenly_where_that_is_asked)
{
    struct scale_policy policy = scene_policy();
    struct stabilizer stabilizer = {.value = 0};
    struct evaluation all = busy();
    struct pace pace = {0};

    all.sum.partitions = all.partitions = all.busy = 10;
    cr_expect_eq(pace_wanted(&pace, &policy, &all, &stabilizer, 5000, 0), 4 * 500);
    policy.kafka.ensure_even_distribution = true;
    cr_expect_eq(pace_wanted(&pace, &policy, &all, &stabilizer, 5000, 0), 5 * 500);
}

Test(pace, falls_when_half_is_spare)
{
    struct pace pace = {.rate = 400};
    struct evaluation all = calm(900);

    /* 900/s are 2.5 times nine tenths of 400: 3 replicas */
    cr_expect_eq(want(&pace, &all, 2000, 0, 0), 2000, "3 of 4 are needed");
    cr_expect_eq(want(&pace, &all, 2500, 0, 0), 2500, "3 of 5");
    cr_expect_eq(want(&pace, &all, 3000, 0, 0), 1500, "3 of 6");
    cr_expect_eq(want(&pace, &all, 6000, 0, 0), 1500, "though KEDA's value is 0");
    all = calm(300);
    cr_expect_eq(want(&pace, &all, 1000, 0, 0), 500);
}

Test(pace, believes_an_old_rate_less)
{
    struct pace pace = {.rate = 100}; /* of a slow day */
    struct evaluation all = calm(300);

    cr_expect_eq(want(&pace, &all, 2000, 0, 0), 2000);
    cr_expect_eq(want(&pace, &all, 2000, 0, PACE_DOUBLED_MS), 1000);
    cr_expect_eq(want(&pace, &all, 1000, 0, 2 * (int64_t)PACE_DOUBLED_MS), 500);
}

Test(pace, sees_a_rate_only_when_the_value_has_stood)
{
    struct scale_policy policy = scene_policy();
    struct stabilizer risen = {.value = 2000, .has_risen = true, .risen_ms = 0};
    struct stabilizer fallen = {.value = 500, .has_fallen = true, .fallen_ms = 0};
    struct evaluation all = busy();
    struct pace pace = {.rate = 7};

    pace_wanted(&pace, &policy, &all, &risen, 6000, policy.up_ms + PACE_RISEN_MS - 1);
    cr_expect_eq(pace.rate, 7);
    pace_wanted(&pace, &policy, &all, &risen, 6000, policy.up_ms + PACE_RISEN_MS);
    cr_expect_eq(pace.rate, 100, "400 by four");
    pace_wanted(&pace, &policy, &all, &fallen, 6000, PACE_FALLEN_MS - 1);
    cr_expect_eq(pace.rate, 100, "there may still be more than it calls for");
    pace_wanted(&pace, &policy, &all, &fallen, 6000, PACE_FALLEN_MS);
    cr_expect_eq(pace.rate, 400);
}

/* ---- what it is told from ---- */

Test(pace, reads_the_flow_from_the_histories)
{
    struct evaluation all;
    struct lag_scene scene;

    scene_init(&scene, 2);
    scene.policy.sizing = SIZING_PACE;
    for (int64_t t = 0; t <= 300; t += 10, scene_tick(&scene))
        for (size_t p = 0; p < 2; p++) {
            int64_t end = t * 100 + (t > 200 ? (t - 200) * 50 : 0);
            int64_t committed = p ? t * 40 : end - 100;

            history_add(&scene.histories[p], scene.now_ms,
                        &(struct offsets){committed < 0 ? 0 : committed, 0, end});
        }
    all = scene_look(&scene);
    cr_expect_float_eq(all.flow.arrived, 2 * 150, 1e-9, "%g", all.flow.arrived);
    cr_expect_float_eq(all.flow.consumed, 150 + 40, 1e-9, "%g", all.flow.consumed);
    cr_expect_float_eq(all.flow.arrived_long, 2 * 35000 / 300.0, 1e-9, "%g", all.flow.arrived_long);
    cr_expect_eq(all.busy, 1, "the first's lag is small");
    scene_release(&scene);
}
