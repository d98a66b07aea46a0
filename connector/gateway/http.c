/*
 * http: which requests are on their way, and the telling of their answers.
 *
 * curl looks at every connection of a multi handle when a request ends and at every busy one when
 * one begins: with 256 a request costs 104,000 instructions instead of 73,000. So a multi handle
 * carries MULTI_CALLS at most, the first one all as long as it can.
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

enum {
    MULTI_CALLS = 64,
    SPARE_CONNECTIONS = 8, /* kept beyond those: for the list of functions, for retries */
};

enum call_state { CALL_IDLE, CALL_FLYING, CALL_ENDED, CALL_TOLD };

struct http_call {
    struct multi *multi;
    enum call_state state;
    struct http_call *prev, *next; /* in the list of its state */
    struct transfer transfer;
};

struct multi {
    struct http *http;
    struct http_loop *loop;
    struct http_call *flying, *idle;
    size_t flying_count;
};

struct http {
    const struct http_options *options;
    struct http_call *ended;
    size_t in_flight, waiting; /* flying and ended; ended */
    bool telling;
    uv_timer_t alarm;  /* at the first time that is over, or before */
    uint64_t alarm_at; /* of uv_now; 0: not set */
    bool rang;         /* and the sockets were looked at since, when `collect` is called */
    size_t multi_count;
    struct multi multis[];
};

/* ---- calls and their pool ---- */

/* The last one takes what is too much for all. */
static struct multi *multi_with_room(struct http *http)
{
    struct multi *multi = http->multis, *last = http->multis + http->multi_count - 1;

    while (multi < last && multi->flying_count >= MULTI_CALLS)
        multi++;
    return multi;
}

static struct http_call *call_take(struct http *http)
{
    struct multi *multi = multi_with_room(http);
    struct http_call *call = multi->idle;

    if (call) {
        LL_DELETE(multi->idle, call);
        return call;
    }
    call = xcalloc(1, sizeof(*call));
    call->multi = multi;
    transfer_init(&call->transfer, multi->loop, http->options, call);
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
    struct multi *multi = call->multi;
    struct http *http = multi->http;

    if (call->state == CALL_FLYING) {
        DL_DELETE(multi->flying, call);
        multi->flying_count--;
        http->in_flight--;
    } else if (call->state == CALL_ENDED) {
        DL_DELETE(http->ended, call);
        http->in_flight--;
        http->waiting--;
    }
    call->state = to;
    if (to == CALL_FLYING) {
        DL_APPEND(multi->flying, call);
        multi->flying_count++;
        http->in_flight++;
    } else if (to == CALL_ENDED) {
        DL_APPEND(http->ended, call);
        http->in_flight++;
        http->waiting++;
    } else if (to == CALL_IDLE) {
        transfer_clear(&call->transfer);
        LL_PREPEND(multi->idle, call);
    }
}

/* ---- time ---- */

