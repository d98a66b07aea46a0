/*
 * stall: what a partition waits for, and whether it stands still through a fault of ours.
 *
 * An alarm has the process ended and started anew, so only what nothing else explains is a stall,
 * and only when it was seen at every look for the whole of the timeout. All of these are none: a
 * call within its time, a back-off, a record held or paused, a dead letter on its way, a function
 * or the gateway away while it is probed, a broker that answers no commit, records that Kafka has
 * and does not give (a leader away, an open transaction, no right to read: a new start would not
 * help). What is left:
 *   a record that may be called and a slot that is free, and it is not called
 *   a call that has not ended though its time is long over, or slots full of such
 *   a record that waits for a commit or for another, and there is none
 *   records that lie fetched, room for them, and none is taken
 * A loop that does not turn cannot say so: its /health does not answer at all.
 */
#ifndef CORE_STALL_H
#define CORE_STALL_H

#include <stdbool.h>
#include <stdint.h>

/* How far the lowest unfinished record has come with the function it waits for. */
enum stall_step {
    STALL_NOTHING, /* there is none */
    STALL_QUEUED,
    STALL_UNCOMMITTED,
    STALL_PAUSED,
    STALL_READY,
    STALL_CALLING,
    STALL_BACKING_OFF,
    STALL_HELD,
    STALL_DEAD_LETTER,
};

/* A partition at one look. */
struct stall_view {
    int64_t now_ms;
    int64_t call_timeout_ms; /* a call may take so long */
    int64_t moved_ms;        /* when a call of any partition began or ended the last time */
    int64_t next;            /* the offset to be taken next */
    bool starting;           /* its start waits for a commit */
    bool committing;         /* a commit is under way, or will be sent again */
    bool untaken;            /* records lie fetched, and there is room */

    enum stall_step step;
    int64_t offset;    /* of the lowest unfinished */
    int64_t called_ms; /* STALL_CALLING: when the call began */
    bool slot;         /* one is free for its function */
    bool gateway_away, function_away;
    bool letters_wait; /* dead letters cannot be written just now */
    int64_t probe_ms;  /* when the next probe of what is away may go, or went */
};

struct stall_finding {
    const char *why; /* it waits, in words that follow the record's name; NULL: it does not */
    bool explained;  /* by something else than a fault of ours */
    int64_t place;   /* the offset it stands at */
};

struct stall_finding stall_find(const struct stall_view *view);

/* What the looks before saw. */
struct stall {
    bool unexplained;
    int64_t place, since_ms;
};

/* One look more at a partition. True: it is stalled. timeout_ms 0: never. */
bool stall_look(struct stall *stall, const struct stall_finding *finding, int64_t now_ms,
                int64_t timeout_ms);

#endif
