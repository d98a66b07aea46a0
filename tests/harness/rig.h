/*
 * rig: a dispatcher between a source in memory and a scripted gateway, with the real HTTP client
 * over loopback in between, all on one loop.
 *
 *     struct rig *rig = rig_new();
 *     struct faas_function *f = rig_deploy(rig, "figlet", "orders", NULL);
 *     memory_source_topic(rig->source, "orders", 1);
 *     memory_source_fill(rig->source, "orders", 0, 100, 10);
 *     rig_start(rig);
 *     cr_assert(rig_await_committed(rig));
 *     rig_free(rig);
 */
#ifndef HARNESS_RIG_H
#define HARNESS_RIG_H

#include "base/metrics.h"
#include "core/topic_map.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/http.h"
#include "invoke/dispatcher.h"
#include "invoke/options.h"
#include "tests/harness/call_log.h"
#include "tests/harness/letter_box.h"
#include "tests/harness/memory_source.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { RIG_PATIENCE_MS = 10 * 1000 };

struct rig_binding;

struct rig {
    uv_loop_t loop;
    struct memory_source *source;
    struct letter_box *letters; /* where dead letters go, with a dead_letter_topic */
    struct faas_gateway *gateway;
    struct call_log *calls;
    struct http *http;
    struct gateway_options gateway_options;
    struct caller *caller;
    struct metrics *metrics;

    /* To be changed before rig_start. Short waits; all else as the program's defaults, but
     * initial_offset is earliest. */
    struct invoke_options options;
    int64_t drain_timeout_ms;

    struct rig_binding *bindings; /* what the next list names */
    struct topic_map *map;
    struct dispatcher *dispatcher; /* NULL: not started, killed */
    bool stopped;
};

struct rig *rig_new(void);
/* Frees all; fails the test when a record, a handle or (under ASan) memory leaked. */
void rig_free(struct rig *rig);

/* A function on the gateway and in the next list; `retry` may be NULL. */
struct faas_function *rig_deploy(struct rig *rig, const char *name, const char *topics,
                                 const struct function_retry *retry);
/* The next lists lack it. */
void rig_unlist(struct rig *rig, const char *name);
/* A good list was read: merged into the map, and told to the dispatcher when it changed. */
void rig_list(struct rig *rig);

/* A new dispatcher with the map of the bindings, and all partitions assigned. */
void rig_start(struct rig *rig);
/* The dispatcher ends as a process that is killed. */
void rig_kill(struct rig *rig);
/* dispatcher_stop; rig->stopped tells its end. */
void rig_stop(struct rig *rig, int64_t timeout_ms);

/* The value of a sample of /metrics by its whole name ("kafka_connector_in_flight",
 * "kafka_connector_retries_total{function=\"figlet\"}"); -1: there is none. */
int64_t rig_metric(struct rig *rig, const char *sample);
/* The same of a function: "retries_total". */
int64_t rig_function_metric(struct rig *rig, const char *function, const char *name);

/* Runs the loop until it holds. False: it did not in RIG_PATIENCE_MS. */
bool rig_await(struct rig *rig, bool (*holds)(struct rig *rig));
bool rig_await_committed(struct rig *rig);  /* all that is in the logs */
bool rig_await_committing(struct rig *rig); /* a commit is under way */
bool rig_await_stopped(struct rig *rig);
bool rig_await_released(struct rig *rig);
bool rig_await_metric(struct rig *rig, const char *sample, int64_t least);
bool rig_await_arrived(struct rig *rig, const char *function, size_t least);
bool rig_await_ran(struct rig *rig, const char *function, size_t least);
void rig_settle(struct rig *rig, int64_t ms); /* to show that nothing more comes */

/* Of the records 0 .. count-1 of a partition: whether the function ran on each `times` times. */
bool rig_ran_each(const struct rig *rig, const char *function, const char *topic, int count,
                  size_t times);

#endif
