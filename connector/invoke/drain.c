/*
 * drain: how partitions are given up, at a rebalance or for good, without losing or repeating.
 *
 *   working -> draining    nothing is taken or called any more; what waits or backs off is stopped
 *                          (its records stay unfinished in the ledgers)
 *   draining -> committing no call and no commit is under way, or drain_timeout passed and the
 *                          rest was cancelled: the last commit leaves
 *   committing -> idle     it was answered: the partitions go back to the source
 * Partitions that were lost are dropped at once, whatever the state.
 *
 * With delivery=at-most-once nobody would call later what is committed: it is still called while
 * draining. What is not, when the time is over, is lost, and counted as dropped.
 */
#include "base/log.h"
#include "invoke/dispatcher_state.h"

#include <assert.h>
#include <utlist.h>

/* They stay in the partition's list: the last commit tells the next owner how often each was
 * tried. The lanes go at once, so that nothing becomes ready when a call that still runs ends. */
static void abandon_in(struct partition *partition, bool calling_too)
{
    struct invocation *invocation;
    struct subscription *subscription;

    DL_FOREACH2 (partition->invocations, invocation, next_sibling) {
        invocation->lane = (struct lane_item){0};
        if (calling_too || invocation->state != INVOCATION_CALLING)
            invocation_stop(invocation);
    }
    DL_FOREACH (partition->subscriptions, subscription)
        lanes_release(&subscription->lanes);
}

static void abandon_invocations(struct dispatcher *dispatcher, bool calling_too)
{
    struct partition *partition;

    DL_FOREACH (dispatcher->partitions, partition)
        abandon_in(partition, calling_too);
}

static bool is_lost(const struct partition *partition, const struct invocation *invocation)
{
    return partition->commit_first && partition_permits(partition, invocation);
}

/* Returns how many are lost. */
static size_t free_invocations(struct partition *partition)
{
    struct invocation *invocation, *next;
    size_t lost = 0;

    DL_FOREACH_SAFE2 (partition->invocations, invocation, next, next_sibling) {
        if (is_lost(partition, invocation)) {
            invocation->subscription->function->metrics->values[F_DROPPED].number++;
            lost++;
        }
        invocation_set_state(invocation, INVOCATION_ENDED);
        invocation_free(invocation);
    }
    return lost;
}

void dispatcher_drop_partitions(struct dispatcher *dispatcher)
{
    struct partition *partition, *next;
    size_t lost = 0;

    abandon_invocations(dispatcher, true);
    DL_FOREACH_SAFE (dispatcher->partitions, partition, next) {
        DL_DELETE(dispatcher->partitions, partition);
        lost += free_invocations(partition);
        metrics_remove(dispatcher->setup.metrics, partition->metrics);
        partition_free(partition);
    }
    dispatcher->partition_count = 0;
    dispatcher->memory = 0;
    if (lost)
        log_warning(NULL,
                    "%zu invocations were committed and have not ended: dropped "
                    "(delivery=at-most-once)",
                    lost);
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
    return !dispatcher->in_flight && (!dispatcher->drain_due || !has_committed(dispatcher));
}

void drain_continue(struct dispatcher *dispatcher)
{
    if (dispatcher->committer.under_way)
        return;
    if (dispatcher->state == DISPATCHER_DRAINING && is_drained(dispatcher)) {
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
        log_warning(NULL, "%zu invocations did not end in time: they are cancelled%s",
                    dispatcher->in_flight,
                    dispatcher_commits_first(dispatcher)
                        ? ""
                        : ", and their records go to the partitions' next owner");
    abandon_invocations(dispatcher, true);
    drain_continue(dispatcher);
}

static void drain(struct dispatcher *dispatcher, int64_t timeout_ms)
{
    struct partition *partition;

    delay_cancel(&dispatcher->drain_due);
    dispatcher->drain_due =
        delay_start(dispatcher->setup.loop, timeout_ms, on_drain_due, dispatcher);
    if (dispatcher->state == DISPATCHER_WORKING) {
        dispatcher_set_state(dispatcher, DISPATCHER_DRAINING);
        DL_FOREACH (dispatcher->partitions, partition)
            partition_set_state(partition, PARTITION_DRAINING);
        if (!dispatcher_commits_first(dispatcher))
            abandon_invocations(dispatcher, false);
    }
    drain_continue(dispatcher);
}

void drain_revoke(struct dispatcher *dispatcher, bool lost)
{
    struct source *source = dispatcher->setup.source;

    if (lost) {
        if (dispatcher->state != DISPATCHER_IDLE)
            log_warning(NULL, "partitions were lost; %zu invocations under way are cancelled%s",
                        dispatcher->in_flight,
                        dispatcher_commits_first(dispatcher)
                            ? ""
                            : " and may be repeated by their next owner");
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
