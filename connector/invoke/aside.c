/*
 * aside: what is kept of partitions that were lost (the group gave us up: a frozen process, a long
 * outage), for the case that they come back before anybody else had them.
 *
 * A partition is kept as it is, its window and what runs for it included; nothing new is begun, and
 * what ends meanwhile counts. It goes on when it is assigned again with the offset and metadata
 * that we wrote last, as acknowledged or as sent: then nothing of it is repeated. With anything
 * else another member had it, and it begins from what that one left. Kept until the next
 * assignment, and not for ever.
 */
#include "base/log.h"
#include "base/xalloc.h"
#include "core/start.h"
#include "invoke/dispatcher_state.h"

#include <string.h>
#include <utlist.h>

enum { KEEP_MS = 5 * 60 * 1000 };

static void on_aside_due(void *context)
{
    struct dispatcher *dispatcher = context;

    dispatcher->aside_due = NULL;
    aside_drop(dispatcher);
    dispatcher_fill_slots(dispatcher);
}

static void put(struct partition *partition)
{
    struct invocation *invocation;

    partition_set_state(partition, PARTITION_ASIDE);
    partition->handle = NULL;
    DL_FOREACH2 (partition->invocations, invocation, next_sibling)
        if (invocation->state == INVOCATION_READY)
            invocation_admit(invocation);
}

void aside_put(struct dispatcher *dispatcher)
{
    struct partition *partition, *next;

    DL_FOREACH_SAFE (dispatcher->partitions, partition, next)
        if (partition->committed.offset < 0) /* nothing of it was read yet */
            dispatcher_drop_partition(dispatcher, partition);
        else
            put(partition);
    dispatcher->partition_count = 0;
    delay_cancel(&dispatcher->aside_due);
    dispatcher->aside_due = delay_start(dispatcher->setup.loop, KEEP_MS, on_aside_due, dispatcher);
}

void aside_drop(struct dispatcher *dispatcher)
{
    struct partition *partition, *next;

    delay_cancel(&dispatcher->aside_due);
    DL_FOREACH_SAFE (dispatcher->partitions, partition, next)
        if (partition->state == PARTITION_ASIDE)
            dispatcher_drop_partition(dispatcher, partition);
}

static struct partition *find(const struct dispatcher *dispatcher,
                              const struct source_assignment *assignment)
{
    struct partition *partition;

    DL_FOREACH (dispatcher->partitions, partition)
        if (partition->state == PARTITION_ASIDE && partition->number == assignment->number &&
            strcmp(partition->topic, assignment->topic) == 0)
            return partition;
    return NULL;
}

static bool is_mark(const struct partition_mark *mark, const struct source_assignment *assignment)
{
    const char *written = mark->metadata ? mark->metadata : "";
    const char *read = assignment->metadata ? assignment->metadata : "";

    return mark->offset >= 0 && mark->offset == assignment->committed && strcmp(written, read) == 0;
}

/* Nobody else committed since, and the log is the one that was read. */
static bool is_unchanged(const struct partition *partition,
                         const struct source_assignment *assignment)
{
    enum start_reason reason;

    start_position(assignment, INITIAL_EARLIEST,
                   (struct start_memory){.seen = partition->ledger.next}, &reason);
    return reason == START_COMMITTED &&
           (is_mark(&partition->committed, assignment) || is_mark(&partition->sent, assignment));
}

/* Of functions that the map has ceased to name meanwhile. */
static void end_unbound(struct dispatcher *dispatcher, struct partition *partition)
{
    struct subscription *subscription;

    DL_FOREACH (partition->subscriptions, subscription)
        if (!subscription->function->bound)
            dispatcher_end_unbound(dispatcher, subscription->function);
}

static void go_on(struct dispatcher *dispatcher, struct partition *partition)
{
    struct invocation *invocation;

    partition_set_state(partition, PARTITION_RUNNING);
    dispatcher_subscribe(dispatcher, partition);
    DL_FOREACH2 (partition->invocations, invocation, next_sibling)
        if (invocation->state == INVOCATION_QUEUED && lanes_first(&invocation->lane))
            invocation_admit(invocation);
    end_unbound(dispatcher, partition);
}

bool aside_take_back(struct dispatcher *dispatcher, struct source_assignment *assignment)
{
    struct log_subject subject = {assignment->topic, assignment->number, -1, NULL};
    struct partition *partition = find(dispatcher, assignment);

    if (!partition)
        return false;
    if (!is_unchanged(partition, assignment)) {
        log_info(&subject, "another member had it: what was kept of it is void");
        dispatcher_drop_partition(dispatcher, partition);
        return false;
    }
    if (!is_mark(&partition->committed, assignment)) {
        partition->committing = false; /* what its answer would say is known */
        partition_acknowledged(partition);
    }
    partition->handle = assignment->handle;
    partition->changed = true;
    partition->refusals = 0;
    partition->commit_at = 0;
    assignment->start = partition->ledger.next;
    assignment->partition = partition;
    dispatcher->partition_count++;
    go_on(dispatcher, partition);
    log_info(&subject, "it goes on as it was when it was lost");
    return true;
}
