/* partitions: see partitions.h. */
#include "scale/partitions.h"

#include "base/xalloc.h"
#include "core/lag.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { P_LAG, P_COMMITTED };

static const struct metric_row group_rows[] = {
    [P_LAG] = {METRIC_GAUGE, "kafka_consumergroup_lag",
               "Records of the partition that the group has not committed; -1: not known."},
    [P_COMMITTED] = {METRIC_GAUGE, "kafka_consumergroup_current_offset",
                     "What the group has committed; -1: nothing, or not known."},
};

static const struct metric_row topic_rows[] = {
    {METRIC_GAUGE, "kafka_topic_partition_current_offset",
     "Where the partition's log ends; -1: not known."},
};

const struct metrics_table group_partition_metrics = {
    {"consumergroup", "topic", "partition", "cluster"}, group_rows, 2};
const struct metrics_table topic_partition_metrics = {
    {"topic", "partition", "cluster"}, topic_rows, 1};

/* One line, or two, of the exposition. */
struct series {
    char *key;
    struct metrics_instance *instance;
    uint64_t round; /* at which it was there the last time */
    UT_hash_handle hh;
};

struct partitions {
    struct metrics *metrics;
    size_t most, measured, left_out;
    uint64_t round;
    struct series *groups, *topics;
};

struct partitions *partitions_new(struct metrics *metrics, size_t most)
{
    struct partitions *partitions = xcalloc(1, sizeof(*partitions));

    partitions->metrics = metrics;
    partitions->most = most;
    return partitions;
}

static void series_free(struct partitions *partitions, struct series **all, struct series *series)
{
    HASH_DEL(*all, series);
    metrics_remove(partitions->metrics, series->instance);
    free(series->key);
    free(series);
}

/* The last label that a table has is the cluster's; `labels` has as many as it. */
static struct series *series_get(struct partitions *partitions, struct series **all,
                                 const struct metrics_table *table, const char *const *labels,
                                 size_t count)
{
    char *key =
        xasprintf("%s\n%s\n%s\n%s", labels[0], labels[1], labels[2], count > 3 ? labels[3] : "");
    struct series *series;

    HASH_FIND_STR(*all, key, series);
    if (series) {
        free(key);
        return series;
    }
    series = xcalloc(1, sizeof(*series));
    series->key = key;
    series->instance = metrics_add(partitions->metrics, table, labels);
    HASH_ADD_KEYPTR(hh, *all, series->key, strlen(series->key), series);
    return series;
}

void partitions_begin(struct partitions *partitions)
{
    partitions->round++;
    partitions->measured = partitions->left_out = 0;
}

static int64_t offset_or_none(int64_t offset)
{
    return offset < 0 ? -1 : offset;
}

static void measure_topic(struct partitions *partitions, const struct scaled_object *object,
                          const char *topic, const char *number, int64_t end)
{
    const char *labels[] = {topic, number, object->cluster->label};
    struct series *series =
        series_get(partitions, &partitions->topics, &topic_partition_metrics, labels, 3);

    series->round = partitions->round;
    series->instance->values[0].number = offset_or_none(end);
}

/* Two objects of the same group are one line; the lag of none committed is that of the first. */
static void measure(struct partitions *partitions, const struct scaled_object *object,
                    const char *topic, const struct sampler_partition *partition)
{
    const struct lag_rule rule = kafka_policy_lag_rule(&object->trigger.policy.kafka);
    char number[16];
    const char *labels[] = {object->trigger.group, topic, number, object->cluster->label};
    struct series *series;

    snprintf(number, sizeof(number), "%" PRId32, partition->number);
    series = series_get(partitions, &partitions->groups, &group_partition_metrics, labels, 4);
    if (series->round == partitions->round)
        return;
    series->round = partitions->round;
    series->instance->values[P_LAG].number = lag_of(&rule, &partition->offsets);
    series->instance->values[P_COMMITTED].number = offset_or_none(partition->offsets.committed);
    measure_topic(partitions, object, topic, number, partition->offsets.end);
}

void partitions_add(struct partitions *partitions, const struct scaled_object *object)
{
    const struct sampler_topic *topic = NULL;

    while ((topic = sampler_next_topic(object->interest, topic)))
        for (size_t i = 0; i < topic->count; i++) {
            if (partitions->measured < partitions->most) {
                measure(partitions, object, topic->name, &topic->partitions[i]);
                partitions->measured++;
            } else {
                partitions->left_out++;
            }
        }
}

static void sweep(struct partitions *partitions, struct series **all)
{
    struct series *series, *next;

    HASH_ITER (hh, *all, series, next)
        if (series->round != partitions->round)
            series_free(partitions, all, series);
}

void partitions_end(struct partitions *partitions)
{
    sweep(partitions, &partitions->groups);
    sweep(partitions, &partitions->topics);
}

size_t partitions_left_out(const struct partitions *partitions)
{
    return partitions->left_out;
}

void partitions_free(struct partitions *partitions)
{
    partitions->round++;
    partitions_end(partitions);
    free(partitions);
}
