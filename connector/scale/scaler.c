/* scaler: see scaler.h. Here is who is asked about, and what is answered. */
#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "core/fnv.h"
#include "scale/scaler_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* ---- how it is found ---- */

static int by_key(const void *a, const void *b)
{
    const struct scaler_entry *one = a, *other = b;

    return strcmp(one->key, other->key);
}

/* Each text with its NUL, so that no two differ only in where one ends. */
static void add_text(UT_string *key, const char *text)
{
    utstring_bincpy(key, text, strlen(text) + 1);
}

/* Metadata is a map: its order is no difference. Of the object without metadata the name is none
 * either. */
static void make_key(UT_string *key, const struct scaler_ref *ref)
{
    struct scaler_entry sorted[SCALER_ENTRIES_MAX];

    utstring_clear(key);
    if (!ref->count)
        return;
    memcpy(sorted, ref->metadata, ref->count * sizeof(*sorted));
    qsort(sorted, ref->count, sizeof(*sorted), by_key);
    add_text(key, ref->namespace);
    add_text(key, ref->name);
    for (size_t i = 0; i < ref->count; i++) {
        add_text(key, sorted[i].key);
        add_text(key, sorted[i].value);
    }
}

static struct entry *find(struct scaler *scaler, const struct scaler_ref *ref)
{
    struct entry *entry;

    make_key(&scaler->key, ref);
    HASH_FIND(hh, scaler->entries, utstring_body(&scaler->key), utstring_len(&scaler->key), entry);
    return entry;
}

/* ---- answers of no object ---- */

/* The text is taken. */
static struct scaler_answer without_object(struct scaler *scaler, enum scaler_status status,
                                           char *reason)
{
    free(scaler->reason);
    scaler->reason = reason;
    return (struct scaler_answer){.status = status, .reason = reason};
}

/* Whoever reaches the port can make lines of the log: no more than so many a minute. */
static bool may_log_refusal(struct scaler *scaler)
{
    uint64_t now = uv_now(scaler->setup.loop);

    if (now - scaler->logged_since >= 60 * 1000) {
        scaler->logged_since = now;
        scaler->logged = 0;
    }
    if (scaler->logged == REFUSALS_LOGGED)
        log_warning(NULL, "More than %d refusals a minute: the others are only counted",
                    REFUSALS_LOGGED);
    return scaler->logged++ < REFUSALS_LOGGED;
}

/* KEDA asks again and again: each is logged once, as far as is remembered. */
static void log_refusal(struct scaler *scaler, const struct scaler_ref *ref, const char *reason)
{
    uint32_t hash = fnv1a(FNV1A_BASIS, ref->namespace, strlen(ref->namespace));
    uint32_t *slot;

    hash = fnv1a(hash, ref->name, strlen(ref->name));
    hash = fnv1a(hash, reason, strlen(reason));
    slot = &scaler->refused[hash % REFUSED_SLOTS];
    scaler->refusals++;
    if (*slot != hash && may_log_refusal(scaler))
        log_warning(NULL, "%s/%s is refused: %s", ref->namespace, ref->name, reason);
    *slot = hash;
}

static struct scaler_answer refuse(struct scaler *scaler, const struct scaler_ref *ref,
                                   struct option_faults *faults)
{
    char *reason = option_faults_dup(faults);

    option_faults_release(faults);
    log_refusal(scaler, ref, reason);
    return without_object(scaler, SCALER_INVALID, reason);
}

static struct scaler_answer no_room(struct scaler *scaler, const struct scaler_ref *ref,
                                    const char *option, int64_t most)
{
    char *reason = xasprintf("there are %" PRId64 " already (%s)", most, option);

    log_refusal(scaler, ref, reason);
    return without_object(scaler, SCALER_UNAVAILABLE, reason);
}

/* ---- a new one ---- */

/* Behind it are those of the same ScaledObject that were there before. */
static void add_namesake(struct scaler *scaler, struct entry *entry)
{
    struct entry *newest;

    HASH_FIND(hh_named, scaler->named, entry->key, entry->name_size, newest);
    if (newest)
        HASH_DELETE(hh_named, scaler->named, newest);
    entry->namesake = newest;
    HASH_ADD_KEYPTR(hh_named, scaler->named, entry->key, entry->name_size, entry);
}

static void drop_namesake(struct scaler *scaler, struct entry *entry)
{
    struct entry *newest;

    HASH_FIND(hh_named, scaler->named, entry->key, entry->name_size, newest);
    assert(newest); /* it is among them */
    if (newest == entry) {
        HASH_DELETE(hh_named, scaler->named, entry);
        if (entry->namesake)
            HASH_ADD_KEYPTR(hh_named, scaler->named, entry->namesake->key,
                            entry->namesake->name_size, entry->namesake);
        return;
    }
    while (newest->namesake != entry)
        newest = newest->namesake;
    newest->namesake = entry->namesake;
}

/* The one of the same ScaledObject, group and topic that was asked about last: its metadata was
 * edited, and it is what the new one was until now. */
