/* clock: see clock.h. */
#include "tests/faults/clock.h"

#include <time.h>
#include <uv.h>

static int64_t difference(void)
{
    static int64_t known;
    struct timespec now;

    if (!known) {
        clock_gettime(CLOCK_REALTIME, &now);
        known = now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000 - (int64_t)(uv_hrtime() / 1000);
    }
    return known;
}

int64_t clock_us(void)
{
    return (int64_t)(uv_hrtime() / 1000) + difference();
}

int64_t clock_from_monotonic(int64_t us)
{
    return us + difference();
}
