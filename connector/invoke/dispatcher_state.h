/*
 * dispatcher_state: what the files of the dispatcher share. Private to invoke/.
 */
#ifndef INVOKE_DISPATCHER_STATE_H
#define INVOKE_DISPATCHER_STATE_H

#include "invoke/dispatcher.h"
#include "invoke/function.h"
#include "invoke/invocation.h"
#include "invoke/partition.h"

/*
 *   idle        no partitions
 *   working     partitions are read
 *   draining    nothing is taken or called, calls, letters and the commit under way are waited for
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
    uint64_t calls_begun;
    uint64_t back_call;       /* the last that had begun when the gateway came back */
    size_t letters_under_way; /* invocations whose dead letter is */
    size_t away;              /* functions that are */
    int64_t memory;           /* of all partitions' windows */
    int64_t received;
    uint64_t random;

    struct partition *partitions; /* utlist DL */
    size_t partition_count;
    const struct topic_map *map; /* in force; NULL: none yet */
    struct function *functions;  /* by path */
    struct function *waiting;    /* utlist DL: have ready invocations and may be called */
    bool filling;                /* slots are being filled: no second time within */
    bool room;                   /* a window moved: full partitions may have room */

    struct committer committer;
    bool revoked;  /* the source waits for release */
    bool stopping; /* for good */
    struct delay *drain_due, *summary_due, *detach_due;
    void (*stopped)(void *context);
    void *stopped_context;

    struct metrics_instance *metrics;
};

int64_t dispatcher_now(const struct dispatcher *dispatcher);
void dispatcher_set_state(struct dispatcher *dispatcher, enum dispatcher_state to);
const char *dispatcher_state_name(enum dispatcher_state state);

/* dispatcher.c: takes what there is room for. */
void dispatcher_take(struct dispatcher *dispatcher, struct partition *partition);
/* ... from every partition that was full and is not any more. */
void dispatcher_take_all(struct dispatcher *dispatcher);

/* subscriptions.c: brings a partition's subscriptions in step with the map. */
void dispatcher_subscribe(struct dispatcher *dispatcher, struct partition *partition);
/* Ends what is owed to a function that the map names no more, but what is being called. */
void dispatcher_end_unbound(struct dispatcher *dispatcher, struct function *function);
void dispatcher_free_functions(struct dispatcher *dispatcher);

/* slots.c: a function has something ready or may be called again. */
void dispatcher_list_function(struct dispatcher *dispatcher, struct function *function);
/* Takes from the partitions that have room again, then starts calls while there are slots. */
void dispatcher_fill_slots(struct dispatcher *dispatcher);

/* outcome.c */
void invocation_answered(void *invocation, const struct http_answer *answer);
void invocation_finish(struct invocation *invocation, enum invocation_end end);
/* After something of a function has ended: what follows for the dispatcher as a whole. */
void dispatcher_go_on(struct dispatcher *dispatcher, struct function *function);

/* give_up.c: with dead letters it becomes one; without, what the options say. `status` of its last
 * answer, 0: none. */
void invocation_give_up(struct invocation *invocation, enum letter_reason reason, long status);
/* Not only for now: whether it is older than max_record_age. */
bool invocation_too_old(const struct invocation *invocation);

/* make_room.c: sends to the dead letters what is in the way of others. */
void dispatcher_make_room(struct dispatcher *dispatcher);
/* Whether a record more than the window may be taken, to see if a function is there. */
bool dispatcher_may_venture(const struct dispatcher *dispatcher, const struct partition *partition);

/* committer.c */
void committer_touch(struct dispatcher *dispatcher); /* something may be there to commit */
bool committer_send(struct dispatcher *dispatcher);  /* false: nothing is */
void committer_answered(struct dispatcher *dispatcher, const char *why_not);
void committer_release(struct dispatcher *dispatcher);

/* drain.c */
void dispatcher_drop_partitions(struct dispatcher *dispatcher); /* commits nothing */
void drain_revoke(struct dispatcher *dispatcher, bool lost);
void drain_continue(struct dispatcher *dispatcher); /* after a call or a commit ended */

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
    D_LETTER_FAILURES,
    D_LETTERS_TRUNCATED,
    D_IN_FLIGHT,
    D_LETTERS,
    D_LETTER_FAULT,
    D_BUFFERED_BYTES,
    D_GATEWAY_STATE,
    D_PARTITIONS,
};
enum { P_LAG, P_COMMITTED, P_WINDOW, P_STATE };
enum {
    F_DONE,
    F_RETRIES,
    F_UNANSWERED,
    F_UNSENT,
    F_DROPPED,
    F_UNBOUND,
    F_TOO_OLD,
    F_DEAD_LETTERS,
    F_IN_FLIGHT,
    F_PENDING,
    F_HELD,
    F_STATE,
    F_SECONDS,
};

#endif
