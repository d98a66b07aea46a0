/* partition: see partition.h. */
#include "invoke/partition.h"

#include "base/xalloc.h"
#include "invoke/function.h"
#include "invoke/invocation.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

#define FROM(state) (1u << (state))

static const struct {
    const char *name;
    unsigned from;
} states[] = {
    [PARTITION_STARTING] = {"starting", 0},
    [PARTITION_RUNNING] = {"running",
                           FROM(PARTITION_STARTING) | FROM(PARTITION_FULL) | FROM(PARTITION_ASIDE)},
    [PARTITION_FULL] = {"full", FROM(PARTITION_RUNNING)},
    [PARTITION_DRAINING] = {"draining", FROM(PARTITION_STARTING) | FROM(PARTITION_RUNNING) |
                                            FROM(PARTITION_FULL)},
    [PARTITION_ASIDE] = {"aside",
                         FROM(PARTITION_RUNNING) | FROM(PARTITION_FULL) | FROM(PARTITION_DRAINING)},
};

const char *partition_state_name(enum partition_state state)
{
    return states[state].name;
}

struct log_subject partition_subject(const struct partition *partition)
{
    return (struct log_subject){partition->topic, partition->number, -1, NULL};
}

void partition_set_state(struct partition *partition, enum partition_state to)
{
    struct log_subject subject = partition_subject(partition);

    if (partition->state == to)
        return;
    assert(states[to].from & FROM(partition->state));
    log_debug(&subject, "%s -> %s", states[partition->state].name, states[to].name);
    partition->state = to;
}

bool partition_rests(const struct partition *partition)
{
    return partition->state == PARTITION_DRAINING || partition->state == PARTITION_ASIDE;
}

struct partition *partition_new(const struct source_assignment *assignment, int64_t start,
                                size_t window)
{
    struct partition *partition = xcalloc(1, sizeof(*partition));

    partition->handle = assignment->handle;
    partition->topic = xstrdup(assignment->topic);
    partition->number = assignment->number;
    partition->committed.offset = partition->sent.offset = -1;
    partition->permitted = start;
    partition->full.by = -1;
    ledger_init(&partition->ledger, start, window);
    return partition;
}

void partition_free(struct partition *partition)
{
    struct subscription *subscription, *next;

    assert(!partition->invocations);
    DL_FOREACH_SAFE (partition->subscriptions, subscription, next)
        partition_unsubscribe(subscription);
    ledger_release(&partition->ledger);
    progress_clear(&partition->restored);
    free(partition->committed.metadata);
    free(partition->sent.metadata);
    free(partition->refused);
    free(partition->topic);
    free(partition);
}

struct subscription *partition_subscription(struct partition *partition,
                                            const struct function *function)
{
    struct subscription *subscription;

    DL_FOREACH (partition->subscriptions, subscription)
        if (subscription->function == function)
            return subscription;
    return NULL;
}

struct subscription *partition_subscribe(struct partition *partition, struct function *function,
                                         enum order order)
{
    struct subscription *subscription = xcalloc(1, sizeof(*subscription));

    subscription->partition = partition;
    subscription->function = function;
    function->subscriptions++;
    subscription->name = progress_name(function->path);
    lanes_init(&subscription->lanes, order);
    ledger_marks_init(&subscription->marks, &partition->ledger);
    DL_APPEND(partition->subscriptions, subscription);
    return subscription;
}

void partition_unsubscribe(struct subscription *subscription)
{
    assert(!subscription->pending);
    DL_DELETE(subscription->partition->subscriptions, subscription);
    subscription->function->subscriptions--;
    lanes_release(&subscription->lanes);
    ledger_marks_release(&subscription->marks);
    free(subscription);
}

/* No commit will name them any more. */
static void admit_uncommitted(struct partition *partition)
{
    struct invocation *invocation;

    DL_FOREACH2 (partition->invocations, invocation, next_sibling)
        if (invocation->state == INVOCATION_UNCOMMITTED)
            invocation_admit(invocation);
}

void partition_begin_anew(struct partition *partition, int64_t offset)
{
    size_t window = partition->ledger.window;
    struct subscription *subscription;

    progress_clear(&partition->restored);
    ledger_release(&partition->ledger);
    ledger_init(&partition->ledger, offset, window);
    DL_FOREACH (partition->subscriptions, subscription) {
        ledger_marks_release(&subscription->marks);
        ledger_marks_init(&subscription->marks, &partition->ledger);
    }
    partition->log++;
    partition->changed = true;
    partition->committing = false; /* its answer is about the old log */
    partition->permitted = offset;
    admit_uncommitted(partition);
}

bool partition_owes(const struct partition *partition, const struct subscription *subscription,
                    int64_t offset)
{
    return subscription->bound &&
           !progress_finished(&partition->restored, subscription->name, offset);
}

