/* clusters: see clusters.h. */
#include "scale/clusters.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "scale/brokers.h"
#include "scale/profile.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* So many objects ask for one interval. */
struct asked_interval {
    int64_t ms;
    size_t objects;
};

struct member {
    struct cluster cluster; /* first: what is shown */
    struct clusters *owner;
    char *key;
    struct asked_interval *asked;
    size_t asked_count;
    struct metrics_instance *values;
    UT_hash_handle hh;
};

struct clusters {
    struct clusters_setup setup;
    struct member *members;
    size_t closing; /* samplers */
    void (*closed)(void *context);
    void *closed_context;
};

enum { C_FAULT, C_CHECKS, C_SECONDS, C_INTERVAL, C_LATE };

static const struct metric_row rows[] = {
    [C_FAULT] = {METRIC_GAUGE, "kafka_connector_cluster_fault",
                 "1: nothing could be read of the cluster at the last sample."},
    [C_CHECKS] = {METRIC_COUNTER, "kafka_connector_cluster_samples_total",
                  "Samples of all its groups and topics that have ended."},
    [C_SECONDS] = {METRIC_REAL, "kafka_connector_cluster_sample_seconds",
                   "How long the last one took."},
    [C_INTERVAL] = {METRIC_REAL, "kafka_connector_cluster_sampling_interval_seconds",
                    "From one to the next: the shortest samplingInterval of its scaled objects."},
    [C_LATE] = {METRIC_COUNTER, "kafka_connector_cluster_late_groups_total",
                "Groups whose answer did not come within sample_timeout."},
};

const struct metrics_table cluster_metrics = {{"cluster"}, rows, sizeof(rows) / sizeof(*rows)};

/* ---- intervals ---- */

static struct asked_interval *find_interval(struct member *member, int64_t ms)
{
    for (size_t i = 0; i < member->asked_count; i++)
        if (member->asked[i].ms == ms)
            return &member->asked[i];
    return NULL;
}

static void fit(struct member *member)
{
    int64_t least = 0;

    for (size_t i = 0; i < member->asked_count; i++)
        if (!least || member->asked[i].ms < least)
            least = member->asked[i].ms;
    if (!least || least == member->cluster.interval_ms)
        return;
    member->cluster.interval_ms = least;
    sampler_set_interval(member->cluster.sampler, least);
    member->owner->setup.resampled(member->owner->setup.context, &member->cluster);
}

static void add_interval(struct member *member, int64_t ms)
{
    struct asked_interval *asked = find_interval(member, ms);

    if (!asked) {
        member->asked = xrealloc(member->asked, (member->asked_count + 1) * sizeof(*member->asked));
        asked = &member->asked[member->asked_count++];
        *asked = (struct asked_interval){.ms = ms};
    }
    asked->objects++;
    fit(member);
}

static void drop_interval(struct member *member, int64_t ms)
{
    struct asked_interval *asked = find_interval(member, ms);

    assert(asked && asked->objects > 0);
    if (--asked->objects > 0)
        return;
    *asked = member->asked[--member->asked_count];
    fit(member);
}

/* ---- one ---- */

static void on_ticked(void *context)
{
    struct member *member = context;

    member->owner->setup.ticked(member->owner->setup.context, &member->cluster);
}

static bool open_sampler(struct member *member, const struct kafka_options *kafka,
                         const struct trigger *trigger, struct option_faults *faults)
{
    const struct scale_config *config = member->owner->setup.config;
    const struct sampler_setup setup = {
        .loop = member->owner->setup.loop,
        .kafka = kafka,
        .interval_ms = trigger->policy.sampling_ms,
        .timeout_ms = config->scale.timeout_ms,
        .ticked = on_ticked,
        .context = member,
    };

    member->cluster.interval_ms = setup.interval_ms;
    member->cluster.sampler = sampler_new(&setup, faults);
    return member->cluster.sampler != NULL;
}

static void member_free(struct member *member)
{
    free(member->asked);
    free(member->key);
    free(member);
}

static struct member *member_new(struct clusters *clusters, const struct kafka_options *kafka,
                                 const char *key, const struct trigger *trigger,
                                 struct option_faults *faults)
{
    struct member *member = xcalloc(1, sizeof(*member));

    member->owner = clusters;
    member->key = xstrdup(key);
    member->cluster.label = member->key;
    if (!open_sampler(member, kafka, trigger, faults)) {
        member_free(member);
        return NULL;
    }
    member->values = metrics_add(clusters->setup.metrics, &cluster_metrics, &member->cluster.label);
    HASH_ADD_KEYPTR(hh, clusters->members, member->key, strlen(member->key), member);
    return member;
}

static void on_sampler_closed(void *context)
{
    struct clusters *clusters = context;

    if (--clusters->closing == 0 && clusters->closed)
        clusters->closed(clusters->closed_context);
}

