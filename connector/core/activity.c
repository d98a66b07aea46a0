/* activity: see activity.h. */
#include "core/activity.h"

#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>

static const struct lag_rule slimfaas = {.none = LAG_NONE_WHOLE_LOG};

struct activity_partition {
    int64_t committed; /* or OFFSET_NONE; OFFSET_UNKNOWN: never read */
    int64_t pending;
};

const char *wake_reason_name(enum wake_reason reason)
{
    static const char *const names[] = {
        [REASON_NONE] = "none",
        [REASON_PENDING] = "pending",
        [REASON_ACTIVITY] = "activity",
        [REASON_PENDING_AND_ACTIVITY] = "pending_and_activity",
    };

    return names[reason];
}

void activity_init(struct activity *activity, const struct activity_rules *rules)
{
    assert(rules->min_delta >= 1);
    *activity = (struct activity){.rules = *rules, .active_ms = -1, .woken_ms = -1};
}

void activity_release(struct activity *activity)
{
    free(activity->partitions);
    activity->partitions = NULL;
    activity->count = 0;
}

/* ---- a sample ---- */

static void resize(struct activity *activity, size_t count)
{
    activity->partitions =
        xrealloc(activity->partitions, (count ? count : 1) * sizeof(*activity->partitions));
    for (size_t i = activity->count; i < count; i++)
        activity->partitions[i] = (struct activity_partition){.committed = OFFSET_UNKNOWN};
    activity->count = count;
}

static int64_t at_least_0(int64_t number)
{
    return number > 0 ? number : 0;
}

/* How far the committed offset moved. A first commit has passed over what the log held before it,
 * and one that is gone is a fall. */
static int64_t moved(int64_t before, const struct offsets *now)
{
    if (before == OFFSET_UNKNOWN || before == now->committed)
        return 0;
    if (before == OFFSET_NONE)
        return now->committed - at_least_0(now->start);
    return now->committed == OFFSET_NONE ? -1 : now->committed - before;
}

static void count_activity(struct activity *activity, int64_t delta, int64_t now_ms)
{
    activity->rise = delta < 0 ? 0 : activity->rise + delta;
    if (activity->rise < activity->rules.min_delta)
        return;
    activity->rise = 0;
    activity->active_ms = now_ms;
}

/* The first sum that is not 0 is the base line. */
static void count_base(struct activity *activity, int64_t sum, int64_t now_ms)
{
    if (activity->has_base || sum == 0)
        return;
    activity->has_base = true;
    if (activity->rules.on_start)
        activity->active_ms = now_ms;
}

static bool is_position(int64_t committed)
{
    return committed >= 0 || committed == OFFSET_NONE;
}

void activity_observe(struct activity *activity, const struct offsets *sample, size_t count,
                      int64_t now_ms)
{
    int64_t delta = 0, sum = 0;

    resize(activity, count);
    for (size_t i = 0; i < count; i++) {
        struct activity_partition *partition = &activity->partitions[i];
        int64_t lag = lag_of(&slimfaas, &sample[i]);

        if (lag != LAG_UNKNOWN)
            partition->pending = lag;
        if (!is_position(sample[i].committed))
            continue;
        delta += moved(partition->committed, &sample[i]);
        sum += at_least_0(sample[i].committed);
        partition->committed = sample[i].committed;
    }
    activity->sampled = true;
    count_base(activity, sum, now_ms);
    count_activity(activity, delta, now_ms);
}

/* ---- the decision ---- */

int64_t activity_pending(const struct activity *activity)
{
    int64_t pending = 0;

    for (size_t i = 0; i < activity->count; i++)
        pending += activity->partitions[i].pending;
    return pending;
}

/* Whether so long has passed since; of what never was, and of what lies ahead because the clock was
 * set back: yes. */
static bool passed(int64_t since_ms, int64_t span_ms, int64_t now_ms)
{
    return since_ms < 0 || now_ms < since_ms || now_ms - since_ms >= span_ms;
}

bool activity_recent(const struct activity *activity, int64_t now_ms)
{
    int64_t span = activity->rules.keep_alive_ms;

    return span > 0 && !passed(activity->active_ms, span + 1, now_ms);
}

enum wake_reason activity_reason(const struct activity *activity, int64_t now_ms)
{
    bool pending = activity->sampled && activity_pending(activity) >= activity->rules.min_pending;
    bool recent = activity_recent(activity, now_ms);

    if (pending && recent)
        return REASON_PENDING_AND_ACTIVITY;
    if (pending)
        return REASON_PENDING;
    return recent ? REASON_ACTIVITY : REASON_NONE;
}

bool activity_cooled(const struct activity *activity, int64_t now_ms)
{
    return passed(activity->woken_ms, activity->rules.cooldown_ms, now_ms);
}

void activity_woken(struct activity *activity, int64_t sent_ms)
{
    activity->woken_ms = sent_ms;
}
