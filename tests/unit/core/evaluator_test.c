/* evaluator: what is a stretch, what drains, who is stuck, and when nobody consumes. */
#include "core/evaluator.h"

#include "tests/unit/core/lag_scene.h"

#include <criterion/criterion.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A letter a sample, every 10 s: H 1000 waiting, E exactly 500, J 499, L 100, - missed. Threshold
 * 500 for 120 s: 13 samples. */
static int64_t lag_of_letter(char letter)
{
    switch (letter) {
    case 'H':
        return 1000;
    case 'E':
        return 500;
    case 'J':
        return 499;
    case 'L':
        return 100;
    default:
        return -1;
    }
}

static const struct {
    const char *sentence, *samples;
    int64_t stretch_s; /* -1: none */
    bool sustained;
} stretches[] = {
    {"no samples", "", -1, false},
    {"below threshold", "LLLLLLLLLLLLLLLLLLLL", -1, false},
    {"short stretch", "HHHHHH", 50, false},
    {"exact duration", "HHHHHHHHHHHHH", 120, true},
    {"long stretch", "HHHHHHHHHHHHHHHHHHHHHHHHHHHHHH", 290, true},
    {"gap in middle", "HHHHHHLHHHHHH", 50, false},
    {"lag at exact threshold", "EEEEEEEEEEEEE", 120, true},
    {"lag just below it", "JJJJJJJJJJJJJ", -1, false},
    {"an old stretch is over: what counts is now", "HHHHHHHHHHHHHHHHHHHHL", -1, false},
    {"and begins anew", "HHHHHHHHHHHHHHHHHHHHLHH", 10, false},
    {"one sample is a stretch of nothing", "LLLH", 0, false},
    {"a missed sample does not break it", "HHHHHH-HHHHHH", 120, true},
    {"nor three in a row", "HHHHH---HHHHH", 120, true},
    {"four do", "HHHHHHHH----HHHHH", 40, false},
    {"missed ones at the end do not extend it", "HHHHHHHHHHHH-", 110, false},
    {"nor break it", "HHHHHHHHHHHHH---", 120, true},
    {"but four at the end make it unknown", "HHHHHHHHHHHHH----", -1, false},
    {"missed ones at the beginning are none of it", "---HHHHHHHHHHHH", 110, false},
    {"missed again and again", "H---H---H---H", 120, true},
    {"never read", "------", -1, false},
};

Test(evaluator, tells_the_highest_lag_and_the_longest_stretch)
{
    static const int64_t lags[][3] = {{600, 100, -1}, {600, 900, -1}, {700, 800, -1}};
    struct lag_scene scene;

    scene_init(&scene, 3);
    cr_expect_eq(scene_look(&scene).highest_lag, LAG_UNKNOWN, "nothing was read");
    cr_expect_eq(scene_look(&scene).longest_ms, -1);
    for (size_t i = 0; i < COUNT(lags); i++, scene_tick(&scene))
        for (size_t partition = 0; partition < 3; partition++)
            scene_lag(&scene, partition, lags[i][partition]);
    cr_expect_eq(scene_look(&scene).highest_lag, 800);
    cr_expect_eq(scene_look(&scene).longest_ms, 20 * 1000, "of another than the highest");
    scene_release(&scene);
}

Test(evaluator, finds_stretches)
{
    for (size_t i = 0; i < COUNT(stretches); i++) {
        struct partition_finding finding;
        struct lag_scene scene;

        scene_init(&scene, 1);
        for (const char *at = stretches[i].samples; *at; at++, scene_tick(&scene))
            scene_lag(&scene, 0, lag_of_letter(*at));
        finding = evaluator_find(&scene.policy, &scene.partitions[0]);
        cr_expect_eq(finding.stretch_ms,
                     stretches[i].stretch_s < 0 ? -1 : stretches[i].stretch_s * 1000, "%s: %ld",
                     stretches[i].sentence, (long)finding.stretch_ms);
        cr_expect_eq(finding.sustained, stretches[i].sustained, "%s", stretches[i].sentence);
        cr_expect_eq(finding.raising, stretches[i].sustained, "%s", stretches[i].sentence);
        cr_expect_eq(finding.over, stretches[i].stretch_s >= 0, "%s", stretches[i].sentence);
        scene_release(&scene);
    }
}

/* Samples of two partitions. */
static struct evaluation look_at_two(const char *first, const char *second)
{
    struct evaluation evaluation;
    struct lag_scene scene;

    scene_init(&scene, 2);
    for (size_t t = 0; first[t]; t++, scene_tick(&scene)) {
        scene_lag(&scene, 0, lag_of_letter(first[t]));
        scene_lag(&scene, 1, lag_of_letter(second[t]));
    }
    evaluation = scene_look(&scene);
    scene_release(&scene);
    return evaluation;
}

