/*
 * dispatcher_state: what the files of the dispatcher share. Private to invoke/.
 */
#ifndef INVOKE_DISPATCHER_STATE_H
#define INVOKE_DISPATCHER_STATE_H

#include "core/name_set.h"
#include "invoke/dispatcher.h"
#include "invoke/function.h"
#include "invoke/invocation.h"
#include "invoke/partition.h"
#include "invoke/pause.h"

/*
 *   idle        no partitions are ours; some may be kept aside
 *   working     partitions are read
 *   draining    nothing is taken or called (delivery=at-most-once: but what is committed); calls,
 *               letters and the commit under way are waited for
 *   committing  the last commit is under way
 */
enum dispatcher_state {
    DISPATCHER_IDLE,
    DISPATCHER_WORKING,
    DISPATCHER_DRAINING,
    DISPATCHER_COMMITTING,
};

enum { COMMIT_AFTER = 1024 }; /* finished invocations */

struct committer {
    bool under_way;
    size_t finished;           /* invocations since the last commit left */
    size_t awaited;            /* invocations that wait for theirs (delivery=at-most-once) */
    struct delay *due, *again; /* of what changed; of what was not committed */
    char *fault;               /* why the group takes no commits; NULL: it does */
    bool unreached;            /* the last one; what hindered it passes by itself */
    bool too_long;             /* the last one: its metadata */
    size_t metadata_most;      /* characters, as far as the group has refused more */
    size_t metadata_said;      /* the same as it was told last */
};

struct dispatcher {
    struct dispatcher_setup setup;
    struct retry_rules rules; /* of functions whose annotations say nothing */
    enum dispatcher_state state;
    struct target gateway;
    struct delay *gateway_probe_due;
    size_t in_flight;
    uint64_t calls_begun;
    uint64_t back_call; /* the last that had begun when the gateway came back */
    size_t away;        /* functions that are */
    int64_t memory;     /* of all partitions' windows */
    uint64_t random;

    struct partition *partitions; /* utlist DL; with those aside */
    size_t partition_count;       /* without them */
    const struct topic_map *map;  /* in force; NULL: none yet */
    struct function *functions;   /* by path */
    struct function *waiting;     /* utlist DL: have ready invocations and may be called */
    bool filling;                 /* slots are being filled: no second time within */
    bool room;                    /* a window moved: full partitions may have room */

    struct pauses pauses;
    /* Topics of which partitions had commits while we had them. When none has any more, the commits
     * went with the topic: it was deleted and made anew (core/start). Kept while we live. */
    struct name_set known_topics;
    struct committer committer;
    bool revoked;        /* the source waits for release */
    bool stopping;       /* for good */
    int64_t drain_until; /* no commit is sent again after it, of dispatcher_now */
    struct delay *drain_due, *drain_again, *aside_due, *summary_due, *look_due;
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
/* Ends what is owed to a function that the map names no more, but calls and dead letters under way,
 * and what rests. */
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
/* After something of a function has ended: what follows for the dispatcher as a whole. */
void dispatcher_go_on(struct dispatcher *dispatcher, struct function *function);

/* give_up.c: with dead letters it becomes one; without, what the options say. `status` of its last
 * answer, 0: none. */
void invocation_give_up(struct invocation *invocation, enum letter_reason reason, long status);
/* The line of what was given up without one of its own; counts from 0 again. */
void give_up_summary(struct function *function);
/* Without dead letters: whether what is given up is dropped, rather than held. */
bool dispatcher_drops(const struct dispatcher *dispatcher);
/* Not only for now: whether it is older than max_record_age. */
bool invocation_too_old(const struct invocation *invocation);

/* make_room.c: sends to the dead letters what is in the way of others. */
void dispatcher_make_room(struct dispatcher *dispatcher);
/* Whether a record more than the window may be taken, to see if a function is there. */
bool dispatcher_may_venture(const struct dispatcher *dispatcher, const struct partition *partition);

/* committer.c */
void committer_init(struct dispatcher *dispatcher);
void committer_touch(struct dispatcher *dispatcher); /* something may be there to commit */
bool committer_send(struct dispatcher *dispatcher);  /* false: nothing is */
void committer_answered(struct dispatcher *dispatcher, const struct source_answer *answers,
                        size_t count);
void committer_release(struct dispatcher *dispatcher);

/* drain.c */
void dispatcher_drop_partition(struct dispatcher *dispatcher, struct partition *partition);
void dispatcher_drop_partitions(struct dispatcher *dispatcher); /* commits nothing */
void drain_revoke(struct dispatcher *dispatcher, bool lost);
/* After whatever a drain may wait for has ended or cannot be waited for any more. */
void drain_continue(struct dispatcher *dispatcher);

/* aside.c: all partitions were lost. */
void aside_put(struct dispatcher *dispatcher);
/* The partition assigned goes on as it was when it was lost: true, and the assignment is answered.
 * False: nothing of it was kept, or it is void and dropped now. */
bool aside_take_back(struct dispatcher *dispatcher, struct source_assignment *assignment);
void aside_drop(struct dispatcher *dispatcher);

/* report.c: what the metrics of dispatcher.h have */
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
    F_TOO_OLD,
    F_DEAD_LETTERS,
    F_IN_FLIGHT,
    F_PENDING,
    F_HELD,
    F_STATE,
    F_PAUSED,
    F_SECONDS,
};

#endif
