/*
 * http: which requests are on their way, and the telling of their answers.
 *
 * A call is in one of four states: flying (in curl), ended (its answer waits to be told), told
 * (within `answered`), idle (in the pool, with its transfer).
 */
#include "gateway/http.h"

#include "base/xalloc.h"
#include "gateway/http_loop.h"
#include "gateway/http_transfer.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

enum { SPARE_CONNECTIONS = 8 }; /* kept beyond in_flight: for the list of functions, for retries */

enum call_state { CALL_IDLE, CALL_FLYING, CALL_ENDED, CALL_TOLD };

struct http_call {
    struct http *http;
    enum call_state state;
    struct http_call *prev, *next; /* in http's list of its state */
    struct transfer transfer;
};

struct http {
    struct http_loop *loop;
    const struct http_options *options;
    struct http_call *flying, *ended, *idle;
    size_t in_flight, waiting; /* flying and ended; ended */
    bool telling;
};

/* ---- calls and their pool ---- */

static struct http_call *call_take(struct http *http)
{
    struct http_call *call = http->idle;

    if (call) {
        LL_DELETE(http->idle, call);
        return call;
    }
    call = xcalloc(1, sizeof(*call));
    call->http = http;
    transfer_init(&call->transfer, http->loop, http->options, call);
    return call;
}

static void call_free(struct http_call *call)
{
    transfer_release(&call->transfer);
    free(call);
}

/* The only place that sets a call's state. */
static void call_move(struct http_call *call, enum call_state to)
{
    struct http *http = call->http;

    if (call->state == CALL_FLYING) {
        DL_DELETE(http->flying, call);
        http->in_flight--;
    } else if (call->state == CALL_ENDED) {
        DL_DELETE(http->ended, call);
        http->in_flight--;
        http->waiting--;
    }
    call->state = to;
    if (to == CALL_FLYING) {
        DL_APPEND(http->flying, call);
        http->in_flight++;
    } else if (to == CALL_ENDED) {
        DL_APPEND(http->ended, call);
        http->in_flight++;
        http->waiting++;
    } else if (to == CALL_IDLE) {
        transfer_clear(&call->transfer);
        LL_PREPEND(http->idle, call);
    }
}

/* ---- answers ---- */

static void gather(struct http *http)
{
    struct http_call *call;
    CURLcode code;
    CURL *easy;

    while ((easy = http_loop_ended(http->loop, &code))) {
        call = transfer_owner(easy);
        http_loop_remove(http->loop, easy);
        transfer_judge(&call->transfer, code);
        call_move(call, CALL_ENDED);
    }
}

/* All that ended leaves curl first, then it is told: so what is sent from within `answered` finds
 * their connections free. What ends meanwhile waits for the next turn. */
static void collect(void *context)
{
    struct http *http = context;
    struct transfer *transfer;
    struct http_call *call;

    gather(http);
    http->telling = true;
    for (size_t left = http->waiting; left && (call = http->ended); left--) {
        call_move(call, CALL_TOLD);
        transfer = &call->transfer;
        transfer->request.answered(transfer->request.context, &transfer->answer);
        call_move(call, CALL_IDLE);
    }
    http->telling = false;
}

/* ---- requests ---- */

struct http_call *http_send(struct http *http, const struct http_request *request)
{
    struct http_call *call = call_take(http);
    CURLcode code = transfer_begin(&call->transfer, request);

    if (!code && http_loop_add(http->loop, call->transfer.easy))
        code = CURLE_FAILED_INIT;
    if (!code) {
        call_move(call, CALL_FLYING);
        return call;
    }
    transfer_judge(&call->transfer, code);
    call_move(call, CALL_ENDED);
    http_loop_wake(http->loop);
    return call;
}

void http_cancel(struct http_call *call)
{
    assert(call->state == CALL_FLYING || call->state == CALL_ENDED);
    if (call->state == CALL_FLYING)
        http_loop_remove(call->http->loop, call->transfer.easy);
    call_move(call, CALL_IDLE);
}

size_t http_in_flight(const struct http *http)
{
    return http->in_flight;
}

/* ---- the story ---- */

struct http *http_new(uv_loop_t *loop, const struct http_options *options, size_t in_flight,
                      const char **reason)
{
    struct http *http = xcalloc(1, sizeof(*http));

    http->options = options;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) ||
        !(http->loop = http_loop_new(loop, in_flight + SPARE_CONNECTIONS, collect, http))) {
        *reason = "libcurl does not start";
        free(http);
        return NULL;
    }
    return http;
}

void http_free(struct http *http)
{
    struct http_call *call;

    if (!http)
        return;
    assert(!http->telling);
    while ((call = http->flying ? http->flying : http->ended))
        http_cancel(call);
    while ((call = http->idle)) {
        LL_DELETE(http->idle, call);
        call_free(call);
    }
    http_loop_free(http->loop);
    curl_global_cleanup();
    free(http);
}
