/* scale_judge: see scale_judge.h. */
#include "core/scale_judge.h"

#include <assert.h>

static const struct {
    const char *name;
    unsigned from; /* bits of the states it may come from */
} states[] = {
    [SCALE_IDLE] = {"idle", 1u << SCALE_UP},
    [SCALE_UP] = {"up", 1u << SCALE_IDLE},
};

const char *scale_state_name(enum scale_state state)
{
    return states[state].name;
}

static void set_state(struct scale_judge *judge, enum scale_state to)
{
    assert(states[to].from & 1u << judge->state);
    judge->state = to;
}

void scale_judge_init(struct scale_judge *judge)
{
    *judge = (struct scale_judge){.state = SCALE_IDLE};
    judge->sample_ms = judge->calm_ms = judge->born_ms = judge->now_ms = EVALUATOR_NEVER;
}

void scale_judge_adopt(struct scale_judge *judge, const struct scale_policy *policy,
                       const struct scale_judge *other, const struct scale_policy *others)
{
    bool active = other->verdict.active;

    *judge = *other;
    judge->sample_ms = EVALUATOR_NEVER;
    judge->verdict = (struct scale_verdict){.active = active, .state = judge->state};
    if (policy->sizing != others->sizing)
        judge->stabilizer = (struct stabilizer){0};
    else if (policy->sizing == SIZING_PACE)
        stabilizer_scale(&judge->stabilizer, policy->kafka.lag_threshold,
                         others->kafka.lag_threshold);
    judge->verdict.value = judge->stabilizer.value;
}

void scale_judge_again(struct scale_judge *judge)
{
    judge->sample_ms = EVALUATOR_NEVER;
}

/* ---- the state ---- */

static bool is_calm(const struct evaluation *evaluation)
{
    return evaluation->over == 0 && evaluation->unknown == 0;
}

static void note_calm(struct scale_judge *judge, const struct evaluation *evaluation,
                      int64_t now_ms)
{
    if (!is_calm(evaluation))
        judge->calm_ms = EVALUATOR_NEVER;
    else if (judge->calm_ms == EVALUATOR_NEVER)
        judge->calm_ms = now_ms;
}

static bool is_calm_for(const struct scale_judge *judge, int64_t span_ms, int64_t now_ms)
{
    return judge->calm_ms != EVALUATOR_NEVER && now_ms - judge->calm_ms >= span_ms;
}

/* By the pace it is known that calm is not the same as needless. */
static bool may_be_idle(const struct scale_judge *judge, const struct scale_policy *policy)
{
    return policy->sizing == SIZING_LAG || judge->stabilizer.value <= policy->kafka.lag_threshold;
}

static void move_state(struct scale_judge *judge, const struct scale_policy *policy,
                       const struct evaluation *evaluation, int64_t now_ms)
{
    if (judge->state == SCALE_IDLE && evaluation->raising) {
        set_state(judge, SCALE_UP);
    } else if (judge->state == SCALE_UP && is_calm_for(judge, policy->down_ms, now_ms) &&
               may_be_idle(judge, policy)) {
        set_state(judge, SCALE_IDLE);
        stabilizer_drop(&judge->stabilizer);
    }
}

/* ---- the answers ---- */

static int64_t wanted_of(struct scale_judge *judge, const struct scale_policy *policy,
                         const struct evaluation *evaluation, int64_t now_ms)
{
    int64_t kedas = kafka_policy_value(&policy->kafka, &evaluation->sum);

    if (policy->sizing == SIZING_LAG)
        return kedas;
    return pace_wanted(&judge->pace, policy, evaluation, &judge->stabilizer, kedas, now_ms);
}

static int64_t value_of(struct scale_judge *judge, const struct scale_policy *policy,
                        const struct evaluation *evaluation, int64_t now_ms)
{
    struct stabilizer_times times = {policy->up_ms, policy->down_ms};

    if (judge->state == SCALE_IDLE)
        return 0;
    return stabilizer_step(&judge->stabilizer, &times, wanted_of(judge, policy, evaluation, now_ms),
                           evaluation->raising > 0, now_ms);
}

static bool active_of(const struct scale_judge *judge, const struct scale_policy *policy,
                      const struct evaluation *evaluation)
{
    return judge->state == SCALE_UP || evaluation->waiting ||
           (judge->verdict.active && kafka_policy_active(&policy->kafka, &evaluation->sum));
}

static enum scale_reason reason_of(const struct evaluation *evaluation, enum scale_state state,
                                   bool active)
{
    if (state == SCALE_UP) {
        if (!evaluation->raising)
            return SCALE_HELD;
        return evaluation->stuck >= evaluation->raising ? SCALE_STUCK : SCALE_SUSTAINED;
    }
    if (active)
        return evaluation->waiting ? SCALE_WAITING : SCALE_LINGERING;
    if (evaluation->sustained)
        return evaluation->draining ? SCALE_DRAINING : SCALE_EXCLUDED;
    return evaluation->over ? SCALE_SHORT : SCALE_CALM;
}

