/*
 * keda: all that a test of scale mode stands on: a topic on a Kafka and a group, whose commits
 * the test makes itself; the shipped scaler; and the shipped `ask`, which asks it as KEDA does,
 * again and again.
 *
 *     struct keda *keda = keda_new("orders", NULL);
 *     cluster_create(keda->cluster, "orders", 3);
 *     keda_start(keda, NULL);
 *     struct child *asked = keda_ask(keda, (const char *[]){"sustainSeconds=3", NULL});
 *     cr_assert(keda_await(asked, "active=true"));
 *     child_free(asked);
 *     keda_free(keda);
 *
 * Its line of an answer: "active=true value=1500 target=500 replicas=3", or the call that was not
 * answered, its status and the reason.
 */
#ifndef HARNESS_KEDA_H
#define HARNESS_KEDA_H

#include "tests/harness/child.h"
#include "tests/harness/cluster.h"

#include <uv.h>

enum { KEDA_PATIENCE_MS = 90 * 1000, KEDA_ASK_MS = 200 };

struct keda {
    uv_loop_t loop;
    char *bootstrap, *name; /* of the topic and of the group */
    struct cluster *cluster;
    struct child *scaler; /* NULL: not started */
    char address[32];     /* where it is asked */
    char admin[32];
};

/* `bootstrap` NULL: the broker of tests/kafka/run.sh. No topic is made. */
struct keda *keda_new(const char *name, const char *bootstrap);
void keda_free(struct keda *keda);

/* Starts the scaler with a sample a second; the settings ("name=value", NULL-ended, or NULL) win.
 * Returns when it listens. May be called again when it was ended. */
void keda_start(struct keda *keda, const char *const *settings);

/* Ends it by a signal. By SIGTERM it must leave with status 0. */
void keda_stop(struct keda *keda, int signal);

/* Asks every KEDA_ASK_MS about the topic and the group, with this metadata ("key=value",
 * NULL-ended, or NULL), which wins. */
struct child *keda_ask(struct keda *keda, const char *const *metadata);

/* Waits until it is answered so; the part must stand in one line. */
bool keda_await(struct child *asked, const char *part);

/* The same from its next answer on: what it was told before does not count. */
bool keda_await_next(struct child *asked, const char *part);

/* Lets it be answered so many more times. */
void keda_await_answers(struct keda *keda, struct child *asked, size_t count);

#endif
