/* scaled_object_report: what metrics and /status say of a scaled object. */
#include "base/xalloc.h"
#include "scale/scaled_object.h"

#include <stdlib.h>

enum {
    O_STATE,
    O_REASON,
    O_ACTIVE,
    O_VALUE,
    O_LAG,
    O_PARTITIONS,
    O_OVER,
    O_DRAINING,
    O_STUCK,
    O_UNKNOWN
};

static const struct metric_row rows[] = {
    [O_STATE] = {METRIC_GAUGE, "kafka_connector_scaler_state",
                 "0: idle, 1: up; -1: there is no answer (UNAVAILABLE)."},
    [O_REASON] =
        {METRIC_GAUGE, "kafka_connector_scaler_reason",
         "0: away, 1: recovering, 2: calm, 3: short, 4: draining, 5: excluded, 6: waiting, "
         "7: lingering, 8: sustained, 9: stuck, 10: held, 11: KEDA's arithmetic."},
    [O_ACTIVE] = {METRIC_GAUGE, "kafka_connector_scaler_active",
                  "1: it is reported to KEDA as active."},
    [O_VALUE] = {METRIC_GAUGE, "kafka_connector_scaler_value",
                 "The value reported to KEDA: lagThreshold for each replica."},
    [O_LAG] = {METRIC_GAUGE, "kafka_connector_scaler_lag",
               "Records that wait in all its partitions; of one that cannot be read, what was last "
               "known."},
    [O_PARTITIONS] = {METRIC_GAUGE, "kafka_connector_scaler_partitions", "Its partitions."},
    [O_OVER] = {METRIC_GAUGE, "kafka_connector_scaler_partitions_over",
                "Those whose lag is over lagThreshold or timeLagSeconds."},
    [O_DRAINING] = {METRIC_GAUGE, "kafka_connector_scaler_partitions_draining",
                    "Those over for sustainSeconds that are under the threshold soon."},
    [O_STUCK] = {METRIC_GAUGE, "kafka_connector_scaler_partitions_stuck",
                 "Those over for sustainSeconds whose commit stands while others move."},
    [O_UNKNOWN] = {METRIC_GAUGE, "kafka_connector_scaler_partitions_unknown",
                   "Those that could not be read for more than three samples."},
};

const struct metrics_table object_metrics = {
    {"namespace", "scaledobject", "consumergroup", "topic", "trigger"},
    rows,
    sizeof(rows) / sizeof(*rows)};

/* Two triggers of one ScaledObject differ in the hash of their metadata. */
void scaled_object_measure(struct scaled_object *object, struct metrics *metrics)
{
    char *hash = xasprintf("%08x", object->hash);
    const char *labels[] = {object->namespace, object->name, object->trigger.group,
                            object->trigger.topic ? object->trigger.topic : "", hash};

    object->values = metrics_add(metrics, &object_metrics, labels);
    scaled_object_collect(object);
    free(hash);
}

void scaled_object_collect(struct scaled_object *object)
{
    const struct evaluation *all = &object->evaluation;
    union metric_value *values = object->values->values;
    bool known = object->answer.status == SCALER_OK;

    values[O_STATE].number = known ? (int64_t)object->judge.state : -1;
    values[O_REASON].number = object->judge.verdict.reason;
    values[O_ACTIVE].number = object->answer.active;
    values[O_VALUE].number = object->answer.value;
    values[O_LAG].number = all->sum.total;
    values[O_PARTITIONS].number = (int64_t)all->partitions;
    values[O_OVER].number = (int64_t)all->over;
    values[O_DRAINING].number = (int64_t)all->draining;
    values[O_STUCK].number = (int64_t)all->stuck;
    values[O_UNKNOWN].number = (int64_t)all->unknown;
}

static void describe_verdict(const struct scaled_object *object, json *to)
{
    bool known = object->answer.status == SCALER_OK;

    json_add_bool(to, "known", known);
    json_add_text(to, "reason", scale_reason_name(object->judge.verdict.reason));
    json_add_text(to, "because", object->text);
    json_add_text(to, "state", scale_state_name(object->judge.state));
    json_add_bool(to, "active", object->answer.active);
    json_add_number(to, "value", object->answer.value);
    json_add_number(to, "target", object->answer.target);
    json_add_number(to, "sustainSeconds", object->trigger.policy.sustain_ms / 1000);
    json_add_number(to, "sampleTime", object->judged_ms < 0 ? -1 : object->judged_ms / 1000);
}

/* -1 of highest lag and longest stretch: not known, none is over. */
static void describe_partitions(const struct evaluation *all, json *to)
{
    bool judged = all->partitions > 0;

    json_add_number(to, "lag", all->sum.total);
    json_add_number(to, "highestLag", judged ? all->highest_lag : LAG_UNKNOWN);
    json_add_number(to, "longestStretchSeconds",
                    judged && all->longest_ms >= 0 ? all->longest_ms / 1000 : -1);
    json_add_number(to, "partitions", (int64_t)all->partitions);
    json_add_number(to, "over", (int64_t)all->over);
    json_add_number(to, "sustained", (int64_t)all->sustained);
    json_add_number(to, "draining", (int64_t)all->draining);
    json_add_number(to, "stuck", (int64_t)all->stuck);
    json_add_number(to, "unknown", (int64_t)all->unknown);
}

void scaled_object_describe(const struct scaled_object *object, json *to)
{
    json_add_text(to, "namespace", object->namespace);
    json_add_text(to, "name", object->name);
    json_add_text(to, "cluster", object->cluster->label);
    json_add_text(to, "consumerGroup", object->trigger.group);
    json_add_text(to, "topic", object->trigger.topic);
    describe_verdict(object, json_add_object(to, "verdict"));
    describe_partitions(&object->evaluation, json_add_object(to, "found"));
}
