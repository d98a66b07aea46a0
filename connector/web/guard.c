/* guard: see guard.h. */
#include "web/guard.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <utlist.h>

struct guarded {
    int fd;
    uint64_t since;  /* it waits */
    bool is_waiting; /* it is in the list */
    bool was_answered, is_shut;
    struct guarded *prev, *next; /* in guard->waiting */
};

static void stop_waiting(struct guard *guard, struct guarded *connection)
{
    if (connection->is_waiting)
        DL_DELETE(guard->waiting, connection);
    connection->is_waiting = false;
}

static void wait(struct guard *guard, struct guarded *connection, uint64_t now_ms)
{
    stop_waiting(guard, connection);
    connection->since = now_ms;
    connection->is_waiting = true;
    DL_APPEND(guard->waiting, connection);
}

/* Its server then sees an end, and closes it. */
static void shut(struct guard *guard, struct guarded *connection)
{
    stop_waiting(guard, connection);
    connection->is_shut = true;
    guard->count--;
    shutdown(connection->fd, SHUT_RDWR);
}

struct guarded *guard_opened(struct guard *guard, int fd, uint64_t now_ms)
{
    struct guarded *connection = xcalloc(1, sizeof(*connection));

    connection->fd = fd;
    guard->count++;
    if (guard->limits.connections && guard->count > guard->limits.connections && guard->waiting)
        shut(guard, guard->waiting);
    wait(guard, connection, now_ms);
    return connection;
}

void guard_asked(struct guard *guard, struct guarded *connection)
{
    stop_waiting(guard, connection);
}

void guard_answered(struct guard *guard, struct guarded *connection, uint64_t now_ms)
{
    if (connection->is_shut)
        return;
    connection->was_answered = true;
    wait(guard, connection, now_ms);
}

void guard_closed(struct guard *guard, struct guarded *connection)
{
    stop_waiting(guard, connection);
    if (!connection->is_shut)
        guard->count--;
    free(connection);
}

void guard_sweep(struct guard *guard, uint64_t now_ms)
{
    struct guarded *connection, *next;

    if (!guard->limits.connections)
        return;
    DL_FOREACH_SAFE (guard->waiting, connection, next)
        if (now_ms - connection->since >
            (connection->was_answered ? guard->limits.idle_ms : guard->limits.request_ms))
            shut(guard, connection);
}
