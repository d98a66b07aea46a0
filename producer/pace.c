/* pace: see pace.h. */
#include "producer/pace.h"

#include <assert.h>
#include <math.h>

void pace_init(struct pace *pace, int64_t per_second, int64_t now_us)
{
    assert(per_second == -1 || per_second > 0);
    pace->interval_us = per_second == -1 ? 0 : 1e6 / (double)per_second;
    pace->due_us = (double)now_us;
}

int64_t pace_wait_us(struct pace *pace, int64_t now_us)
{
    double late_us = (double)now_us - pace->due_us;

    if (pace->interval_us == 0)
        return 0;
    if (late_us > PACE_CATCH_UP_US)
        pace->due_us += late_us - PACE_CATCH_UP_US;
    return late_us >= 0 ? 0 : (int64_t)ceil(-late_us);
}

void pace_sent(struct pace *pace)
{
    pace->due_us += pace->interval_us;
}
