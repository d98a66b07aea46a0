/*
 * standstill: what partitions wait for, looked at once a second.
 *
 * A partition that was full of what waits for the same record at two looks is told, once a change
 * of function or reason: ordinary back-pressure has another record at each. One that stands still
 * with nothing to explain it (core/stall) for stall_timeout is a stall, told by /health.
 */
#include "base/log.h"
#include "base/xalloc.h"
#include "invoke/dispatcher_state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <utlist.h>

static const enum stall_step steps[] = {
    [INVOCATION_QUEUED] = STALL_QUEUED,   [INVOCATION_UNCOMMITTED] = STALL_UNCOMMITTED,
    [INVOCATION_PAUSED] = STALL_PAUSED,   [INVOCATION_READY] = STALL_READY,
    [INVOCATION_CALLING] = STALL_CALLING, [INVOCATION_BACKING_OFF] = STALL_BACKING_OFF,
    [INVOCATION_HELD] = STALL_HELD,       [INVOCATION_DEAD_LETTER] = STALL_DEAD_LETTER,
};

static void view_invocation(const struct dispatcher *dispatcher,
                            const struct invocation *invocation, struct stall_view *view)
{
    const struct function *function = invocation->subscription->function;
    const struct letters *letters = dispatcher->setup.letters;

    view->step = steps[invocation->state];
    view->offset = invocation->record->offset;
    view->called_ms = invocation->called_ms;
    view->slot = dispatcher_has_slot(dispatcher, function);
    view->gateway_away = dispatcher->gateway.state == TARGET_AWAY;
    view->function_away = function->target.state == TARGET_AWAY;
    view->letters_wait = letters && letters->fault;
    if (view->gateway_away)
        view->probe_ms = dispatcher->gateway.due_ms;
    if (view->function_away && function->target.due_ms > view->probe_ms)
        view->probe_ms = function->target.due_ms;
}

static struct stall_finding find(const struct dispatcher *dispatcher,
                                 const struct partition *partition, bool untaken)
{
    const struct committer *committer = &dispatcher->committer;
    struct stall_view view = {
        .now_ms = dispatcher_now(dispatcher),
        .call_timeout_ms = dispatcher->setup.call_timeout_ms,
        .moved_ms = dispatcher->moved_ms,
        .next = partition->ledger.next,
        .starting = partition->state == PARTITION_STARTING,
        .committing = committer->under_way || committer->due || committer->again,
        .untaken = untaken,
    };

    if (partition->invocations)
        view_invocation(dispatcher, partition->invocations, &view);
    return stall_find(&view);
}

const char *dispatcher_waits_because(const struct dispatcher *dispatcher,
                                     const struct partition *partition)
{
    if (partition_rests(partition))
        return "its partition is given up";
    return find(dispatcher, partition, false).why;
}

/* ---- full ---- */

/* The option whose bound was reached; NULL: none, or nothing is unfinished. */
static const char *bound_of(const struct dispatcher *dispatcher, const struct partition *partition)
{
    if (partition->state != PARTITION_FULL || !partition->invocations)
        return NULL;
    if (ledger_fill(&partition->ledger) >= (size_t)dispatcher->setup.options->partition_window)
        return "partition_window";
    return dispatcher->memory >= dispatcher->setup.options->max_buffered_bytes
               ? "max_buffered_bytes"
               : NULL;
}

static void tell_full(struct partition *partition, const char *bound, const char *why)
{
    const struct invocation *lowest = partition->invocations;
    struct partition_full *full = &partition->full;
    struct log_subject subject = invocation_subject(lowest);

    if (full->said_why == why && full->said_name == lowest->subscription->name)
        return;
    full->said_why = why;
    full->said_name = lowest->subscription->name;
    log_warning(&subject, "%s is full and waits for this: %s (%s, attempts: %" PRIu32 ")", bound,
                why, invocation_state_name(lowest->state), invocation_attempts(lowest));
}

static void look_at_full(const struct dispatcher *dispatcher, struct partition *partition,
                         const char *why)
{
    const char *bound = bound_of(dispatcher, partition);
    struct partition_full *full = &partition->full;

    if (!bound) {
        *full = (struct partition_full){.by = -1};
        return;
    }
    if (full->by == partition->invocations->record->offset)
        tell_full(partition, bound, why);
    full->by = partition->invocations->record->offset;
}

/* ---- stalled ---- */

/* Caller frees. */
static char *stall_text(const struct partition *partition, const struct stall_finding *finding)
{
    const struct invocation *lowest = partition->invocations;

    if (!lowest || lowest->record->offset != finding->place)
        return xasprintf("stalled: [%s,%" PRId32 "] before offset %" PRId64 ": %s",
                         partition->topic, partition->number, finding->place, finding->why);
    return xasprintf("stalled: [%s,%" PRId32 "] at offset %" PRId64 ", function %s: %s",
                     partition->topic, partition->number, finding->place,
                     lowest->subscription->function->path, finding->why);
}

/* Whether it is stalled. */
static bool look_at(struct dispatcher *dispatcher, struct partition *partition,
                    struct stall_finding *finding)
{
    struct source *source = dispatcher->setup.source;
    bool untaken = partition->state != PARTITION_STARTING &&
                   dispatcher_has_room(dispatcher, partition) &&
                   source->calls->has_records(source, partition->handle);

    *finding = find(dispatcher, partition, untaken);
    look_at_full(dispatcher, partition, finding->why);
    return stall_look(&partition->stall, finding, dispatcher_now(dispatcher),
                      dispatcher->setup.options->stall_timeout);
}

static void begin_stall(struct dispatcher *dispatcher, const struct partition *partition,
                        const struct stall_finding *finding)
{
    struct log_subject subject = partition_subject(partition);

    if (!dispatcher->stalled) {
        subject.offset = finding->place;
        log_error(&subject, "stalled: %s; /health says so until it goes on", finding->why);
    }
    free(dispatcher->stalled);
    dispatcher->stalled = stall_text(partition, finding);
}

static void end_stall(struct dispatcher *dispatcher)
{
    if (dispatcher->stalled)
        log_info(NULL, "No partition is stalled any more");
    free(dispatcher->stalled);
    dispatcher->stalled = NULL;
}

/* The first that is stalled is told. */
void dispatcher_look(struct dispatcher *dispatcher)
{
    struct stall_finding finding;
    struct partition *partition;
    bool stalled = false;

    if (dispatcher->state == DISPATCHER_WORKING) /* a drain ends in a time of its own */
        DL_FOREACH (dispatcher->partitions, partition) {
            if (partition_rests(partition) || !look_at(dispatcher, partition, &finding) || stalled)
                continue;
            stalled = true;
            begin_stall(dispatcher, partition, &finding);
        }
    if (!stalled)
        end_stall(dispatcher);
}
