/*
 * rpc_scaler: KEDA's externalscaler.ExternalScaler, answered by the scaler.
 *
 * What cannot be said (Kafka is away, no sample yet) ends a call as UNAVAILABLE, and leaves a
 * stream open and silent: KEDA then keeps what it has. Metadata at fault ends either as
 * INVALID_ARGUMENT with the key and the value.
 */
#ifndef SCALE_RPC_SCALER_H
#define SCALE_RPC_SCALER_H

#include "scale/rpc_server.h"
#include "scale/scaler.h"

#define RPC_SCALER_SERVICE "externalscaler.ExternalScaler"

/* The scaler is borrowed until the server is closed. */
struct rpc_service rpc_scaler_service(struct scaler *scaler);

#endif
