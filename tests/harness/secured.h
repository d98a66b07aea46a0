/*
 * secured: a Kafka of a test's own that is particular about whom it talks to, with a topic, a
 * gateway whose functions are bound to it, and certificates made for the test.
 *
 * Its listeners, beside the open one: SASL (PLAIN, SCRAM, OAUTHBEARER with scope "kafka"), TLS,
 * MUTUAL (TLS, wants a certificate of the client's), SASLTLS (SCRAM-SHA-512 over TLS), EXPIRED and
 * ELSEWHERE (TLS with such a certificate). Its user is alice, with SECURED_PASSWORD.
 * In its folder: ca.pem has signed all but stranger.pem; client.pem; password; NAME.key.
 */
#ifndef HARNESS_SECURED_H
#define HARNESS_SECURED_H

#include "sandbox/gateway.h"
#include "tests/harness/broker.h"
#include "tests/harness/call_log.h"
#include "tests/harness/child.h"
#include "tests/harness/cluster.h"

#include <uv.h>

#define SECURED_TOPIC    "secured"
#define SECURED_GROUP    "secured-group"
#define SECURED_PASSWORD "alice-secret"
#define SECURED_CANARY   "canary-in-the-coal-mine"

enum { SECURED_PATIENCE_MS = 90 * 1000 };

struct secured {
    uv_loop_t loop;
    struct broker *broker;
    struct cluster *cluster; /* by the open listener */
    struct faas_gateway *gateway;
    struct faas_function *work; /* 200; beside it "sleeper", which sleeps */
    char folder[64];
    const char *environment[4]; /* of kafka.sh */
};

struct secured *secured_new(void);
void secured_free(struct secured *secured);

/* Puts a token of alice's, with a scope, that ends so many seconds from now, into a file of the
 * folder. */
void secured_put_token(struct secured *secured, const char *name, const char *scope, int seconds);

/* One record more, so that there is something to be done. */
void secured_write(struct secured *secured);

/* Starts a program of ours (arguments, NULL-ended) on a listener, with settings ("name=value",
 * NULL-ended) in which "@" stands for the folder. */
struct child *secured_start(struct secured *secured, const char *const *arguments,
                            const char *listener, const char *const *settings);

/* Runs a command of Kafka's own (tests/kafka/kafka.sh tool) with the address of the open listener,
 * to its end. */
void secured_tool(struct secured *secured, const char *class_name, const char *const *arguments);

#endif
