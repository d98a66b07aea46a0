/* scale_judge: states, answers and reasons. */
#include "core/scale_judge.h"

#include "tests/unit/core/lag_scene.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A sample of one partition: its lag and how often, 10 s apart; -1: missed. */
struct part {
    int64_t lag;
    int times;
};

/* Threshold 500 for 120 s, stabilizations of 60 and 300 s, unless `change` says otherwise; behind a
 * minute and a half of calm, so that the process's start plays no part. */
static const struct {
    const char *sentence;
    void (*change)(struct scale_policy *);
    struct part parts[8];
    struct scale_verdict verdict; /* at the end */
} stories[] = {
    {"nothing waits", NULL, {{0, 1}}, {true, false, 0, SCALE_IDLE, SCALE_CALM}},
    {"some does", NULL, {{499, 50}}, {true, false, 0, SCALE_IDLE, SCALE_CALM}},
    {"over, but not for long", NULL, {{9000, 12}}, {true, false, 0, SCALE_IDLE, SCALE_SHORT}},
    {"it has lasted: the value is the lag, capped at a partition's",
     NULL,
     {{9000, 13}},
     {true, true, 500, SCALE_UP, SCALE_SUSTAINED}},
    {"a spike that falls by itself",
     NULL,
     {{9000, 8}, {6000, 1}, {4000, 1}, {3000, 1}, {2000, 1}, {1000, 1}},
     {true, false, 0, SCALE_IDLE, SCALE_DRAINING}},
    {"calm, and held as long as scaleDownStabilization",
     NULL,
     {{9000, 13}, {0, 30}},
     {true, true, 500, SCALE_UP, SCALE_HELD}},
    {"then it is idle", NULL, {{9000, 13}, {0, 31}}, {true, false, 0, SCALE_IDLE, SCALE_CALM}},
    {"active until all is consumed",
     NULL,
     {{9000, 13}, {20, 31}},
     {true, true, 0, SCALE_IDLE, SCALE_LINGERING}},
    {"a sample over in between puts that off",
     NULL,
     {{9000, 13}, {0, 29}, {600, 1}, {0, 30}},
     {true, true, 500, SCALE_UP, SCALE_HELD}},
    {"three missed samples change nothing",
     NULL,
     {{9000, 13}, {-1, 3}},
     {true, true, 500, SCALE_UP, SCALE_SUSTAINED}},
    {"with the fourth there is no answer, but the last is kept",
     NULL,
     {{9000, 13}, {-1, 4}},
     {false, true, 500, SCALE_UP, SCALE_AWAY}},
    {"what is not seen is not calm",
     NULL,
     {{9000, 13}, {0, 1}, {-1, 40}, {0, 1}},
     {true, true, 500, SCALE_UP, SCALE_HELD}},
    {"after an outage it must last again",
     NULL,
     {{0, 1}, {9000, 5}, {-1, 40}, {9000, 12}},
     {true, false, 0, SCALE_IDLE, SCALE_SHORT}},
};

static bool same(const struct scale_verdict *a, const struct scale_verdict *b)
{
    return a->known == b->known && a->active == b->active && a->value == b->value &&
           a->state == b->state && a->reason == b->reason;
}

Test(scale_judge, tells_stories)
{
    for (size_t i = 0; i < COUNT(stories); i++) {
        struct scale_verdict verdict = {0};
        struct scale_judge judge;
        struct lag_scene scene;

        scene_init(&scene, 1);
        scale_judge_init(&judge);
        if (stories[i].change)
            stories[i].change(&scene.policy);
        for (int calm = 0; calm < 14; calm++)
            scene_step(&scene, &judge, 0);
        for (const struct part *part = stories[i].parts; part->times; part++)
            for (int t = 0; t < part->times; t++)
                verdict = scene_step(&scene, &judge, part->lag);
        cr_expect(same(&verdict, &stories[i].verdict), "%s: %s %s, %s, value %ld, %s",
                  stories[i].sentence, verdict.known ? "known" : "unknown",
                  scale_state_name(verdict.state), verdict.active ? "active" : "not active",
                  (long)verdict.value, scale_reason_name(verdict.reason));
        scene_release(&scene);
    }
}

/* ---- the start ---- */

Test(scale_judge, has_no_answer_while_a_lag_found_at_the_start_may_be_old)
{
    struct scale_verdict verdict;
    struct scale_judge judge;
    struct lag_scene scene;

    scene_init(&scene, 1);
    scale_judge_init(&judge);
    for (int t = 0; t < 12; t++) {
        verdict = scene_step(&scene, &judge, 9000);
        cr_expect_not(verdict.known, "%d", t);
        cr_expect_eq(verdict.reason, SCALE_RECOVERING);
    }
    verdict = scene_step(&scene, &judge, 9000);
    cr_expect(verdict.known);
    cr_expect_eq(verdict.reason, SCALE_SUSTAINED);
    scene_release(&scene);
}

