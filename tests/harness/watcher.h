/*
 * watcher: all that a test of watch mode stands on: a gateway with a function that sleeps, the log
 * of its wake-ups, a hand on a Kafka, and the shipped program watching, with its admin server.
 *
 *     struct watcher *watcher = watcher_new("orders", bootstrap);
 *     watcher_start(watcher, (const char *[]){"SlimFaasKafka__Bindings__0__CooldownSeconds=3600",
 * NULL}); cluster_write(watcher->cluster, "orders", 0, 1); watcher_await_wakes(watcher,
 * WATCHER_FUNCTION, 1); watcher_free(watcher);
 */
#ifndef HARNESS_WATCHER_H
#define HARNESS_WATCHER_H

#include "sandbox/gateway.h"
#include "tests/harness/call_log.h"
#include "tests/harness/child.h"
#include "tests/harness/cluster.h"

#include <uv.h>

#define WATCHER_FUNCTION "sleeper"
#define WATCHER_TOKEN    "secret"

enum { WATCHER_PATIENCE_MS = 90 * 1000, WATCHER_INTERVAL_MS = 200 };

struct watcher {
    uv_loop_t loop;
    char *bootstrap, *name; /* the topic and the group of the first binding */
    struct cluster *cluster;
    struct faas_gateway *gateway;
    struct faas_function *function; /* WATCHER_FUNCTION, asleep */
    struct call_log *log;
    struct child *program; /* NULL: not started */
    struct http *http;
    char admin[32]; /* "127.0.0.1:4711" */
    char folder[64];
};

/* `bootstrap` NULL: the broker of tests/kafka/run.sh. No topic is made. */
struct watcher *watcher_new(const char *name, const char *bootstrap);
void watcher_free(struct watcher *watcher);

/* A further function, asleep. */
struct faas_function *watcher_deploy(struct watcher *watcher, const char *function);

/* Starts the program with binding 0 of topic and group `name` and WATCHER_FUNCTION, a check every
 * WATCHER_INTERVAL_MS; the settings ("name=value", NULL-ended, or NULL) win. With `bare` only they
 * and the addresses are set. Returns when it has begun to watch. */
void watcher_start(struct watcher *watcher, const char *const *settings);
void watcher_start_bare(struct watcher *watcher, const char *const *settings);

/* Ended by SIGTERM it leaves with status 0. */
void watcher_stop(struct watcher *watcher);

/* How many wake-ups of the function have ended, accepted or not. */
size_t watcher_wakes(const struct watcher *watcher, const char *function);
bool watcher_await_wakes(struct watcher *watcher, const char *function, size_t count);

/* GET or POST, with the token. The body, ended by a NUL; caller frees. *status may be NULL. */
char *watcher_ask(struct watcher *watcher, const char *method, const char *path, long *status);

/* The value of a metric, `slimfaaskafka_pending_messages{...}` as it is written; -1000: it is not
 * there. */
double watcher_metric(struct watcher *watcher, const char *sample);
/* Runs the loop until it is at least so much. */
bool watcher_await_metric(struct watcher *watcher, const char *sample, double least);
/* Of one of the first binding's metrics: the name alone. */
double watcher_value(struct watcher *watcher, const char *metric);
bool watcher_await_value(struct watcher *watcher, const char *metric, double value);

/* How often the first binding's function was woken for a reason, as the program counts: a moment
 * after the gateway has answered. */
double watcher_woken(struct watcher *watcher, const char *reason);
bool watcher_await_woken(struct watcher *watcher, const char *reason, double least);

/* Runs the loop until so many more checks have ended. */
void watcher_await_checks(struct watcher *watcher, int checks);

#endif
