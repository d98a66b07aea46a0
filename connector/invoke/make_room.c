/*
 * make_room: what a function that is away gives up for others.
 *
 * A partition that is full takes no record, for any function. Where there are dead letters, and its
 * oldest records are owed to nobody but functions that are away, those records go there
 * (function-away) as far as another function needs the room:
 *
 *   needs room  it has less to do on the partition than there are slots, or than half of what the
 *               partition holds; no more records go than until it has
 *   another     a function of the topic that is there: it was called after the last of the others
 *               went away, answered as it should, and has failed at nothing since
 *
 * So when a provider is gone and all functions with it, nothing is given up: nobody is there to
 * need room. Nor while the gateway is away, of which no function can say anything.
 *
 * A function that has nothing to do on a full partition has no call to show by that it is there.
 * For its sake one record more is taken than the window and the byte budget allow (a venture).
 */
#include "invoke/dispatcher_state.h"

#include <utlist.h>

static bool is_away(const struct subscription *subscription)
{
    return subscription->function->target.state == TARGET_AWAY;
}

/* When the last of the partition's functions went that are away. */
static int64_t gone_since(const struct partition *partition)
{
    const struct subscription *subscription;
    int64_t since = 0;

    DL_FOREACH (partition->subscriptions, subscription)
        if (is_away(subscription) && subscription->function->target.since_ms > since)
            since = subscription->function->target.since_ms;
    return since;
}

static bool is_there(const struct subscription *subscription, int64_t since)
{
    const struct function *function = subscription->function;

    return subscription->bound && function->target.state == TARGET_UP && function->good_ms > since;
}

/* So many of the oldest records are in the way of a function that is there. */
static size_t room_needed(const struct dispatcher *dispatcher, const struct partition *partition)
{
    size_t slots = (size_t)dispatcher->setup.options->max_inflight;
    size_t half = ledger_fill(&partition->ledger) / 2, needed = 0;
    size_t enough = (half < slots ? half : slots) + 1;
    int64_t since = gone_since(partition);
    const struct subscription *subscription;

    DL_FOREACH (partition->subscriptions, subscription)
        if (is_there(subscription, since) && subscription->pending + needed < enough)
            needed = enough - subscription->pending;
    return needed;
}

/* What is called just now, or queued behind another in its lane, goes when it may. */
static void make_room_in(struct dispatcher *dispatcher, struct partition *partition)
{
    size_t needed = room_needed(dispatcher, partition);
    struct invocation *invocation;

    DL_FOREACH2 (partition->invocations, invocation, next_sibling) {
        if (invocation->log != partition->log)
            continue;
        if (invocation->sequence >= partition->ledger.first + needed ||
            !is_away(invocation->subscription))
            break;
        if (invocation->state == INVOCATION_READY || invocation->state == INVOCATION_BACKING_OFF)
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
    int64_t since = gone_since(partition);
    const struct subscription *subscription;
    bool idle = false;

    if (!may_make_room(dispatcher) || partition->ventured || ledger_full(&partition->ledger) ||
        !since)
        return false;
    DL_FOREACH (partition->subscriptions, subscription) {
        if (is_there(subscription, since))
            return false;
        idle |= subscription->bound && !subscription->pending;
    }
    return idle;
}

void dispatcher_make_room(struct dispatcher *dispatcher)
{
    struct partition *partition;

    if (!may_make_room(dispatcher))
        return;
    DL_FOREACH (dispatcher->partitions, partition) {
        if (partition->state != PARTITION_FULL)
            continue;
        make_room_in(dispatcher, partition);
        if (dispatcher_may_venture(dispatcher, partition))
            dispatcher_take(dispatcher, partition);
    }
}