static const struct scaled_object *find_former(const struct entry *entry)
{
    const struct entry *former = NULL;

    for (const struct entry *other = entry->namesake; other; other = other->namesake)
        if (trigger_is_of_same(&other->object->trigger, &entry->object->trigger) &&
            (!former || other->asked_at > former->asked_at))
            former = other;
    return former ? former->object : NULL;
}

static void warn_of_unknown(const struct scaled_object *object, const struct option_list *unknown)
{
    UT_string keys;
    char *title;

    if (!unknown->count)
        return;
    title = scaled_object_title_dup(object);
    utstring_init(&keys);
    for (size_t i = 0; i < unknown->count; i++)
        utstring_printf(&keys, "%s%s", i ? "; " : "", unknown->items[i]);
    log_warning(NULL, "%s: metadata has keys that are not known and are passed over: %s", title,
                utstring_body(&keys));
    utstring_done(&keys);
    free(title);
}

/* The trigger is taken; scaler->key is the object's. */
static struct entry *add(struct scaler *scaler, const struct scaler_ref *ref,
                         struct trigger *trigger, struct cluster *cluster)
{
    struct entry *entry = xcalloc(1, sizeof(*entry));
    const struct scaled_object *former;

    entry->key_size = utstring_len(&scaler->key);
    entry->key = xmalloc(entry->key_size + 1);
    memcpy(entry->key, utstring_body(&scaler->key), entry->key_size);
    entry->asked_at = uv_now(scaler->setup.loop);
    entry->object = scaled_object_new(ref->count ? ref->namespace : "", ref->count ? ref->name : "",
                                      fnv1a(FNV1A_BASIS, entry->key, entry->key_size), trigger,
                                      cluster, &scaler->judging);
    HASH_ADD_KEYPTR(hh, scaler->entries, entry->key, entry->key_size, entry);
    entry->name_size = ref->count ? strlen(ref->namespace) + strlen(ref->name) + 2 : 0;
    add_namesake(scaler, entry);
    former = find_former(entry);
    if (former)
        scaled_object_adopt(entry->object, former);
    if (scaler->measured < (size_t)scaler->setup.config->scale.max_measured) {
        scaled_object_measure(entry->object, scaler->setup.metrics);
        scaler->measured++;
    }
    scaled_object_judge(entry->object);
    return entry;
}

static struct entry *place(struct scaler *scaler, const struct scaler_ref *ref,
                           struct trigger *trigger, struct option_faults *faults,
                           struct scaler_answer *answer)
{
    const struct scale_options *options = &scaler->setup.config->scale;
    struct cluster *cluster;
    bool full;

    if (HASH_COUNT(scaler->entries) >= (size_t)options->max_objects) {
        *answer = no_room(scaler, ref, "max_objects", options->max_objects);
        return NULL;
    }
    cluster = cluster_take(scaler->clusters, trigger, &full, faults);
    if (full)
        *answer = no_room(scaler, ref, "max_clusters", options->max_clusters);
    return cluster ? add(scaler, ref, trigger, cluster) : NULL;
}

static struct entry *make(struct scaler *scaler, const struct scaler_ref *ref,
                          struct scaler_answer *answer)
{
    struct option_faults faults = {0};
    struct option_list unknown = {0};
    struct trigger trigger;
    struct entry *entry = NULL;

    trigger_init(&trigger, scaler->setup.config);
    trigger_read(&trigger, scaler->setup.config, ref->metadata, ref->count, &unknown, &faults);
    if (!faults.count)
        entry = place(scaler, ref, &trigger, &faults, answer);
    if (entry)
        warn_of_unknown(entry->object, &unknown);
    if (faults.count)
        *answer = refuse(scaler, ref, &faults);
    option_list_release(&unknown);
    trigger_release(&trigger);
    return entry;
}

/* NULL: *answer says why there is none. */
static struct entry *get(struct scaler *scaler, const struct scaler_ref *ref,
                         struct scaler_answer *answer)
{
    struct entry *entry;

    assert(ref->count <= SCALER_ENTRIES_MAX);
    entry = find(scaler, ref);
    if (!entry)
        entry = make(scaler, ref, answer);
    if (entry)
        entry->asked_at = uv_now(scaler->setup.loop);
    return entry;
}

void scaler_forget(struct scaler *scaler, struct entry *entry)
{
    struct scaled_object *object = entry->object;
    struct cluster *cluster = object->cluster;
    int64_t sampling_ms = object->trigger.policy.sampling_ms;

    assert(!object->watchers);
    drop_namesake(scaler, entry);
    HASH_DEL(scaler->entries, entry);
    if (entry->is_due)
        DL_DELETE2(scaler->due, entry, due_prev, due_next);
    if (object->values) {
        metrics_remove(scaler->setup.metrics, object->values);
        scaler->measured--;
    }
    scaled_object_free(object);
    cluster_give_up(scaler->clusters, cluster, sampling_ms);
    free(entry->key);
    free(entry);
}

/* ---- what is asked ---- */

