/* call: a record, a function and an answer. Calls and their blocks of lines are used again. */
#include "gateway/call.h"

#include "base/xalloc.h"
#include "gateway/call_headers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    SHARED_LINES = 3,
    EXPECT_SIZE = 1024 * 1024,   /* of a body from which on curl would wait for a 100 */
    LINES_KEPT_SIZE = 16 * 1024, /* of a call's block, in the pool */
};

struct caller {
    struct http *http;
    const struct gateway_options *options;
    struct call_head head;
    struct http_line shared[SHARED_LINES]; /* what curl shall not send; the first: large bodies */
    struct call *idle;
    size_t on_their_way;
};

struct callee {
    struct caller *caller;
    http_target *target;
};

struct call {
    struct call *next; /* in caller->idle */
    struct caller *caller;
    struct http_call *http_call;
    struct call_lines lines;
    void (*answered)(void *context, const struct http_answer *answer);
    void *context;
};

/* Content-Type leads: else curl adds one, which it does to no other line of these but Host, and
 * that is formatted once here instead of each time. NULL: the URL is none, and no callee will be
 * made. */
static char *head_text(const struct gateway_options *options)
{
    http_target *target = http_target_new(options->url);
    char *host, *text;

    if (!target)
        return NULL;
    host = http_target_host(target);
    text = xasprintf("Content-Type: %s\r\nHost: %s\r\n" GATEWAY_USER_AGENT
                     "\r\nX-Connector: kafka-connector\r\n",
                     options->content_type, host);
    free(host);
    http_target_free(target);
    return text;
}

struct caller *caller_new(struct http *http, const struct gateway_options *options)
{
    static char none[SHARED_LINES][sizeof("Expect:")] = {"Expect:", "Accept:", "Host:"};
    struct caller *caller = xcalloc(1, sizeof(*caller));

    caller->http = http;
    caller->options = options;
    caller->head.text = head_text(options);
    caller->head.size = caller->head.text ? strlen(caller->head.text) : 0;
    for (size_t i = 0; i < SHARED_LINES; i++)
        caller->shared[i] =
            (struct http_line){none[i], i + 1 < SHARED_LINES ? &caller->shared[i + 1] : NULL};
    return caller;
}

void caller_free(struct caller *caller)
{
    struct call *call;

    if (!caller)
        return;
    assert(!caller->on_their_way);
    while ((call = caller->idle)) {
        LL_DELETE(caller->idle, call);
        call_lines_release(&call->lines);
        free(call);
    }
    free(caller->head.text);
    free(caller);
}

struct callee *callee_new(struct caller *caller, const char *path)
{
    const char *route = caller->options->async_invocation ? "async-function" : "function";
    struct callee *callee;
    char *url;
    http_target *target;

    if (!gateway_path_clean(path))
        return NULL;
    url = xasprintf("%s/%s/%s", caller->options->url, route, path);
    target = http_target_new(url);
    free(url);
    if (!target)
        return NULL;
    callee = xmalloc(sizeof(*callee));
    *callee = (struct callee){caller, target};
    return callee;
}

void callee_free(struct callee *callee)
{
    if (!callee)
        return;
    http_target_free(callee->target);
    free(callee);
}

static struct call *call_take(struct caller *caller)
{
    struct call *call = caller->idle;

    if (call)
        LL_DELETE(caller->idle, call);
    else
        call = xcalloc(1, sizeof(*call));
    call->caller = caller;
    caller->on_their_way++;
    return call;
}

static void call_release(struct call *call)
{
    if (call->lines.size > LINES_KEPT_SIZE)
        call_lines_release(&call->lines);
    call->caller->on_their_way--;
    LL_PREPEND(call->caller->idle, call);
}

static void on_answered(void *context, const struct http_answer *answer)
{
    struct call *call = context;
    void (*answered)(void *, const struct http_answer *) = call->answered;
    void *answered_context = call->context;

    call_release(call); /* first: the next call, started in `answered`, finds it warm */
    answered(answered_context, answer);
}

struct call *call_start(struct callee *callee, const struct record *record, bool fresh,
                        void (*answered)(void *context, const struct http_answer *answer),
                        void *context)
{
    struct caller *caller = callee->caller;
    struct call *call = call_take(caller);
    size_t size = record->value ? record->value_size : 0;
    struct http_line *lines = call_lines_fill(&call->lines, &caller->head, record);

    lines->next = &caller->shared[size < EXPECT_SIZE];
    call->answered = answered;
    call->context = context;
    call->http_call =
        http_send(caller->http, &(struct http_request){
                                    .method = "POST",
                                    .target = callee->target,
                                    .lines = lines,
                                    .body = record->value,
                                    .body_size = size,
                                    .body_limit = (size_t)caller->options->response_limit,
                                    .timeout_ms = caller->options->upstream_timeout,
                                    .fresh = fresh,
                                    .answered = on_answered,
                                    .context = call,
                                });
    return call;
}

void call_cancel(struct call *call)
{
    http_cancel(call->http_call);
    call_release(call);
}
