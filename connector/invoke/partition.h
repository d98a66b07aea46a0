/*
 * partition: a partition of the topic that is ours for now, as a state table:
 *
 *   starting   its start position is being committed; nothing is taken before it is
 *   running    records are taken as they come
 *   full       its window or the byte budget is full, no function wants its topic
 *              (no_function=wait), or it is paused by hand: nothing is taken
 *   draining   to be given up: nothing is taken or called (with commit_first: but what is
 *              committed), what runs is waited for
 *   aside      lost without a drain: kept as it is, for the case that it comes back before anybody
 *              else had it; nothing is taken or called, what runs goes on and counts
 *
 * and then it is gone. All partitions are assigned and given up together (eager groups).
 */
#ifndef INVOKE_PARTITION_H
#define INVOKE_PARTITION_H

#include "base/log.h"
#include "base/metrics.h"
#include "core/lanes.h"
#include "core/ledger.h"
#include "core/progress.h"
#include "core/record.h"
#include "core/source.h"
#include "core/stall.h"

enum partition_state {
    PARTITION_STARTING,
    PARTITION_RUNNING,
    PARTITION_FULL,
    PARTITION_DRAINING,
    PARTITION_ASIDE,
};

struct function;
struct invocation;
struct partition;

/* What a function has to do with a partition: what waits for what. */
struct subscription {
    struct partition *partition;
    struct function *function;
    uint32_t name; /* the function's in the commit metadata */
    struct lanes lanes;
    struct ledger_marks marks;
    bool bound;     /* new records go to it */
    size_t tried;   /* invocations that were tried and have not ended */
    size_t pending; /* invocations that have not ended */
    size_t letters; /* of them: their dead letters are on their way */
    struct subscription *prev, *next;
};

/* What keeps a partition full, as the last looks saw it. */
struct partition_full {
    int64_t by;         /* it was full, and this offset was its lowest unfinished; -1: it was not */
    uint32_t said_name; /* the function it was said of, as in the commit metadata, */
    const char *said_why; /* and what it waits for; NULL: nothing was said */
};

/* An offset and the metadata that goes with it. */
struct partition_mark {
    int64_t offset; /* -1: none */
    char *metadata; /* NULL: none */
};

struct partition {
    enum partition_state state;
    struct source_partition *handle; /* NULL: aside */
    char *topic;
    int32_t number;
    struct ledger ledger;
    unsigned log;             /* counts up when the topic was made anew: fences the old log's */
    int32_t born;             /* see core/progress */
    struct progress restored; /* what the last owner left, until all of it is done */
    bool changed;             /* progress differs from what was committed last */
    struct partition_mark committed; /* as the group last acknowledged it */
    struct partition_mark sent;      /* by the commit under way, or by one that failed since */
    bool committing;                 /* the commit under way is about it ... */
    size_t place;                    /* ... and this is its place in that */
    unsigned refusals;               /* of its commits, in a row */
    int64_t commit_at;               /* when they may be sent again, of dispatcher_now */
    char *refused;                   /* why, for its topic's sake; NULL: it is not */
    bool commit_first; /* delivery=at-most-once: an offset is committed, then called */
    int64_t permitted; /* with commit_first: the offset acknowledged within this log */
    bool paused;       /* by hand: nothing is taken or begun */
    bool ventured;     /* the last record was taken beyond the window (make_room.c) */
    bool skipping;     /* it was said that no function wants the topic */
    struct stall stall;
    struct partition_full full;
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

/* What a line of the log about it is about. Borrowed from it. */
struct log_subject partition_subject(const struct partition *partition);

/* Whether it is given up: draining, aside. */
bool partition_rests(const struct partition *partition);

/* The subscription of a function; NULL: none. */
struct subscription *partition_subscription(struct partition *partition,
                                            const struct function *function);
struct subscription *partition_subscribe(struct partition *partition, struct function *function,
                                         enum order order);
/* Nothing of it may be pending. */
void partition_unsubscribe(struct subscription *subscription);

/* The log was made anew, and begins at `offset`. */
void partition_begin_anew(struct partition *partition, int64_t offset);

/* Whether a record is owed to a subscription: it is bound, and had not finished the record when the
 * partition came to us. */
bool partition_owes(const struct partition *partition, const struct subscription *subscription,
                    int64_t offset);

/* Enters a record into the ledger, owed to whom it is. Returns its sequence number. */
uint64_t partition_take(struct partition *partition, const struct record *record, size_t memory);

/* A subscription is done with a record of the log in force. True: the window moved. */
bool partition_finish(struct subscription *subscription, uint64_t sequence);

/* Whether a record of it may be called as far as commits go: with commit_first, its offset has been
 * acknowledged. One of a log that was deleted can come from nowhere again. */
bool partition_permits(const struct partition *partition, const struct invocation *invocation);

/* The offset to commit: the lowest one not done by all. With commit_first, the one behind all that
 * was taken; when draining, behind all that may be called, for the rest goes to the next owner. */
int64_t partition_position(const struct partition *partition);

/* What is to be committed now, as `sent`. The text is taken. */
void partition_send_take(struct partition *partition, int64_t offset, char *metadata);
/* `sent` was acknowledged; with commit_first, admits what waited for it. */
void partition_acknowledged(struct partition *partition);

/* There is progress to tell, if it is told at all: with commit_first nobody asks what was done. */
void partition_touch(struct partition *partition);

/* Whether the group has yet to be told something. */
bool partition_dirty(const struct partition *partition);

/* The metadata to commit with partition_position, of at most `limit` characters (progress_encode).
 */
void partition_progress(const struct partition *partition, size_t limit,
                        char text[PROGRESS_TEXT_SIZE + 1]);

#endif
