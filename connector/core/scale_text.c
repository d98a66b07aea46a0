/* scale_text: the reason of a verdict in words; a function a reason. */
#include "core/scale_judge.h"

#include "base/duration.h"
#include "base/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>

/* What a reason is told from. */
struct telling {
    const struct scale_judge *judge;
    const struct scale_policy *policy;
    const struct evaluation *all;
    const struct evaluator_partition *partition; /* the foremost; NULL: there is none */
    const struct partition_finding *finding;     /* its */
};

/* A span in whole seconds, for use within one call: "2m10s". */
#define SPAN(ms) duration_format((ms) < 0 ? 0 : (ms) / 1000 * 1000, (char[DURATION_TEXT_SIZE]){0})

/* What it is over: the threshold, or only the time lag. Caller frees. */
static char *limit_text(const struct telling *it)
{
    const struct scale_policy *policy = it->policy;

    if (it->finding->lag >= policy->kafka.lag_threshold)
        return xasprintf("%" PRId64, policy->kafka.lag_threshold);
    return xasprintf("a time lag of %s", SPAN(policy->time_lag_ms));
}

/* "orders[3] has been over 500 for 2m10s; 5230 wait in it, 61022 in all". */
static char *over_text(const struct telling *it, const char *and)
{
    char *limit = limit_text(it);
    char *text = xasprintf(
        "%s[%" PRId32 "] has been over %s for %s; %" PRId64 " wait in it, %" PRId64 " in all%s",
        it->partition->topic, it->partition->number, limit, SPAN(it->finding->stretch_ms),
        it->finding->lag, it->all->sum.total, and);

    free(limit);
    return text;
}

static char *away_text(const struct telling *it)
{
    (void)it;
    return xasprintf("Kafka has not told the offsets for more than %d samples",
                     EVALUATOR_MISSED_MOST);
}

static char *recovering_text(const struct telling *it)
{
    return over_text(it, "; how long before the start is not known");
}

static char *calm_text(const struct telling *it)
{
    return xasprintf("no partition is over %" PRId64 "; %" PRId64 " wait in all",
                     it->policy->kafka.lag_threshold, it->all->sum.total);
}

static char *short_text(const struct telling *it)
{
    char *and = xasprintf("; not yet for %s", SPAN(it->policy->sustain_ms));
    char *text = over_text(it, and);

    free(and);
    return text;
}

static char *draining_text(const struct telling *it)
{
    char *and = xasprintf("; it falls, and is under that within %s", SPAN(it->policy->drain_ms));
    char *text = over_text(it, and);

    free(and);
    return text;
}

static char *excluded_text(const struct telling *it)
{
    return over_text(it, "; its commit does not move, and excludePersistentLag is set");
}

static char *waiting_text(const struct telling *it)
{
    return xasprintf("%" PRId64 " wait and no commit has moved for %s: nobody consumes",
                     it->all->sum.total, SPAN(it->policy->sustain_ms));
}

static char *lingering_text(const struct telling *it)
{
    return xasprintf("active until no more than %" PRId64 " wait; %" PRId64 " do",
                     it->policy->kafka.activation_lag_threshold, it->all->sum.total);
}

static char *sustained_text(const struct telling *it)
{
    return over_text(it, "");
}

static char *stuck_text(const struct telling *it)
{
    return over_text(it, "; its commit stands while others move: more replicas are no help");
}

static char *held_text(const struct telling *it)
{
    if (it->all->over)
        return over_text(it, it->finding->draining ? "; it falls, so nothing more is called for"
                                                   : "; not for long enough to call for more");
    return xasprintf(
        "no partition is over any more; the value falls to the highest that was called "
        "for in %s",
        SPAN(it->policy->down_ms));
}

static char *kafkas_text(const struct telling *it)
{
    return xasprintf("%" PRId64 " wait in all; no time is given, so KEDA's arithmetic decides",
                     it->all->sum.total);
}

static const struct {
    const char *name;
    char *(*text)(const struct telling *);
} reasons[] = {
    [SCALE_AWAY] = {"away", away_text},
    [SCALE_RECOVERING] = {"recovering", recovering_text},
    [SCALE_CALM] = {"calm", calm_text},
    [SCALE_SHORT] = {"short", short_text},
    [SCALE_DRAINING] = {"draining", draining_text},
    [SCALE_EXCLUDED] = {"excluded", excluded_text},
    [SCALE_WAITING] = {"waiting", waiting_text},
    [SCALE_LINGERING] = {"lingering", lingering_text},
    [SCALE_SUSTAINED] = {"sustained", sustained_text},
    [SCALE_STUCK] = {"stuck", stuck_text},
    [SCALE_HELD] = {"held", held_text},
    [SCALE_KAFKAS] = {"keda", kafkas_text},
};

const char *scale_reason_name(enum scale_reason reason)
{
    return reasons[reason].name;
}

char *scale_verdict_text_dup(const struct scale_judge *judge, const struct scale_policy *policy,
                             const struct evaluation *evaluation,
                             const struct evaluator_partition *partitions,
                             const struct partition_finding *findings)
{
    struct telling telling = {judge, policy, evaluation, NULL, NULL};

    if (evaluation->partitions) {
        telling.partition = &partitions[evaluation->foremost];
        telling.finding = &findings[evaluation->foremost];
    }
    return reasons[judge->verdict.reason].text(&telling);
}
