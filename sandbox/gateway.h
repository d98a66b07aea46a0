/*
 * gateway: an OpenFaaS-like gateway on the caller's loop, for the demo and for the tests.
 *
 * Serves GET /system/namespaces, GET /system/functions[?namespace=N], GET /system/function/NAME,
 * POST /function/NAME, POST /async-function/NAME and, to wake one, POST /system/scale-function/NAME
 * and SlimFaas' POST /wake-function/NAME. NAME is "name" or "name.namespace", or behind /system/
 * name?namespace=N. What a function does is either a
 * local program (stdin -> stdout, as OpenFaaS' classic watchdog) or a script: a reply with status,
 * latency and faults, the same for all calls, for the next few, or decided call by call.
 *
 * Bound to 127.0.0.1 by whoever calls; nothing here is meant for strangers. One thread: the loop's.
 *
 *     struct faas_gateway *gateway = faas_gateway_new(loop, "127.0.0.1:0", &reason);
 *     struct faas_function *f = faas_deploy(gateway, "figlet", NULL, "faas-request");
 *     faas_script(f, &(struct faas_reply){.body = "hello"});                      // 200, always
 *     faas_next(f, 3, &(struct faas_reply){.status = 503, .header = "Retry-After: 1"});
 *     faas_next(f, 1, &(struct faas_reply){.end = FAAS_CUT_AFTER, .latency_ms = 50});
 */
#ifndef SANDBOX_GATEWAY_H
#define SANDBOX_GATEWAY_H

#include "web/server.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define FAAS_NAMESPACE "openfaas-fn" /* the one of functions deployed without */

enum { FAAS_HELD = -1 }; /* as latency_ms: until faas_release */

struct faas_gateway;
struct faas_function;

/* `listen` as web_server_new: "127.0.0.1:0" for any free port. NULL: *reason (caller frees). */
struct faas_gateway *faas_gateway_new(uv_loop_t *loop, const char *listen, char **reason);
/* Cuts calls under way, kills their programs. Run the loop once more before closing it. */
void faas_gateway_free(struct faas_gateway *gateway);
int faas_gateway_port(const struct faas_gateway *gateway);
const char *faas_gateway_url(const struct faas_gateway *gateway); /* "http://127.0.0.1:40123" */

/* ---- functions ---- */

/* A new function that answers 200 and an empty body. `namespace_name` NULL: FAAS_NAMESPACE. `topic`
 * is the value of the annotation "topic", NULL: none. The same name in a namespace replaces it. */
struct faas_function *faas_deploy(struct faas_gateway *gateway, const char *name,
                                  const char *namespace_name, const char *topic);
/* A later value of a name replaces the earlier; NULL takes the annotation away. */
void faas_annotate(struct faas_function *function, const char *name, const char *value);
/* Its calls under way are cut. */
void faas_remove(struct faas_function *function);
/* By "name" or "name.namespace"; NULL: no such function. */
struct faas_function *faas_find(const struct faas_gateway *gateway, const char *name);

/* How many replicas the gateway says it has; 1 at first, 0: it sleeps. A wake-up that was answered
 * with a 2xx makes 0 a 1, and a scaling sets them. */
void faas_set_replicas(struct faas_function *function, int64_t replicas);
int64_t faas_replicas(const struct faas_function *function);
/* A function whose calls are the wake-ups and scalings of this one: to be scripted (204 at first)
 * and observed as any other, under the name "name.namespace/wake". Owned by the function. */
struct faas_function *faas_wake(struct faas_function *function);

/* ---- what a call does ---- */

enum faas_end {
    FAAS_ANSWER,     /* runs, answers */
    FAAS_CUT_BEFORE, /* the connection is closed and the function has not run */
    FAAS_CUT_AFTER,  /* the function runs, then the connection is closed without an answer */
};

struct faas_reply { /* zeroed: 200 at once, empty body */
    enum faas_end end;
    int status;         /* 0: 200 */
    int64_t latency_ms; /* from arrival to end; FAAS_HELD: until faas_release */
    const char *body;
    size_t body_size;   /* 0: strlen(body) */
    const char *header; /* one, "X-OpenFaaS-Internal: proxy"; NULL: none */
};

struct faas_call {        /* borrowed during the callback it is given to */
    const char *function; /* "figlet.openfaas-fn", whatever the path said */
    const char *topic;    /* X-Topic, or "" */
    const char *key;      /* X-Kafka-Key as sent, or NULL */
    int32_t partition;    /* X-Kafka-Partition, or -1 */
    int64_t offset;       /* X-Kafka-Offset, or -1 */
    const void *body;
    size_t body_size;
    bool async;
    uint64_t number;             /* of this function's calls, from 1 */
    int64_t arrived_us;          /* uv_hrtime */
    struct web_request *request; /* for web_header; not to be answered */
};

/* Every call gets this reply. Copied. */
void faas_script(struct faas_function *function, const struct faas_reply *reply);
/* The next `count` calls get this one; several queue up behind each other. Goes before
 * faas_script and faas_decide. Copied. */
void faas_next(struct faas_function *function, int count, const struct faas_reply *reply);
/* Asked for each call. What the reply points to must live until `decide` is called again. */
void faas_decide(struct faas_function *function,
                 struct faas_reply (*decide)(void *context, const struct faas_call *call),
                 void *context);
/* Ends the oldest `count` calls that are FAAS_HELD (-1: all). Returns how many there were. */
int faas_release(struct faas_function *function, int count);

/* Every call runs a program: the body on stdin, the answer from stdout; exit status 0 is 200, any
 * other, a signal, the time limit or too much output is 500 with what was written (as the classic
 * watchdog). argv, NULL-ended, is copied; argv[0] is looked for in PATH. */
void faas_program(struct faas_function *function, char *const *argv);
enum { FAAS_PROGRAM_TIME_MS = 10 * 1000, FAAS_PROGRAM_OUTPUT = 1024 * 1024 };

/* ---- what is seen ---- */

enum faas_event {
    FAAS_ARRIVED, /* the request is whole; status -1 */
    FAAS_RAN,     /* the function ran to its end; status as it would answer. Not after CUT_BEFORE */
    FAAS_ENDED,   /* answered with status, or cut: 0 */
};

/* Told each event of each call, in that order. One observer; NULL: none. The tests' accounting
 * (tests/harness/call_log.h) and the sandbox's log are built on it. */
void faas_observe(struct faas_gateway *gateway,
                  void (*seen)(void *context, enum faas_event event, const struct faas_call *call,
                               int status),
                  void *context);

/* How often /system/functions was asked, whatever was answered. */
uint64_t faas_list_count(const struct faas_gateway *gateway);

/* ---- faults of the whole gateway ---- */

/* /system/functions answers with this instead of the list: HTML, bad JSON, 50 MB, a 401. Copied.
 * Status 0: the list again; -1: cut. */
void faas_list_answer(struct faas_gateway *gateway, int status, const void *body, size_t size);
/* A gateway without namespaces (older OpenFaaS): /system/namespaces is 404. On at first. */
void faas_namespaces(struct faas_gateway *gateway, bool on);
/* /system/ asks for basic auth, else 401 (/function/ never does). user NULL: no more. */
void faas_require_auth(struct faas_gateway *gateway, const char *user, const char *password);
/* Goes away: calls under way are cut, connections refused. */
void faas_gateway_down(struct faas_gateway *gateway);
/* Comes back on the same port. False: *reason (caller frees). */
bool faas_gateway_up(struct faas_gateway *gateway, char **reason);

#endif
