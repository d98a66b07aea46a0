/*
 * scale_judge: the verdict of a scaled object: active or not, the value, and why.
 *
 *   idle   the value is 0: the autoscaler keeps its least number of replicas
 *   up     some partition's lag has lasted; the value is KEDA's (core/kafka_policy) or what the
 *          pace calls for (core/pace), through the stabilizer; it rises only while some partition
 *          is raising
 *
 * idle -> up when a partition is raising; up -> idle when for scaleDownStabilization every
 * partition was known and none over, and, by the pace, one replica does. Active is another answer
 * than the value: up, or waiting (which wakes the target from zero though nothing is sustained);
 * once active it stays so until the state is idle and no more than activationLagThreshold waits.
 *
 * It steps with the samples: asked again before the next one, or when that was missed, it says the
 * same again. When every partition is unknown it has no answer, none either while a lag that it
 * found at the process's start may be old, and no idle one before each partition was read once:
 * whoever asks (KEDA) then holds what is there.
 *
 * Where the policy is KEDA's (scale_policy_is_kafkas) there are no states: each answer is KEDA's.
 */
#ifndef CORE_SCALE_JUDGE_H
#define CORE_SCALE_JUDGE_H

#include "core/evaluator.h"
#include "core/pace.h"
#include "core/scale_policy.h"
#include "core/stabilizer.h"

#include <stdbool.h>
#include <stdint.h>

enum scale_state { SCALE_IDLE, SCALE_UP };

enum scale_reason {
    /* without an answer */
    SCALE_AWAY,       /* no partition could be read for too long; or some never, and the others call
                         for nothing */
    SCALE_RECOVERING, /* over since the process began to look: how long it was is not known */
    /* idle */
    SCALE_CALM,
    SCALE_SHORT,     /* over, not yet for sustainSeconds */
    SCALE_DRAINING,  /* sustained, and under the threshold soon */
    SCALE_EXCLUDED,  /* sustained, but excludePersistentLag */
    SCALE_WAITING,   /* nobody consumes */
    SCALE_LINGERING, /* active until what waits is consumed */
    /* up */
    SCALE_SUSTAINED,
    SCALE_STUCK, /* sustained, but only where more replicas are no help */
    SCALE_HELD,  /* nothing is raising any more */
    /* no states */
    SCALE_KAFKAS,
};

struct scale_verdict {
    bool known; /* false: no answer; active and value are those of the last one */
    bool active;
    int64_t value;
    enum scale_state state;
    enum scale_reason reason;
};

struct scale_judge {
    enum scale_state state;
    int64_t born_ms;   /* the first step's at which every partition had been read once; or
                          EVALUATOR_NEVER */
    int64_t now_ms;    /* the last step's */
    int64_t sample_ms; /* the newest sample's that was judged, or EVALUATOR_NEVER */
    int64_t calm_ms;   /* since when every partition is known and none over; or EVALUATOR_NEVER */
    struct stabilizer stabilizer;
    struct pace pace;
    struct scale_verdict verdict; /* the last */
};

void scale_judge_init(struct scale_judge *judge);

/* Goes on where another was that judged the same group by another policy (its metadata was edited):
 * in its state, with its value, in thresholds where the value is made of them; what that policy
 * said last is no answer of this one's. Of a judge that has not stepped. */
void scale_judge_adopt(struct scale_judge *judge, const struct scale_policy *policy,
                       const struct scale_judge *other, const struct scale_policy *others);

/* The verdict on what was found (evaluator_look, by the same policy each time). now_ms: of the
 * sample that is or should be there; where it falls, what was to last begins anew. */
struct scale_verdict scale_judge_step(struct scale_judge *judge, const struct scale_policy *policy,
                                      const struct evaluation *evaluation, int64_t now_ms);

/* The next step judges its sample though the last one has: more is known of it (a proof). */
void scale_judge_again(struct scale_judge *judge);

const char *scale_state_name(enum scale_state state);
const char *scale_reason_name(enum scale_reason reason); /* one word, "sustained" */

/* The reason in words: "orders[3] has been over 500 for 2m10s; 5230 wait in it, 61022 in all".
 * The rest as scale_judge_step and evaluator_look had it last. Caller frees. */
char *scale_verdict_text_dup(const struct scale_judge *judge, const struct scale_policy *policy,
                             const struct evaluation *evaluation,
                             const struct evaluator_partition *partitions,
                             const struct partition_finding *findings);

#endif
