/*
 * consumer_private: what the parts of the consumer share. consumer.c holds settings, states and
 * topics; consumer_events.c how events reach it; consumer_group.c being given partitions and giving
 * them up; consumer_start.c what the worker reads before an assignment is answered;
 * consumer_commit.c commits; consumer_record.c records as the sink takes them; consumer_fetch.c
 * that more of them come; consumer_astray.c positions that their log lacks; consumer_renew.c the
 * client made anew; consumer_close.c the end; consumer_log.c what is said.
 *
 * All of it lives on the loop's thread but reading_work (consumer_start.c), which sees nothing but
 * its own struct reading and the thread-safe rd_kafka_t.
 */
#ifndef KAFKA_CONSUMER_PRIVATE_H
#define KAFKA_CONSUMER_PRIVATE_H

#include "kafka/consumer.h"
#include "kafka/credentials.h"
#include "kafka/wake.h"

#include <librdkafka/rdkafka.h>
#include <utarray.h>

enum {
    TICK_MS = 250, /* the consumer queue is polled so often even when nothing wakes us */
    COMMIT_TIMEOUT_MS = 10000,
    BACK_OFF_MIN_MS = 250,
    BACK_OFF_MAX_MS = 5000,
    JOIN_WAIT_MIN_MS = 500,
    JOIN_WAIT_MAX_MS = 30 * 60 * 1000,
    HANDLES = 3, /* of libuv: wake, tick, soon */
    SAID_MAX = 16,
    REASON_SIZE = 512,
};

struct source_partition {
    const char *topic; /* one of consumer->names */
    int32_t number;
    bool told;               /* the sink knows of it: its start could be read */
    rd_kafka_queue_t *queue; /* NULL: not asked for records yet */
    void *sink_partition;
    int64_t next;                /* behind the last record taken; at first where it starts */
    bool unasked;                /* something came since a fetch was asked for */
    bool astray;                 /* its log lacks `next`, it is said: not fetched until settled */
    int64_t end_offset;          /* an end of the log to be told; -1: none */
    rd_kafka_resp_err_t trouble; /* the last in-band error, said already */
};

/* What a worker saw of a log. */
struct log_look {
    int64_t seen; /* the partition's `next` when the worker began; -1: it is not told yet */
    int64_t low, end;
};

/* One batch; the next is not begun before this one is answered. */
struct commit {
    bool in_flight;
    uintptr_t id; /* goes with its requests, so that a late answer is known for one */
    size_t count; /* positions */
    struct source_answer *answers; /* one for each, as far as they are there */
    size_t waiting;                /* requests under way */
    bool apart;                    /* they are one a topic */
    uint64_t deadline;             /* of uv_now */
    const char *refused;           /* static text: to be answered from the loop */
};

/* Of the client, after an error that has ended its part in the group. */
struct consumer_renewal {
    unsigned failures;  /* in a row */
    unsigned wait_ms;   /* before the next client, as it is now */
    uint64_t failed_at; /* the last time, of uv_now */
    uint64_t at;        /* when the next client is to be made */
    char *why;          /* NULL: it never failed */
};

struct said {
    rd_kafka_resp_err_t code;
    uint64_t at;
};

struct reading;

struct consumer {
    struct source source; /* first: a source is cast to its consumer */
    uv_loop_t *loop;
    rd_kafka_conf_t *conf; /* what each client is made of */
    rd_kafka_t *kafka;     /* NULL: given to the worker to be destroyed, or gone */
    struct credentials credentials;
    rd_kafka_queue_t *queue; /* the consumer queue: events, never records; NULL as kafka is */
    struct kafka_wake wake;
    uv_timer_t tick;
    uv_idle_t soon; /* runs once, to tell the sink what must not be told from within its call */
    unsigned holds; /* open handles and work under way: the last one frees the memory */

    enum consumer_state state;
    bool closing, freed;
    bool fatal;      /* this client takes no more part in the group */
    unsigned ending; /* clients that are being destroyed, the last one and an earlier */
    struct consumer_renewal renewal;
    rd_kafka_topic_partition_list_t *topics; /* subscribed, sorted; never NULL */

    rd_kafka_event_t *rebalance;               /* kept until answered */
    unsigned generation;                       /* of the assignment: fences wake-ups */
    rd_kafka_topic_partition_list_t *assigned; /* sorted; NULL: none */
    UT_array *names; /* of all topics ever assigned: records borrow them */
    struct source_partition *partitions;
    size_t count;
    size_t told;     /* of them: the sink knows of */
    size_t claimed;  /* of those: the log tells of */
    size_t astray;   /* of those: are */
    bool answer_due; /* librdkafka is to be told of all of those */
    bool wakes_fetchers;
    bool wants_fetch; /* a queue ran empty */

    struct reading *reading; /* the one that counts; NULL: none under way */
    uint64_t read_at;        /* when to begin the next, of uv_now */
    unsigned readings;       /* that left something unread, since the assignment */
    unsigned back_off_ms;
    uint64_t join_at; /* when to ask for partitions again, having been given none, of uv_now */
    unsigned join_wait_ms;
    char *trouble; /* why reading or answering fails, said already */
    char *refused; /* why a broker does not let us in, said already; NULL: not known, or over */

