/* delay: see delay.h. */
#include "invoke/delay.h"

#include "base/xalloc.h"

#include <stdbool.h>
#include <stdlib.h>

enum { LATE_MS = 100 };

struct delay {
    uv_timer_t timer; /* first: the handle's address is the delay's */
    void (*due)(void *context);
    void *context;
    uint64_t at; /* when it is due, of uv_now */
    bool late;   /* it was found so, and what has come meanwhile goes first */
};

static void on_closed(uv_handle_t *timer)
{
    free(timer);
}

static void on_timer(uv_timer_t *timer)
{
    struct delay *delay = (struct delay *)timer;

    if (!delay->late && uv_now(timer->loop) > delay->at + LATE_MS) {
        delay->late = true;
        uv_timer_start(timer, on_timer, 1, 0); /* 0 would be this turn yet */
        return;
    }
    uv_close((uv_handle_t *)timer, on_closed); /* frees at the end of this turn of the loop */
    delay->due(delay->context);
}

struct delay *delay_start(uv_loop_t *loop, int64_t ms, void (*due)(void *context), void *context)
{
    struct delay *delay = xmalloc(sizeof(*delay));

    delay->due = due;
    delay->context = context;
    delay->at = uv_now(loop) + (ms > 0 ? (uint64_t)ms : 0);
    delay->late = false;
    uv_timer_init(loop, &delay->timer);
    uv_timer_start(&delay->timer, on_timer, ms > 0 ? (uint64_t)ms : 0, 0);
    return delay;
}

void delay_cancel(struct delay **delay)
{
    if (*delay)
        uv_close((uv_handle_t *)&(*delay)->timer, on_closed);
    *delay = NULL;
}
