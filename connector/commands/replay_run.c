/* replay_run: see replay_run.h. */
#include "commands/replay_run.h"

#include "base/xalloc.h"

#include <stdlib.h>

enum { PROGRESS_EVERY_S = 3600, HOUR_S = 3600 };

static void ask(struct replay_scaler *scaler, struct autoscaler *autoscaler,
                struct consumers *consumers, int64_t s)
{
    struct replay_answer answer = replay_scaler_ask(scaler, s);

    autoscaler_step(autoscaler, &answer, s);
    consumers_scale(consumers, autoscaler->replicas, s);
}

static int64_t written(const struct trace *trace)
{
    int64_t records = 0;

    for (size_t p = 0; p < trace->partitions; p++)
        records += trace_end(trace, p, trace->seconds) - trace->committed[p];
    return records;
}

static void judge(struct replay_result *result, struct consumers *consumers)
{
    const struct trace *trace = consumers->trace;

    consumers_close(consumers);
    result->age_95_s = consumers_age(consumers, 0.95);
    result->age_99_s = consumers_age(consumers, 0.99);
    result->worst_s = consumers_age(consumers, 1);
    result->late = consumers_late(consumers);
    result->breaches = consumers_breaches(consumers);
    result->written = written(trace);
    result->left = consumers_lag(consumers, trace->seconds);
}

/* The scaler's verdicts become the result's. */
static void take_verdicts(struct replay_result *result, struct replay_scaler *scaler)
{
    result->verdicts = scaler->verdicts;
    result->verdict_count = scaler->verdict_count;
    scaler->verdicts = NULL;
    scaler->verdict_count = 0;
}

struct replay_result replay_run(const struct trace *trace, const struct scale_policy *policy,
                                const struct replay_rules *rules, replay_progress *progress,
                                void *context)
{
    struct replay_result result = {.seconds = trace->seconds};
    struct autoscaler autoscaler;
    struct replay_scaler scaler;
    struct consumers consumers;

    result.lag = xcalloc((size_t)trace->seconds, sizeof(*result.lag));
    result.replicas = xcalloc((size_t)trace->seconds, sizeof(*result.replicas));
    consumers_init(&consumers, trace, &rules->consumers, rules->bounds.min);
    autoscaler_init(&autoscaler, &rules->bounds, policy->kafka.lag_threshold);
    replay_scaler_init(&scaler, policy, &consumers);
    for (int64_t s = 0; s < trace->seconds; s++) {
        consumers_step(&consumers, s);
        replay_scaler_step(&scaler, s);
        if (autoscaler_asks(s))
            ask(&scaler, &autoscaler, &consumers, s);
        result.lag[s] = consumers_lag(&consumers, s + 1);
        result.replicas[s] = (int32_t)consumers_replicas(&consumers);
        result.replica_hours += (double)result.replicas[s] / HOUR_S;
        if (s % PROGRESS_EVERY_S == 0)
            progress(context, s);
    }
    judge(&result, &consumers);
    result.events = autoscaler.events;
    take_verdicts(&result, &scaler);
    replay_scaler_release(&scaler);
    consumers_release(&consumers);
    return result;
}

void replay_result_release(struct replay_result *result)
{
    for (size_t i = 0; i < result->verdict_count; i++)
        free(result->verdicts[i].text);
    free(result->verdicts);
    free(result->lag);
    free(result->replicas);
    *result = (struct replay_result){0};
}
