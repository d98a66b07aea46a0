/* replay_scaler: see replay_scaler.h. */
#include "commands/replay_scaler.h"

#include "base/xalloc.h"
#include "core/recovery.h"

#include <stdlib.h>

enum { MS = 1000 };

static void watch(struct replay_scaler *scaler, size_t partition)
{
    const struct trace *trace = scaler->consumers->trace;
    size_t i = scaler->count++;
    size_t samples = (size_t)scaler->policy->window_size;

    scaler->partitions[i] = partition;
    history_init(&scaler->histories[i], samples < HISTORY_LEAST ? HISTORY_LEAST : samples);
    scaler->watched[i] = (struct evaluator_partition){
        .topic = trace->name,
        .number = trace->numbers[partition],
        .history = &scaler->histories[i],
        .proof.at_ms = EVALUATOR_NEVER,
    };
}

void replay_scaler_init(struct replay_scaler *scaler, const struct scale_policy *policy,
                        const struct consumers *consumers)
{
    const struct trace *trace = consumers->trace;

    *scaler = (struct replay_scaler){.policy = policy, .consumers = consumers};
    scaler->live = scale_policy_is_kafkas(policy);
    scaler->partitions = xcalloc(trace->partitions, sizeof(*scaler->partitions));
    scaler->histories = xcalloc(trace->partitions, sizeof(*scaler->histories));
    scaler->watched = xcalloc(trace->partitions, sizeof(*scaler->watched));
    scaler->findings = xcalloc(trace->partitions, sizeof(*scaler->findings));
    scale_judge_init(&scaler->judge);
    for (size_t p = 0; p < trace->partitions; p++)
        if (partition_limit_allows(&policy->limit, trace->numbers[p]))
            watch(scaler, p);
}

void replay_scaler_release(struct replay_scaler *scaler)
{
    for (size_t i = 0; i < scaler->count; i++)
        history_release(&scaler->histories[i]);
    for (size_t i = 0; i < scaler->verdict_count; i++)
        free(scaler->verdicts[i].text);
    free(scaler->partitions);
    free(scaler->histories);
    free(scaler->watched);
    free(scaler->findings);
    free(scaler->verdicts);
    *scaler = (struct replay_scaler){0};
}

/* ---- samples ---- */

/* The end of the log at the end of second s, which is a moment of the next. */
static int64_t end_behind(const struct replay_scaler *scaler, size_t i, int64_t s)
{
    return trace_visible_end(scaler->consumers->trace, scaler->partitions[i], s + 1);
}

/* What a broker that stamps records itself tells of the time before. */
static void look_back(struct replay_scaler *scaler, size_t i, int64_t s)
{
    const struct scale_policy *policy = scaler->policy;
    struct recovery_question question = {
        .committed = scaler->consumers->committed[scaler->partitions[i]],
        .end = end_behind(scaler, i, s),
        .threshold = policy->kafka.lag_threshold,
        .append_time = true,
    };

    for (int look = 0; look < RECOVERY_LOOKS; look++) {
        int64_t at_ms = recovery_look_ms(s * MS, policy->sustain_ms, look);
        int64_t found = end_behind(scaler, i, at_ms / MS);

        question.found[look] = found < question.end ? found : -1;
    }
    if (recovery_judge(&question) == RECOVERY_PROVED)
        scaler->watched[i].proof = (struct recovery_proof){s * MS - policy->sustain_ms, s * MS};
}

static bool is_blind(const struct history *history)
{
    return history_count(history) == 0 || history_missed(history) > EVALUATOR_MISSED_MOST;
}

static void sample(struct replay_scaler *scaler, int64_t s)
{
    bool away = trace_within(&scaler->consumers->trace->away, s);

    for (size_t i = 0; i < scaler->count; i++) {
        struct history *history = &scaler->histories[i];

        if (away) {
            history_miss(history, 1);
            continue;
        }
        if (is_blind(history))
            look_back(scaler, i, s);
        history_add(history, s * MS,
                    &(struct offsets){scaler->consumers->committed[scaler->partitions[i]], 0,
                                      end_behind(scaler, i, s)});
    }
}

/* ---- verdicts ---- */

static void note(struct replay_scaler *scaler, const struct scale_verdict *verdict,
                 const struct evaluation *evaluation, int64_t s)
{
    size_t count = scaler->verdict_count;
    const struct replay_verdict *last = count ? &scaler->verdicts[count - 1] : NULL;

    if (last && last->known == verdict->known && last->state == verdict->state &&
        last->reason == verdict->reason)
        return;
    scaler->verdicts = xrealloc(scaler->verdicts, (count + 1) * sizeof(*scaler->verdicts));
    scaler->verdicts[scaler->verdict_count++] =
        (struct replay_verdict){s, verdict->known, verdict->state, verdict->reason,
                                scale_verdict_text_dup(&scaler->judge, scaler->policy, evaluation,
                                                       scaler->watched, scaler->findings)};
}

static void sample_and_judge(struct replay_scaler *scaler, int64_t s)
{
    struct evaluation evaluation;
    struct scale_verdict verdict;

    sample(scaler, s);
    evaluation = evaluator_look(scaler->policy, scaler->watched, scaler->count, scaler->findings);
    verdict = scale_judge_step(&scaler->judge, scaler->policy, &evaluation, s * MS);
    note(scaler, &verdict, &evaluation, s);
    scaler->answer = (struct replay_answer){verdict.known, verdict.active, verdict.value};
}

void replay_scaler_step(struct replay_scaler *scaler, int64_t s)
{
    if (!scaler->live && s * MS % scaler->policy->sampling_ms == 0)
        sample_and_judge(scaler, s);
}

struct replay_answer replay_scaler_ask(struct replay_scaler *scaler, int64_t s)
{
    if (!scaler->live)
        return scaler->answer;
    if (trace_within(&scaler->consumers->trace->away, s))
        return (struct replay_answer){.known = false};
    sample_and_judge(scaler, s);
    return scaler->answer;
}
