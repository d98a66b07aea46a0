/*
 * dispatcher: takes records from a source, has every function of their topic run on each of them,
 * and tells the source how far all is done. It is the sink of core/source.h.
 *
 * Files: dispatcher.c what is taken and to whom it is owed; partition.c and invocation.c the states
 * of either; subscriptions.c who wants what; slots.c who is called next; outcome.c what an answer
 * leads to; give_up.c what becomes of what is not tried any more; make_room.c when a function that
 * is away makes room; committer.c when progress is committed; drain.c how partitions are given up;
 * aside.c what is kept of those that were lost; pause.c what is held by hand; standstill.c what
 * partitions wait for; report.c what is told of it. All on the loop's thread.
 */
#ifndef INVOKE_DISPATCHER_H
#define INVOKE_DISPATCHER_H

#include "base/json.h"
#include "base/metrics.h"
#include "core/letters.h"
#include "core/source.h"
#include "core/topic_map.h"
#include "gateway/call.h"
#include "invoke/options.h"

#include <uv.h>

struct dispatcher;

struct dispatcher_setup {
    uv_loop_t *loop;
    struct source *source;   /* its sink is set */
    struct letters *letters; /* NULL: there are no dead letters */
    struct caller *caller;
    const struct invoke_options *options;
    int64_t drain_timeout_ms;
    int64_t call_timeout_ms; /* the caller's: a call ends within it */
    bool async;              /* only 2xx is done */
    struct metrics *metrics;
};

/* All in the setup is borrowed until dispatcher_free. */
struct dispatcher *dispatcher_new(const struct dispatcher_setup *setup);

/* Drops everything, commits nothing. Run the loop once more before closing it. */
void dispatcher_free(struct dispatcher *dispatcher);

/* The map to go by from now on; borrowed until the next. Functions it names no more: what is owed
 * to them ends as unbound. */
void dispatcher_set_map(struct dispatcher *dispatcher, const struct topic_map *map);

/* Takes nothing any more, waits for what runs at most timeout_ms, cancels the rest, commits, and
 * calls stopped once. */
void dispatcher_stop(struct dispatcher *dispatcher, int64_t timeout_ms,
                     void (*stopped)(void *context), void *context);

/* Pauses a topic (nothing of it is taken or begun), a function (nothing is sent to it), or, both
 * NULL, everything; and lets it go on. What runs meanwhile ends as it would. Kept in memory only: a
 * new start forgets it. A function may be named without its namespace where that is one function.
 * Returns an HTTP status and adds to `answer` what is paused now, as in /status, or the reason: 200
 * it is so now, 400 both are given or a name means several functions, 404 an unknown name, 409 a
 * name cannot go on while everything is paused. */
int dispatcher_pause(struct dispatcher *dispatcher, const char *topic, const char *function,
                     json *answer);
int dispatcher_resume(struct dispatcher *dispatcher, const char *topic, const char *function,
                      json *answer);

/* Why progress cannot be committed just now, or NULL. Borrowed until the loop goes on. */
const char *dispatcher_fault(const struct dispatcher *dispatcher);

/* Which partition stands still through a fault of ours, and how (core/stall), or NULL. Borrowed
 * until the loop goes on. */
const char *dispatcher_stalled(const struct dispatcher *dispatcher);

/* Its metrics: of the whole, of a partition, of a function. */
extern const struct metrics_table dispatcher_metrics, partition_metrics, function_metrics;

/* Brings gauges up to date; for metrics_on_collect. */
void dispatcher_collect(struct dispatcher *dispatcher);

/* Adds "dispatcher", "dead_letters" where there are any, "gateway", "paused", "functions" and
 * "partitions" to a status. */
void dispatcher_status(struct dispatcher *dispatcher, json *status);

#endif
