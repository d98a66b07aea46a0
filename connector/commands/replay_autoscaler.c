/* replay_autoscaler: see replay_autoscaler.h. */
#include "commands/replay_autoscaler.h"

void autoscaler_init(struct autoscaler *autoscaler, const struct autoscaler_bounds *bounds,
                     int64_t target)
{
    *autoscaler = (struct autoscaler){.bounds = *bounds, .target = target};
    autoscaler->replicas = bounds->min;
    autoscaler->active_s = -AUTOSCALER_COOLDOWN_S;
}

bool autoscaler_asks(int64_t s)
{
    return s % AUTOSCALER_SYNC_S == 0 || s % AUTOSCALER_POLL_S == 0;
}

static void set_replicas(struct autoscaler *autoscaler, int64_t replicas)
{
    autoscaler->events += replicas != autoscaler->replicas;
    autoscaler->replicas = replicas;
}

/* ---- KEDA ---- */

static void poll(struct autoscaler *autoscaler, const struct replay_answer *answer, int64_t s)
{
    if (answer->active) {
        autoscaler->active_s = s;
        if (autoscaler->replicas == 0)
            set_replicas(autoscaler, 1);
    } else if (autoscaler->bounds.min == 0 && autoscaler->replicas > 0 &&
               s - autoscaler->active_s > AUTOSCALER_COOLDOWN_S) {
        set_replicas(autoscaler, 0);
    }
}

/* ---- the horizontal autoscaler ---- */

static int64_t within(int64_t value, int64_t least, int64_t most)
{
    if (value < least)
        return least;
    return value > most ? most : value;
}

/* Left as they are where the value differs from theirs by a tenth at most. */
static int64_t wanted_by(const struct autoscaler *autoscaler, int64_t value)
{
    int64_t theirs = autoscaler->target * autoscaler->replicas;
    int64_t off = value > theirs ? value - theirs : theirs - value;

    if (off * 10 <= theirs)
        return autoscaler->replicas;
    return (value + autoscaler->target - 1) / autoscaler->target;
}

static int64_t highest_wanted(const struct autoscaler *autoscaler)
{
    size_t kept =
        autoscaler->count < AUTOSCALER_MEMORY ? autoscaler->count : (size_t)AUTOSCALER_MEMORY;
    int64_t highest = 0;

    for (size_t i = 0; i < kept; i++)
        if (autoscaler->wanted[i] > highest)
            highest = autoscaler->wanted[i];
    return highest;
}

static int64_t most_at_once(int64_t replicas)
{
    return replicas > 4 ? 2 * replicas : replicas + 4;
}

static void sync(struct autoscaler *autoscaler, int64_t value)
{
    int64_t now = autoscaler->replicas;
    int64_t least = autoscaler->bounds.min > 1 ? autoscaler->bounds.min : 1;
    int64_t wanted = within(wanted_by(autoscaler, value), least, autoscaler->bounds.max);

    autoscaler->wanted[autoscaler->count++ % AUTOSCALER_MEMORY] = wanted;
    if (wanted < now)
        wanted = within(highest_wanted(autoscaler), wanted, now);
    set_replicas(autoscaler, within(wanted, 0, most_at_once(now)));
}

void autoscaler_step(struct autoscaler *autoscaler, const struct replay_answer *answer, int64_t s)
{
    if (!answer->known)
        return;
    if (s % AUTOSCALER_POLL_S == 0)
        poll(autoscaler, answer, s);
    if (s % AUTOSCALER_SYNC_S == 0 && autoscaler->replicas > 0)
        sync(autoscaler, answer->value);
}
