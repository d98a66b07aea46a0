/*
 * lag_scene: histories for the tests of what is judged from them. A partition's lag is all that
 * counts there, so its log grows by 1,000,000 a sample and its commit follows at the distance of
 * the lag: it always moves.
 */
#ifndef TESTS_UNIT_CORE_LAG_SCENE_H
#define TESTS_UNIT_CORE_LAG_SCENE_H

#include "core/scale_judge.h"

enum { SCENE_PARTITIONS = 16, SCENE_GROWTH = 1000000, SCENE_START_MS = 1000000000 };

struct lag_scene {
    struct scale_policy policy;
    int64_t now_ms; /* of the next sample */
    size_t count;
    struct history histories[SCENE_PARTITIONS];
    struct evaluator_partition partitions[SCENE_PARTITIONS];
    struct partition_finding findings[SCENE_PARTITIONS];
};

/* The defaults: 500 for 120 s, a sample every 10 s, stabilizations of 60 and 300 s. */
static inline struct scale_policy scene_policy(void)
{
    return (struct scale_policy){
        .kafka = {.lag_threshold = 500},
        .sustain_ms = 120000,
        .sampling_ms = 10000,
        .window_size = 31,
        .up_ms = 60000,
        .down_ms = 300000,
        .drain_ms = 120000,
    };
}

static inline void scene_init(struct lag_scene *scene, size_t count)
{
    *scene = (struct lag_scene){.policy = scene_policy(), .now_ms = SCENE_START_MS, .count = count};
    for (size_t i = 0; i < count; i++) {
        history_init(&scene->histories[i], 64);
        scene->partitions[i] = (struct evaluator_partition){
            "orders", (int32_t)i, &scene->histories[i], {0, EVALUATOR_NEVER}};
    }
}

static inline void scene_release(struct lag_scene *scene)
{
    for (size_t i = 0; i < scene->count; i++)
        history_release(&scene->histories[i]);
}

/* A sample of one partition; lag < 0: it is missed. scene_tick ends the sample. */
static inline void scene_lag(struct lag_scene *scene, size_t i, int64_t lag)
{
    int64_t end = (scene->now_ms - SCENE_START_MS) / 1000 * SCENE_GROWTH + SCENE_GROWTH * 100;

    if (lag < 0)
        history_miss(&scene->histories[i], 1);
    else
        history_add(&scene->histories[i], scene->now_ms, &(struct offsets){end - lag, 0, end});
}

static inline void scene_tick(struct lag_scene *scene)
{
    scene->now_ms += scene->policy.sampling_ms;
}

static inline struct evaluation scene_look(struct lag_scene *scene)
{
    return evaluator_look(&scene->policy, scene->partitions, scene->count, scene->findings);
}

/* A sample of the first partition and the verdict on it. */
static inline struct scale_verdict scene_step(struct lag_scene *scene, struct scale_judge *judge,
                                              int64_t lag)
{
    struct scale_verdict verdict;
    struct evaluation evaluation;

    scene_lag(scene, 0, lag);
    evaluation = scene_look(scene);
    verdict = scale_judge_step(judge, &scene->policy, &evaluation, scene->now_ms);
    scene_tick(scene);
    return verdict;
}

#endif
