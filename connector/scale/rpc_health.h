/*
 * rpc_health: grpc.health.v1.Health, which Kubernetes' probes and gRPC's clients ask.
 *
 * The server ("") serves while it answers. The service of a name serves when it is ready, as
 * /ready says; any other name is unknown.
 */
#ifndef SCALE_RPC_HEALTH_H
#define SCALE_RPC_HEALTH_H

#include "scale/rpc_server.h"

struct rpc_health;

struct rpc_health_setup {
    uv_loop_t *loop;
    const char *service;                   /* its name; borrowed for good */
    const char *(*unready)(void *context); /* NULL: it is ready; asked at each call, and each
                                              second while somebody watches */
    void *context;
};

struct rpc_health *rpc_health_new(const struct rpc_health_setup *setup);
/* When the server is closed. Run the loop once more before closing it. */
void rpc_health_free(struct rpc_health *health);

struct rpc_service rpc_health_service(struct rpc_health *health);

#endif
