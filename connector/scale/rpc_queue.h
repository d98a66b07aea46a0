/*
 * rpc_queue: gRPC's completion queue, its events handed to the loop.
 *
 * gRPC's queue has no descriptor that a loop could wait for. So a thread does, which touches
 * nothing but the list of what happened: the loop takes that list, and calls each event's owner.
 * How long the list can become is bounded by how many operations were begun.
 */
#ifndef SCALE_RPC_QUEUE_H
#define SCALE_RPC_QUEUE_H

#include <grpc/grpc.h>
#include <stdbool.h>
#include <uv.h>

/* What an operation is begun with; alive until `done` was called, on the loop. */
struct rpc_tag {
    void (*done)(void *owner, bool ok);
    void *owner;
};

struct rpc_queue;

struct rpc_queue *rpc_queue_new(uv_loop_t *loop);

/* gRPC's own, borrowed. */
grpc_completion_queue *rpc_queue_raw(const struct rpc_queue *queue);

/* To be called once nothing more is begun. Each tag's `done` is still called; then the queue is
 * freed, and `closed` called as the last thing. */
void rpc_queue_close(struct rpc_queue *queue, void (*closed)(void *context), void *context);

#endif
