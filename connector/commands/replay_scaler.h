/*
 * replay_scaler: a policy that watches the consumers as the scaler would a group: it samples their
 * offsets, keeps histories, looks up what was there before, and judges.
 *
 * A policy of KEDA's arithmetic samples whenever it is asked, as KEDA's kafka scaler does, and has
 * no answer while Kafka is away; any other at multiples of its sampling interval.
 */
#ifndef COMMANDS_REPLAY_SCALER_H
#define COMMANDS_REPLAY_SCALER_H

#include "commands/replay_autoscaler.h"
#include "commands/replay_consumers.h"
#include "core/scale_judge.h"

/* A verdict that differs from the one before it. */
struct replay_verdict {
    int64_t s;
    bool known;
    enum scale_state state;
    enum scale_reason reason;
    char *text;
};

struct replay_scaler {
    const struct scale_policy *policy;   /* borrowed */
    const struct consumers *consumers;   /* borrowed */
    bool live;                           /* it samples when it is asked */
    size_t count;                        /* of partitions that the policy counts */
    size_t *partitions;                  /* which: their indices in the trace */
    struct history *histories;           /* of each */
    struct evaluator_partition *watched; /* of each */
    struct partition_finding *findings;  /* of each */
    struct scale_judge judge;
    struct replay_answer answer;
    struct replay_verdict *verdicts;
    size_t verdict_count;
};

void replay_scaler_init(struct replay_scaler *scaler, const struct scale_policy *policy,
                        const struct consumers *consumers);
void replay_scaler_release(struct replay_scaler *scaler);

/* Second s is over: it samples, where it is time to. */
void replay_scaler_step(struct replay_scaler *scaler, int64_t s);

/* The answer to a question in second s. */
struct replay_answer replay_scaler_ask(struct replay_scaler *scaler, int64_t s);

#endif
