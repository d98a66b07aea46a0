/* await: see await.h. */
#include "tests/harness/await.h"

static void on_tick(uv_timer_t *timer)
{
    (void)timer; /* that the loop turned is all that is wanted */
}

bool await(uv_loop_t *loop, bool (*holds)(void *context), void *context, int64_t timeout_ms)
{
    uint64_t deadline = uv_hrtime() + (uint64_t)timeout_ms * 1000 * 1000;
    uv_timer_t tick;
    bool held = holds(context);

    uv_timer_init(loop, &tick);
    uv_timer_start(&tick, on_tick, AWAIT_STEP_MS, AWAIT_STEP_MS);
    while (!held && uv_hrtime() < deadline) {
        uv_run(loop, UV_RUN_ONCE);
        held = holds(context);
    }
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(loop, UV_RUN_NOWAIT); /* ends the tick: it lies on our stack */
    return held;
}

static bool never(void *context)
{
    (void)context;
    return false;
}

void await_time(uv_loop_t *loop, int64_t ms)
{
    await(loop, never, NULL, ms);
}

bool await_close(uv_loop_t *loop)
{
    for (int turns = 0; turns < 100; turns++) {
        if (uv_loop_close(loop) == 0)
            return true;
        uv_run(loop, UV_RUN_NOWAIT);
    }
    return false;
}
