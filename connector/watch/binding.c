/* binding: see binding.h. */
#include "watch/binding.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct binding {
    const struct binding_world *world;
    char *topic, *group, *function;
    struct activity activity;
    struct sampler_interest *interest;
    struct metrics_instance *values, *wakeups[REASON_COUNT];

    const char *stale; /* static text; NULL: it is not */
    int64_t fresh_ms;  /* the last tick at which all was read; -1: none */

    struct wake *wake; /* on its way; NULL: none is */
    enum wake_reason reason;
    int64_t sent_ms;
    char *fault; /* why the last one was not accepted; NULL: it was */
};

enum { B_PENDING, B_LAST_ACTIVITY, B_FAILURES, B_STALE };

static const struct metric_row rows[] = {
    [B_PENDING] = {METRIC_GAUGE, "slimfaaskafka_pending_messages",
                   "Records of the topic that the group has not committed."},
    [B_LAST_ACTIVITY] = {METRIC_GAUGE, "slimfaaskafka_last_activity_timestamp_seconds",
                         "When the group's committed offsets last rose, Unix time; 0: never seen."},
    [B_FAILURES] = {METRIC_COUNTER, "slimfaaskafka_wakeup_failures_total",
                    "Wake-ups that were not accepted; each is tried again at the next check."},
    [B_STALE] = {METRIC_REAL, "slimfaaskafka_stale_seconds",
                 "How old the other figures are because Kafka could not be read; 0: of the last "
                 "check, -1: never read."},
};

const struct metrics_table binding_metrics = {
    {"topic", "group", "function"}, rows, sizeof(rows) / sizeof(*rows)};

static const struct metric_row wakeup_rows[] = {
    {METRIC_COUNTER, "slimfaaskafka_wakeups_total", "Wake-ups that were accepted."},
};

const struct metrics_table wakeup_metrics = {
    {"topic", "group", "function", "reason"}, wakeup_rows, 1};

/* ---- life ---- */

/* At 0 for each reason from the beginning, so that a rate sees the first. */
static void add_metrics(struct binding *binding)
{
    const char *labels[] = {binding->topic, binding->group, binding->function, NULL};

    binding->values = metrics_add(binding->world->metrics, &binding_metrics, labels);
    for (enum wake_reason reason = REASON_PENDING; reason < REASON_COUNT; reason++) {
        labels[3] = wake_reason_name(reason);
        binding->wakeups[reason] = metrics_add(binding->world->metrics, &wakeup_metrics, labels);
    }
}

struct binding *binding_new(const struct binding_world *world,
                            const struct binding_options *options,
                            const struct activity_rules *rules)
{
    struct binding *binding = xcalloc(1, sizeof(*binding));

    binding->world = world;
    binding->topic = xstrdup(options->topic);
    binding->group = xstrdup(options->group);
    binding->function = xstrdup(options->function);
    binding->stale = "not read yet";
    binding->fresh_ms = -1;
    activity_init(&binding->activity, rules);
    add_metrics(binding);
    binding->interest = sampler_ask(world->sampler, binding->group, binding->topic, HISTORY_LEAST);
    return binding;
}

void binding_free(struct binding *binding)
{
    if (!binding)
        return;
    if (binding->wake)
        wake_cancel(binding->wake);
    sampler_drop(binding->interest);
    metrics_remove(binding->world->metrics, binding->values);
    for (enum wake_reason reason = REASON_PENDING; reason < REASON_COUNT; reason++)
        metrics_remove(binding->world->metrics, binding->wakeups[reason]);
    activity_release(&binding->activity);
    free(binding->fault);
    free(binding->topic);
    free(binding->group);
    free(binding->function);
    free(binding);
}

bool binding_is(const struct binding *binding, const struct binding_options *options)
{
    return strcmp(binding->topic, options->topic) == 0 &&
           strcmp(binding->group, options->group) == 0 &&
           strcmp(binding->function, options->function) == 0;
}

void binding_set_rules(struct binding *binding, const struct activity_rules *rules)
{
    binding->activity.rules = *rules;
}

/* ---- the wake-up ---- */

static struct log_subject subject_of(const struct binding *binding)
{
    struct log_subject subject = LOG_SUBJECT_NONE;

    subject.topic = binding->topic;
    subject.function = binding->function;
    return subject;
}

static void accepted(struct binding *binding, const struct wake_answer *answer)
{
    const struct log_subject subject = subject_of(binding);

    free(binding->fault);
    binding->fault = NULL;
    activity_woken(&binding->activity, binding->sent_ms);
    binding->wakeups[binding->reason]->values[0].number++;
    log_plain(&subject, "Wake-up of %s: %s (pending %" PRId64 ", topic %s, group %s)%s",
              binding->function, wake_reason_name(binding->reason),
              activity_pending(&binding->activity), binding->topic, binding->group,
              answer->was_awake ? "; it is awake" : "");
}

static void refused(struct binding *binding, const char *reason)
{
    const struct log_subject subject = subject_of(binding);

    binding->values->values[B_FAILURES].number++;
    if (binding->fault && strcmp(binding->fault, reason) == 0)
        return;
    free(binding->fault);
    binding->fault = xstrdup(reason);
    log_warning(&subject, "it cannot be woken: %s; tried again at each check", reason);
}