uint64_t partition_take(struct partition *partition, const struct record *record, size_t memory)
{
    struct subscription *subscription;
    uint32_t owed = 0, bytes = memory < UINT32_MAX ? (uint32_t)memory : UINT32_MAX;
    int64_t offset = record->offset;
    uint64_t sequence;

    if (partition->restored.functions &&
        ledger_committable(&partition->ledger) > progress_top(&partition->restored))
        progress_clear(&partition->restored);
    DL_FOREACH (partition->subscriptions, subscription)
        owed += partition_owes(partition, subscription, offset);
    sequence = ledger_take(&partition->ledger, offset, owed, bytes, record_print(record));
    DL_FOREACH (partition->subscriptions, subscription)
        ledger_mark(&partition->ledger, &subscription->marks, sequence,
                    !partition_owes(partition, subscription, offset));
    return sequence;
}

bool partition_finish(struct subscription *subscription, uint64_t sequence)
{
    struct partition *partition = subscription->partition;

    partition_touch(partition);
    ledger_mark(&partition->ledger, &subscription->marks, sequence, true);
    return ledger_finish(&partition->ledger, sequence);
}

void partition_touch(struct partition *partition)
{
    partition->changed |= !partition->commit_first;
}

bool partition_dirty(const struct partition *partition)
{
    if (partition->state == PARTITION_ASIDE) /* nobody would listen */
        return false;
    return partition->changed || partition->committed.offset != partition_position(partition);
}

bool partition_permits(const struct partition *partition, const struct invocation *invocation)
{
    return !partition->commit_first || invocation->log != partition->log ||
           invocation->record->offset < partition->permitted;
}

/* The invocations are in the log's order, so those that are not permitted stand behind all others.
 * NULL: there are none. */
static struct invocation *first_unpermitted(const struct partition *partition)
{
    struct invocation *head = partition->invocations, *first = NULL;
    struct invocation *it = head ? head->prev_sibling : NULL; /* the last */

    while (it && !partition_permits(partition, it)) {
        first = it;
        it = it == head ? NULL : it->prev_sibling;
    }
    return first;
}

int64_t partition_position(const struct partition *partition)
{
    const struct invocation *first;

    if (!partition->commit_first)
        return ledger_committable(&partition->ledger);
    first = partition->state == PARTITION_DRAINING ? first_unpermitted(partition) : NULL;
    return first ? first->record->offset : partition->ledger.next;
}

void partition_send_take(struct partition *partition, int64_t offset, char *metadata)
{
    free(partition->sent.metadata);
    partition->sent = (struct partition_mark){offset, metadata};
    partition->changed = false;
}

void partition_acknowledged(struct partition *partition)
{
    struct invocation *invocation = NULL;

    free(partition->committed.metadata);
    partition->committed = partition->sent;
    partition->sent = (struct partition_mark){-1, NULL};
    if (partition->commit_first)
        invocation = first_unpermitted(partition);
    partition->permitted = partition->committed.offset;
    for (; invocation && partition_permits(partition, invocation);
         invocation = invocation->next_sibling)
        if (invocation->state == INVOCATION_UNCOMMITTED)
            invocation_admit(invocation);
}

/* In the order of the log, as they were taken. */
static void add_counts(const struct partition *partition, const struct subscription *subscription,
                       struct progress_function *to)
{
    const struct invocation *invocation;
    size_t left = subscription->tried;

    for (invocation = partition->invocations; invocation && left;
         invocation = invocation->next_sibling) {
        if (invocation->subscription != subscription || !invocation_tried(invocation))
            continue;
        left--;
        if (invocation->log == partition->log)
            progress_add_count(to, (struct progress_count){invocation->record->offset,
                                                           invocation->count.attempts,
                                                           invocation->count.timeouts});
    }
}

/* With commit_first nothing at or above the offset was called, but perhaps by an owner before us
 * who did not commit first. */
static void add_subscription(const struct partition *partition,
                             const struct subscription *subscription, int64_t offset,
                             struct progress *to)
{
    const struct progress_function *before =
        progress_find(&partition->restored, subscription->name);
    struct progress_function *function = progress_add(to, subscription->name);

    if (!partition->commit_first) {
        ledger_runs(&partition->ledger, &subscription->marks, function);
        add_counts(partition, subscription, function);
        offset = partition->ledger.next; /* of records that were not read again yet */
    }
    if (before)
        progress_carry(function, before, offset);
}

static bool has_name(const struct partition *partition, uint32_t name)
{
    const struct subscription *subscription;

    DL_FOREACH (partition->subscriptions, subscription)
        if (subscription->name == name)
            return true;
    return false;
}

void partition_progress(const struct partition *partition, size_t limit,
                        char text[PROGRESS_TEXT_SIZE + 1])
{
    int64_t offset = partition_position(partition);
    struct progress progress = {.born = partition->born};
    const struct subscription *subscription;

    DL_FOREACH (partition->subscriptions, subscription)
        add_subscription(partition, subscription, offset, &progress);
    for (size_t i = 0; i < partition->restored.function_count; i++) {
        const struct progress_function *before = &partition->restored.functions[i];

        if (!has_name(partition, before->name)) /* a function that may come back */
            progress_carry(progress_add(&progress, before->name), before, offset);
    }
    progress_encode(&progress, offset, limit, text);
    progress_clear(&progress);
}
