/*
 * rpc_options: where the gRPC server listens, how it and its clients prove who they are, and its
 * bounds.
 */
#ifndef SCALE_RPC_OPTIONS_H
#define SCALE_RPC_OPTIONS_H

#include "base/option.h"

#include <stdbool.h>

struct rpc_options {
    char *listen;               /* as the user wrote it: see rpc_options_address */
    char *cert_file, *key_file; /* NULL or "": without TLS; of the key: it is in cert_file */
    char *client_ca_file;       /* NULL or "": any client */
    int64_t max_calls, max_streams;
};

extern const struct option_table rpc_option_table;

/* Faults that no single row shows: an address that is none, files that hold not what they are
 * for. */
void rpc_options_check(const struct rpc_options *options, struct option_faults *faults);

/* The address in words: ":50051", also of "50051" and of Kubernetes' own "tcp://..."; caller
 * frees. */
char *rpc_options_address(const struct rpc_options *options);

/* Whether there is TLS; whether clients must show a certificate too. */
bool rpc_options_tls(const struct rpc_options *options);
bool rpc_options_mutual(const struct rpc_options *options);

/* The file of the private key, with TLS. Borrowed. */
const char *rpc_options_key(const struct rpc_options *options);

#endif
