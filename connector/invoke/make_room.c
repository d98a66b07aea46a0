/*
 * make_room: what a function that is away gives up for others.
 *
 * A partition that is full takes no record, for any function. Where there are dead letters, and its
 * oldest records are owed to nobody but functions that are away, those records go there
 * (function-away) as far as another function needs the room:
 *
 *   needs room  it has less to do on the partition than half of what that holds, at most
 *               ROOM_SLOTFULS calls for each slot, and the log has more; no more records go than
 *               until it has so much
 *   another     a function of the topic that is there: it was called after the last of the others
 *               went away, and answered as it should; and it is not paused by hand
 *   away        while the other was there, one call more was made and failed
 *
 * "After" and "while" go by the numbers of calls, in the order they began. So when a provider is
 * gone and all functions with it, nothing is given up: nobody is there to need room; and when it
 * comes back, the first to answer waits for a try of each of the others. So it does when a gateway
 * comes back, which cut off many calls when it went; while it is away nothing is given up at all.
 *
 * A function that has nothing to do on a full partition has no call to show by that it is there.
 * For its sake one record more is taken than the window and the byte budget allow (a venture).
 *
 * Room is made long before it is needed, because letters take their time, and a quarter of it at
 * once, because letters that are sent together are kept together: the other has as much to do as
 * if it were alone.
 */
#include "invoke/dispatcher_state.h"

#include <utlist.h>

/* As many calls as a function may have to do for each slot while others give up records for it: a
 * letter may take so many times as long as a call, and it is called without a break. */
enum { ROOM_SLOTFULS = 8 };

/* The last call that had begun when the last of the partition's functions went away; 0: none is. */
static uint64_t gone_call(const struct partition *partition)
{
    const struct subscription *subscription;
    uint64_t gone = 0;

    DL_FOREACH (partition->subscriptions, subscription)
        if (subscription->function->target.state == TARGET_AWAY &&
            subscription->function->gone_call > gone)
            gone = subscription->function->gone_call;
    return gone;
}

static bool is_there(const struct subscription *subscription, uint64_t gone)
{
    const struct function *function = subscription->function;

    return subscription->bound && !function->paused && function->target.state == TARGET_UP &&
           function->good_call > gone;
}

/* The last call that had begun when all were there that are now, the gateway too. */
static uint64_t back_call(const struct dispatcher *dispatcher, const struct partition *partition,
                          uint64_t gone)
{
    uint64_t back = gone > dispatcher->back_call ? gone : dispatcher->back_call;
    const struct subscription *subscription;

    DL_FOREACH (partition->subscriptions, subscription)
        if (is_there(subscription, gone) && subscription->function->back_call > back)
            back = subscription->function->back_call;
    return back;
}

static bool is_away(const struct function *function, uint64_t back)
{
    return function->target.state == TARGET_AWAY && function->bad_call > back;
}

/* Records that were not taken yet; when that is not known, as many as may be. */
static size_t records_to_take(const struct dispatcher *dispatcher,
                              const struct partition *partition)
{
    struct source *source = dispatcher->setup.source;
    int64_t end = source->calls->log_end(source, partition->handle);

    if (end < 0)
        return SIZE_MAX;
    return end > partition->ledger.next ? (size_t)(end - partition->ledger.next) : 0;
}

/* What a function that is there is to have to do. */
static size_t enough(const struct dispatcher *dispatcher, const struct partition *partition)
{
    size_t slots = ROOM_SLOTFULS * (size_t)dispatcher->setup.options->max_inflight;
    size_t half = ledger_fill(&partition->ledger) / 2;

    return (half < slots ? half : slots) + 1;
}

/* Whether room is to be looked for: a function that may be there has not enough to do, even when
 * the records are gone whose letters are on their way. Asked after each call, so it costs little;
 * one that is away and has nothing to do is shown by a venture only whether it still is. */
static bool is_short(const struct dispatcher *dispatcher, const struct partition *partition)
{
    size_t most = enough(dispatcher, partition), least = most - most / 4, going = 0;
    const struct subscription *subscription;
    bool found = false;

    DL_FOREACH (partition->subscriptions, subscription)
        if (subscription->function->target.state == TARGET_AWAY && subscription->letters > going)
            going = subscription->letters;
    DL_FOREACH (partition->subscriptions, subscription)
        found |= subscription->function->target.state == TARGET_AWAY
                     ? !subscription->pending
                     : subscription->pending + going < least;
    return found;
}

/* So many of the oldest records are in the way of a function that is there, those included that are
 * on their way. */
static size_t room_needed(const struct dispatcher *dispatcher, const struct partition *partition,
                          uint64_t gone)
{
    size_t most = enough(dispatcher, partition), needed = 0, left;
    const struct subscription *subscription;

    DL_FOREACH (partition->subscriptions, subscription)
        if (is_there(subscription, gone) && subscription->pending + needed < most)
            needed = most - subscription->pending;
    if (!needed)
        return 0;
    left = records_to_take(dispatcher, partition);
    return needed < left ? needed : left;
}

/* What is called just now goes when that has ended, and what stands behind it in its lane behind
 * it. Behind letters that are on their way letters may follow: they are kept in the order in which
 * they are sent, as long as none is refused. */
static bool may_go(const struct dispatcher *dispatcher, const struct invocation *invocation)
{
    return invocation->state == INVOCATION_READY || invocation->state == INVOCATION_BACKING_OFF ||
           (!dispatcher->setup.letters->refused && invocation_follows_letters(invocation));
}

static void make_room_in(struct dispatcher *dispatcher, struct partition *partition)
{
    uint64_t gone = gone_call(partition), back = back_call(dispatcher, partition, gone);
    size_t needed = room_needed(dispatcher, partition, gone);
    struct invocation *invocation;

    if (!needed)
        return;
    DL_FOREACH2 (partition->invocations, invocation, next_sibling) {
        if (invocation->log != partition->log)
            continue;
        if (invocation->sequence >= partition->ledger.first + needed ||
            !is_away(invocation->subscription->function, back))
            break;
        if (may_go(dispatcher, invocation))
            invocation_give_up(invocation, LETTER_FUNCTION_AWAY, 0);
    }
}

static bool may_make_room(const struct dispatcher *dispatcher)
{
    return dispatcher->setup.letters && dispatcher->away &&
           dispatcher->gateway.state != TARGET_AWAY;
}

bool dispatcher_may_venture(const struct dispatcher *dispatcher, const struct partition *partition)
{
    const struct subscription *subscription;
    bool idle = false;
    uint64_t gone;

    if (!may_make_room(dispatcher) || partition->ventured || ledger_full(&partition->ledger))
        return false;
    gone = gone_call(partition);
    if (!gone)
        return false;
    DL_FOREACH (partition->subscriptions, subscription) {
        if (is_there(subscription, gone))
            return false;
        idle |= subscription->bound && !subscription->function->paused && !subscription->pending;
    }
    return idle;
}

void dispatcher_make_room(struct dispatcher *dispatcher)
{
    struct partition *partition;

    if (!may_make_room(dispatcher))
        return;
    DL_FOREACH (dispatcher->partitions, partition) {
        if (partition->state != PARTITION_FULL || partition->paused ||
            !is_short(dispatcher, partition))
            continue;
        make_room_in(dispatcher, partition);
        if (dispatcher_may_venture(dispatcher, partition))
            dispatcher_take(dispatcher, partition);
    }
}
