/*
 * partition: a partition of the topic that is ours for now, as a state table:
 *
 *   starting   its start position is being committed; nothing is taken before it is
 *   running    records are taken as they come
 *   full       its window or the byte budget is full, or no function wants its topic
 *              (no_function=wait): nothing is taken
 *   draining   to be given up: nothing is taken, what runs and what lies between is waited for
 *
 * and then it is gone. All partitions are assigned and given up together (eager groups).
 */
#ifndef INVOKE_PARTITION_H
#define INVOKE_PARTITION_H

#include "base/metrics.h"
#include "core/lanes.h"
#include "core/ledger.h"
#include "core/progress.h"
#include "core/source.h"

enum partition_state {
    PARTITION_STARTING,
    PARTITION_RUNNING,
    PARTITION_FULL,
    PARTITION_DRAINING,
};

struct function;
struct invocation;
struct partition;

/* What a function has to do with a partition: what waits for what. */
struct subscription {
    struct partition *partition;
    struct function *function;
    struct lanes lanes;
    bool bound;     /* new records go to it */
    size_t pending; /* invocations that have not ended */
    struct subscription *prev, *next;
};

struct partition {
    enum partition_state state;
    struct source_partition *handle;
    char *topic;
    int32_t number;
    struct ledger ledger;
    unsigned log;         /* counts up when the topic was made anew: fences the old log's */
    uint64_t called;      /* sequence behind the newest record that was called */
    uint64_t drain_limit; /* draining: from this sequence on, nothing is called */
    struct progress progress;
    int64_t committed;                  /* as the group last acknowledged it; -1: not yet */
    int64_t committing;                 /* as the commit under way says */
    bool announce;                      /* metadata must be committed though no offset changed */
    bool skipping;                      /* it was said that no function wants the topic */
    struct subscription *subscriptions; /* utlist DL */
    size_t bound;                       /* of them: bound */
    struct invocation *invocations;     /* that have not ended, utlist DL by its siblings */
    struct metrics_instance *metrics;
    struct partition *prev, *next; /* the dispatcher's list */
};

struct partition *partition_new(const struct source_assignment *assignment, int64_t start,
                                size_t window);
/* No invocation may be left. */
void partition_free(struct partition *partition);

/* Moves to a state; the move must be one of the table's. */
void partition_set_state(struct partition *partition, enum partition_state to);
const char *partition_state_name(enum partition_state state);

/* The subscription of a function; NULL: none. */
struct subscription *partition_subscription(struct partition *partition,
                                            const struct function *function);
struct subscription *partition_subscribe(struct partition *partition, struct function *function,
                                         enum order order);
/* Nothing of it may be pending. */
void partition_unsubscribe(struct subscription *subscription);

/* Whether the group has yet to be told something. */
bool partition_dirty(const struct partition *partition);

#endif
