/* delay: see delay.h. */
#include "invoke/delay.h"

#include "base/xalloc.h"

#include <stdlib.h>

struct delay {
    uv_timer_t timer; /* first: the handle's address is the delay's */
    void (*due)(void *context);
    void *context;
};

static void on_closed(uv_handle_t *timer)
{
    free(timer);
}

static void on_timer(uv_timer_t *timer)
{
    struct delay *delay = (struct delay *)timer;

    uv_close((uv_handle_t *)timer, on_closed); /* frees at the end of this turn of the loop */
    delay->due(delay->context);
}

struct delay *delay_start(uv_loop_t *loop, int64_t ms, void (*due)(void *context), void *context)
{
    struct delay *delay = xmalloc(sizeof(*delay));

    delay->due = due;
    delay->context = context;
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
