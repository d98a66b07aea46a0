/* scaled_object: see scaled_object.h. Here is its life, what it judges and who is told. */
#include "scale/scaled_object.h"

#include "base/duration.h"
#include "base/log.h"
#include "base/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { SAMPLES_MOST = 10000 };

/* ---- life ---- */

void judging_release(struct judging *judging)
{
    free(judging->partitions);
    free(judging->findings);
    *judging = (struct judging){0};
}

struct scaled_object *scaled_object_new(const char *namespace, const char *name, uint32_t hash,
                                        struct trigger *trigger, struct cluster *cluster,
                                        struct judging *judging)
{
    struct scaled_object *object = xcalloc(1, sizeof(*object));

    object->namespace = xstrdup(namespace);
    object->name = xstrdup(name);
    object->hash = hash;
    object->trigger = *trigger;
    *trigger = (struct trigger){0};
    object->cluster = cluster;
    object->judging = judging;
    object->judged_ms = -1;
    object->answer.status = SCALER_UNAVAILABLE;
    object->answer.target = object->trigger.policy.kafka.lag_threshold;
    object->told[0].status = object->told[1].status = object->told_status = SCALER_INVALID;
    scale_judge_init(&object->judge);
    scaled_object_fit(object);
    return object;
}

void scaled_object_free(struct scaled_object *object)
{
    look_back_release(object);
    sampler_drop(object->interest);
    trigger_release(&object->trigger);
    free(object->namespace);
    free(object->name);
    free(object->text);
    free(object->named);
    free(object);
}

void scaled_object_adopt(struct scaled_object *object, const struct scaled_object *other)
{
    scale_judge_adopt(&object->judge, &object->trigger.policy, &other->judge,
                      &other->trigger.policy);
}

/* A history reaches as far back as before; of more samples than it may have, less far. */
void scaled_object_fit(struct scaled_object *object)
{
    struct scale_policy *policy = &object->trigger.policy;
    struct sampler_interest *before = object->interest;
    int64_t interval_ms = object->cluster->interval_ms, samples;

    policy->finer = (policy->sampling_ms + interval_ms - 1) / interval_ms;
    samples = policy->window_size * policy->finer;
    object->interest =
        sampler_ask(object->cluster->sampler, object->trigger.group, object->trigger.topic,
                    (size_t)(samples < SAMPLES_MOST ? samples : SAMPLES_MOST));
    sampler_drop(before);
}

/* ---- what is there to judge ---- */

static void reserve(struct judging *judging, size_t size)
{
    if (size <= judging->size)
        return;
    judging->size = size * 2;
    judging->partitions =
        xrealloc(judging->partitions, judging->size * sizeof(*judging->partitions));
    judging->findings = xrealloc(judging->findings, judging->size * sizeof(*judging->findings));
}

/* A topic of which not even the partitions are known is one that is not known: what waits in it may
 * be anything. */
static size_t gather_unknown(struct judging *judging, const struct sampler_topic *topic,
                             size_t count)
{
    static const struct history nothing;

    if (topic->count || topic->missing)
        return 0;
    judging->partitions[count] = (struct evaluator_partition){
        .topic = topic->name, .history = &nothing, .proof = {.at_ms = EVALUATOR_NEVER}};
    return 1;
}

static size_t gather(struct scaled_object *object)
{
    const struct partition_limit *limit = &object->trigger.policy.limit;
    const struct sampler_topic *topic = NULL;
    size_t count = 0;

    while ((topic = sampler_next_topic(object->interest, topic))) {
        reserve(object->judging, count + topic->count + 1);
        count += gather_unknown(object->judging, topic, count);
        for (size_t i = 0; i < topic->count; i++) {
            const struct sampler_partition *partition = &topic->partitions[i];

            if (!partition_limit_allows(limit, partition->number))
                continue;
            object->judging->partitions[count++] = (struct evaluator_partition){
                .topic = topic->name,
                .number = partition->number,
                .history = &partition->history,
                .proof = look_back_proof(object, topic->name, partition->number),
            };
        }
    }
    return count;
}

static char *topic_trouble_dup(const struct sampler_topic *topic)
{
    if (topic->missing)
        return xasprintf("topic %s does not exist", topic->name);
    if (topic->error)
        return xasprintf("topic %s: %s", topic->name, topic->error);
    if (!topic->count)
        return xasprintf("topic %s was not read yet", topic->name);
    for (size_t i = 0; i < topic->count; i++)
        if (topic->partitions[i].error)
            return xasprintf("%s[%zu]: %s", topic->name, i, topic->partitions[i].error);
    return NULL;
}

/* What was asked for another object's topic, before the first question about all. */
static bool is_read_in_part(const struct scaled_object *object)
{
    return !object->trigger.topic && !sampler_group_of(object->interest)->read_whole;
}

