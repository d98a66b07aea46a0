/*
 * http: which requests are on their way, and the telling of their answers.
 *
 * A call is in one of four states: flying (in curl), ended (its answer waits to be told), told
 * (within `answered`), idle (in the pool, with its transfer).
 *
 * A request's time is kept here, not by curl: that looks at the time before it reads what has come.
 * When the process was frozen, or held up, its time may be over while its answer lies in the
 * socket; it would count as not answered, and be sent again. So when an alarm rings the loop looks
 * at its sockets once, and only what has no answer then has none.
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
    uv_timer_t alarm;  /* at the first time that is over, or before */
    uint64_t alarm_at; /* of uv_now; 0: not set */
    bool rang;         /* and the sockets were looked at since, when `collect` is called */
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

/* ---- time ---- */

static void on_alarm(uv_timer_t *alarm)
{
    struct http *http = alarm->data;

    http->alarm_at = 0;
    http->rang = true;
    http_loop_wake(http->loop);
}

/* When a call's time is over, of uv_now; 0: never. */
static uint64_t end_of(const struct http_call *call)
{
    const struct transfer *transfer = &call->transfer;

    if (transfer->request.timeout_ms <= 0)
        return 0;
    return transfer->started / 1000000 + (uint64_t)transfer->request.timeout_ms + 1;
}

/* An alarm that is early by then, because its call has ended, only looks anew. */
static void set_alarm(struct http *http, uint64_t at)
{
    uint64_t now = uv_now(http->alarm.loop);

    if (!at || (http->alarm_at && http->alarm_at <= at))
        return;
    http->alarm_at = at;
    uv_timer_start(&http->alarm, on_alarm, at > now ? at - now : 0, 0);
}

static void end_overdue(struct http *http)
{
    uint64_t now = uv_now(http->alarm.loop);
    struct http_call *call, *next;

    if (!http->rang)
        return;
    http->rang = false;
    DL_FOREACH_SAFE (http->flying, call, next) {
        if (!end_of(call) || end_of(call) > now) {
            set_alarm(http, end_of(call));
            continue;
        }
        http_loop_remove(http->loop, call->transfer.easy);
        transfer_judge(&call->transfer, CURLE_OPERATION_TIMEDOUT);
        call_move(call, CALL_ENDED);
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
    end_overdue(http);
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
        set_alarm(http, end_of(call));
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
    uv_timer_init(loop, &http->alarm);
    uv_unref((uv_handle_t *)&http->alarm); /* what it waits for has a socket that keeps the loop */
    http->alarm.data = http;
    return http;
}

static void on_alarm_closed(uv_handle_t *alarm)
{
    free(alarm->data);
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
    uv_close((uv_handle_t *)&http->alarm, on_alarm_closed);
}
