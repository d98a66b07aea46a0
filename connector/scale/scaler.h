/*
 * scaler: what KEDA asks of us, answered: whether a scaled object is active, and the value that its
 * autoscaler goes by. How it is asked (gRPC) is another file's.
 *
 * A *scaled object* is a namespace, a name and the metadata of one trigger: two triggers of one
 * ScaledObject are two, and one whose metadata is edited is another, which judges the history that
 * is there. It is made by its first call, and forgotten when nobody has asked for object_ttl.
 * Without metadata the process's own options are the object (KAFKA_GROUP_ID), whatever its name.
 *
 * An answer never waits for Kafka: it is the verdict on the newest sample. While Kafka is away the
 * last good one stands for three sampling intervals; then, and before the first sample, and while
 * it is not known how old a lag is, the answer is SCALER_UNAVAILABLE with the reason: whoever asks
 * then keeps what is there. It is never 0 because nothing is known.
 */
#ifndef SCALE_SCALER_H
#define SCALE_SCALER_H

#include "admin/admin.h"
#include "base/metrics.h"
#include "base/option.h"
#include "scale/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define SCALER_METRIC "persistent_kafka_lag"

struct scaler;
struct scaler_watcher;

struct scaler_setup {
    uv_loop_t *loop;
    const struct scale_config *config; /* read and checked; borrowed for good */
    struct metrics *metrics;           /* borrowed for good */
};

/* gRPC's INVALID_ARGUMENT: the metadata is at fault; UNAVAILABLE: ask again. */
enum scaler_status { SCALER_OK, SCALER_INVALID, SCALER_UNAVAILABLE };

/* What was called, for the log. */
enum scaler_call { SCALER_IS_ACTIVE, SCALER_GET_METRICS };

struct scaler_entry {
    const char *key, *value;
};

/* A trigger's metadata is a dozen short entries; what is kept of it is kept for long. */
enum { SCALER_ENTRIES_MAX = 256 };

/* Who is asked about; borrowed for the call. Entries in any order, SCALER_ENTRIES_MAX at most. */
struct scaler_ref {
    const char *namespace, *name;
    const struct scaler_entry *metadata;
    size_t count;
};

struct scaler_answer {
    enum scaler_status status;
    const char *reason; /* in words, of any status; borrowed until the next call into the scaler,
                           or the next turn of the loop */
    /* Of SCALER_OK: */
    bool active;
    int64_t value;
    int64_t target; /* lagThreshold */
};

/* Says "Starting persistent Kafka lag scaler" and by what options. NULL: at least one fault was
 * added. */
struct scaler *scaler_new(const struct scaler_setup *setup, struct option_faults *faults);

/* Ends; `closed` (or NULL) is called on the loop as the last thing before the scaler is freed, when
 * all Kafka clients are gone, never from within. Watchers are to be given up before. Once; no call
 * after it. */
void scaler_close(struct scaler *scaler, void (*closed)(void *context), void *context);

/* The answer to IsActive and GetMetrics. */
struct scaler_answer scaler_ask(struct scaler *scaler, enum scaler_call call,
                                const struct scaler_ref *ref);

/* To GetMetricSpec: only status, reason and target; it needs no sample. */
struct scaler_answer scaler_spec(struct scaler *scaler, const struct scaler_ref *ref);

/* Streams: *first is the answer now. `changed` is called on the loop, never from within this call,
 * each time that status or active differ from what was told last. An object that is watched is not
 * forgotten. NULL: the metadata is at fault, or there is no room; *first says which. `changed` may
 * give its watcher up. */
struct scaler_watcher *scaler_watch(struct scaler *scaler, const struct scaler_ref *ref,
                                    void (*changed)(void *context,
                                                    const struct scaler_answer *answer),
                                    void *context, struct scaler_answer *first);
void scaler_unwatch(struct scaler_watcher *watcher);

/* What /ready and /status say. Valid as long as the scaler. */
struct admin_subject scaler_subject(struct scaler *scaler);

/* Every metric that a scaler may show, for its documentation. */
const struct metrics_table *const *scaler_metrics_tables(size_t *count);

#endif