Test(evaluator, multi_partition)
{
    struct evaluation it = look_at_two("LLLLLLLLLLLLL", "HHHHHHHHHHHHH");

    cr_expect_eq(it.sustained, 1, "one that lasts is enough");
    cr_expect_eq(it.foremost, 1);
    cr_expect_eq(it.sum.lag, 1100, "all of what waits counts");
    it = look_at_two("HHHHHHHLLLLLL", "LLLLLLHHHHHHH");
    cr_expect_eq(it.sustained, 0, "taking turns is no stretch of any");
    cr_expect_eq(it.over, 1);
    it = look_at_two("JJJJJJJJJJJJJ", "JJJJJJJJJJJJJ");
    cr_expect_eq(it.over, 0, "the threshold is each partition's, not the sum's");
    it = look_at_two("HL", "LH");
    cr_expect_eq(it.sum.total, 1100, "the sum is of the newest samples");
}

Test(evaluator, a_partition_that_is_unknown_is_not_calm_and_keeps_its_lag)
{
    struct evaluation it = look_at_two("HHHHHHHHH", "HHHHL----");

    cr_expect_eq(it.partitions, 2);
    cr_expect_eq(it.unknown, 1);
    cr_expect_eq(it.over, 1);
    cr_expect_eq(it.sum.lag, 1100);
    it = look_at_two("HHHHHHHHH", "---------");
    cr_expect_eq(it.unknown, 1);
    cr_expect_eq(it.sum.lag, 1000);
    cr_expect_eq(it.sum.partitions, 1, "what was never read caps nothing");
}

/* ---- draining ---- */

/* A lag that goes from point to point, a minute each, in straight lines. */
static bool is_raising_at(const int64_t *points, size_t minutes, int64_t sampling_ms,
                          int64_t threshold)
{
    struct partition_finding finding = {0};
    struct lag_scene scene;
    bool raising = false;

    scene_init(&scene, 1);
    scene.policy.sampling_ms = sampling_ms;
    scene.policy.kafka.lag_threshold = threshold;
    while (scene.now_ms <= SCENE_START_MS + (int64_t)minutes * 60000) {
        int64_t since = scene.now_ms - SCENE_START_MS;
        const int64_t *from = points + since / 60000;
        int64_t lag =
            since % 60000 ? from[0] + (from[1] - from[0]) * (since % 60000) / 60000 : from[0];

        scene_lag(&scene, 0, lag);
        finding = evaluator_find(&scene.policy, &scene.partitions[0]);
        raising = raising || finding.raising;
        scene_tick(&scene);
    }
    scene_release(&scene);
    return raising;
}

/* 12:00 15k, 12:01 12k, 12:02 8k, 12:03 2k: "No action". */
Test(evaluator, takes_no_action_on_the_concepts_example)
{
    static const int64_t lag[] = {15000, 12000, 8000, 2000};
    static const int64_t samplings[] = {10000, 60000}, thresholds[] = {500, 1000};

    for (size_t s = 0; s < COUNT(samplings); s++)
        for (size_t t = 0; t < COUNT(thresholds); t++)
            cr_expect_not(is_raising_at(lag, 3, samplings[s], thresholds[t]), "%ld ms, %ld",
                          (long)samplings[s], (long)thresholds[t]);
}

static const struct {
    const char *sentence;
    int64_t points[6];
    size_t minutes;
    bool raising;
} falls[] = {
    {"it stands", {9000, 9000, 9000, 9000}, 3, true},
    {"it grows", {9000, 12000, 15000, 18000}, 3, true},
    {"it falls too slowly to matter", {10000000, 9999940, 9999880, 9999820}, 3, true},
    {"it falls, but takes ten minutes to be under", {9000, 8200, 7400, 6600}, 3, true},
    {"it has fallen fast and stands by now", {90000, 30000, 9000, 9000}, 3, true},
    {"it falls fast", {9000, 6000, 3000, 1000}, 3, false},
    {"ever faster", {9000, 8000, 5000, 1000}, 3, false},
};

Test(evaluator, tells_what_drains_from_what_stays)
{
    for (size_t i = 0; i < COUNT(falls); i++)
        cr_expect_eq(is_raising_at(falls[i].points, falls[i].minutes, 10000, 500), falls[i].raising,
                     "%s", falls[i].sentence);
}

