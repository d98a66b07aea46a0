/*
 * guard: how long a connection may be silent, or slow, and how many there may be: nobody who opens
 * connections, or sends a byte a minute, keeps others from being answered, or takes the descriptors
 * that Kafka's connections need.
 *
 * A connection waits from its opening, or from its last answer, until its next request is whole; a
 * trickle of bytes does not count. One that waits too long is shut down; so is, when there is one
 * too many, the one that has waited longest. What is being answered is never touched.
 */
#ifndef WEB_GUARD_H
#define WEB_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard_limits {
    size_t connections;  /* 0: none of this */
    uint64_t request_ms; /* for the first request to be whole */
    uint64_t idle_ms;    /* from an answer, which may be read slowly, to the next request */
};

struct guarded; /* a connection */

struct guard { /* zero-initialised: no limits */
    struct guard_limits limits;
    struct guarded *waiting; /* who waits longest is first */
    size_t count;            /* of all that are open and not shut down */
};

/* `fd` is shut down, never closed, by the guard. Times are of one clock, in ms. */
struct guarded *guard_opened(struct guard *guard, int fd, uint64_t now_ms);
/* Its request is whole. */
void guard_asked(struct guard *guard, struct guarded *connection);
void guard_answered(struct guard *guard, struct guarded *connection, uint64_t now_ms);
/* Frees it. */
void guard_closed(struct guard *guard, struct guarded *connection);

/* Shuts down whoever has waited too long. */
void guard_sweep(struct guard *guard, uint64_t now_ms);

#endif
