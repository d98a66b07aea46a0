/* rpc_log: see rpc_log.h. */
#include "scale/rpc_log.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <grpc/support/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 64, LINES_A_MINUTE = 20, MINUTE_MS = 60 * 1000 };

struct line {
    gpr_log_severity severity;
    char *text;
};

struct lines {
    struct line items[LINES_MAX];
    size_t count, dropped;
};

/* gRPC knows one log function, without a context. */
static struct {
    uv_mutex_t lock;   /* of the next two alone */
    struct lines said; /* not seen by the loop yet */
    bool says_deaf;    /* likewise: among those that were dropped too */
    uv_async_t *wake;
    uint64_t minute_ms; /* when the one that is counted began */
    size_t told, left_out;
    void (*deaf)(void *context);
    void *context;
} hook;

/* On any thread. An assertion's line is gRPC's last: there will be no turn of the loop to tell it.
 */
static void on_line(gpr_log_func_args *args)
{
    bool deaf = strstr(args->message, "Failed accept4") != NULL;

    if (strstr(args->message, "assertion failed"))
        fprintf(stderr, "gRPC: %s:%d: %s\n", args->file, args->line, args->message);
    uv_mutex_lock(&hook.lock);
    if (hook.said.count < LINES_MAX)
        hook.said.items[hook.said.count++] = (struct line){args->severity, xstrdup(args->message)};
    else
        hook.said.dropped++;
    hook.says_deaf |= deaf;
    uv_mutex_unlock(&hook.lock);
    uv_async_send(hook.wake);
}

static void begin_minute(uint64_t now)
{
    if (hook.left_out)
        log_warning(NULL, "gRPC: %zu more lines within a minute", hook.left_out);
    hook.minute_ms = now;
    hook.told = hook.left_out = 0;
}

/* What rpc_server reports in a sentence of its own: that it cannot listen. */
static bool is_told_elsewhere(const char *text)
{
    return strstr(text, "No address added") != NULL;
}

static void tell(struct line line, uint64_t now)
{
    bool error = line.severity == GPR_LOG_SEVERITY_ERROR && !is_told_elsewhere(line.text);

    if (now - hook.minute_ms >= MINUTE_MS)
        begin_minute(now);
    if (!error)
        log_debug(NULL, "gRPC: %s", line.text);
    else if (hook.told < LINES_A_MINUTE)
        log_warning(NULL, "gRPC: %s", line.text);
    else
        hook.left_out++;
    hook.told += error;
}

/* True: gRPC says that it is deaf. */
static bool tell_all(uint64_t now)
{
    struct lines lines;
    bool deaf;

    uv_mutex_lock(&hook.lock);
    lines = hook.said;
    deaf = hook.says_deaf;
    hook.said.count = hook.said.dropped = 0;
    hook.says_deaf = false;
    uv_mutex_unlock(&hook.lock);
    for (size_t i = 0; i < lines.count; i++) {
        tell(lines.items[i], now);
        free(lines.items[i].text);
    }
    hook.left_out += lines.dropped;
    return deaf;
}

static void on_wake(uv_async_t *wake)
{
    if (tell_all(uv_now(wake->loop)))
        hook.deaf(hook.context);
}

void rpc_log_open(uv_loop_t *loop, void (*deaf)(void *context), void *context)
{
    hook.deaf = deaf;
    hook.context = context;
    uv_mutex_init(&hook.lock);
    hook.wake = xcalloc(1, sizeof(*hook.wake));
    hook.minute_ms = uv_now(loop);
    hook.told = hook.left_out = 0;
    uv_async_init(loop, hook.wake, on_wake);
    gpr_set_log_function(on_line);
}

static void on_wake_closed(uv_handle_t *handle)
{
    free(handle);
}

void rpc_log_close(void)
{
    gpr_set_log_function(NULL); /* gRPC's own again */
    tell_all(uv_now(hook.wake->loop));
    uv_close((uv_handle_t *)hook.wake, on_wake_closed);
    uv_mutex_destroy(&hook.lock);
}
