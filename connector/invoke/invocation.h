/*
 * invocation: one record owed to one function, from the moment the record is taken until the
 * function has done it, as a state table:
 *
 *   queued       behind another in its lane, or its partition rests
 *   ready        may be called: in its function's ready list
 *   calling      a call is on its way; it holds a slot
 *   backing_off  waits for its next attempt; it holds its lane, not a slot
 *   held         nothing more may be tried (on_exhausted=wait): it holds its lane
 *   ended        done, dropped, unbound, or abandoned with its partition
 */
#ifndef INVOKE_INVOCATION_H
#define INVOKE_INVOCATION_H

#include "core/lanes.h"
#include "core/record.h"
#include "core/retry.h"
#include "gateway/call.h"
#include "invoke/delay.h"
#include "invoke/partition.h"

enum invocation_state {
    INVOCATION_QUEUED,
    INVOCATION_READY,
    INVOCATION_CALLING,
    INVOCATION_BACKING_OFF,
    INVOCATION_HELD,
    INVOCATION_ENDED,
};

/* Why an invocation ended, other than with its partition: then the next owner owes the record. */
enum invocation_end {
    END_DONE,    /* the function has run on it, or refused it for good */
    END_DROPPED, /* on_exhausted=drop */
    END_UNBOUND, /* its function is gone */
};

struct dispatcher;

struct invocation {
    struct lane_item lane; /* first: lanes hand out its address */
    enum invocation_state state;
    bool detailed;                      /* its calls are logged in full */
    bool gateway_probe, function_probe; /* the call under way probes a target that is away */
    unsigned log;                       /* the partition's log it came from */
    uint64_t sequence;                  /* in the partition's ledger */
    struct retry_count count;
    struct dispatcher *dispatcher;
    struct subscription *subscription;
    struct record *record;
    struct call *call;                              /* calling, until it is answered */
    struct delay *delay;                            /* backing off */
    struct invocation *prev, *next;                 /* its function's ready list */
    struct invocation *prev_sibling, *next_sibling; /* its partition's list */
};

/* An invocation, queued, in its partition's list; takes a reference to the record. */
struct invocation *invocation_new(struct dispatcher *dispatcher, struct subscription *subscription,
                                  struct record *record);
void invocation_set_state(struct invocation *invocation, enum invocation_state to);
const char *invocation_state_name(enum invocation_state state);

/* Its turn has come: ready, or queued while its partition rests. */
void invocation_go(struct invocation *invocation);

/* Leaves what its state holds (ready list, slot, timer), whatever that is, and is queued: nothing
 * of it is under way any more. A call under way is cancelled. */
void invocation_stop(struct invocation *invocation);

/* What it has used up; to be told to the group. */
void invocation_count(struct invocation *invocation, struct retry_count count);
bool invocation_tried(const struct invocation *invocation);

/* Frees one that is ended. */
void invocation_free(struct invocation *invocation);

#endif
