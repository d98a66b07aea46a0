/*
 * target: whether what we call (the gateway; a function) is there, and who may try.
 *
 *   up       calls go freely
 *   suspect  some failed in a row, fewer than the limit; calls go freely
 *   away     the limit was reached: one probe at a time, after a wait that grows; all else waits
 *
 * A success from any call makes it up. While away only the probe's failure moves the wait: calls
 * that were under way when it went away say nothing new. A probe that is still under way when the
 * target has come back and gone again is the one probe then.
 */
#ifndef CORE_TARGET_H
#define CORE_TARGET_H

#include <stdbool.h>
#include <stdint.h>

enum target_state { TARGET_UP, TARGET_SUSPECT, TARGET_AWAY };

struct target {
    enum target_state state;
    uint32_t limit;    /* failures in a row that make it away; >= 1 */
    uint32_t failures; /* in a row: while away, of probes too */
    bool probing;      /* the probe is under way, whatever the state is by now */
    int64_t due_ms;    /* away: when the next probe may go */
    int64_t since_ms;  /* when it came to its state */
};

void target_init(struct target *target, uint32_t limit, int64_t now_ms);

/* Whether a call may start now. */
bool target_allows(const struct target *target, int64_t now_ms);

/* A call starts. True: it is the probe; say so when it ends. */
bool target_started(struct target *target);

/* How a call ended. wait_ms: until the next probe, should it be or become away. Each returns true
 * when the state changed. A call that ended without saying anything about the target (cancelled)
 * is only `quit`. */
bool target_succeeded(struct target *target, bool probe, int64_t now_ms);
bool target_failed(struct target *target, bool probe, int64_t now_ms, int64_t wait_ms);
void target_quit(struct target *target, bool probe);

/* Failures from the one on that makes it away, counting the next: how many a probe that fails now
 * makes; at least 1. */
uint32_t target_probes(const struct target *target);

const char *target_state_name(enum target_state state);

#endif
