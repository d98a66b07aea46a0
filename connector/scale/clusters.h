/*
 * clusters: the Kafka clusters that scaled objects are about, each with one sampler.
 *
 * A cluster is a profile and its brokers to begin with, in any order. It is there as long as an
 * object uses it. All its objects share one sampler and its histories; it samples at the shortest
 * interval that one of them asks for, and those of a longer one look at every so many samples
 * (scale_policy.finer), so that none is sampled more rarely than it asks, and what one has asked
 * for changes no verdict of another.
 *
 * Credentials go to no broker that their owner has not named: metadata may name brokers as
 * allowed_brokers says (brokers.c).
 */
#ifndef SCALE_CLUSTERS_H
#define SCALE_CLUSTERS_H

#include "base/json.h"
#include "base/metrics.h"
#include "kafka/sampler.h"
#include "scale/trigger.h"

struct clusters;

struct cluster {
    const char *label;       /* the brokers, behind the profile's name */
    struct sampler *sampler; /* borrowed */
    int64_t interval_ms;     /* the shortest; of the sampler */
};

struct clusters_setup {
    uv_loop_t *loop;
    const struct scale_config *config; /* borrowed for good */
    struct metrics *metrics;
    void (*ticked)(void *context, struct cluster *cluster);
    void (*resampled)(void *context, struct cluster *cluster); /* at another interval */
    void *context;
};

extern const struct metrics_table cluster_metrics;

struct clusters *clusters_new(const struct clusters_setup *setup);

/* Ends them all; `closed` is called when the last client is gone: from within where there is none.
 */
void clusters_close(struct clusters *clusters, void (*closed)(void *context), void *context);
void clusters_free(struct clusters *clusters);

/* That of a trigger, for one more object. NULL: faults were added (the trigger's), or *full: there
 * are max_clusters. `resampled` may be called within. */
struct cluster *cluster_take(struct clusters *clusters, const struct trigger *trigger, bool *full,
                             struct option_faults *faults);
/* An object less, whose interests are dropped. */
void cluster_give_up(struct clusters *clusters, struct cluster *cluster, int64_t sampling_ms);

size_t clusters_count(const struct clusters *clusters);
/* How many could not be read at the last tick. */
size_t clusters_away(const struct clusters *clusters);

void clusters_collect(struct clusters *clusters);
/* Adds a list "clusters". */
void clusters_describe(const struct clusters *clusters, json *to);

#endif
