/*
 * rpc_log: what gRPC logs, which it does on threads of its own and to stderr, in our log.
 *
 * Errors are warnings of ours: what a client did wrong, mostly; but that it cannot listen, pages of
 * it, is for debugging only, since rpc_server says so in a sentence. Whoever sends garbage must not
 * fill a disk: after some lines a minute the others are counted only.
 */
#ifndef SCALE_RPC_LOG_H
#define SCALE_RPC_LOG_H

#include <uv.h>

/* Before grpc_init, and one at a time. `deaf` is called on the loop when gRPC says that it will
 * take no more connections: after any error of accept it listens no longer. */
void rpc_log_open(uv_loop_t *loop, void (*deaf)(void *context), void *context);
/* Behind grpc_shutdown. Run the loop once more before closing it. */
void rpc_log_close(void);

#endif
