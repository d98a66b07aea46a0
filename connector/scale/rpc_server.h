/*
 * rpc_server: the gRPC server: it listens, holds its calls to their bounds, and ends.
 *
 * Everything is bounded: calls and streams (one more: RESOURCE_EXHAUSTED), the size of a message
 * (1 MiB, and no compressed ones, which could be bombs), how long a request and an answer may take
 * on their way (30 s), how long a connection may say nothing (15 min, half a minute before its
 * first word).
 */
#ifndef SCALE_RPC_SERVER_H
#define SCALE_RPC_SERVER_H

#include "base/metrics.h"
#include "base/option.h"
#include "scale/rpc_call.h"
#include "scale/rpc_options.h"

#include <uv.h>

struct rpc_service {
    const struct rpc_method *methods;
    size_t count;
    void *context; /* what the methods are given */
};

struct rpc_server_setup {
    uv_loop_t *loop;
    const struct rpc_options *options;  /* read and checked; borrowed for good */
    struct metrics *metrics;            /* borrowed for good */
    const struct rpc_service *services; /* likewise, and what they point to */
    size_t count;
};

struct rpc_server;

/* Listens, and says so. NULL: a fault was added. */
struct rpc_server *rpc_server_new(const struct rpc_server_setup *setup,
                                  struct option_faults *faults);

int rpc_server_port(const struct rpc_server *server);

/* Streams are ended, calls get a moment (2 s) to end, then they are cancelled. `closed` is called
 * on the loop as the last thing. Once. */
void rpc_server_close(struct rpc_server *server, void (*closed)(void *context), void *context);

/* Every metric that it may show. */
extern const struct metrics_table rpc_method_metrics, rpc_refused_metrics;

#endif