static struct scale_verdict judge_through_time(struct scale_judge *judge,
                                               const struct scale_policy *policy,
                                               const struct evaluation *evaluation, int64_t now_ms)
{
    struct scale_verdict verdict = {.known = true};

    note_calm(judge, evaluation, now_ms);
    move_state(judge, policy, evaluation, now_ms);
    verdict.state = judge->state;
    verdict.value = value_of(judge, policy, evaluation, now_ms);
    verdict.active = active_of(judge, policy, evaluation);
    verdict.reason = reason_of(evaluation, judge->state, verdict.active);
    return verdict;
}

static struct scale_verdict judge_as_kafka(const struct scale_policy *policy,
                                           const struct evaluation *evaluation)
{
    return (struct scale_verdict){
        .known = true,
        .active = kafka_policy_active(&policy->kafka, &evaluation->sum),
        .value = kafka_policy_value(&policy->kafka, &evaluation->sum),
        .reason = SCALE_KAFKAS,
    };
}

/* ---- no answer ---- */

/* A time that nothing is known of is not calm, and calls for what was called for. */
static struct scale_verdict without_answer(struct scale_judge *judge,
                                           const struct scale_policy *policy,
                                           enum scale_reason reason, int64_t now_ms)
{
    struct stabilizer_times times = {policy->up_ms, policy->down_ms};
    struct scale_verdict verdict = judge->verdict;

    judge->calm_ms = EVALUATOR_NEVER;
    stabilizer_step(&judge->stabilizer, &times, judge->stabilizer.value, false, now_ms);
    verdict.known = false;
    verdict.reason = reason;
    return verdict;
}

static bool is_away(const struct evaluation *evaluation)
{
    return evaluation->partitions && evaluation->unknown == evaluation->partitions;
}

/* What was not read since the start may be what calls for more. */
static bool is_half_read(const struct scale_judge *judge, const struct evaluation *evaluation)
{
    return judge->born_ms == EVALUATOR_NEVER && judge->state == SCALE_IDLE &&
           !evaluation->raising && !evaluation->waiting;
}

static bool is_recovering(const struct scale_judge *judge, const struct scale_policy *policy,
                          const struct evaluation *evaluation, int64_t now_ms)
{
    return judge->state == SCALE_IDLE && evaluation->uncertain && !evaluation->raising &&
           judge->born_ms != EVALUATOR_NEVER && now_ms - judge->born_ms < policy->sustain_ms;
}

/* ---- the story ---- */

static void set_back(struct scale_judge *judge, int64_t now_ms)
{
    if (judge->born_ms != EVALUATOR_NEVER)
        judge->born_ms = now_ms;
    judge->calm_ms = EVALUATOR_NEVER;
    stabilizer_set_back(&judge->stabilizer, now_ms);
}

static struct scale_verdict judge_sample(struct scale_judge *judge,
                                         const struct scale_policy *policy,
                                         const struct evaluation *evaluation, int64_t now_ms)
{
    judge->sample_ms = evaluation->at_ms;
    if (is_half_read(judge, evaluation))
        return without_answer(judge, policy, SCALE_AWAY, now_ms);
    if (scale_policy_is_kafkas(policy))
        return judge_as_kafka(policy, evaluation);
    if (is_recovering(judge, policy, evaluation, now_ms))
        return without_answer(judge, policy, SCALE_RECOVERING, now_ms);
    return judge_through_time(judge, policy, evaluation, now_ms);
}

/* Nothing new since the last answer: every partition's sample was missed. */
static bool is_stale(const struct scale_judge *judge, const struct evaluation *evaluation)
{
    return evaluation->partitions && evaluation->at_ms == judge->sample_ms &&
           judge->verdict.reason != SCALE_AWAY;
}

struct scale_verdict scale_judge_step(struct scale_judge *judge, const struct scale_policy *policy,
                                      const struct evaluation *evaluation, int64_t now_ms)
{
    if (judge->born_ms == EVALUATOR_NEVER && !evaluation->unread)
        judge->born_ms = now_ms;
    if (now_ms < judge->now_ms)
        set_back(judge, now_ms);
    judge->now_ms = now_ms;
    if (is_away(evaluation))
        judge->verdict = without_answer(judge, policy, SCALE_AWAY, now_ms);
    else if (!is_stale(judge, evaluation))
        judge->verdict = judge_sample(judge, policy, evaluation, now_ms);
    return judge->verdict;
}