struct scaler_answer scaler_ask(struct scaler *scaler, enum scaler_call call,
                                const struct scaler_ref *ref)
{
    struct scaler_answer answer;
    struct entry *entry = get(scaler, ref, &answer);

    if (!entry)
        return answer;
    answer = scaled_object_answer(entry->object, clock_wall_ms());
    scaled_object_log_call(entry->object, call, &answer);
    return answer;
}

struct scaler_answer scaler_spec(struct scaler *scaler, const struct scaler_ref *ref)
{
    struct scaler_answer answer;
    struct entry *entry = get(scaler, ref, &answer);

    if (!entry)
        return answer;
    return (struct scaler_answer){
        .status = SCALER_OK, .reason = "", .target = entry->object->answer.target};
}

struct scaler_watcher *scaler_watch(struct scaler *scaler, const struct scaler_ref *ref,
                                    void (*changed)(void *context,
                                                    const struct scaler_answer *answer),
                                    void *context, struct scaler_answer *first)
{
    struct entry *entry = get(scaler, ref, first);

    if (!entry)
        return NULL;
    *first = scaled_object_answer(entry->object, clock_wall_ms());
    return scaled_object_watch(entry->object, changed, context, first);
}

/* ---- the whole ---- */

static void resampled(void *context, struct cluster *cluster)
{
    struct scaler *scaler = context;

    for (struct entry *entry = scaler->entries; entry; entry = entry->hh.next)
        if (entry->object->cluster == cluster)
            scaled_object_fit(entry->object);
}

/* Persistent Kafka Lag Scaler's. */
static void tell_banner(const struct scale_config *config)
{
    const struct scale_options *scale = &config->scale;
    const struct scale_policy *policy = &config->policy;
    char *brokers = kafka_bootstrap(&config->kafka), text[DURATION_TEXT_SIZE];

    log_info(NULL, "Starting persistent Kafka lag scaler");
    log_info(NULL, "  Brokers:          %s", brokers);
    log_info(NULL, "  Topic:            %s", scale->topic ? scale->topic : "");
    log_info(NULL, "  Consumer Group:   %s", scale->group ? scale->group : "");
    log_info(NULL, "  Lag Threshold:    %" PRId64, policy->kafka.lag_threshold);
    log_info(NULL, "  Sustain Duration: %s", duration_format(policy->sustain_ms, text));
    log_info(NULL, "  Sampling Interval:%s", duration_format(policy->sampling_ms, text));
    free(brokers);
}

/* The object that answers calls without metadata samples from the start. */
static bool make_own(struct scaler *scaler, struct option_faults *faults)
{
    const struct scaler_ref nobody = {.namespace = "", .name = ""};
    const char *group = scaler->setup.config->scale.group;
    struct scaler_answer answer = {.reason = ""};

    if (!group || !*group)
        return true;
    scaler->own = get(scaler, &nobody, &answer);
    if (!scaler->own)
        option_fault(faults, "%s", answer.reason);
    return scaler->own != NULL;
}

/* Each cluster's sampler keeps one of libuv's workers busy for as long as a broker does not answer;
 * there are four, unless it is told otherwise before the first is used. */
static void provide_workers(const struct scale_config *config)
{
    enum { OTHERS = 3 };
    char *count = xasprintf("%" PRId64, config->scale.max_clusters + OTHERS);

    setenv("UV_THREADPOOL_SIZE", count, 0);
    free(count);
}

static void open_parts(struct scaler *scaler)
{
    const struct clusters_setup setup = {
        .loop = scaler->setup.loop,
        .config = scaler->setup.config,
        .metrics = scaler->setup.metrics,
        .ticked = scaler_ticked,
        .resampled = resampled,
        .context = scaler,
    };

    utstring_init(&scaler->key);
    scaler->clusters = clusters_new(&setup);
    scaler_open_handles(scaler);
    scaler_begin_report(scaler);
}

struct scaler *scaler_new(const struct scaler_setup *setup, struct option_faults *faults)
{
    struct scaler *scaler = xcalloc(1, sizeof(*scaler));

    provide_workers(setup->config);
    scaler->setup = *setup;
    open_parts(scaler);
    if (!make_own(scaler, faults)) {
        scaler_close(scaler, NULL, NULL);
        return NULL;
    }
    tell_banner(setup->config);
    return scaler;
}

void scaler_unhold(struct scaler *scaler)
{
    if (--scaler->holds > 0)
        return;
    if (scaler->closed)
        scaler->closed(scaler->closed_context);
    clusters_free(scaler->clusters);
    judging_release(&scaler->judging);
    utstring_done(&scaler->key);
    free(scaler->reason);
    free(scaler);
}

static void on_clusters_closed(void *context)
{
    scaler_unhold(context);
}

void scaler_close(struct scaler *scaler, void (*closed)(void *context), void *context)
{
    struct entry *entry, *next;

    scaler->stopping = true;
    scaler->closed = closed;
    scaler->closed_context = context;
    scaler_end_report(scaler);
    HASH_ITER (hh, scaler->entries, entry, next)
        scaler_forget(scaler, entry);
    scaler_close_handles(scaler);
    clusters_close(scaler->clusters, on_clusters_closed, scaler);
}
