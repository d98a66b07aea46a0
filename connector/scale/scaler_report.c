/* scaler_report: what /metrics, /ready and /status say of the scaler. */
#include "scale/scaler_private.h"

#include <utlist.h>

enum { DESCRIBED_MOST = 1000 };

enum {
    S_OBJECTS,
    S_SILENT,
    S_ACTIVE,
    S_DUE,
    S_CLUSTERS,
    S_AWAY,
    S_REFUSALS,
    S_OBJECTS_OUT,
    S_PARTITIONS_OUT
};

static const struct metric_row rows[] = {
    [S_OBJECTS] = {METRIC_GAUGE, "kafka_connector_scaled_objects",
                   "Triggers of ScaledObjects that were asked about within object_ttl."},
    [S_SILENT] = {METRIC_GAUGE, "kafka_connector_scaled_objects_unanswered",
                  "Those for which there is no answer just now (UNAVAILABLE)."},
    [S_ACTIVE] = {METRIC_GAUGE, "kafka_connector_scaled_objects_active",
                  "Those that are reported to KEDA as active."},
    [S_DUE] = {METRIC_GAUGE, "kafka_connector_scaled_objects_due",
               "Those whose newest sample is not judged yet."},
    [S_CLUSTERS] = {METRIC_GAUGE, "kafka_connector_clusters", "Kafka clusters that are sampled."},
    [S_AWAY] = {METRIC_GAUGE, "kafka_connector_clusters_away",
                "Those of which nothing could be read at the last sample."},
    [S_REFUSALS] =
        {METRIC_COUNTER, "kafka_connector_scaler_refusals_total",
         "Calls refused for their metadata, or because max_objects or max_clusters is reached."},
    [S_OBJECTS_OUT] = {METRIC_GAUGE, "kafka_connector_scaled_objects_unmeasured",
                       "Scaled objects without metrics of their own (max_measured)."},
    [S_PARTITIONS_OUT] = {METRIC_GAUGE, "kafka_connector_partitions_unmeasured",
                          "Partitions without metrics of their own (max_measured)."},
};

static const struct metrics_table scaler_metrics = {{NULL}, rows, sizeof(rows) / sizeof(*rows)};

static const struct metrics_table *const tables[] = {&scaler_metrics, &cluster_metrics,
                                                     &object_metrics, &group_partition_metrics,
                                                     &topic_partition_metrics};

const struct metrics_table *const *scaler_metrics_tables(size_t *count)
{
    *count = sizeof(tables) / sizeof(*tables);
    return tables;
}

/* ---- metrics ---- */

static void collect_object(struct scaler *scaler, struct scaled_object *object)
{
    union metric_value *values = scaler->values->values;
    bool known = object->answer.status == SCALER_OK;

    if (object->values)
        scaled_object_collect(object);
    partitions_add(scaler->partitions, object);
    values[S_SILENT].number += !known;
    values[S_ACTIVE].number += known && object->answer.active;
}

static size_t count_due(const struct scaler *scaler)
{
    const struct entry *entry;
    size_t count;

    DL_COUNT2(scaler->due, entry, count, due_next);
    return count;
}

static void collect(void *context)
{
    struct scaler *scaler = context;
    union metric_value *values = scaler->values->values;
    size_t objects = HASH_COUNT(scaler->entries);

    values[S_SILENT].number = values[S_ACTIVE].number = 0;
    partitions_begin(scaler->partitions);
    for (struct entry *entry = scaler->entries; entry; entry = entry->hh.next)
        collect_object(scaler, entry->object);
    partitions_end(scaler->partitions);
    clusters_collect(scaler->clusters);
    values[S_OBJECTS].number = (int64_t)objects;
    values[S_DUE].number = (int64_t)count_due(scaler);
    values[S_CLUSTERS].number = (int64_t)clusters_count(scaler->clusters);
    values[S_AWAY].number = (int64_t)clusters_away(scaler->clusters);
    values[S_REFUSALS].number = scaler->refusals;
    values[S_OBJECTS_OUT].number = (int64_t)(objects - scaler->measured);
    values[S_PARTITIONS_OUT].number = (int64_t)partitions_left_out(scaler->partitions);
}

void scaler_begin_report(struct scaler *scaler)
{
    scaler->values = metrics_add(scaler->setup.metrics, &scaler_metrics, NULL);
    scaler->partitions =
        partitions_new(scaler->setup.metrics, (size_t)scaler->setup.config->scale.max_measured);
    metrics_on_collect(scaler->setup.metrics, collect, scaler);
}

void scaler_end_report(struct scaler *scaler)
{
    metrics_on_collect(scaler->setup.metrics, NULL, NULL);
    partitions_free(scaler->partitions);
    metrics_remove(scaler->setup.metrics, scaler->values);
}

/* ---- what an operator asks ---- */

static const char *broken(void *context)
{
    (void)context;
    return NULL;
}

/* Whoever asks is to hear that Kafka is away, and why: a scaler that is not ready could not say so.
 */
static const char *unready(void *context)
{
    const struct scaler *scaler = context;

    return scaler->stopping ? "stopping" : NULL;
}

static void add_health(void *context, json *answer)
{
    const struct scaler *scaler = context;

    json_add_number(answer, "clusters_away", (int64_t)clusters_away(scaler->clusters));
}

static void add_status(void *context, json *status)
{
    const struct scaler *scaler = context;
    size_t objects = HASH_COUNT(scaler->entries), described = 0;
    json *list;

    json_add_text(status, "mode", "scale");
    clusters_describe(scaler->clusters, status);
    list = json_add_array(status, "objects");
    for (struct entry *entry = scaler->entries; entry && described < DESCRIBED_MOST;
         entry = entry->hh.next, described++)
        scaled_object_describe(entry->object, json_add_object(list, NULL));
    json_add_number(status, "objectsLeftOff", (int64_t)(objects - described));
}

struct admin_subject scaler_subject(struct scaler *scaler)
{
    return (struct admin_subject){
        .broken = broken,
        .unready = unready,
        .status = add_status,
        .context = scaler,
        .health = add_health,
    };
}
