/*
 * trigger: what the metadata of one trigger asks for, over the process's defaults. Pure: whether
 * the brokers may be named, and what a cluster's profile says, is scale/clusters'.
 *
 * A topic of the defaults stands for a group of the defaults only: metadata that names a group and
 * no topic means all of its topics, as with KEDA. Keys by which KEDA reaches this program
 * (scalerAddress and its TLS) are passed over; those by which other scalers reach Kafka (sasl, tls,
 * username, aws...) are a fault, as credentials come from a profile only; any other key that nobody
 * knows is told of and passed over.
 */
#ifndef SCALE_TRIGGER_H
#define SCALE_TRIGGER_H

#include "core/scale_policy.h"
#include "scale/options.h"

struct scaler_entry;

struct trigger {
    struct option_list brokers; /* bootstrapServers of the metadata; empty: the cluster's own */
    char *cluster;              /* a profile; NULL: none */
    char *topic;                /* NULL: all of the group */
    char *group;
    struct scale_policy policy; /* settled */
};

/* The defaults. */
void trigger_init(struct trigger *trigger, const struct scale_config *config);
void trigger_release(struct trigger *trigger);

/* Reads metadata over them. Faults name key and value (of a secret the key only). unknown: keys
 * that nobody knows, each with the nearest that one knows: "lagTreshold (lagThreshold?)". */
void trigger_read(struct trigger *trigger, const struct scale_config *config,
                  const struct scaler_entry *metadata, size_t count, struct option_list *unknown,
                  struct option_faults *faults);

/* What the keys mean together; trigger_read calls it. */
void trigger_settle(struct trigger *trigger, const struct scale_config *config,
                    struct option_faults *faults);

/* Both of the same group, topic and cluster, whatever their policies. */
bool trigger_is_of_same(const struct trigger *a, const struct trigger *b);

#endif
