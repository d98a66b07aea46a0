/*
 * drain: how partitions are given up, at a rebalance or for good, without losing or repeating.
 *
 *   working -> draining    nothing is taken any more. What was done out of order, ahead of the
 *                          lowest unfinished record, would be repeated: so the gaps below the
 *                          newest record that was called are closed, as far as nothing in them is
 *                          stuck. All else stays unfinished in the ledgers
 *   draining -> committing no call and no commit is under way, or the time is over and the rest
 *                          was cancelled: the last commit leaves
 *   committing -> idle     it was answered: the partitions go back to the source
 * Calls start in the first quarter of the time only, so that they can end in what is left of it.
 * Partitions that were lost are dropped at once, whatever the state.
 */
#include "base/log.h"
#include "invoke/dispatcher_state.h"

#include <assert.h>
#include <utlist.h>

enum { CALLING_PART = 4 };

static void abandon(struct invocation *invocation)
{
    invocation_stop(invocation);
    invocation_set_state(invocation, INVOCATION_ENDED);
    invocation_free(invocation);
}

static void abandon_in(struct partition *partition)
{
    struct invocation *invocation, *next;
    struct subscription *subscription;

    DL_FOREACH_SAFE2(partition->invocations, invocation, next, next_sibling)
    abandon(invocation);
    DL_FOREACH (partition->subscriptions, subscription)
        lanes_release(&subscription->lanes);
}

static void abandon_invocations(struct dispatcher *dispatcher)
{
    struct partition *partition;

    DL_FOREACH (dispatcher->partitions, partition)
        abandon_in(partition);
}

/* Whether it will hardly be done before the partition goes. */
static bool is_stuck(const struct invocation *invocation)
{
    switch (invocation->state) {
    case INVOCATION_BACKING_OFF:
    case INVOCATION_HELD:
        return true;
    case INVOCATION_CALLING:
        return false;
    default:
        return invocation->subscription->function->target.state == TARGET_AWAY;
    }
}

static uint64_t lowest_stuck(const struct partition *partition)
{
    const struct invocation *invocation;
    uint64_t lowest = UINT64_MAX;

    DL_FOREACH2(partition->invocations, invocation, next_sibling)
    if (is_stuck(invocation) && invocation->log == partition->log && invocation->sequence < lowest)
        lowest = invocation->sequence;
    return lowest;
}

/* What may not go any more is queued, where it stays: all in a lane behind it is newer. */
void drain_hold_back(struct partition *partition)
{
    struct invocation *invocation;
    uint64_t stuck = lowest_stuck(partition);

    if (stuck < partition->drain_limit)
        partition->drain_limit = stuck;
    DL_FOREACH2(partition->invocations, invocation, next_sibling)
    if (invocation->state != INVOCATION_CALLING && !invocation_may_go(invocation))
        invocation_stop(invocation);
}

void dispatcher_drop_partitions(struct dispatcher *dispatcher)
{
    struct partition *partition, *next;

    abandon_invocations(dispatcher);
    DL_FOREACH_SAFE (dispatcher->partitions, partition, next) {
        DL_DELETE(dispatcher->partitions, partition);
        metrics_remove(dispatcher->setup.metrics, partition->metrics);
        partition_free(partition);
    }
    dispatcher->partition_count = 0;
    dispatcher->memory = 0;
}

static void finish(struct dispatcher *dispatcher)
{
    struct source *source = dispatcher->setup.source;
    bool revoked = dispatcher->revoked;

    delay_cancel(&dispatcher->drain_due);
    dispatcher_drop_partitions(dispatcher);
    dispatcher_set_state(dispatcher, DISPATCHER_IDLE);
    dispatcher->revoked = false;
    if (revoked)
        source->calls->release(source);
    if (dispatcher->stopped) {
        void (*stopped)(void *context) = dispatcher->stopped;

        dispatcher->stopped = NULL;
        stopped(dispatcher->stopped_context);
    }
}

void drain_continue(struct dispatcher *dispatcher)
{
    dispatcher_fill_slots(dispatcher);
    if (dispatcher->committer.under_way)
        return;
    if (dispatcher->state == DISPATCHER_DRAINING && !dispatcher->in_flight) {
        dispatcher_set_state(dispatcher, DISPATCHER_COMMITTING);
        if (committer_send(dispatcher))
            return;
    }
    if (dispatcher->state == DISPATCHER_COMMITTING)
        finish(dispatcher);
}

static void on_drain_due(void *context)
{
    struct dispatcher *dispatcher = context;

    dispatcher->drain_due = NULL;
    if (dispatcher->state != DISPATCHER_DRAINING)
        return;
    if (dispatcher->in_flight)
        log_warning(NULL,
                    "%zu invocations did not end in time: they are cancelled, and their records "
                    "go to the partitions' next owner",
                    dispatcher->in_flight);
    abandon_invocations(dispatcher);
    drain_continue(dispatcher);
}

static void limit_partitions(struct dispatcher *dispatcher, bool calling)
{
    struct partition *partition;

    DL_FOREACH (dispatcher->partitions, partition) {
        partition_set_state(partition, PARTITION_DRAINING);
        partition->drain_limit = calling ? partition->called : 0;
        drain_hold_back(partition);
    }
}

static void on_calling_over(void *context)
{
    struct dispatcher *dispatcher = context;
    int64_t rest_ms = dispatcher->drain_ms - dispatcher->drain_ms / CALLING_PART;

    dispatcher->drain_due = delay_start(dispatcher->setup.loop, rest_ms, on_drain_due, dispatcher);
    if (dispatcher->state == DISPATCHER_DRAINING)
        limit_partitions(dispatcher, false);
}

static void drain(struct dispatcher *dispatcher, int64_t timeout_ms)
{
    delay_cancel(&dispatcher->drain_due);
    dispatcher->drain_ms = timeout_ms;
    dispatcher->drain_due =
        delay_start(dispatcher->setup.loop, timeout_ms / CALLING_PART, on_calling_over, dispatcher);
    if (dispatcher->state == DISPATCHER_WORKING) {
        dispatcher_set_state(dispatcher, DISPATCHER_DRAINING);
        limit_partitions(dispatcher, true);
    }
    drain_continue(dispatcher);
}

void drain_revoke(struct dispatcher *dispatcher, bool lost)
{
    struct source *source = dispatcher->setup.source;

    if (lost) {
        if (dispatcher->state != DISPATCHER_IDLE)
            log_warning(NULL,
                        "partitions were lost; %zu invocations under way may be repeated by "
                        "their next owner",
                        dispatcher->in_flight);
        dispatcher->revoked = false;
        finish(dispatcher);
        return;
    }
    if (dispatcher->state == DISPATCHER_IDLE) {
        source->calls->release(source);
        return;
    }
    dispatcher->revoked = true;
    if (dispatcher->state == DISPATCHER_WORKING)
        drain(dispatcher, dispatcher->setup.drain_timeout_ms);
}

void dispatcher_stop(struct dispatcher *dispatcher, int64_t timeout_ms,
                     void (*stopped)(void *context), void *context)
{
    assert(!dispatcher->stopping);
    dispatcher->stopping = true;
    dispatcher->stopped = stopped;
    dispatcher->stopped_context = context;
    if (dispatcher->state == DISPATCHER_IDLE)
        finish(dispatcher);
    else
        drain(dispatcher, timeout_ms);
}
