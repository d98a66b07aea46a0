/*
 * rpc_reflection: grpc.reflection, v1 and v1alpha: what is served here and how its messages look,
 * so that grpcurl needs no files of ours.
 */
#ifndef SCALE_RPC_REFLECTION_H
#define SCALE_RPC_REFLECTION_H

#include "scale/rpc_server.h"

struct rpc_service rpc_reflection_service(void);

#endif