Test(evaluator, needs_three_samples_to_see_it_drain)
{
    static const int64_t lag[] = {9000, 1000};
    struct lag_scene scene;

    scene_init(&scene, 1);
    scene.policy.sustain_ms = 0;
    for (size_t t = 0; t < 3; t++, scene_tick(&scene)) {
        scene_lag(&scene, 0, t < 2 ? lag[t] : 600);
        cr_expect_eq(evaluator_find(&scene.policy, &scene.partitions[0]).draining, t == 2, "%zu",
                     t);
    }
    scene_release(&scene);
}

/* ---- time lag ---- */

/* A log that grows by 10 a second, of which all but the last `late_s` seconds are consumed. */
static struct partition_finding find_late(int64_t late_s, int64_t time_lag_s, bool catches_up)
{
    struct partition_finding finding;
    struct lag_scene scene;

    scene_init(&scene, 1);
    scene.policy.time_lag_ms = time_lag_s * 1000;
    for (int64_t t = 0; t <= 300; t += 10) {
        int64_t behind = catches_up ? late_s + (300 - t) / 2 : late_s;
        int64_t committed = t > behind ? (t - behind) * 10 : 0;

        history_add(&scene.histories[0], SCENE_START_MS + t * 1000,
                    &(struct offsets){committed, 0, t * 10});
    }
    finding = evaluator_find(&scene.policy, &scene.partitions[0]);
    scene_release(&scene);
    return finding;
}

Test(evaluator, is_over_by_time_too)
{
    struct partition_finding it = find_late(40, 30, false);

    cr_expect_eq(it.lag, 400, "under the threshold");
    cr_expect(it.over);
    cr_expect(it.raising);
    it = find_late(40, 41, false);
    cr_expect_not(it.over);
    it = find_late(40, 0, false);
    cr_expect_not(it.over, "off");
}

Test(evaluator, sees_a_time_lag_drain)
{
    struct partition_finding it = find_late(40, 30, true);

    cr_expect(it.sustained);
    cr_expect(it.draining, "it falls by half a second a second: 30 s are under way");
    cr_expect_not(it.raising);
}

/* ---- commits ---- */

/* Commits a letter a sample: m moves, s stands, r is set back, n nothing committed yet. */
static void add_commits(struct lag_scene *scene, size_t i, const char *letters, int64_t lag_end)
{
    int64_t committed = 5000;

    for (size_t t = 0; letters[t]; t++) {
        int64_t at_ms = SCENE_START_MS + (int64_t)t * 10000;

        committed += letters[t] == 'm' ? 10 : letters[t] == 'r' ? -100 : 0;
        history_add(&scene->histories[i], at_ms,
                    &(struct offsets){letters[t] == 'n' ? OFFSET_NONE : committed, 0,
                                      committed > lag_end ? committed : lag_end});
    }
}

static const struct {
    const char *sentence, *commits[2];
    int64_t ends[2];
    size_t stuck;
    bool waiting;
} commits[] = {
    {"both move", {"mmmmmmmmmmmmmmm", "mmmmmmmmmmmmmmm"}, {90000, 90000}, 0, false},
    {"one stands while the other moves",
     {"sssssssssssssss", "mmmmmmmmmmmmmmm"},
     {90000, 90000},
     1,
     false},
    {"and stands where nothing waits",
     {"sssssssssssssss", "mmmmmmmmmmmmmmm"},
     {5000, 90000},
     0,
     false},
    {"both stand: nobody consumes",
     {"sssssssssssssss", "sssssssssssssss"},
     {90000, 90000},
     0,
     true},
    {"for a few records too", {"sssssssssssssss", "sssssssssssssss"}, {5001, 5000}, 0, true},
    {"nothing waits", {"sssssssssssssss", "sssssssssssssss"}, {5000, 5000}, 0, false},
    {"one has moved 110 s ago", {"sssmsssssssssss", "sssssssssssssss"}, {90000, 90000}, 1, false},
    {"120 s ago", {"ssmssssssssssss", "sssssssssssssss"}, {90000, 90000}, 1, true},
    {"a commit that was set back is no consumer's",
     {"sssssrsssssssss", "sssssssssssssss"},
     {90000, 90000},
     0,
     true},
    {"the first commit is", {"nnnnnnnnnnnnsss", "nnnnnnnnnnnnnnn"}, {90000, 90000}, 0, false},
    {"nothing was ever committed", {"nnnnnnnnnnnnnnn", "nnnnnnnnnnnnnnn"}, {90000, 90000}, 0, true},
    {"not looked at for long enough", {"ssssssssssss", "ssssssssssss"}, {90000, 90000}, 0, false},
    {"just long enough", {"sssssssssssss", "sssssssssssss"}, {90000, 90000}, 0, true},
};

