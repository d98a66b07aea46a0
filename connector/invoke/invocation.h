/*
 * invocation: one record owed to one function, from the moment the record is taken until the
 * function has done it, as a state table:
 *
 *   queued       behind another in its lane, or its partition rests
 *   uncommitted  the first of its lane, until its offset is committed (delivery=at-most-once)
 *   paused       the first of its lane, while its topic or function is paused by hand
 *   ready        may be called: in its function's ready list
 *   calling      a call is on its way; it holds a slot
 *   backing_off  waits for its next attempt; it holds its lane, not a slot
 *   held         nothing more may be tried (on_exhausted=wait): it holds its lane
 *   dead_letter  its dead letter is on its way to the broker: it holds its lane, but letters of
 *                those behind it may follow (make_room.c)
 *   ended        done, dropped, too old, unbound, a dead letter, or abandoned with its partition
 */
#ifndef INVOKE_INVOCATION_H
#define INVOKE_INVOCATION_H

#include "base/log.h"
#include "core/lanes.h"
#include "core/letters.h"
#include "core/record.h"
#include "core/retry.h"
#include "gateway/call.h"
#include "invoke/delay.h"
#include "invoke/partition.h"

enum invocation_state {
    INVOCATION_QUEUED,
    INVOCATION_UNCOMMITTED,
    INVOCATION_PAUSED,
    INVOCATION_READY,
    INVOCATION_CALLING,
    INVOCATION_BACKING_OFF,
    INVOCATION_HELD,
    INVOCATION_DEAD_LETTER,
    INVOCATION_ENDED,
};

/* Why an invocation ended, other than with its partition: then the next owner owes the record. */
enum invocation_end {
    END_DONE,        /* the function has run on it, or refused it for good */
    END_DROPPED,     /* on_exhausted=drop, delivery=at-most-once */
    END_UNBOUND,     /* its function is gone */
    END_TOO_OLD,     /* max_record_age, without dead letters */
    END_DEAD_LETTER, /* it is kept as a dead letter */
};

struct dispatcher;

struct invocation {
    struct lane_item lane; /* first: lanes hand out its address */
    enum invocation_state state;
    bool detailed;                      /* its calls are logged in full */
    bool refused;                       /* its last call ended so: it is not in `count` */
    bool gateway_probe, function_probe; /* the call under way probes a target that is away */
    unsigned log;                       /* the partition's log it came from */
    uint64_t sequence;                  /* in the partition's ledger */
    int64_t called_ms;                  /* calling: since when */
    struct retry_count count;
    struct dispatcher *dispatcher;
    struct subscription *subscription;
    struct record *record;
    struct call *call;                              /* calling, until it is answered */
    uint64_t call_number;                           /* of all calls, in the order they began */
    struct delay *delay;                            /* backing off */
    struct letter *letter;                          /* dead letter, until it is kept */
    struct invocation *prev, *next;                 /* its function's ready list */
    struct invocation *prev_sibling, *next_sibling; /* its partition's list */
};

/* An invocation, queued, in its partition's list; takes a reference to the record. */
struct invocation *invocation_new(struct dispatcher *dispatcher, struct subscription *subscription,
                                  struct record *record);
void invocation_set_state(struct invocation *invocation, enum invocation_state to);
const char *invocation_state_name(enum invocation_state state);

/* What a line of the log about it is about. Borrowed from it. */
struct log_subject invocation_subject(const struct invocation *invocation);

/* The first of its lane becomes ready, or waits for what keeps it from being called, queued while
 * its partition rests; nothing happens when it does so already. */
void invocation_admit(struct invocation *invocation);
/* Whether only letters that are on their way stand before it in its lane, and nothing else would
 * keep it from being called. */
bool invocation_follows_letters(const struct invocation *invocation);
/* Whether it is the first of its lane and waits for something. */
bool invocation_waits(const struct invocation *invocation);

/* Leaves what its state holds (ready list, slot, timer), whatever that is, and is queued: nothing
 * of it is under way any more. A call under way is cancelled, and so is a letter. */
void invocation_stop(struct invocation *invocation);

/* What it has used up; to be told to the group. */
void invocation_count(struct invocation *invocation, struct retry_count count);
bool invocation_tried(const struct invocation *invocation);
/* Its calls that ended, with an answer or without. */
uint32_t invocation_attempts(const struct invocation *invocation);

/* Frees one that is ended. */
void invocation_free(struct invocation *invocation);

#endif
