/*
 * committer: when progress is committed.
 *
 * A commit leaves when COMMIT_AFTER invocations finished or commit_interval passed since something
 * changed; one is under way at a time, for all partitions that changed. One that fails is sent
 * again, later and later.
 *
 * With delivery=at-most-once calls wait for commits: one leaves at once while a slot is free that
 * only waits for it, and what is taken while it is under way goes with the next.
 */
#include "base/log.h"
#include "base/xalloc.h"
#include "invoke/dispatcher_state.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { RETRY_MS = 250, RETRY_MOST_MS = 5000, START_MS = 100 };

static void on_due(void *context)
{
    struct dispatcher *dispatcher = context;

    dispatcher->committer.due = NULL;
    if (dispatcher->state == DISPATCHER_WORKING && !dispatcher->committer.under_way)
        committer_send(dispatcher);
}

static bool is_starting(const struct dispatcher *dispatcher)
{
    struct partition *partition;

    DL_FOREACH (dispatcher->partitions, partition)
        if (partition->state == PARTITION_STARTING)
            return true;
    return false;
}

/* A partition is not read before its start is committed: that waits for no long interval. */
static int64_t interval_ms(const struct dispatcher *dispatcher)
{
    int64_t interval = dispatcher->setup.options->commit_interval;

    return interval > START_MS && is_starting(dispatcher) ? START_MS : interval;
}

static int64_t wait_ms(const struct dispatcher *dispatcher)
{
    int64_t wait = RETRY_MS;

    if (!dispatcher->committer.failures)
        return interval_ms(dispatcher);
    for (unsigned i = 1; i < dispatcher->committer.failures && wait < RETRY_MOST_MS; i++)
        wait *= 2;
    return wait < RETRY_MOST_MS ? wait : RETRY_MOST_MS;
}

static bool is_urgent(const struct dispatcher *dispatcher)
{
    const struct committer *committer = &dispatcher->committer;

    if (committer->failures)
        return false;
    return committer->finished >= COMMIT_AFTER ||
           (committer->awaited &&
            dispatcher->in_flight < (size_t)dispatcher->setup.options->max_inflight);
}

void committer_touch(struct dispatcher *dispatcher)
{
    struct committer *committer = &dispatcher->committer;

    if (dispatcher->state != DISPATCHER_WORKING || committer->under_way)
        return;
    if (is_urgent(dispatcher))
        committer_send(dispatcher);
    else if (!committer->due)
        committer->due =
            delay_start(dispatcher->setup.loop, wait_ms(dispatcher), on_due, dispatcher);
}

bool committer_send(struct dispatcher *dispatcher)
{
    struct source *source = dispatcher->setup.source;
    struct source_position *positions = xcalloc(dispatcher->partition_count, sizeof(*positions));
    char text[PROGRESS_TEXT_SIZE + 1];
    struct partition *partition;
    size_t count = 0;

    DL_FOREACH (dispatcher->partitions, partition) {
        if (!partition_dirty(partition))
            continue;
        partition_progress(partition, text);
        partition->committing = partition_position(partition);
        partition->changed = false;
        positions[count++] =
            (struct source_position){partition->handle, partition->committing, xstrdup(text)};
    }
    delay_cancel(&dispatcher->committer.due);
    dispatcher->committer.finished = 0;
    if (count) {
        dispatcher->committer.under_way = true;
        source->calls->done(source, positions, count);
    }
    for (size_t i = 0; i < count; i++)
        free((char *)positions[i].metadata);
    free(positions);
    return count > 0;
}

static void note_fault(struct committer *committer, const char *why_not)
{
    if (!why_not)
        committer->failures = 0;
    else
        committer->failures++;
    if (why_not && (!committer->fault || strcmp(committer->fault, why_not) != 0))
        log_warning(NULL, "commit failed: %s; it is sent again", why_not);
    else if (!why_not && committer->fault)
        log_info(NULL, "commits succeed again");
    free(committer->fault);
    committer->fault = xstrdup(why_not);
}

static void settle(struct partition *partition, bool committed)
{
    if (partition->committing < 0)
        return;
    if (committed)
        partition_acknowledged(partition);
    else
        partition->changed = true;
    partition->committing = -1;
}

/* After all are settled: taking may send the next commit. */
static void begin(struct dispatcher *dispatcher, struct partition *partition)
{
    if (partition->state != PARTITION_STARTING || partition->committed < 0)
        return;
    partition_set_state(partition, PARTITION_RUNNING);
    dispatcher_take(dispatcher, partition);
}

void committer_answered(struct dispatcher *dispatcher, const char *why_not)
{
    struct partition *partition;

    dispatcher->committer.under_way = false;
    dispatcher->metrics->values[why_not ? D_COMMIT_FAILURES : D_COMMITS].number++;
    note_fault(&dispatcher->committer, why_not);
    DL_FOREACH (dispatcher->partitions, partition)
        settle(partition, !why_not);
    DL_FOREACH (dispatcher->partitions, partition)
        begin(dispatcher, partition);
    dispatcher_fill_slots(dispatcher);
    if (dispatcher->state == DISPATCHER_WORKING) {
        DL_FOREACH (dispatcher->partitions, partition)
            if (partition_dirty(partition))
                committer_touch(dispatcher);
    } else {
        drain_continue(dispatcher);
    }
}

void committer_release(struct dispatcher *dispatcher)
{
    delay_cancel(&dispatcher->committer.due);
    free(dispatcher->committer.fault);
    dispatcher->committer.fault = NULL;
}