static void close_member(struct member *member)
{
    struct clusters *clusters = member->owner;

    HASH_DEL(clusters->members, member);
    metrics_remove(clusters->setup.metrics, member->values);
    clusters->closing++;
    sampler_close(member->cluster.sampler, on_sampler_closed, clusters);
    member_free(member);
}

/* ---- who uses it ---- */

/* `kafka` is what says how the cluster is reached, without what the metadata names. */
static struct member *find_or_open(struct clusters *clusters, const struct kafka_options *own,
                                   const struct trigger *trigger, bool *full,
                                   struct option_faults *faults)
{
    struct kafka_options kafka = *own;
    struct member *member;
    char *key;

    if (!brokers_allowed(&clusters->setup.config->scale.allowed_brokers, own, trigger, faults))
        return NULL;
    if (trigger->brokers.count)
        kafka.brokers = trigger->brokers;
    key = brokers_key_dup(&kafka, trigger->cluster);
    HASH_FIND_STR(clusters->members, key, member);
    *full =
        !member && clusters_count(clusters) >= (size_t)clusters->setup.config->scale.max_clusters;
    if (!member && !*full)
        member = member_new(clusters, &kafka, key, trigger, faults);
    free(key);
    return member;
}

struct cluster *cluster_take(struct clusters *clusters, const struct trigger *trigger, bool *full,
                             struct option_faults *faults)
{
    const struct scale_config *config = clusters->setup.config;
    struct kafka_options profile = {0};
    struct member *member = NULL;

    *full = false;
    if (!trigger->cluster)
        member = find_or_open(clusters, &config->kafka, trigger, full, faults);
    else if (profile_read(config->scale.clusters_path, trigger->cluster, &profile, faults))
        member = find_or_open(clusters, &profile, trigger, full, faults);
    profile_release(&profile);
    if (!member)
        return NULL;
    add_interval(member, trigger->policy.sampling_ms);
    return &member->cluster;
}

void cluster_give_up(struct clusters *clusters, struct cluster *cluster, int64_t sampling_ms)
{
    struct member *member = (struct member *)cluster;

    assert(member->owner == clusters);
    drop_interval(member, sampling_ms);
    if (!member->asked_count)
        close_member(member);
}

/* ---- all ---- */

struct clusters *clusters_new(const struct clusters_setup *setup)
{
    struct clusters *clusters = xcalloc(1, sizeof(*clusters));

    clusters->setup = *setup;
    return clusters;
}

void clusters_close(struct clusters *clusters, void (*closed)(void *context), void *context)
{
    struct member *member, *next;

    clusters->closed = closed;
    clusters->closed_context = context;
    HASH_ITER (hh, clusters->members, member, next)
        close_member(member);
    if (!clusters->closing && closed)
        closed(context);
}

void clusters_free(struct clusters *clusters)
{
    assert(!clusters->members && !clusters->closing);
    free(clusters);
}

size_t clusters_count(const struct clusters *clusters)
{
    return HASH_COUNT(clusters->members);
}

size_t clusters_away(const struct clusters *clusters)
{
    size_t away = 0;

    for (const struct member *member = clusters->members; member; member = member->hh.next)
        away += sampler_fault(member->cluster.sampler) != NULL;
    return away;
}

/* ---- what is told ---- */

void clusters_collect(struct clusters *clusters)
{
    for (struct member *member = clusters->members; member; member = member->hh.next) {
        const struct sampler_counts counts = sampler_counts(member->cluster.sampler);
        union metric_value *values = member->values->values;

        values[C_FAULT].number = sampler_fault(member->cluster.sampler) != NULL;
        values[C_CHECKS].number = counts.ticks;
        values[C_SECONDS].real = (double)counts.tick_ms / 1000;
        values[C_INTERVAL].real = (double)member->cluster.interval_ms / 1000;
        values[C_LATE].number = counts.late_groups;
    }
}

static size_t objects_of(const struct member *member)
{
    size_t objects = 0;

    for (size_t i = 0; i < member->asked_count; i++)
        objects += member->asked[i].objects;
    return objects;
}

void clusters_describe(const struct clusters *clusters, json *to)
{
    json *list = json_add_array(to, "clusters");

    for (const struct member *member = clusters->members; member; member = member->hh.next) {
        const struct sampler_counts counts = sampler_counts(member->cluster.sampler);
        json *it = json_add_object(list, NULL);

        json_add_text(it, "cluster", member->key);
        json_add_text(it, "fault", sampler_fault(member->cluster.sampler));
        json_add_number(it, "objects", (int64_t)objects_of(member));
        json_add_real(it, "samplingIntervalSeconds", (double)member->cluster.interval_ms / 1000);
        json_add_number(it, "samples", counts.ticks);
        json_add_real(it, "sampleSeconds", (double)counts.tick_ms / 1000);
    }
}