Test(evaluator, tells_who_is_stuck_and_when_nobody_consumes)
{
    for (size_t i = 0; i < COUNT(commits); i++) {
        struct evaluation it;
        struct lag_scene scene;

        scene_init(&scene, 2);
        for (size_t p = 0; p < 2; p++)
            add_commits(&scene, p, commits[i].commits[p], commits[i].ends[p]);
        it = scene_look(&scene);
        cr_expect_eq(it.stuck, commits[i].stuck, "%s: %zu", commits[i].sentence, it.stuck);
        cr_expect_eq(it.waiting, commits[i].waiting, "%s", commits[i].sentence);
        scene_release(&scene);
    }
}

Test(evaluator, excludes_what_does_not_move)
{
    struct evaluation it;
    struct lag_scene scene;

    scene_init(&scene, 2);
    scene.policy.kafka.exclude_persistent_lag = true;
    add_commits(&scene, 0, "sssssssssssssss", 90000);
    add_commits(&scene, 1, "mmmmmmmmmmmmmmm", 0);
    it = scene_look(&scene);
    cr_expect_eq(it.sustained, 1);
    cr_expect_eq(it.raising, 0);
    cr_expect_eq(it.sum.lag, 0);
    cr_expect_eq(it.sum.total, 85000);
    scene_release(&scene);
}

/* ---- a history that is finer ---- */

/* Samples each 10 s of a policy that asks for one in 30 s. */
static struct evaluation look_finely(const char *samples)
{
    struct evaluation it;
    struct lag_scene scene;

    scene_init(&scene, 1);
    scene.policy.finer = 3;
    for (; *samples; samples++, scene_tick(&scene))
        scene_lag(&scene, 0, *samples == '-' ? -1 : 9000);
    it = scene_look(&scene);
    scene_release(&scene);
    return it;
}

Test(evaluator, of_a_finer_history_as_long_a_time_may_be_missed)
{
    cr_expect_eq(look_finely("HHHH---------HHHH").sustained, 1, "9 of 10 s are 3 of 30 s");
    cr_expect_eq(look_finely("HHHH----------HHHH").sustained, 0);
    cr_expect_eq(look_finely("HHHHHHHHHHHHH---------").unknown, 0);
    cr_expect_eq(look_finely("HHHHHHHHHHHHH----------").unknown, 1);
}

Test(evaluator, what_does_not_move_is_compared_over_the_interval_asked_for)
{
    struct lag_scene scene;

    scene_init(&scene, 1);
    scene.policy.kafka.exclude_persistent_lag = true;
    scene.policy.finer = 3;
    add_commits(&scene, 0, "mmmmmmmmmmmmmss", 90000);
    cr_expect_eq(scene_look(&scene).sum.lag, scene_look(&scene).sum.total, "it moved 20 s ago");
    cr_expect_gt(scene_look(&scene).sum.lag, 0);
    scene.policy.finer = 1;
    cr_expect_eq(scene_look(&scene).sum.lag, 0);
    scene_release(&scene);
}

/* ---- a proof of what was before ---- */

static const struct {
    const char *sentence, *samples;
    int64_t since_s, at_s; /* of the first sample's time */
    int64_t stretch_s;
    bool uncertain;
} proofs[] = {
    {"none", "HH", 0, -1, 10, true},
    {"over for 120 s when it was first seen", "HH", -120, 0, 130, false},
    {"for less: it counts on from there", "HH", -60, 0, 70, true},
    {"told at the second sample", "HHH", -100, 10, 120, false},
    {"in a stretch that began within sight it says nothing", "HLHH", -120, 0, 10, false},
    {"nor one from before an outage", "HH----HH", -120, 0, 10, true},
    {"one from behind it does", "HH----HH", -60, 60, 130, false},
};

Test(evaluator, believes_a_proof_of_what_was_before)
{
    for (size_t i = 0; i < COUNT(proofs); i++) {
        struct evaluation it;
        struct lag_scene scene;

        scene_init(&scene, 1);
        if (proofs[i].at_s >= 0)
            scene.partitions[0].proof = (struct recovery_proof){
                SCENE_START_MS + proofs[i].since_s * 1000, SCENE_START_MS + proofs[i].at_s * 1000};
        for (const char *at = proofs[i].samples; *at; at++, scene_tick(&scene))
            scene_lag(&scene, 0, lag_of_letter(*at));
        it = scene_look(&scene);
        cr_expect_eq(scene.findings[0].stretch_ms, proofs[i].stretch_s * 1000, "%s: %ld",
                     proofs[i].sentence, (long)scene.findings[0].stretch_ms);
        cr_expect_eq(it.uncertain, proofs[i].uncertain, "%s", proofs[i].sentence);
        scene_release(&scene);
    }
}
