/*
 * rpc_client: asks an external scaler as KEDA does: which metric, its value, whether it is active.
 *
 * Blocking calls, for a command that does nothing else. One connection, made at the first call and
 * again when it broke.
 */
#ifndef SCALE_RPC_CLIENT_H
#define SCALE_RPC_CLIENT_H

#include "base/option.h"

#include <stdbool.h>
#include <stdint.h>

struct rpc_client_options {
    char *address; /* "lag-scaler:50051" */
    char *name, *namespace;
    struct option_list metadata; /* "key=value" */
    char *ca_file;               /* NULL: without TLS, unless cert_file is given */
    char *cert_file, *key_file;  /* NULL: none */
    char *server_name;           /* whose certificate it must be; NULL: the address's host */
    int64_t timeout;             /* ms, of each call */
};

/* Their table; target struct rpc_client_options. */
extern const struct option_table rpc_client_option_table;

/* What a scaler says of a scaled object. */
struct rpc_verdict {
    bool active;
    double value, target;
};

struct rpc_client;

/* Options are borrowed. NULL: a fault was added. */
struct rpc_client *rpc_client_new(const struct rpc_client_options *options,
                                  struct option_faults *faults);
void rpc_client_free(struct rpc_client *client);

/* GetMetricSpec, GetMetrics, IsActive. False: one was not answered; *reason names it, its status
 * and what the scaler said. Caller frees. */
bool rpc_client_ask(struct rpc_client *client, struct rpc_verdict *verdict, char **reason);

#endif
