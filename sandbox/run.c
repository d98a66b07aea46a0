/*
 * run: a call's life: arrived, waiting for its latency or its program, ran, ended.
 *
 * An observer or decide() may bring the gateway down or remove the function: then this very call
 * is cut, and `over` is set when it returns.
 */
#include "sandbox/gateway_private.h"

#include "base/xalloc.h"

#include <errno.h>
#include <stdlib.h>

extern char **environ;

static void tell(struct run *run, enum faas_event event, int status)
{
    struct faas_gateway *gateway = run->function->gateway;
    if (gateway->seen)
        gateway->seen(gateway->seen_context, event, &run->call, status);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct run *run = handle->data;
    reply_release(&run->reply);
    free(run->body);
    free(run);
}

static void forget(struct run *run)
{
    run->over = true;
    DL_DELETE(run->function->gateway->runs, run);
    if (run->program)
        program_kill(run->program);
    run->program = NULL;
    uv_close((uv_handle_t *)&run->timer, on_timer_closed);
}

/* ---- ends ---- */

static void end_cut(struct run *run)
{
    if (run->over)
        return;
    struct web_request *request = run->call.request;
    forget(run);
    if (request) {
        tell(run, FAAS_ENDED, 0);
        web_cut(request);
    }
}

static void end_answered(struct run *run, const char *content_type)
{
    struct web_request *request = run->call.request;
    const struct faas_reply *reply = &run->reply;
    forget(run);
    if (request) {
        tell(run, FAAS_ENDED, reply->status);
        web_answer(request, reply->status, content_type, reply->body, reply->body_size,
                   reply->header);
    }
}

static void end(struct run *run)
{
    if (run->over)
        return;
    if (run->reply.end != FAAS_CUT_BEFORE)
        tell(run, FAAS_RAN, run->reply.status);
    if (run->over)
        return;
    if (run->function->sleeper && run->reply.status / 100 == 2)
        function_woken(run->function, run->call.body, run->call.body_size);
    if (run->reply.end == FAAS_ANSWER)
        end_answered(run, "text/plain; charset=utf-8");
    else
        end_cut(run);
}

void run_release(struct run *run)
{
    run->held = false;
    end(run);
}

void run_cut_all(struct faas_gateway *gateway, const struct faas_function *function)
{
    struct run *run, *next;
    DL_FOREACH_SAFE (gateway->runs, run, next)
        if (!function || run->function == function)
            end_cut(run);
}

/* ---- what it waits for ---- */

static void on_timer(uv_timer_t *timer)
{
    end(timer->data);
}

static void on_program_ended(void *context, bool ok, const void *output, size_t size)
{
    struct run *run = context;
    run->program = NULL;
    run->reply.status = ok ? 200 : 500;
    run->reply.body = xstrndup(output, size);
    run->reply.body_size = size;
    end(run);
}

/* ---- the start ---- */

static int64_t header_number(const struct web_request *request, const char *name)
{
    const char *text = web_header(request, name);
    char *rest;
    errno = 0;
    long long number = text ? strtoll(text, &rest, 10) : -1;
    return text && (*rest || errno) ? -1 : number;
}

static struct run *run_new(struct faas_function *function, struct web_request *request, bool async)
{
    struct run *run = xcalloc(1, sizeof(*run));
    const char *topic = web_header(request, "X-Topic");
    run->function = function;
    run->call =
        (struct faas_call){.function = function->path,
                           .topic = topic ? topic : "",
                           .key = web_header(request, "X-Kafka-Key"),
                           .partition = (int32_t)header_number(request, "X-Kafka-Partition"),
                           .offset = header_number(request, "X-Kafka-Offset"),
                           .async = async,
                           .number = ++function->calls,
                           .arrived_us = (int64_t)(uv_hrtime() / 1000),
                           .request = request};
    run->call.body = web_body(request, &run->call.body_size);
    uv_timer_init(function->gateway->loop, &run->timer);
    run->timer.data = run;
    DL_APPEND(function->gateway->runs, run);
    return run;
}

/* An async call of a program is answered first; the program runs on a copy of the body. */
static void detach(struct run *run)
{
    struct web_request *request = run->call.request;
    run->body = xstrndup(run->call.body, run->call.body_size);
    run->call.body = run->body;
    tell(run, FAAS_ENDED, 202);
    run->call.request = NULL;
    run->call.topic = "";
    run->call.key = NULL;
    web_answer(request, 202, NULL, NULL, 0, NULL);
}

static void start_program(struct run *run)
{
    if (run->call.async)
        detach(run);
    if (run->over)
        return;
    struct program_job job = {.argv = run->function->argv,
                              .environment = environ,
                              .body = run->call.body,
                              .body_size = run->call.body_size,
                              .time_limit_ms = FAAS_PROGRAM_TIME_MS,
                              .output_limit = FAAS_PROGRAM_OUTPUT,
                              .ended = on_program_ended,
                              .context = run};
    run->program = program_start(run->function->gateway->loop, &job);
}

static void start_script(struct run *run)
{
    run->reply = function_choose(run->function, &run->call);
    if (run->over)
        return;
    if (!run->reply.status)
        run->reply.status = run->call.async ? 202 : 200;
    if (run->reply.latency_ms == FAAS_HELD)
        run->held = true;
    else if (run->reply.latency_ms > 0)
        uv_timer_start(&run->timer, on_timer, (uint64_t)run->reply.latency_ms, 0);
    else
        end(run);
}

void run_start(struct faas_function *function, struct web_request *request, bool async)
{
    struct run *run = run_new(function, request, async);
    tell(run, FAAS_ARRIVED, -1);
    if (run->over)
        return;
    if (function->argv && !function->next && !function->decide)
        start_program(run);
    else
        start_script(run);
}
