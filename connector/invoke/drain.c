/*
 * drain: how partitions are given up, at a rebalance or for good, without losing or repeating.
 *
 *   working -> draining    nothing is taken or called any more
 *   draining -> committing no call, no commit and no dead letter but refused ones is under way, or
 *                          drain_timeout passed and the rest was cancelled: the last commit leaves
 *   committing -> idle     it was answered, and what was not committed was sent again while there
 *                          was time: the partitions go back to the source
 * Partitions that were lost are put aside at once, whatever the state.
 *
 * With delivery=at-most-once nobody would call later what is committed: it is still called while
 * draining. What is not, when the time is over, is lost, and counted as dropped; and so is what
 * partitions hold that were lost.
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
                invocation_admit(invocation);
    }
}

/* Their records stay unfinished in the ledgers, with the attempts they had. */
static void cancel_calls(struct dispatcher *dispatcher)
{
    struct partition *partition;
    struct invocation *invocation;

    DL_FOREACH (dispatcher->partitions, partition)
        DL_FOREACH2 (partition->invocations, invocation, next_sibling)
            if (invocation->state == INVOCATION_CALLING ||
                invocation->state == INVOCATION_DEAD_LETTER)
                invocation_stop(invocation);
}

static bool is_lost(const struct partition *partition, const struct invocation *invocation)
{
    return partition->commit_first && partition_permits(partition, invocation);
}

void dispatcher_drop_partition(struct dispatcher *dispatcher, struct partition *partition)
{
    struct log_subject subject = partition_subject(partition);
    struct invocation *invocation, *next;
    size_t lost = 0;

    DL_DELETE(dispatcher->partitions, partition);
    DL_FOREACH_SAFE2 (partition->invocations, invocation, next, next_sibling) {
        if (is_lost(partition, invocation)) {
            invocation->subscription->function->metrics->values[F_DROPPED].number++;
            lost++;
        }
        invocation_stop(invocation);
        invocation_set_state(invocation, INVOCATION_ENDED);
        invocation_free(invocation);
    }
    if (lost)
        log_warning(&subject,
                    "%zu invocations were committed and have not ended: dropped "
                    "(delivery=at-most-once)",
                    lost);
    dispatcher->memory -= partition->ledger.memory;
    dispatcher->room = true;
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

/* Calls, and dead letters. */
static size_t under_way(const struct dispatcher *dispatcher)
{
    const struct letters *letters = dispatcher->setup.letters;

    return dispatcher->in_flight + (letters ? (size_t)letters->under_way : 0);
}

/* A letter that was refused once may be so for hours: it is left to the next owner, or the group
 * would stand still at each rebalance because a topic is missing. What is committed has no owner
 * after us (delivery=at-most-once). */
static bool is_waited_for(const struct dispatcher *dispatcher)
{
    const struct letters *letters = dispatcher->setup.letters;

    if (dispatcher->in_flight || !letters)
        return dispatcher->in_flight;
    return letters->under_way > (dispatcher_commits_first(dispatcher) ? 0 : letters->refused);
}

/* Whether anything is ready that nobody would call after us (delivery=at-most-once). What is paused
 * is not, and not waited for: the group would stand still for nothing. */
static bool has_committed(const struct dispatcher *dispatcher)
{
    const struct function *function = dispatcher->functions;

    if (!dispatcher_commits_first(dispatcher))
        return false;
    while (function && !function->ready)
        function = function->hh.next;
    return function;
}

/* Once its time is over, whatever is left. */
static bool is_drained(const struct dispatcher *dispatcher)
{
    return !is_waited_for(dispatcher) && (!dispatcher->drain_due || !has_committed(dispatcher));
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
    if (dispatcher->state == DISPATCHER_DRAINING && is_drained(dispatcher)) {
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
    if (under_way(dispatcher))
        log_warning(NULL, "%zu invocations did not end in time: they are cancelled%s",
                    under_way(dispatcher),
                    dispatcher_commits_first(dispatcher)
                        ? ""
                        : ", and their records go to the partitions' next owner");
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

/* Of what was committed first nothing is kept: nobody could tell whether it was called. */
static void lose(struct dispatcher *dispatcher)
{
    bool kept = !dispatcher->stopping && !dispatcher_commits_first(dispatcher);

    dispatcher->revoked = false;
    if (dispatcher->state == DISPATCHER_IDLE)
        return;
    log_warning(NULL, "partitions were lost; %zu invocations under way %s", under_way(dispatcher),
                kept ? "go on, and count if the partitions come back before another member had them"
                     : "are cancelled");
    if (!kept) {
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