/* Its start is when it can be read, however long before that the process began to ask. */
Test(scale_judge, has_none_either_when_kafka_was_away_at_the_start)
{
    struct scale_verdict verdict = {0};
    struct scale_judge judge;
    struct lag_scene scene;

    scene_init(&scene, 1);
    scale_judge_init(&judge);
    for (int t = 0; t < 50; t++)
        verdict = scene_step(&scene, &judge, -1);
    cr_expect_eq(verdict.reason, SCALE_AWAY);
    verdict = scene_step(&scene, &judge, 9000);
    cr_expect_not(verdict.known);
    cr_expect_eq(verdict.reason, SCALE_RECOVERING);
    scene_release(&scene);
}

/* The other partition's leader is away: what waits in it is not known. */
static void expect_no_idle_answer_of_a_half(const struct scale_policy *policy)
{
    struct scale_verdict verdict;
    struct scale_judge judge;
    struct lag_scene scene;

    scene_init(&scene, 2);
    scene.policy = *policy;
    scale_judge_init(&judge);
    for (int t = 0; t < 50; t++) {
        verdict = scene_step(&scene, &judge, 0);
        cr_expect_not(verdict.known, "%d", t);
        cr_expect_eq(verdict.reason, SCALE_AWAY);
    }
    scene_lag(&scene, 1, 0);
    cr_expect(scene_step(&scene, &judge, 0).known, "all is read");
    history_miss(&scene.histories[1], 50);
    cr_expect(scene_step(&scene, &judge, 0).known, "its last lag is known");
    scene_release(&scene);
}

Test(scale_judge, has_no_idle_answer_before_each_partition_was_read)
{
    struct scale_policy policy = scene_policy();

    expect_no_idle_answer_of_a_half(&policy);
    policy.sustain_ms = policy.up_ms = policy.down_ms = 0;
    expect_no_idle_answer_of_a_half(&policy);
}

Test(scale_judge, is_up_by_the_partitions_that_were_read)
{
    struct scale_verdict verdict = {0};
    struct scale_judge judge;
    struct lag_scene scene;

    scene_init(&scene, 2);
    scale_judge_init(&judge);
    for (int t = 0; t < 13; t++)
        verdict = scene_step(&scene, &judge, 9000);
    cr_expect(verdict.known);
    cr_expect_eq(verdict.state, SCALE_UP);
    scene_release(&scene);
}

Test(scale_judge, is_up_at_once_where_it_is_proved_old)
{
    struct scale_verdict verdict;
    struct scale_judge judge;
    struct lag_scene scene;

    scene_init(&scene, 1);
    scale_judge_init(&judge);
    scene.partitions[0].proof = (struct recovery_proof){SCENE_START_MS - 120000, SCENE_START_MS};
    verdict = scene_step(&scene, &judge, 9000);
    cr_expect(verdict.known);
    cr_expect_eq(verdict.state, SCALE_UP);
    scene_release(&scene);
}

Test(scale_judge, knows_a_lag_that_began_within_sight_of_the_start)
{
    struct scale_verdict verdict;
    struct scale_judge judge;
    struct lag_scene scene;

    scene_init(&scene, 1);
    scale_judge_init(&judge);
    scene_step(&scene, &judge, 0);
    verdict = scene_step(&scene, &judge, 9000);
    cr_expect(verdict.known);
    cr_expect_eq(verdict.reason, SCALE_SHORT);
    scene_release(&scene);
}

Test(scale_judge, says_the_same_when_asked_again)
{
    struct evaluation evaluation;
    struct scale_verdict first, again;
    struct scale_judge judge;
    struct lag_scene scene;

    scene_init(&scene, 1);
    scale_judge_init(&judge);
    for (int t = 0; t < 40; t++) {
        first = scene_step(&scene, &judge, t < 14 ? 9000 : 10);
        evaluation = scene_look(&scene);
        again = scale_judge_step(&judge, &scene.policy, &evaluation, scene.now_ms - 1);
        cr_expect(same(&first, &again), "%d", t);
    }
    scene_release(&scene);
}