static void on_answered(void *context, const struct wake_answer *answer)
{
    struct binding *binding = context;

    binding->wake = NULL;
    if (answer->outcome == WAKE_ACCEPTED)
        accepted(binding, answer);
    else
        refused(binding, answer->reason);
}

static void wake_if_due(struct binding *binding, int64_t now_ms)
{
    enum wake_reason reason = activity_reason(&binding->activity, now_ms);

    if (binding->wake || reason == REASON_NONE || !activity_cooled(&binding->activity, now_ms))
        return;
    binding->reason = reason;
    binding->sent_ms = now_ms;
    binding->wake = wake_start(binding->world->http, binding->world->wake, binding->function,
                               on_answered, binding);
}

/* ---- what was read ---- */

/* What is not of this tick is unknown. */
static void observe(struct binding *binding, const struct sampler_topic *topic, int64_t now_ms)
{
    struct offsets *sample = xcalloc(topic->count + 1, sizeof(*sample));

    for (size_t i = 0; i < topic->count; i++)
        sample[i] = topic->partitions[i].error ? OFFSETS_UNKNOWN : topic->partitions[i].offsets;
    activity_observe(&binding->activity, sample, topic->count, now_ms);
    free(sample);
}

static const char *partition_error(const struct sampler_topic *topic)
{
    for (size_t i = 0; i < topic->count; i++)
        if (topic->partitions[i].error)
            return topic->partitions[i].error;
    return NULL;
}

static const char *trouble_of(const struct binding *binding, const struct sampler_topic *topic)
{
    const struct sampler_group *group = sampler_group_of(binding->interest);

    if (sampler_fault(binding->world->sampler))
        return "Kafka does not answer";
    if (!topic)
        return "not read yet";
    if (topic->missing)
        return NULL;
    if (topic->error)
        return topic->error;
    return group->error ? group->error : partition_error(topic);
}

void binding_tick(struct binding *binding, int64_t now_ms)
{
    const struct sampler_topic *topic = sampler_next_topic(binding->interest, NULL);

    binding->stale = trouble_of(binding, topic);
    if (!binding->stale)
        binding->fresh_ms = now_ms;
    if (topic && !sampler_fault(binding->world->sampler) && (topic->missing || !topic->error))
        observe(binding, topic, now_ms);
    wake_if_due(binding, now_ms);
}

/* ---- what is told ---- */

const char *binding_stale(const struct binding *binding)
{
    return binding->stale;
}

double binding_stale_seconds(const struct binding *binding)
{
    if (binding->fresh_ms < 0)
        return -1;
    return (double)(sampler_ticked_ms(binding->world->sampler) - binding->fresh_ms) / 1000;
}

void binding_collect(struct binding *binding)
{
    union metric_value *values = binding->values->values;
    int64_t active_ms = binding->activity.active_ms;

    values[B_PENDING].number = activity_pending(&binding->activity);
    values[B_LAST_ACTIVITY].number = active_ms < 0 ? 0 : active_ms / 1000;
    values[B_STALE].real = binding_stale_seconds(binding);
}

/* Seconds since a time, or null where it never was. */
static void add_time(json *to, const char *name, int64_t ms)
{
    if (ms < 0)
        json_add_text(to, name, NULL);
    else
        json_add_number(to, name, ms / 1000);
}

static void add_wakeups(const struct binding *binding, json *to)
{
    json *about = json_add_object(to, "wakeUps");

    for (enum wake_reason reason = REASON_PENDING; reason < REASON_COUNT; reason++)
        json_add_number(about, wake_reason_name(reason),
                        binding->wakeups[reason]->values[0].number);
}

/* "none": it may sleep. */
static const char *reason_now(const struct binding *binding)
{
    int64_t ticked = sampler_ticked_ms(binding->world->sampler);

    return wake_reason_name(ticked < 0 ? REASON_NONE : activity_reason(&binding->activity, ticked));
}

void binding_describe(const struct binding *binding, json *to)
{
    const struct activity *activity = &binding->activity;
    const struct sampler_group *group = sampler_group_of(binding->interest);

    json_add_text(to, "topic", binding->topic);
    json_add_text(to, "consumerGroupId", binding->group);
    json_add_text(to, "functionName", binding->function);
    json_add_number(to, "minPendingMessages", activity->rules.min_pending);
    json_add_number(to, "cooldownSeconds", activity->rules.cooldown_ms / 1000);
    json_add_number(to, "activityKeepAliveSeconds", activity->rules.keep_alive_ms / 1000);
    json_add_number(to, "minConsumedDeltaForActivity", activity->rules.min_delta);
    json_add_number(to, "pending", activity_pending(activity));
    json_add_text(to, "awakeBecause", reason_now(binding));
    json_add_bool(to, "groupReadable", group->access != SAMPLER_NO_ACL);
    add_time(to, "lastActivity", activity->active_ms);
    add_time(to, "lastWakeUp", activity->woken_ms);
    json_add_bool(to, "wakeUpUnderWay", binding->wake != NULL);
    add_wakeups(binding, to);
    json_add_number(to, "wakeUpFailures", binding->values->values[B_FAILURES].number);
    json_add_text(to, "wakeUpFault", binding->fault);
    json_add_text(to, "stale", binding->stale);
}