/* Why something could not be read; NULL: all was. Caller frees. */
static char *trouble_dup(const struct scaled_object *object)
{
    const struct sampler_group *group = sampler_group_of(object->interest);
    const char *fault = sampler_fault(object->cluster->sampler);
    const struct sampler_topic *topic = NULL;
    char *trouble = NULL;

    if (fault)
        return xasprintf("Kafka is away: %s", fault);
    if (group->access == SAMPLER_NO_ACL)
        return xasprintf("group %s may not be read: grant the ACL operation DESCRIBE on it",
                         group->name);
    if (group->error)
        return xasprintf("group %s: %s", group->name, group->error);
    while (!trouble && (topic = sampler_next_topic(object->interest, topic)))
        trouble = topic_trouble_dup(topic);
    if (!trouble && (group->access == SAMPLER_UNREAD || is_read_in_part(object)))
        trouble = xasprintf("group %s was not read yet", group->name);
    return trouble;
}

/* A topic that is missing may be a name that is wrong: nothing is known of it, and it is no lag of
 * 0. That a group has committed nowhere is known. */
static bool is_anything_known(const struct scaled_object *object)
{
    const struct sampler_topic *topic = sampler_next_topic(object->interest, NULL);
    const struct sampler_group *group = sampler_group_of(object->interest);

    if (object->trigger.topic)
        return topic && !topic->missing && topic->count > 0;
    if (is_read_in_part(object))
        return false;
    return topic || (group->access == SAMPLER_ADMIN && !group->error);
}

/* ---- who is told ---- */

static void tell_watchers(struct scaled_object *object)
{
    struct scaler_watcher *watcher, *next;

    DL_FOREACH_SAFE (object->watchers, watcher, next) {
        if (watcher->status == object->answer.status && watcher->active == object->answer.active)
            continue;
        watcher->status = object->answer.status;
        watcher->active = object->answer.active;
        watcher->changed(watcher->context, &object->answer);
    }
}

char *scaled_object_title_dup(const struct scaled_object *object)
{
    const char *topic = object->trigger.topic;
    bool named = *object->name;

    return xasprintf("%s%s%s (group %s%s%s)", object->namespace, named ? "/" : "",
                     named ? object->name : "without metadata", object->trigger.group,
                     topic ? ", topic " : "", topic ? topic : "");
}

/* That nothing was read yet follows from the start; what all objects of a cluster have in common is
 * said by its sampler. */
static enum log_level level_of(const struct scaled_object *object)
{
    bool is_new = object->told_status == SCALER_INVALID && object->judged_ms < 0;

    return is_new || sampler_fault(object->cluster->sampler) ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}

static void log_verdict(struct scaled_object *object)
{
    enum scale_reason reason = object->judge.verdict.reason;
    const char *name = object->judged_ms < 0 ? "" : scale_reason_name(reason);
    enum log_level level = level_of(object);
    char *title;

    if (object->told_status == object->answer.status && object->told_reason == reason)
        return;
    object->told_status = object->answer.status;
    object->told_reason = reason;
    title = scaled_object_title_dup(object);
    log_write(level, NULL, "%s: %s%s%s%s", title,
              object->answer.status == SCALER_OK ? "" : "no answer: ", name, *name ? ": " : "",
              object->text);
    free(title);
}

/* ---- the judgement ---- */

/* The text is taken. KEDA sees no more of the verdict than that when there is no answer, so it is
 * told the reason's name too where the text does not say what is amiss. */
static void set_answer(struct scaled_object *object, enum scaler_status status, char *text)
{
    const struct scale_verdict *verdict = &object->judge.verdict;
    bool is_named = status == SCALER_UNAVAILABLE && object->judged_ms >= 0 &&
                    verdict->reason == SCALE_RECOVERING;

    free(object->text);
    free(object->named);
    object->text = text;
    object->named = is_named ? xasprintf("%s: %s", scale_reason_name(verdict->reason), text) : NULL;
    object->answer = (struct scaler_answer){
        .status = status,
        .reason = is_named ? object->named : text,
        .active = verdict->active,
        .value = verdict->value,
        .target = object->trigger.policy.kafka.lag_threshold,
    };
}

static void log_samples(const struct scaled_object *object, size_t count)
{
    size_t window = 0;

    for (size_t i = 0; i < count; i++)
        window += history_count(object->judging->partitions[i].history);
    log_write(object->judged_ms < 0 && !*object->name ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, NULL,
              "Collected %zu lag samples (window size: %zu)", count, window);
}

/* The text is taken. */
static void no_answer(struct scaled_object *object, char *text)
{
    object->judged_ms = -1;
    set_answer(object, SCALER_UNAVAILABLE, text ? text : xstrdup("Kafka was not read yet"));
}

