/*
 * replay_run: the closed loop: what is written -> what waits -> consumers -> a policy's verdict ->
 * the autoscaler -> consumers, second by second; and what came of it.
 */
#ifndef COMMANDS_REPLAY_RUN_H
#define COMMANDS_REPLAY_RUN_H

#include "commands/replay_autoscaler.h"
#include "commands/replay_consumers.h"
#include "commands/replay_scaler.h"
#include "core/scale_policy.h"

#include <stdint.h>

struct replay_rules {
    struct consumers_rules consumers;
    struct autoscaler_bounds bounds;
};

struct replay_result {
    int64_t events;       /* changes of replicas */
    double replica_hours; /* of those called for, started or not */
    int64_t age_95_s, age_99_s, worst_s;
    int64_t late;     /* records consumed after more than SLO_AGE_S, or not at all */
    int64_t written;  /* records */
    int64_t breaches; /* windows in which more than one in twenty was late */
    int64_t left;     /* waiting when the trace ends */
    int64_t seconds;
    int64_t *lag; /* at the end of each second */
    int32_t *replicas;
    struct replay_verdict *verdicts;
    size_t verdict_count;
};

/* Tells how far it is: so many seconds of the trace are done. */
typedef void replay_progress(void *context, int64_t s);

struct replay_result replay_run(const struct trace *trace, const struct scale_policy *policy,
                                const struct replay_rules *rules, replay_progress *progress,
                                void *context);
void replay_result_release(struct replay_result *result);

#endif
