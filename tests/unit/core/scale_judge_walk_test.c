/* scale_judge: what holds whatever the lag does; and that without times it is KEDA's arithmetic. */
#include "core/scale_judge.h"

#include "tests/unit/core/lag_scene.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>

/* ---- whatever the lag does ---- */

enum { RANDOM_STEPS = 2000 };

/* A lag that jumps, stays, falls and is missed at random. */
static int64_t random_lag(uint64_t *random, int64_t lag)
{
    switch (random_below(random, 12)) {
    case 0:
        return (int64_t)random_below(random, 20000);
    case 1:
        return (int64_t)random_below(random, 600);
    case 2:
        return 0;
    case 3:
        return lag / 2;
    case 4:
        return lag + (int64_t)random_below(random, 500);
    default:
        return lag;
    }
}

static struct scale_policy random_policy(uint64_t *random)
{
    struct scale_policy policy = scene_policy();

    policy.kafka.lag_threshold = 1 + (int64_t)random_below(random, 1000);
    policy.sustain_ms = 10000 * (int64_t)random_below(random, 20);
    policy.up_ms = 10000 * (int64_t)random_below(random, 12);
    policy.down_ms = 10000 * (int64_t)random_below(random, 40);
    policy.drain_ms = policy.sustain_ms;
    policy.kafka.allow_idle_consumers = random_below(random, 2);
    policy.sizing = random_below(random, 2) ? SIZING_PACE : SIZING_LAG;
    return policy;
}

/* What was seen up to now, for what must never be. */
struct witness {
    int64_t over_since_ms, calm_since_ms, risen_ms; /* EVALUATOR_NEVER: not now; never */
    struct scale_verdict before;
};

static void expect_lawful(struct witness *witness, const struct scale_policy *policy,
                          const struct scale_verdict *verdict, bool over, int64_t kedas,
                          int64_t now_ms, uint64_t seed)
{
    if (!over)
        witness->over_since_ms = EVALUATOR_NEVER;
    else if (witness->over_since_ms == EVALUATOR_NEVER)
        witness->over_since_ms = now_ms;
    if (over)
        witness->calm_since_ms = EVALUATOR_NEVER;
    else if (witness->calm_since_ms == EVALUATOR_NEVER)
        witness->calm_since_ms = now_ms;
    if (verdict->state == SCALE_UP && witness->before.state == SCALE_IDLE)
        cr_assert(over && now_ms - witness->over_since_ms >= policy->sustain_ms,
                  "seed %lu: up on a spike", (unsigned long)seed);
    if (verdict->state == SCALE_IDLE && witness->before.state == SCALE_UP)
        cr_assert(!over && now_ms - witness->calm_since_ms >= policy->down_ms,
                  "seed %lu: idle too soon", (unsigned long)seed);
    if (verdict->value > witness->before.value) {
        cr_assert(over && now_ms - witness->over_since_ms >= policy->sustain_ms,
                  "seed %lu: it rose on a spike", (unsigned long)seed);
        cr_assert(verdict->value <= kedas, "seed %lu: above KEDA's", (unsigned long)seed);
        cr_assert(witness->risen_ms == EVALUATOR_NEVER ||
                      now_ms - witness->risen_ms >= policy->up_ms,
                  "seed %lu: it rose twice", (unsigned long)seed);
        witness->risen_ms = now_ms;
    }
    witness->before = *verdict;
}

static int64_t kedas_of(const struct scale_policy *policy, int64_t lag)
{
    struct kafka_sum sum = {0};

    kafka_sum_add(&sum, &policy->kafka, lag, false);
    return kafka_policy_value(&policy->kafka, &sum);
}

Test(scale_judge_walk, keeps_its_promises_whatever_the_lag_does)
{
    size_t ups = 0;

    for (uint64_t seed = 1; seed <= 100; seed++) {
        uint64_t random = seed;
        struct witness witness = {EVALUATOR_NEVER, EVALUATOR_NEVER, EVALUATOR_NEVER, {0}};
        struct scale_judge judge;
        struct lag_scene scene;
        int64_t lag = 0;

        scene_init(&scene, 1);
        scene.policy = random_policy(&random);
        if (scale_policy_is_kafkas(&scene.policy))
            scene.policy.up_ms = 10000;
        scale_judge_init(&judge);
        for (int t = 0; t < RANDOM_STEPS; t++) {
            struct scale_verdict verdict;

            lag = random_lag(&random, lag);
            verdict = scene_step(&scene, &judge, lag);
            ups += verdict.state == SCALE_UP && witness.before.state == SCALE_IDLE;
            expect_lawful(&witness, &scene.policy, &verdict,
                          lag >= scene.policy.kafka.lag_threshold, kedas_of(&scene.policy, lag),
                          scene.now_ms - scene.policy.sampling_ms, seed);
        }
        scene_release(&scene);
    }
    cr_expect_gt(ups, 1000, "%zu: the lags must be such that something happens", ups);
}

