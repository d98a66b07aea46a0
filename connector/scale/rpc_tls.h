/*
 * rpc_tls: who the gRPC server is, and who its clients must be, by certificates.
 *
 * The files are looked at again at each new connection, so that renewed ones are taken up; ones
 * that cannot be used are told, and those before stay. With grpc_client_ca_file a client without a
 * certificate that it has signed is turned away.
 */
#ifndef SCALE_RPC_TLS_H
#define SCALE_RPC_TLS_H

#include "scale/rpc_options.h"

#include <grpc/grpc_security.h>

struct rpc_tls;

/* The options are borrowed for good. */
struct rpc_tls *rpc_tls_new(const struct rpc_options *options);
/* When no server uses its credentials any more. NULL: nothing. */
void rpc_tls_free(struct rpc_tls *tls);

/* For one server; any before it must have ended. Caller releases. */
grpc_server_credentials *rpc_tls_credentials(struct rpc_tls *tls);

#endif
