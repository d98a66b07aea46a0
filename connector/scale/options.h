/*
 * options: what the user of scale mode sets: where Kafka is, what metadata may ask for, and the
 * defaults of what it does not. Spelled as Persistent Kafka Lag Scaler's environment is, and as the
 * metadata that they stand for.
 */
#ifndef SCALE_OPTIONS_H
#define SCALE_OPTIONS_H

#include "admin/admin.h"
#include "core/scale_policy.h"
#include "kafka/client.h"

struct scale_options {
    char *topic;         /* of the object without metadata; NULL or "": all of the group */
    char *group;         /* NULL or "": there is no such object */
    char *clusters_path; /* a folder of profiles; NULL or "": there are none */
    struct option_list allowed_brokers;
    int64_t timeout_ms;
    int64_t object_ttl_ms;
    int64_t min_sampling_ms;
    int64_t max_objects, max_clusters;
    int64_t max_measured; /* objects, and partitions, with metrics of their own */
};

/* All there is to set. */
struct scale_config {
    struct kafka_options kafka;
    struct scale_options scale;
    struct scale_policy policy; /* as read: not settled */
    struct admin_options admin;
};

enum { SCALE_GROUPS = 4 };

/* Zeroes a configuration, and names the tables that fill it. */
void scale_config_init(struct scale_config *config, struct option_group groups[SCALE_GROUPS]);

/* Faults that one row cannot see; those of the profiles too. */
void scale_config_check(const struct scale_config *config, struct option_faults *faults);

#endif
