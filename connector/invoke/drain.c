/*
 * drain: how partitions are given up, at a rebalance or for good, without losing or repeating.
 *
 *   working -> draining    nothing is taken or called any more
 *   draining -> committing no call and no commit is under way, or drain_timeout passed and the
 *                          rest was cancelled: the last commit leaves
 *   committing -> idle     it was answered, and what was not committed was sent again while there
 *                          was time: the partitions go back to the source
 * Partitions that were lost are put aside at once, whatever the state.
 */
#include "base/log.h"
#include "invoke/dispatcher_state.h"

#include <assert.h>
#include <utlist.h>

enum { COMMIT_AGAIN_MS = 250 };

/* What is ready is called no more, and what ends lets nothing behind it go: the partitions rest. */
static void rest(struct dispatcher *dispatcher)
{
    struct partition *partition;
    struct invocation *invocation;

    DL_FOREACH (dispatcher->partitions, partition) {
        partition_set_state(partition, PARTITION_DRAINING);
        DL_FOREACH2 (partition->invocations, invocation, next_sibling)
            if (invocation->state == INVOCATION_READY)
                invocation_go(invocation);
    }
}

/* Their records stay unfinished in the ledgers, with the attempts they had. */
static void cancel_calls(struct dispatcher *dispatcher)
{
    struct partition *partition;
    struct invocation *invocation;

    DL_FOREACH (dispatcher->partitions, partition)
        DL_FOREACH2 (partition->invocations, invocation, next_sibling)
            if (invocation->state == INVOCATION_CALLING)
                invocation_stop(invocation);
}

void dispatcher_drop_partition(struct dispatcher *dispatcher, struct partition *partition)
{
    struct invocation *invocation, *next;

    DL_DELETE(dispatcher->partitions, partition);
    DL_FOREACH_SAFE2 (partition->invocations, invocation, next, next_sibling) {
        invocation_stop(invocation);
        invocation_set_state(invocation, INVOCATION_ENDED);
        invocation_free(invocation);
    }
    dispatcher->memory -= partition->ledger.memory;
    metrics_remove(dispatcher->setup.metrics, partition->metrics);
    partition_free(partition);
}

void dispatcher_drop_partitions(struct dispatcher *dispatcher)
{
    struct partition *partition, *next;

    DL_FOREACH_SAFE (dispatcher->partitions, partition, next)
        dispatcher_drop_partition(dispatcher, partition);
    dispatcher->partition_count = 0;
    delay_cancel(&dispatcher->aside_due);
}

static void finish(struct dispatcher *dispatcher)
{
    struct source *source = dispatcher->setup.source;
    bool revoked = dispatcher->revoked;

    delay_cancel(&dispatcher->drain_due);
    delay_cancel(&dispatcher->drain_again);
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

static void on_commit_again(void *context)
{
    struct dispatcher *dispatcher = context;

    dispatcher->drain_again = NULL;
    if (!committer_send(dispatcher))
        finish(dispatcher);
}

/* Whether the last commit goes out once more: what hindered it may pass, and there is time. */
static bool commits_again(struct dispatcher *dispatcher)
{
    if (!dispatcher->committer.unreached ||
        dispatcher_now(dispatcher) + COMMIT_AGAIN_MS >= dispatcher->drain_until)
        return false;
    dispatcher->drain_again =
        delay_start(dispatcher->setup.loop, COMMIT_AGAIN_MS, on_commit_again, dispatcher);
    return true;
}

void drain_continue(struct dispatcher *dispatcher)
{
    if (dispatcher->committer.under_way || dispatcher->drain_again)
        return;
    if (dispatcher->state == DISPATCHER_DRAINING && !dispatcher->in_flight) {
        dispatcher_set_state(dispatcher, DISPATCHER_COMMITTING);
        if (!committer_send(dispatcher))
            finish(dispatcher);
    } else if (dispatcher->state == DISPATCHER_COMMITTING && !commits_again(dispatcher)) {
        finish(dispatcher);
    }
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
    cancel_calls(dispatcher);
    drain_continue(dispatcher);
}

static void drain(struct dispatcher *dispatcher, int64_t timeout_ms)
{
    delay_cancel(&dispatcher->drain_due);
    dispatcher->drain_due =
        delay_start(dispatcher->setup.loop, timeout_ms, on_drain_due, dispatcher);
    dispatcher->drain_until = dispatcher_now(dispatcher) + timeout_ms;
    if (dispatcher->state == DISPATCHER_WORKING) {
        dispatcher_set_state(dispatcher, DISPATCHER_DRAINING);
        aside_drop(dispatcher); /* what could not be read this time */
        rest(dispatcher);
    }
    drain_continue(dispatcher);
}

static void lose(struct dispatcher *dispatcher)
{
    dispatcher->revoked = false;
    if (dispatcher->state == DISPATCHER_IDLE)
        return;
    log_warning(NULL,
                "partitions were lost; %zu invocations under way go on, and count if the "
                "partitions come back before another member had them",
                dispatcher->in_flight);
    if (dispatcher->stopping) {
        finish(dispatcher);
        return;
    }
    delay_cancel(&dispatcher->drain_due);
    delay_cancel(&dispatcher->drain_again);
    aside_put(dispatcher);
    dispatcher_set_state(dispatcher, DISPATCHER_IDLE);
}

void drain_revoke(struct dispatcher *dispatcher, bool lost)
{
    struct source *source = dispatcher->setup.source;

    if (lost) {
        lose(dispatcher);
    } else if (dispatcher->state == DISPATCHER_IDLE) {
        source->calls->release(source);
    } else {
        dispatcher->revoked = true;
        if (dispatcher->state == DISPATCHER_WORKING)
            drain(dispatcher, dispatcher->setup.drain_timeout_ms);
    }
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
