/*
 * dispatcher_state: what the files of the dispatcher share. Private to invoke/.
 */
#ifndef INVOKE_DISPATCHER_STATE_H
#define INVOKE_DISPATCHER_STATE_H

#include "invoke/dispatcher.h"
#include "invoke/function.h"
#include "invoke/invocation.h"
#include "invoke/partition.h"
#include "invoke/pause.h"

/*
 *   idle        no partitions
 *   working     partitions are read
 *   draining    nothing is taken or started, calls and the commit under way are waited for
 *   committing  the last commit is under way
 */
enum dispatcher_state {
    DISPATCHER_IDLE,
    DISPATCHER_WORKING,
    DISPATCHER_DRAINING,
    DISPATCHER_COMMITTING,
};

enum { COMMIT_AFTER = 256 }; /* finished invocations */

struct committer {
    bool under_way;
    size_t finished; /* invocations since the last commit left */
    size_t awaited;  /* invocations that wait for theirs (delivery=at-most-once) */
    struct delay *due;
    char *fault;       /* why the last one failed; NULL: it did not */
    unsigned failures; /* in a row */
};

struct dispatcher {
    struct dispatcher_setup setup;
    struct retry_rules rules; /* of functions whose annotations say nothing */
    enum dispatcher_state state;
    struct target gateway;
    struct delay *gateway_probe_due;
    size_t in_flight;
    int64_t memory; /* of all partitions' windows */
    int64_t received;
    uint64_t random;

    struct partition *partitions; /* utlist DL */
    size_t partition_count;
    const struct topic_map *map; /* in force; NULL: none yet */
    struct function *functions;  /* by path */
    struct function *waiting;    /* utlist DL: have ready invocations and may be called */
    bool filling;                /* slots are being filled: no second time within */
    bool room;                   /* a window moved: full partitions may have room */

    struct pauses pauses;
    struct committer committer;
    bool revoked;  /* the source waits for release */
    bool stopping; /* for good */
    struct delay *drain_due, *summary_due, *look_due;
    int64_t moved_ms; /* when a call began or ended the last time */
    char *stalled;    /* which partition is, and why; NULL: none */
    void (*stopped)(void *context);
    void *stopped_context;

    struct metrics_instance *metrics;
};

int64_t dispatcher_now(const struct dispatcher *dispatcher);
bool dispatcher_commits_first(const struct dispatcher *dispatcher); /* delivery=at-most-once */
void dispatcher_set_state(struct dispatcher *dispatcher, enum dispatcher_state to);
const char *dispatcher_state_name(enum dispatcher_state state);

/* dispatcher.c: takes what there is room for. */
void dispatcher_take(struct dispatcher *dispatcher, struct partition *partition);
/* ... from every partition that was full and is not any more. */
void dispatcher_take_all(struct dispatcher *dispatcher);

/* Whether the partition may take a record. */
bool dispatcher_has_room(const struct dispatcher *dispatcher, const struct partition *partition);

/* subscriptions.c: NULL: no function of this path is known. */
struct function *dispatcher_function(const struct dispatcher *dispatcher, const char *path);
/* Brings a partition's subscriptions in step with the map. */
void dispatcher_subscribe(struct dispatcher *dispatcher, struct partition *partition);
/* Ends what is owed to a function that the map names no more, but what is being called. */
void dispatcher_end_unbound(struct dispatcher *dispatcher, struct function *function);
void dispatcher_free_functions(struct dispatcher *dispatcher);

/* slots.c: a function has something ready or may be called again. */
void dispatcher_list_function(struct dispatcher *dispatcher, struct function *function);
/* Takes from the partitions that have room again, then starts calls while there are slots. */
void dispatcher_fill_slots(struct dispatcher *dispatcher);

/* Whether a call to the function may begin as far as slots go. */
bool dispatcher_has_slot(const struct dispatcher *dispatcher, const struct function *function);

/* standstill.c: looks, once a second, at what partitions wait for. */
void dispatcher_look(struct dispatcher *dispatcher);
/* What a partition's lowest unfinished record waits for, in words; NULL: there is none. */
const char *dispatcher_waits_because(const struct dispatcher *dispatcher,
                                     const struct partition *partition);

/* outcome.c */
void invocation_answered(void *invocation, const struct http_answer *answer);
void invocation_finish(struct invocation *invocation, enum invocation_end end);
void invocation_give_up(struct invocation *invocation, const char *why);

/* committer.c */
void committer_touch(struct dispatcher *dispatcher); /* something may be there to commit */
bool committer_send(struct dispatcher *dispatcher);  /* false: nothing is */
void committer_answered(struct dispatcher *dispatcher, const char *why_not);
void committer_release(struct dispatcher *dispatcher);

/* drain.c */
void dispatcher_drop_partitions(struct dispatcher *dispatcher); /* commits nothing */
void drain_revoke(struct dispatcher *dispatcher, bool lost);
/* After whatever a drain may wait for has ended or cannot be waited for any more. */
void drain_continue(struct dispatcher *dispatcher);

/* report.c */
extern const struct metrics_table dispatcher_metrics, partition_metrics, function_metrics;
enum {
    D_RECEIVED,
    D_EMPTY,
    D_NO_FUNCTION,
    D_REPEATED,
    D_EXPIRED,
    D_MADE_ANEW,
    D_COMMITS,
    D_COMMIT_FAILURES,
    D_IN_FLIGHT,
    D_BUFFERED_BYTES,
    D_GATEWAY_STATE,
    D_PARTITIONS,
    D_STALLED,
};
enum { P_LAG, P_COMMITTED, P_WINDOW, P_STATE, P_PAUSED };
enum {
    F_DONE,
    F_RETRIES,
    F_UNANSWERED,
    F_UNSENT,
    F_DROPPED,
    F_UNBOUND,
    F_IN_FLIGHT,
    F_PENDING,
    F_HELD,
    F_STATE,
    F_PAUSED,
    F_SECONDS,
};

#endif
