/* rpc_queue: see rpc_queue.h. */
#include "scale/rpc_queue.h"

#include "base/xalloc.h"

#include <stdlib.h>

struct event {
    struct rpc_tag *tag; /* NULL: the queue is empty for good */
    bool ok;
};

struct events {
    struct event *items;
    size_t count, room;
};

struct rpc_queue {
    grpc_completion_queue *raw;
    uv_thread_t waiter;
    uv_async_t wake;
    uv_mutex_t lock;        /* of `happened` alone */
    struct events happened; /* not seen by the loop yet */
    struct events taken;    /* the loop's, whose room is used again */
    void (*closed)(void *context);
    void *context;
};

/* ---- the thread's ---- */

static void add(struct events *events, struct event event)
{
    if (events->count == events->room) {
        events->room = events->room ? events->room * 2 : 64;
        events->items = xrealloc(events->items, events->room * sizeof(*events->items));
    }
    events->items[events->count++] = event;
}

static void wait_for_events(void *argument)
{
    struct rpc_queue *queue = argument;
    grpc_event event;

    do {
        event = grpc_completion_queue_next(queue->raw, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            event.tag = NULL; /* it is not set */
        uv_mutex_lock(&queue->lock);
        add(&queue->happened, (struct event){event.tag, event.success});
        uv_mutex_unlock(&queue->lock);
        uv_async_send(&queue->wake);
    } while (event.type != GRPC_QUEUE_SHUTDOWN);
}

/* ---- the loop's ---- */

static void on_wake_closed(uv_handle_t *handle)
{
    struct rpc_queue *queue = handle->data;
    void (*closed)(void *context) = queue->closed;
    void *context = queue->context;

    free(queue->happened.items);
    free(queue->taken.items);
    free(queue);
    closed(context);
}

static void end(struct rpc_queue *queue)
{
    uv_thread_join(&queue->waiter);
    grpc_completion_queue_destroy(queue->raw);
    uv_mutex_destroy(&queue->lock);
    uv_close((uv_handle_t *)&queue->wake, on_wake_closed);
}

static void on_wake(uv_async_t *wake)
{
    struct rpc_queue *queue = wake->data;
    struct events events = queue->taken;

    uv_mutex_lock(&queue->lock);
    queue->taken = queue->happened;
    queue->happened = events;
    queue->happened.count = 0;
    uv_mutex_unlock(&queue->lock);
    for (size_t i = 0; i < queue->taken.count; i++) {
        const struct event event = queue->taken.items[i];

        if (!event.tag) {
            end(queue);
            return;
        }
        event.tag->done(event.tag->owner, event.ok);
    }
}

struct rpc_queue *rpc_queue_new(uv_loop_t *loop)
{
    struct rpc_queue *queue = xcalloc(1, sizeof(*queue));

    queue->raw = grpc_completion_queue_create_for_next(NULL);
    queue->wake.data = queue;
    uv_mutex_init(&queue->lock);
    uv_async_init(loop, &queue->wake, on_wake);
    if (uv_thread_create(&queue->waiter, wait_for_events, queue))
        abort(); /* no thread at the start: nothing would ever be answered */
    return queue;
}

grpc_completion_queue *rpc_queue_raw(const struct rpc_queue *queue)
{
    return queue->raw;
}

void rpc_queue_close(struct rpc_queue *queue, void (*closed)(void *context), void *context)
{
    queue->closed = closed;
    queue->context = context;
    grpc_completion_queue_shutdown(queue->raw);
}
