/*
 * scaling: all that a test of scale mode stands on: a topic on a Kafka and a group, whose commits
 * the test makes itself; the shipped scaler; and the shipped `ask`, which asks it as KEDA does,
 * again and again.
 *
 *     struct scaling *scaling = scaling_new("orders", NULL);
 *     cluster_create(scaling->cluster, "orders", 3);
 *     scaling_start(scaling, NULL);
 *     struct child *keda = scaling_keda(scaling, (const char *[]){"sustainSeconds=3", NULL});
 *     cr_assert(scaling_await(keda, "active=true"));
 *     child_free(keda);
 *     scaling_free(scaling);
 *
 * Its line of an answer: "active=true value=1500 target=500 replicas=3", or the call that was not
 * answered, its status and the reason.
 */
#ifndef HARNESS_SCALING_H
#define HARNESS_SCALING_H

#include "tests/harness/child.h"
#include "tests/harness/cluster.h"

#include <uv.h>

enum { SCALING_PATIENCE_MS = 90 * 1000, SCALING_ASK_MS = 200 };

struct scaling {
    uv_loop_t loop;
    char *bootstrap, *name; /* of the topic and of the group */
    struct cluster *cluster;
    struct child *scaler; /* NULL: not started */
    char address[32];     /* where it is asked */
    char admin[32];
};

/* `bootstrap` NULL: the broker of tests/kafka/run.sh. No topic is made. */
struct scaling *scaling_new(const char *name, const char *bootstrap);
void scaling_free(struct scaling *scaling);

/* Starts the scaler with a sample a second; the settings ("name=value", NULL-ended, or NULL) win.
 * Returns when it listens. May be called again when it was ended. */
void scaling_start(struct scaling *scaling, const char *const *settings);

/* Ends it by a signal. By SIGTERM it must leave with status 0. */
void scaling_stop(struct scaling *scaling, int signal);

/* Asks every SCALING_ASK_MS about the topic and the group, with this metadata ("key=value",
 * NULL-ended, or NULL), which wins. */
struct child *scaling_keda(struct scaling *scaling, const char *const *metadata);

/* Waits until it is answered so; the part must stand in one line. */
bool scaling_await(struct child *keda, const char *part);

/* The same from its next answer on: what it was told before does not count. */
bool scaling_await_next(struct child *keda, const char *part);

/* Lets it be answered so many more times. */
void scaling_await_answers(struct scaling *scaling, struct child *keda, size_t count);

#endif
