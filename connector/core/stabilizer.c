/* stabilizer: see stabilizer.h. */
#include "core/stabilizer.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void drop_oldest(struct stabilizer *stabilizer)
{
    stabilizer->count--;
    memmove(stabilizer->called, stabilizer->called + 1,
            stabilizer->count * sizeof(*stabilizer->called));
}

/* Forgets what is longer ago than the time. */
static void forget(struct stabilizer *stabilizer, int64_t span_ms, int64_t now_ms)
{
    while (stabilizer->count && now_ms - stabilizer->called[0].at_ms > span_ms)
        drop_oldest(stabilizer);
}

static void call_for(struct stabilizer *stabilizer, int64_t span_ms, int64_t wanted, int64_t now_ms)
{
    int64_t part_ms = span_ms / STABILIZER_SLOTS + 1;
    size_t last;

    while (stabilizer->count && stabilizer->called[stabilizer->count - 1].value <= wanted)
        stabilizer->count--;
    last = stabilizer->count;
    if (last && stabilizer->called[last - 1].at_ms / part_ms == now_ms / part_ms) {
        stabilizer->called[last - 1].at_ms = now_ms;
        return;
    }
    assert(last < sizeof(stabilizer->called) / sizeof(*stabilizer->called));
    stabilizer->called[last].at_ms = now_ms;
    stabilizer->called[last].value = wanted;
    stabilizer->count++;
}

static bool may_rise_now(const struct stabilizer *stabilizer, int64_t up_ms, int64_t now_ms)
{
    return !stabilizer->has_risen || now_ms - stabilizer->risen_ms >= up_ms;
}

int64_t stabilizer_step(struct stabilizer *stabilizer, const struct stabilizer_times *times,
                        int64_t wanted, bool may_rise, int64_t now_ms)
{
    int64_t most;

    forget(stabilizer, times->down_ms, now_ms);
    call_for(stabilizer, times->down_ms, wanted, now_ms);
    most = stabilizer->called[0].value;
    if (most < stabilizer->value) {
        stabilizer->value = most;
        stabilizer->has_fallen = true;
        stabilizer->fallen_ms = now_ms;
    } else if (wanted > stabilizer->value && may_rise &&
               may_rise_now(stabilizer, times->up_ms, now_ms)) {
        stabilizer->value = wanted;
        stabilizer->has_risen = true;
        stabilizer->risen_ms = now_ms;
    }
    return stabilizer->value;
}

void stabilizer_drop(struct stabilizer *stabilizer)
{
    stabilizer->count = 0;
    stabilizer->value = 0;
}

void stabilizer_scale(struct stabilizer *stabilizer, int64_t by, int64_t over)
{
    double factor = (double)by / (double)over;

    stabilizer->value = llround((double)stabilizer->value * factor);
    for (size_t i = 0; i < stabilizer->count; i++)
        stabilizer->called[i].value = llround((double)stabilizer->called[i].value * factor);
}

void stabilizer_set_back(struct stabilizer *stabilizer, int64_t now_ms)
{
    stabilizer->count = 0;
    stabilizer->risen_ms = stabilizer->fallen_ms = now_ms;
    call_for(stabilizer, 0, stabilizer->value, now_ms);
}
