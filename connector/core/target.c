/* target: see target.h. */
#include "core/target.h"

#include <assert.h>

static const struct {
    const char *name;
    unsigned from; /* bits of the states it may come from */
} states[] = {
    [TARGET_UP] = {"up", 1u << TARGET_SUSPECT | 1u << TARGET_AWAY},
    [TARGET_SUSPECT] = {"suspect", 1u << TARGET_UP},
    [TARGET_AWAY] = {"away", 1u << TARGET_UP | 1u << TARGET_SUSPECT},
};

const char *target_state_name(enum target_state state)
{
    return states[state].name;
}

static bool set_state(struct target *target, enum target_state to, int64_t now_ms)
{
    if (target->state == to)
        return false;
    assert(states[to].from & 1u << target->state);
    target->state = to;
    target->since_ms = now_ms;
    return true;
}

void target_init(struct target *target, uint32_t limit, int64_t now_ms)
{
    assert(limit >= 1);
    *target = (struct target){.state = TARGET_UP, .limit = limit, .since_ms = now_ms};
}

bool target_allows(const struct target *target, int64_t now_ms)
{
    return target->state != TARGET_AWAY || (!target->probing && now_ms >= target->due_ms);
}

bool target_started(struct target *target)
{
    if (target->state != TARGET_AWAY)
        return false;
    target->probing = true;
    return true;
}

void target_quit(struct target *target, bool probe)
{
    if (probe)
        target->probing = false;
}

bool target_succeeded(struct target *target, bool probe, int64_t now_ms)
{
    target_quit(target, probe);
    target->failures = 0;
    return set_state(target, TARGET_UP, now_ms);
}

bool target_failed(struct target *target, bool probe, int64_t now_ms, int64_t wait_ms)
{
    target_quit(target, probe);
    if (target->state == TARGET_AWAY && !probe)
        return false;
    target->failures++;
    if (target->failures < target->limit)
        return set_state(target, TARGET_SUSPECT, now_ms);
    target->due_ms = now_ms + wait_ms;
    return set_state(target, TARGET_AWAY, now_ms);
}

uint32_t target_probes(const struct target *target)
{
    return target->failures < target->limit ? 1 : target->failures - target->limit + 2;
}