Test(scale_judge, a_topic_without_partitions_is_calm)
{
    struct scale_policy policy = scene_policy();
    struct scale_judge judge;
    struct evaluation none = evaluator_look(&policy, NULL, 0, NULL);
    struct scale_verdict verdict;

    scale_judge_init(&judge);
    verdict = scale_judge_step(&judge, &policy, &none, SCENE_START_MS);
    cr_expect(verdict.known);
    cr_expect_not(verdict.active);
    cr_expect_eq(verdict.reason, SCALE_CALM);
}

Test(scale_judge, goes_idle_when_the_topic_goes)
{
    struct scale_verdict verdict = {0};
    struct scale_judge judge;
    struct lag_scene scene;

    scene_init(&scene, 1);
    scale_judge_init(&judge);
    for (int t = 0; t < 20; t++)
        scene_step(&scene, &judge, 9000);
    for (int t = 0; t <= 30; t++, scene_tick(&scene)) {
        struct evaluation none = evaluator_look(&scene.policy, NULL, 0, NULL);

        verdict = scale_judge_step(&judge, &scene.policy, &none, scene.now_ms);
        cr_expect_eq(verdict.state, t < 30 ? SCALE_UP : SCALE_IDLE);
    }
    cr_expect_eq(verdict.value, 0);
    scene_release(&scene);
}

Test(scale_judge, begins_anew_when_the_clock_is_set_back)
{
    struct scale_verdict verdict = {0};
    struct scale_judge judge;
    struct lag_scene scene;

    scene_init(&scene, 1);
    scale_judge_init(&judge);
    for (int t = 0; t < 30; t++)
        verdict = scene_step(&scene, &judge, t < 14 ? 9000 : 0);
    cr_expect_eq(verdict.value, 500);
    for (int t = 0; t <= 30; t++) {
        struct evaluation evaluation = {.at_ms = t * 10000, .partitions = 1, .sum = {0, 0, 1, 0}};

        verdict = scale_judge_step(&judge, &scene.policy, &evaluation, t * 10000);
        cr_expect_eq(verdict.state, t < 30 ? SCALE_UP : SCALE_IDLE, "%d", t);
    }
    scene_release(&scene);
}

/* ---- nobody consumes ---- */

Test(scale_judge, wakes_when_nobody_consumes_and_stays_until_all_is)
{
    struct scale_verdict verdict = {0};
    struct scale_judge judge;
    struct lag_scene scene;
    int64_t committed = 100;

    scene_init(&scene, 1);
    scale_judge_init(&judge);
    for (int t = 0; t < 40; t++, scene_tick(&scene)) {
        struct evaluation evaluation;
        int64_t end = t < 20 ? 100 : 130;

        committed += t >= 25 && committed < end - 1 ? 5 : 0;
        committed = t == 39 ? end : committed;
        history_add(&scene.histories[0], scene.now_ms, &(struct offsets){committed, 0, end});
        evaluation = scene_look(&scene);
        verdict = scale_judge_step(&judge, &scene.policy, &evaluation, scene.now_ms);
        cr_expect_eq(verdict.active, t >= 20 && committed < end, "%d", t);
        cr_expect_eq(verdict.value, 0, "one consumer does");
        if (verdict.active)
            cr_expect_eq(verdict.reason, t < 25 ? SCALE_WAITING : SCALE_LINGERING, "%d: %s", t,
                         scale_reason_name(verdict.reason));
    }
    scene_release(&scene);
}

/* ---- in words ---- */

/* An evaluation of one partition, orders[0], by hand. */
static void expect_text(enum scale_reason reason, const struct partition_finding *finding,
                        size_t over, const char *text)
{
    struct scale_judge judge = {.verdict = {.reason = reason}};
    struct scale_policy policy = scene_policy();
    struct evaluator_partition partition = {.topic = "orders", .number = 3};
    struct evaluation evaluation = {.partitions = 1, .over = over, .sum = {.total = 61022}};
    char *told;

    policy.time_lag_ms = 30000;
    told = scale_verdict_text_dup(&judge, &policy, &evaluation, &partition, finding);
    cr_expect_str_eq(told, text);
    free(told);
}

