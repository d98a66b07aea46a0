/*
 * rpc_call: one call to the gRPC server, from its arrival to its end.
 *
 * A method is one of three kinds. RPC_UNARY: a request, an answer. RPC_WATCH: a request, then the
 * newest state, again each time that it changes, until somebody ends it; of a client that does not
 * read only the newest state is kept. RPC_TALK: an answer to each request, until the client has no
 * more.
 *
 * All is done on the loop. A call that was cancelled, or whose client is gone, is freed when gRPC
 * has let go of it.
 */
#ifndef SCALE_RPC_CALL_H
#define SCALE_RPC_CALL_H

#include <grpc/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpc_call;

/* A message of a client, as it came; borrowed for the call. */
struct rpc_bytes {
    const uint8_t *data;
    size_t size;
};

/* What is answered: a message, or why there is none. Taken by whoever it is given to. */
struct rpc_reply {
    grpc_status_code status;
    uint8_t *message; /* of GRPC_STATUS_OK */
    size_t size;
    char *reason; /* of any other */
};

struct rpc_reply rpc_reply_fault(grpc_status_code status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

enum rpc_kind { RPC_UNARY, RPC_WATCH, RPC_TALK };

struct rpc_method {
    const char *path; /* "/externalscaler.ExternalScaler/IsActive" */
    enum rpc_kind kind;
    /* RPC_UNARY, RPC_TALK: to one request. */
    struct rpc_reply (*answer)(void *context, struct rpc_bytes request);
    /* RPC_WATCH: rpc_call_say and rpc_call_end may be called from within, and later until
     * `ended`. Returns what `ended` is given; NULL: that is not called. */
    void *(*begin)(void *context, struct rpc_bytes request, struct rpc_call *call);
    void (*ended)(void *watch);
};

/* RPC_WATCH: the state is this now. `reply` is taken; its status is GRPC_STATUS_OK. */
void rpc_call_say(struct rpc_call *call, struct rpc_reply reply);

/* RPC_WATCH: ends it by a status, behind what was said. `reply` is taken; its message is said. The
 * method is not told. */
void rpc_call_end(struct rpc_call *call, struct rpc_reply reply);

#endif