    struct commit commit;
    struct said said[SAID_MAX];
    size_t said_next;
    struct consumer_counts counts;

    void (*closed)(void *context);
    void *closed_context;
};

/* The marks of its queues (kafka/wake): the consumer queue's, and a partition's. */
#define CONSUMER_EVENTS UINT64_MAX
static inline uint64_t consumer_mark(unsigned generation, size_t i)
{
    return (uint64_t)generation << 32 | i;
}

/* consumer.c: the only setter of the state */
void consumer_move(struct consumer *consumer, enum consumer_state to);
/* Makes the client. False: why, in reason. */
bool consumer_open(struct consumer *consumer, char reason[REASON_SIZE]);

/* consumer_events.c */
void consumer_on_woken(void *context, uint64_t mark);
void consumer_on_tick(uv_timer_t *handle);
void consumer_soon(struct consumer *consumer);

/* consumer_group.c */
void consumer_on_rebalance(struct consumer *consumer, rd_kafka_event_t *event); /* takes event */
void consumer_read_done(struct consumer *consumer);
/* A commit has ended, the sink is not told yet and may send the next at once: there may never be a
 * tick between two. */
void consumer_committed(struct consumer *consumer);
void consumer_group_tick(struct consumer *consumer);
void consumer_release(struct source *source);
/* Answers that we hold no partition, whatever was held, read or kept; goes on from there. */
void consumer_give_up(struct consumer *consumer);
/* The group has no part for us any more: what the sink holds is lost to it. */
void consumer_out(struct consumer *consumer);
void consumer_forget_partitions(struct consumer *consumer);

/* consumer_commit.c */
void consumer_done(struct source *source, const struct source_position *positions, size_t count);
void consumer_on_commit(struct consumer *consumer, rd_kafka_event_t *event); /* borrows event */
/* Answers all positions alike, if a commit is under way. */
void consumer_commit_answer(struct consumer *consumer, enum source_result result,
                            const char *why_not);
void consumer_commit_tick(struct consumer *consumer);

/* consumer_record.c */
struct record *consumer_take(struct source *source, struct source_partition *partition);
int64_t consumer_log_end(struct source *source, const struct source_partition *partition);
bool consumer_has_records(struct source *source, const struct source_partition *partition);
void consumer_tell_ends(struct consumer *consumer);

/* consumer_fetch.c */
bool consumer_has_fetch_backoff(void); /* the property fetch.queue.backoff.ms */
/* Whether it must be done, and does not hold up the loop. */
bool consumer_may_wake_fetchers(rd_kafka_t *kafka);
/* The partition's queue is empty: has it fetched, soon, if anything came since the last time. */
void consumer_want_fetch(struct consumer *consumer, struct source_partition *partition);
void consumer_wake_fetchers(struct consumer *consumer);

/* consumer_astray.c: the broker has refused to be read from `next`. */
void consumer_go_astray(struct consumer *consumer, struct source_partition *partition);
/* What its log holds was read: says where it is to go on. */
void consumer_settle(struct consumer *consumer, struct source_partition *partition,
                     const struct log_look *look);

/* consumer_renew.c: the client has met an error that it does not come back from. */
void consumer_fail(struct consumer *consumer, const char *why);
void consumer_renew_tick(struct consumer *consumer);

/* consumer_close.c */
void consumer_destroy_client(struct consumer *consumer); /* by the worker: kafka is NULL then */
void consumer_finish_close(struct consumer *consumer);   /* once librdkafka has left the group */
void consumer_unhold(struct consumer *consumer);

/* consumer_start.c: reads, for the partitions that are not told yet, what a start is chosen from,
 * and for those astray what their log holds; the consumer holds it as consumer->reading. At its
 * end consumer_read_done is called, unless abandoned. */
void reading_begin(struct consumer *consumer);
void reading_abandon(struct consumer *consumer);
/* Why the first that could not be read could not (borrowed), or NULL; and how many there are. */
const char *reading_failure(const struct reading *reading, size_t *failed);
/* One assignment for each that could and is not told yet, and how many. Texts are borrowed from
 * reading. */
size_t reading_fill(const struct reading *reading, struct source_partition *partitions,
                    struct source_assignment *assignments);
/* Settles those astray whose log could be read. */
void reading_settle(const struct reading *reading);
void reading_free(struct reading *reading);

/* consumer_log.c */
enum rebalance_type { REBALANCE_OK, REBALANCE_START };
void consumer_log_rebalance(enum rebalance_type type,
                            const rd_kafka_topic_partition_list_t *partitions);
void consumer_log_topics(const rd_kafka_topic_partition_list_t *topics);
void consumer_log_error(struct consumer *consumer, rd_kafka_event_t *event);
/* Says a reason once as long as it stays the same; NULL: it is over. */
void consumer_log_trouble(struct consumer *consumer, const char *what, const char *why);

#endif