static char *reason_dup(const struct scaled_object *object)
{
    const struct judging *judging = object->judging;
    char *trouble = object->judge.verdict.reason == SCALE_AWAY ? trouble_dup(object) : NULL;

    if (trouble)
        return trouble;
    return scale_verdict_text_dup(&object->judge, &object->trigger.policy, &object->evaluation,
                                  judging->partitions, judging->findings);
}

static void judge(struct scaled_object *object, int64_t ticked_ms)
{
    const struct scale_policy *policy = &object->trigger.policy;
    size_t count = gather(object);
    bool known;

    log_samples(object, count);
    object->evaluation =
        evaluator_look(policy, object->judging->partitions, count, object->judging->findings);
    known = scale_judge_step(&object->judge, policy, &object->evaluation, ticked_ms).known;
    object->judged_ms = ticked_ms;
    set_answer(object, known ? SCALER_OK : SCALER_UNAVAILABLE, reason_dup(object));
    look_back_keep(object, count);
    if (object->evaluation.uncertain)
        look_back(object, count);
}

static bool is_due(const struct scaled_object *object, int64_t ticked_ms)
{
    int64_t sampling_ms = object->trigger.policy.sampling_ms;

    return object->judged_ms < 0 || object->judged_ms / sampling_ms != ticked_ms / sampling_ms;
}

void scaled_object_judge(struct scaled_object *object)
{
    int64_t ticked_ms = sampler_ticked_ms(object->cluster->sampler);

    if (!is_due(object, ticked_ms))
        return;
    if (ticked_ms >= 0 && is_anything_known(object))
        judge(object, ticked_ms);
    else
        no_answer(object, trouble_dup(object));
    log_verdict(object);
    tell_watchers(object);
}

void scaled_object_judge_again(struct scaled_object *object)
{
    if (object->judged_ms < 0)
        return; /* at the next sample */
    scale_judge_again(&object->judge);
    judge(object, object->judged_ms);
    log_verdict(object);
    tell_watchers(object);
}

/* ---- what is asked ---- */

static int64_t sample_ms(const struct scaled_object *object)
{
    return object->evaluation.partitions ? object->evaluation.at_ms : object->judged_ms;
}

/* A sample that is more than so many intervals old is as good as none, whatever holds up the next
 * one. */
static bool is_stale(const struct scaled_object *object, int64_t now_ms)
{
    int64_t good_ms = (EVALUATOR_MISSED_MOST + 1) * object->trigger.policy.sampling_ms;

    return now_ms - sample_ms(object) > good_ms;
}

struct scaler_answer scaled_object_answer(struct scaled_object *object, int64_t now_ms)
{
    const char *fault = sampler_fault(object->cluster->sampler);
    struct scaler_answer answer = object->answer;
    char age[DURATION_TEXT_SIZE];

    if (answer.status != SCALER_OK || !is_stale(object, now_ms))
        return answer;
    duration_format((now_ms - sample_ms(object)) / 1000 * 1000, age);
    snprintf(object->stale, sizeof(object->stale), "the newest sample is %s old%s%s", age,
             fault ? ": " : "", fault ? fault : "");
    answer.status = SCALER_UNAVAILABLE;
    answer.reason = object->stale;
    return answer;
}

/* Words of Persistent Kafka Lag Scaler's. */
void scaled_object_log_call(struct scaled_object *object, enum scaler_call call,
                            const struct scaler_answer *answer)
{
    struct scaler_answer *told = &object->told[call];
    bool changed = told->status != answer->status || told->active != answer->active;
    enum log_level level = changed ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
    const char *persistent = answer->active ? "true" : "false";

    *told = *answer;
    if (answer->status != SCALER_OK)
        return; /* the verdict says so */
    if (call == SCALER_IS_ACTIVE)
        log_write(level, NULL, "IsActive: persistent=%s (%s/%s)", persistent, object->namespace,
                  object->name);
    else
        log_write(level, NULL, "GetMetrics: persistent=%s, metricValue=%" PRId64 " (%s/%s)",
                  persistent, answer->value, object->namespace, object->name);
}

struct scaler_watcher *scaled_object_watch(struct scaled_object *object,
                                           void (*changed)(void *, const struct scaler_answer *),
                                           void *context, const struct scaler_answer *first)
{
    struct scaler_watcher *watcher = xcalloc(1, sizeof(*watcher));

    *watcher = (struct scaler_watcher){.object = object,
                                       .changed = changed,
                                       .context = context,
                                       .status = first->status,
                                       .active = first->active};
    DL_APPEND(object->watchers, watcher);
    return watcher;
}

void scaler_unwatch(struct scaler_watcher *watcher)
{
    DL_DELETE(watcher->object->watchers, watcher);
    free(watcher);
}
