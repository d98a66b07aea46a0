/*
 * partition: see partition.h.
 */
#include "invoke/partition.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "invoke/function.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

#define FROM(state) (1u << (state))

static const struct {
    const char *name;
    unsigned from;
} states[] = {
    [PARTITION_STARTING] = {"starting", 0},
    [PARTITION_RUNNING] = {"running", FROM(PARTITION_STARTING) | FROM(PARTITION_FULL)},
    [PARTITION_FULL] = {"full", FROM(PARTITION_RUNNING)},
    [PARTITION_DRAINING] = {"draining", FROM(PARTITION_STARTING) | FROM(PARTITION_RUNNING) |
                                            FROM(PARTITION_FULL)},
};

const char *partition_state_name(enum partition_state state)
{
    return states[state].name;
}

void partition_set_state(struct partition *partition, enum partition_state to)
{
    struct log_subject subject = {partition->topic, partition->number, -1, NULL};

    if (partition->state == to)
        return;
    assert(states[to].from & FROM(partition->state));
    log_debug(&subject, "%s -> %s", states[partition->state].name, states[to].name);
    partition->state = to;
}

struct partition *partition_new(const struct source_assignment *assignment, int64_t start,
                                size_t window)
{
    struct partition *partition = xcalloc(1, sizeof(*partition));

    partition->handle = assignment->handle;
    partition->topic = xstrdup(assignment->topic);
    partition->number = assignment->number;
    partition->committed = partition->committing = -1;
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
    lanes_init(&subscription->lanes, order);
    DL_APPEND(partition->subscriptions, subscription);
    return subscription;
}

void partition_unsubscribe(struct subscription *subscription)
{
    assert(!subscription->pending);
    DL_DELETE(subscription->partition->subscriptions, subscription);
    subscription->function->subscriptions--;
    lanes_release(&subscription->lanes);
    free(subscription);
}

bool partition_dirty(const struct partition *partition)
{
    return partition->announce || partition->committed != ledger_committable(&partition->ledger);
}
