/*
 * rpc_private: what the files of the gRPC server share: the server and its calls.
 */
#ifndef SCALE_RPC_PRIVATE_H
#define SCALE_RPC_PRIVATE_H

#include "scale/rpc_call.h"
#include "scale/rpc_queue.h"
#include "scale/rpc_server.h"

#include <grpc/grpc.h>

/* A method that is served, and what is counted of it. */
struct rpc_served {
    const struct rpc_method *method; /* NULL: any that there is not */
    void *context;
    struct metrics_instance *counts;
};

enum rpc_count { RPC_CALLS, RPC_FAULTS, RPC_OPEN_NOW };

enum rpc_state {
    RPC_ASKED,   /* gRPC has been asked for a call; none has come */
    RPC_READING, /* its request, or its next, is waited for */
    RPC_SAYING,  /* RPC_WATCH: watching; RPC_TALK: the answer is on its way */
    RPC_ENDING,  /* its status is on its way, or it is over: nothing more is begun */
};

struct rpc_call {
    struct rpc_server *server;
    enum rpc_state state;
    const struct rpc_served *served;
    grpc_call *raw;
    grpc_call_details details;
    grpc_metadata_array metadata;
    grpc_byte_buffer *received;
    grpc_byte_buffer *sent; /* the message on its way */
    struct rpc_reply next;  /* what goes next: a message, a status, or a message behind which one */
    bool has_message, has_status; /* of `next` */
    bool greeted;                 /* the initial metadata was sent */
    bool sending;                 /* something is on its way */
    bool dead;                    /* nothing can be sent any more */
    bool admitted;                /* counted in the server's bounds */
    void *watch;
    int cancelled;
    unsigned pending; /* operations that gRPC has not ended */
    struct rpc_tag on_arrived, on_read, on_sent, on_gone;
    uint64_t step_ms;                 /* when its last step was, on the loop's clock */
    bool timed;                       /* it must go on: in the server's list of those */
    struct rpc_call *prev, *next_one; /* all that have arrived */
    struct rpc_call *older, *newer;   /* those that are timed, the oldest step first */
};

struct rpc_server {
    struct rpc_server_setup setup;
    grpc_server *raw; /* NULL: none, while it is opened again */
    struct rpc_queue *queue;
    struct rpc_tls *tls; /* NULL: without */
    struct rpc_tag on_down;
    uv_timer_t sweep, patience;
    int handles;               /* not closed yet */
    struct rpc_served *served; /* the last is of no method */
    size_t served_count;
    struct rpc_call *calls, *timed;
    size_t asked, live;   /* calls that are waited for; that are there */
    size_t busy, streams; /* of those: RPC_UNARY and RPC_TALK; RPC_WATCH */
    struct metrics_instance *refused;
    bool shutting; /* gRPC's server is told to end: to be opened again, or, `closing`, for good */
    bool closing;
    bool ended; /* the queue is told to end */
    int port;
    void (*closed)(void *context);
    void *context;
};

/* Asks gRPC for a call. */
void rpc_call_ask(struct rpc_server *server);

/* Ends a stream as the server ends; what is not one goes on. */
void rpc_call_stop(struct rpc_call *call);

/* Asks for as many calls as there is room for. */
void rpc_server_ask(struct rpc_server *server);

/* A call has arrived, and is there until it leaves. */
void rpc_server_enter(struct rpc_call *call);
void rpc_server_leave(struct rpc_call *call);

/* Whether there is room for it, and counts it in. */
bool rpc_server_admit(struct rpc_call *call);

/* It went a step: from now on it has its time for the next. Not `timed`: it may take any time. */
void rpc_server_step(struct rpc_call *call, bool timed);

#endif
