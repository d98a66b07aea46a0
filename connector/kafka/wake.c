/* wake: see wake.h. */
#include "kafka/wake.h"

#include "base/log.h"

#include <unistd.h>

/* Writes of so few bytes are atomic, so no mark arrives in halves. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct kafka_wake *wake = poll->data;
    uint64_t marks[64];
    ssize_t size = read(wake->fds[0], marks, sizeof(marks));

    (void)status, (void)events;
    for (ssize_t i = 0; i < size / (ssize_t)sizeof(*marks) && uv_is_active((uv_handle_t *)poll);
         i++)
        wake->woken(wake->context, marks[i]);
}

void kafka_wake_open(struct kafka_wake *wake, uv_loop_t *loop,
                     void (*woken)(void *context, uint64_t mark), void *context)
{
    int error = uv_pipe(wake->fds, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE);

    if (error)
        die("no pipe for a Kafka client: %s", uv_strerror(error));
    wake->woken = woken;
    wake->context = context;
    uv_poll_init(loop, &wake->poll, wake->fds[0]);
    wake->poll.data = wake;
    uv_poll_start(&wake->poll, UV_READABLE, on_readable);
}

void kafka_wake_watch(struct kafka_wake *wake, rd_kafka_queue_t *queue, uint64_t mark)
{
    ssize_t written;

    rd_kafka_queue_io_event_enable(queue, wake->fds[1], &mark, sizeof(mark));
    written = write(wake->fds[1], &mark, sizeof(mark));
    (void)written; /* what fills the pipe wakes us too */
}

void kafka_wake_ignore(rd_kafka_queue_t *queue)
{
    rd_kafka_queue_io_event_enable(queue, -1, NULL, 0);
}

void kafka_wake_stop(struct kafka_wake *wake)
{
    uv_poll_stop(&wake->poll);
}

static void on_closed(uv_handle_t *handle)
{
    const struct kafka_wake *wake = handle->data;

    wake->closed(wake->context);
}

void kafka_wake_close(struct kafka_wake *wake, void (*closed)(void *context))
{
    wake->closed = closed;
    uv_close((uv_handle_t *)&wake->poll, on_closed);
}

void kafka_wake_release(struct kafka_wake *wake)
{
    close(wake->fds[0]);
    close(wake->fds[1]);
}