/* ---- KEDA's arithmetic, once more and otherwise ---- */

/* As kafka_scaler.go's getTotalLag has it, by a model of its own. */
static int64_t kedas_value(const struct kafka_policy *policy, const int64_t *lags,
                           const bool *unmoved, int64_t count)
{
    int64_t total = 0, with_lag = 0, bound = count;

    for (int64_t i = 0; i < count; i++) {
        int64_t lag = policy->exclude_persistent_lag && unmoved[i] ? 0 : lags[i];

        total += lag;
        with_lag += lag > 0 ? 1 : 0;
    }
    if (policy->allow_idle_consumers && !policy->ensure_even_distribution &&
        !policy->limit_to_partitions_with_lag)
        return total;
    if (policy->ensure_even_distribution) {
        int64_t factor = 1;

        while (factor < count && (count % factor || factor * policy->lag_threshold < total))
            factor++;
        total = factor * policy->lag_threshold;
    }
    if (policy->limit_to_partitions_with_lag)
        bound = with_lag;
    if (total / policy->lag_threshold > bound)
        total = bound * policy->lag_threshold;
    return total;
}

static void random_keys(struct kafka_policy *policy, uint64_t *random)
{
    policy->lag_threshold = 1 + (int64_t)random_below(random, 800);
    policy->activation_lag_threshold = (int64_t)random_below(random, 3000);
    policy->exclude_persistent_lag = random_below(random, 2);
    policy->ensure_even_distribution = random_below(random, 3) == 0;
    policy->limit_to_partitions_with_lag =
        !policy->ensure_even_distribution && random_below(random, 3) == 0;
    policy->allow_idle_consumers = !policy->limit_to_partitions_with_lag && random_below(random, 2);
}

/* One look at partitions of which all is at random. */
static void expect_kedas(struct lag_scene *scene, uint64_t *random, uint64_t seed)
{
    int64_t lags[SCENE_PARTITIONS], total = 0;
    bool unmoved[SCENE_PARTITIONS];
    struct evaluation evaluation;
    struct scale_verdict verdict;
    struct scale_judge judge;

    for (size_t i = 0; i < scene->count; i++) {
        int64_t moves = (int64_t)random_below(random, 2);

        lags[i] = (int64_t)(random_below(random, 4) * random_below(random, 1000));
        unmoved[i] = !moves;
        total += lags[i];
        history_release(&scene->histories[i]);
        history_init(&scene->histories[i], 64);
        history_add(&scene->histories[i], scene->now_ms - 10000, &(struct offsets){7, 0, 7});
        history_add(&scene->histories[i], scene->now_ms,
                    &(struct offsets){7 + moves, 0, 7 + moves + lags[i]});
    }
    evaluation = scene_look(scene);
    scale_judge_init(&judge);
    verdict = scale_judge_step(&judge, &scene->policy, &evaluation, scene->now_ms);
    cr_assert(verdict.known);
    cr_assert_eq(verdict.value,
                 kedas_value(&scene->policy.kafka, lags, unmoved, (int64_t)scene->count),
                 "seed %lu", (unsigned long)seed);
    cr_assert_eq(verdict.active, total > scene->policy.kafka.activation_lag_threshold, "seed %lu",
                 (unsigned long)seed);
}

/* Under the threshold too, and whatever drainSeconds says. */
Test(scale_judge_walk, is_kedas_arithmetic_where_no_time_is_given)
{
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        uint64_t random = seed;
        struct lag_scene scene;

        scene_init(&scene, 1 + random_below(&random, SCENE_PARTITIONS));
        scene.policy.sustain_ms = scene.policy.up_ms = scene.policy.down_ms = 0;
        scene.policy.drain_ms = 10000 * (int64_t)random_below(&random, 20);
        random_keys(&scene.policy.kafka, &random);
        expect_kedas(&scene, &random, seed);
        scene_release(&scene);
    }
}
