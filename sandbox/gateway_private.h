/*
 * gateway_private: what the files of the gateway share. gateway.c serves, function.c holds what
 * each function does, run.c takes a call through its life.
 */
#ifndef SANDBOX_GATEWAY_PRIVATE_H
#define SANDBOX_GATEWAY_PRIVATE_H

#include "sandbox/gateway.h"
#include "sandbox/program.h"

#include <uthash.h>
#include <utlist.h>

struct annotation {
    char *name, *value;
    struct annotation *prev, *next;
};

struct next_reply {
    struct faas_reply reply; /* its texts are owned */
    int count;
    struct next_reply *prev, *next;
};

struct faas_function {
    struct faas_gateway *gateway;
    char *path; /* "figlet.openfaas-fn", the key in gateway->functions */
    char *name, *namespace_name;
    struct annotation *annotations;
    uint64_t calls;
    struct faas_reply script; /* its texts are owned */
    struct next_reply *next;
    struct faas_reply (*decide)(void *context, const struct faas_call *call);
    void *decide_context;
    char **argv; /* NULL: scripted */
    int64_t replicas;
    struct faas_function *wake;    /* its wake-ups; NULL: there was none yet */
    struct faas_function *sleeper; /* of a function that is one's wake-ups: whose */
    UT_hash_handle hh;
};

/* A call under way. Freed by its timer's close callback, so it may end within any of its own
 * callbacks. */
struct run {
    struct faas_call call;
    struct faas_function *function;
    char *body; /* async: our copy */
    uv_timer_t timer;
    struct faas_reply reply; /* its texts are owned */
    struct program *program;
    bool held, over;
    struct run *prev, *next; /* in gateway->runs, in order of arrival */
};

struct faas_gateway {
    uv_loop_t *loop;
    struct web_server *server; /* NULL: down */
    int port;
    char *url;
    struct faas_function *functions;
    struct run *runs;
    void (*seen)(void *context, enum faas_event event, const struct faas_call *call, int status);
    void *seen_context;
    bool namespaces;
    char *authorization; /* the header that /system/ asks for; NULL: none */
    int list_status;     /* 0: the list */
    char *list_body;
    size_t list_size;
    uint64_t list_count;
};

/* What is to come of a call; its texts are copies for the caller to release. */
struct faas_reply function_choose(struct faas_function *function, const struct faas_call *call);
void reply_release(struct faas_reply *reply);

/* Takes the request over. */
void run_start(struct faas_function *function, struct web_request *request, bool async);
/* Cuts all calls of a function, or of all when it is NULL. */
void run_cut_all(struct faas_gateway *gateway, const struct faas_function *function);
/* A wake-up was answered with a 2xx: its function is awake, with as many replicas as the body says,
 * if it says any. */
void function_woken(struct faas_function *wake, const void *body, size_t size);
/* Lets a held call go on. */
void run_release(struct run *run);

#endif