static void on_alarm(uv_timer_t *alarm)
{
    struct http *http = alarm->data;

    http->alarm_at = 0;
    http->rang = true;
    http_loop_wake(http->multis[0].loop);
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

/* ---- answers ---- */

static void gather(struct multi *multi)
{
    struct http_call *call;
    CURLcode code;
    CURL *easy;

    while ((easy = http_loop_ended(multi->loop, &code))) {
        call = transfer_owner(easy);
        http_loop_remove(multi->loop, easy);
        transfer_judge(&call->transfer, code);
        call_move(call, CALL_ENDED);
    }
}

static void end_overdue_of(struct multi *multi)
{
    uint64_t now = uv_now(multi->http->alarm.loop);
    struct http_call *call, *next;

    DL_FOREACH_SAFE (multi->flying, call, next) {
        if (!end_of(call) || end_of(call) > now) {
            set_alarm(multi->http, end_of(call));
            continue;
        }
        http_loop_remove(multi->loop, call->transfer.easy);
        transfer_judge(&call->transfer, CURLE_OPERATION_TIMEDOUT);
        call_move(call, CALL_ENDED);
    }
}

/* What has ended of the others is gathered first: its answer may have come in the same turn. */
static void end_overdue(struct http *http)
{
    if (!http->rang)
        return;
    http->rang = false;
    for (size_t i = 0; i < http->multi_count; i++) {
        gather(&http->multis[i]);
        end_overdue_of(&http->multis[i]);
    }
}

/* All that ended leaves curl first, then it is told: so what is sent from within `answered` finds
 * their connections free. What ends meanwhile waits for the next turn. */
static void collect(void *context)
{
    struct multi *multi = context;
    struct http *http = multi->http;
    struct transfer *transfer;
    struct http_call *call;

    gather(multi);
    end_overdue(http);
    http->telling = true;
    for (size_t left = http->waiting; left && (call = http->ended); left--) {
        call_move(call, CALL_TOLD);
        transfer = &call->transfer;
        transfer->request.answered(transfer->request.context, &transfer->answer);
        call_move(call, CALL_IDLE);
    }
    http->telling = false;
    if (!multi->flying)
        http_loop_drop_stale(multi->loop);
}

/* ---- requests ---- */

struct http_call *http_send(struct http *http, const struct http_request *request)
{
    struct http_call *call = call_take(http);
    CURLcode code = transfer_begin(&call->transfer, request);

    if (!code && http_loop_add(call->multi->loop, call->transfer.easy))
        code = CURLE_FAILED_INIT;
    if (!code) {
        call_move(call, CALL_FLYING);
        set_alarm(http, end_of(call));
        return call;
    }
    transfer_judge(&call->transfer, code);
    call_move(call, CALL_ENDED);
    http_loop_wake(call->multi->loop);
    return call;
}

void http_cancel(struct http_call *call)
{
    assert(call->state == CALL_FLYING || call->state == CALL_ENDED);
    if (call->state == CALL_FLYING)
        http_loop_remove(call->multi->loop, call->transfer.easy);
    call_move(call, CALL_IDLE);
}

size_t http_in_flight(const struct http *http)
{
    return http->in_flight;
}

/* ---- the story ---- */

static bool open_multis(struct http *http, uv_loop_t *loop)
{
    for (size_t i = 0; i < http->multi_count; i++) {
        struct multi *multi = &http->multis[i];

        multi->http = http;
        multi->loop = http_loop_new(loop, MULTI_CALLS + SPARE_CONNECTIONS, collect, multi);
        if (!multi->loop)
            return false;
    }
    return true;
}

static void multi_close(struct multi *multi)
{
    struct http_call *call;

    while ((call = multi->flying))
        http_cancel(call);
    while ((call = multi->idle)) {
        LL_DELETE(multi->idle, call);
        call_free(call);
    }
    if (multi->loop)
        http_loop_free(multi->loop);
}

struct http *http_new(uv_loop_t *loop, const struct http_options *options, size_t in_flight,
                      const char **reason)
{
    size_t count = in_flight > MULTI_CALLS ? (in_flight + MULTI_CALLS - 1) / MULTI_CALLS : 1;
    struct http *http = xcalloc(1, sizeof(*http) + count * sizeof(*http->multis));

    uv_timer_init(loop, &http->alarm);
    uv_unref((uv_handle_t *)&http->alarm); /* what it waits for has a socket that keeps the loop */
    http->alarm.data = http;
    http->options = options;
    http->multi_count = count;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) || !open_multis(http, loop)) {
        *reason = "libcurl does not start";
        http_free(http);
        return NULL;
    }
    return http;
}

static void on_alarm_closed(uv_handle_t *alarm)
{
    free(alarm->data);
}

void http_free(struct http *http)
{
    if (!http)
        return;
    assert(!http->telling);
    while (http->ended)
        http_cancel(http->ended);
    for (size_t i = 0; i < http->multi_count; i++)
        multi_close(&http->multis[i]);
    curl_global_cleanup();
    uv_close((uv_handle_t *)&http->alarm, on_alarm_closed);
}