Test(scale_judge, says_why)
{
    struct partition_finding it = {.lag = 5230, .stretch_ms = 130400};

    expect_text(SCALE_SUSTAINED, &it, 1,
                "orders[3] has been over 500 for 2m10s; 5230 wait in it, 61022 in all");
    expect_text(SCALE_SHORT, &it, 1,
                "orders[3] has been over 500 for 2m10s; 5230 wait in it, 61022 in all; not yet "
                "for 2m");
    expect_text(SCALE_CALM, &it, 0, "no partition is over 500; 61022 wait in all");
    expect_text(SCALE_WAITING, &it, 0,
                "61022 wait and no commit has moved for 2m: nobody consumes");
    expect_text(
        SCALE_HELD, &it, 0,
        "no partition is over any more; the value falls to the highest that was called for in "
        "5m");
    expect_text(SCALE_AWAY, &it, 0, "Kafka has not told the offsets for more than 3 samples");
    it.draining = true;
    expect_text(SCALE_HELD, &it, 1,
                "orders[3] has been over 500 for 2m10s; 5230 wait in it, 61022 in all; it falls, "
                "so nothing more is called for");
    it.lag = 20;
    expect_text(SCALE_SUSTAINED, &it, 1,
                "orders[3] has been over a time lag of 30s for 2m10s; 20 wait in it, 61022 in all");
}

/* ---- the concept's three presets ---- */

static const struct {
    const char *name;
    int64_t threshold, sustain_s, up_s, down_s;
} presets[] = {
    {"aggressive", 200, 60, 30, 300},
    {"conservative", 1000, 300, 120, 300},
    {"cost-optimized", 2000, 180, 60, 600},
};

/* The value at each sample of a lag that begins at once, grows once and goes. */
Test(scale_judge, acts_by_the_concepts_presets)
{
    for (size_t i = 0; i < COUNT(presets); i++) {
        int64_t first_s = -1, second_s = -1, idle_s = -1, growth_s = presets[i].sustain_s + 10;
        struct scale_judge judge;
        struct lag_scene scene;
        int64_t before = 0;

        scene_init(&scene, 1);
        scene.policy.kafka.lag_threshold = presets[i].threshold;
        scene.policy.kafka.allow_idle_consumers = true;
        scene.policy.sustain_ms = scene.policy.drain_ms = presets[i].sustain_s * 1000;
        scene.policy.up_ms = presets[i].up_s * 1000;
        scene.policy.down_ms = presets[i].down_s * 1000;
        scale_judge_init(&judge);
        scene_step(&scene, &judge, 0);
        for (int64_t t = 0; t <= 2000; t += 10) {
            int64_t lag = t >= 1000 ? 0 : t >= growth_s ? 9000 : 5000;
            struct scale_verdict verdict = scene_step(&scene, &judge, lag);

            first_s = first_s < 0 && verdict.value == 5000 ? t : first_s;
            second_s = second_s < 0 && verdict.value == 9000 ? t : second_s;
            idle_s = idle_s < 0 && before && !verdict.value ? t : idle_s;
            before = verdict.value;
        }
        cr_expect_eq(first_s, presets[i].sustain_s, "%s: %ld", presets[i].name, (long)first_s);
        cr_expect_eq(second_s, presets[i].sustain_s + presets[i].up_s, "%s: %ld", presets[i].name,
                     (long)second_s);
        cr_expect_eq(idle_s, 1000 + presets[i].down_s, "%s: %ld", presets[i].name, (long)idle_s);
        scene_release(&scene);
    }
}

/* ---- metadata that is edited ---- */

/* The state, the value and the times go over to a judge of another policy, which judges at once. */
static struct scale_verdict adopt_and_step(void (*change)(struct scale_policy *), int64_t lag)
{
    struct scale_judge judge, other;
    struct scale_verdict verdict = {0};
    struct scale_policy before;
    struct lag_scene scene;

    scene_init(&scene, 1);
    scale_judge_init(&judge);
    for (int t = 0; t < 14; t++)
        verdict = scene_step(&scene, &judge, 9000);
    cr_assert_eq(verdict.value, 500);
    before = scene.policy;
    change(&scene.policy);
    scale_judge_adopt(&other, &scene.policy, &judge, &before);
    cr_expect_not(other.verdict.known, "it has not judged yet");
    verdict = scene_step(&scene, &other, lag);
    scene_release(&scene);
    return verdict;
}

static void sustain_longer(struct scale_policy *policy)
{
    policy->sustain_ms = 600000;
}

static void double_threshold(struct scale_policy *policy)
{
    policy->sizing = SIZING_LAG;
    policy->kafka.lag_threshold = 1000;
}

Test(scale_judge, goes_on_where_another_policy_was)
{
    struct scale_verdict verdict = adopt_and_step(sustain_longer, 9000);

    cr_expect(verdict.known);
    cr_expect_eq(verdict.state, SCALE_UP);
    cr_expect_eq(verdict.value, 500, "no longer raising, and held");
    verdict = adopt_and_step(double_threshold, 0);
    cr_expect_eq(verdict.state, SCALE_UP);
    cr_expect_eq(verdict.value, 500, "a lag is counted in records");
}
