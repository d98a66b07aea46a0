/*
 * consumer: a member of a balanced consumer group, as a `struct source` (core/source.h).
 *
 * Lives on the loop's thread. Calls that wait for a broker (reading commits, log ends, metadata)
 * run on libuv's worker and report back. What happens when:
 *   ASSIGN event  kept (one without partitions is answered at once, the sink is told nothing); the
 *                 worker reads the commits of all partitions of the topics, low and end
 *                 offsets; any error is "again, with back-off" (logged once), never "none
 *                 committed"; then sink.assigned chooses the starts, and the event is answered.
 *                 Partitions that cannot be read a second time (no leader, no right) do not
 *                 hold up the others: they go on being read for, and are assigned when they can.
 *   REVOKE event  kept; sink.revoke; answered by release. Lost: answered at once.
 *   records       one queue a partition (queue.forward off), taken only by `take`; sink.ready when
 *                 an empty queue gets an element: it then writes into a pipe that is polled.
 *   ends          a partition's end comes among its records: `take` returns NULL and sink.end
 *                 follows from the loop, unless a record came first.
 *   out of range  a position that its log lacks, a broker says, is not believed to have expired, or
 *                 the topic to be made anew, before the worker has looked at the log.
 *   commits       `done` -> rd_kafka_commit_queue -> the event -> sink.committed. Never between a
 *                 REVOKE held and the next ASSIGN answered but the drain's last one. When the
 *                 member may not commit, `committed` answers all the same, from the loop. Kafka
 *                 refuses a position for its topic's sake (no right to it, deleted) and commits
 *                 the others; all other errors are the whole group's.
 *   a topic that does not exist is awaited: said once, subscribed all the while.
 *   given none    it subscribes once more, later and later: a leader that had not heard of a new
 *                 topic gives nobody any partition (consumer_group.c).
 *   fatal errors  (fenced by a member with our instance_id) end librdkafka's handle: what is held
 *                 is lost (sink.revoke), and another handle is made, each time later, up to 2 min.
 * The group protocol is eager roundrobin with heartbeat.interval.ms 250: measured against
 * cooperative-sticky on librdkafka 2.0.2, which loses its assignment when a commit stands behind a
 * pending JoinGroup (mended in 2.10).
 */
#ifndef KAFKA_CONSUMER_H
#define KAFKA_CONSUMER_H

#include "base/option.h"
#include "core/source.h"
#include "kafka/client.h"

#include <uv.h>

struct consumer_options {
    char *group;
    char *instance_id; /* group.instance.id; NULL or "": a dynamic member */
    char *hidden;      /* a regular expression: topics that are as if they did not exist, whatever
                           is subscribed to. NULL: none. Not an option of its own */
};

/* Options group, instance_id; target struct consumer_options. */
extern const struct option_table consumer_option_table;

struct consumer;

/* What the member is doing, for /status, /ready and metrics. */
enum consumer_state {
    CONSUMER_IDLE,     /* not subscribed */
    CONSUMER_JOINING,  /* subscribed, nothing assigned yet */
    CONSUMER_READING,  /* assigned, its commits being read */
    CONSUMER_ASSIGNED, /* working; also with no partition */
    CONSUMER_REVOKING, /* draining */
    CONSUMER_FAILED,  /* out of the group: librdkafka's handle met a fatal error (fenced by a member
                         with the same instance_id, ...); another is made after a while */
    CONSUMER_CLOSING, /* leaving the group */
    CONSUMER_LEFT,    /* out of the group: librdkafka's handle is being destroyed */
    CONSUMER_CLOSED,
};

/* The faults that consumer_new would add, without making one. */
void consumer_options_check(const struct kafka_options *kafka,
                            const struct consumer_options *options, struct option_faults *faults);

/* NULL: faults were added. Does not connect before consumer_subscribe. */
struct consumer *consumer_new(uv_loop_t *loop, const struct kafka_options *kafka,
                              const struct consumer_options *options, struct option_faults *faults);

/* The source to hand to the sink; set its sink_calls and sink before consumer_subscribe. */
struct source *consumer_source(struct consumer *consumer);

/* Subscribes to topics or, instead of what was there, to others; entries that begin with "^" are
 * regular expressions. Nothing happens when the set is the same. count 0: unsubscribes. */
void consumer_subscribe(struct consumer *consumer, const char *const *topics, size_t count);

/* Leaves the group; librdkafka's handle is destroyed by the worker, because that waits for its
 * threads: for ever, on 2.0.2, when a topic that was read had been deleted and made anew. Every
 * record taken must have been given back by then. The sink must have drained what it wants drained;
 * a revoke during the close is told to it as any other. `closed` is called on the loop, once, and
 * may call consumer_free. */
void consumer_close(struct consumer *consumer, void (*closed)(void *context), void *context);

/* Frees at once; after `closed`, or without it when the process ends in a hurry. Handles of libuv
 * are closed: run the loop once more before closing it. */
void consumer_free(struct consumer *consumer);

/* max.poll.interval.ms as it is in force: how long a revoke may be held at the most. */
int64_t consumer_max_poll_interval_ms(const struct consumer *consumer);

/* Why the state is CONSUMER_FAILED; NULL: it is not. Borrowed until the loop goes on. */
const char *consumer_fault(const struct consumer *consumer);
/* Why it does not end by itself, static text; NULL: it does. */
const char *consumer_stuck(const struct consumer *consumer);

/* Why partitions that are assigned are not read yet, all of them or some; NULL: all are. Borrowed
 * until the loop goes on. */
const char *consumer_trouble(const struct consumer *consumer);

/* Why a broker does not let us in, while the group has given us nothing; NULL: not known.
 * Borrowed likewise. */
const char *consumer_refused(const struct consumer *consumer);

enum consumer_state consumer_state(const struct consumer *consumer);
const char *consumer_state_name(enum consumer_state state);

/* Counters since the start. */
struct consumer_counts {
    int64_t rebalances; /* assignments answered */
    int64_t lost;       /* assignments lost without a drain */
    int64_t renewals;   /* handles of librdkafka's made anew after a fatal error */
    int64_t errors;     /* broker and partition errors told by librdkafka */
};
const struct consumer_counts *consumer_counts(const struct consumer *consumer);

#endif
