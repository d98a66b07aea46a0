/*
 * partitions: the lag of each partition of each group as metrics, by the names of kafka_exporter,
 * so that its dashboards fit. Of max_measured partitions at most; how many are left out is a metric
 * itself. They follow what the objects ask for at each exposition.
 */
#ifndef SCALE_PARTITIONS_H
#define SCALE_PARTITIONS_H

#include "base/metrics.h"
#include "scale/scaled_object.h"

struct partitions;

extern const struct metrics_table group_partition_metrics, topic_partition_metrics;

struct partitions *partitions_new(struct metrics *metrics, size_t most);
void partitions_free(struct partitions *partitions);

/* Between these two, what each object asks for; what none did is gone then. */
void partitions_begin(struct partitions *partitions);
void partitions_add(struct partitions *partitions, const struct scaled_object *object);
void partitions_end(struct partitions *partitions);

/* Left out at the last time. */
size_t partitions_left_out(const struct partitions *partitions);

#endif
