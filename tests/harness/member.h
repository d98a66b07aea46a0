/*
 * member: a consumer with a sink that writes down what it is told, mock brokers and a loop, for
 * tests. The mock's groups wait 3 s before their first rebalance and a second less than the
 * session's timeout before any other, so sessions are short here.
 */
#ifndef TESTS_HARNESS_MEMBER_H
#define TESTS_HARNESS_MEMBER_H

#include "core/source.h"
#include "kafka/consumer.h"
#include "kafka/mock.h"

#include <librdkafka/rdkafka.h>
#include <uv.h>

enum { PARTITIONS_MAX = 8, RECORDS_MAX = 1000, MEMBER_PATIENCE_MS = 30000 };

/* One partition as the sink saw it. */
struct part {
    struct member *member;
    struct source_assignment given; /* as told; metadata is a copy of its own */
    char *metadata;
    bool held;
    int64_t next;     /* behind the last record taken */
    int64_t end_told; /* -1: none */
    bool disordered;
};

/* A consumer and its sink. */
struct member {
    struct consumer *consumer;
    struct source *source;
    struct part parts[PARTITIONS_MAX]; /* by number: the tests use one topic a member */
    size_t held;
    int64_t start[PARTITIONS_MAX]; /* wanted; -1: the committed offset or the log's first */
    unsigned assignments, revokes, losses, commit_answers;
    size_t taken;
    int64_t expired;  /* records, as told */
    bool drain;       /* a revoke commits all and releases when answered */
    bool revoke_held; /* a revoke waits for the test */
    bool revoking;
    bool more;     /* not all partitions were told yet */
    bool paused;   /* takes nothing */
    char *why_not; /* of the last commit's first refused position; NULL: committed */
    enum source_result results[PARTITIONS_MAX]; /* of its positions */
    bool closed;
};

extern uv_loop_t member_loop;
extern struct mock *member_mock;
extern unsigned member_seen[PARTITIONS_MAX][RECORDS_MAX]; /* how often a record was taken */
extern const struct sink_calls member_sink_calls;
extern char *member_property; /* "name=value", of who joins from now on; NULL: none */

void member_set_up(void);
void member_tear_down(void);

/* Runs the loop until something holds or patience ends; whether it holds. */
bool member_run_until(bool (*holds)(const void *), const void *of, uint64_t patience_ms);
#define member_await(holds, of)                                                                    \
    cr_assert(member_run_until((holds), (of), MEMBER_PATIENCE_MS), "%s never came", #holds)

/* Of a member: it was assigned partitions and all are read; it stands at the ends of those that it
 * holds; a commit of its was answered. */
bool member_holds_all(const void *of);
bool member_at_ends(const void *of);
bool member_has_commit_answer(const void *of);

/* topic NULL: subscribes to none. */
struct member *member_join(const char *topic);
/* consumer_options.hidden is set. */
struct member *member_join_hiding(const char *topic, char *hidden);
/* consumer_options.instance_id is. librdkafka knows fatal errors of such members only. */
struct member *member_join_named(const char *topic, char *instance_id);
void member_leave(struct member *member); /* closes and frees */
void member_free(struct member *member);

void member_take(struct part *part);
void member_commit(struct member *member, const char *metadata);
void member_release(struct member *member);

rd_kafka_t *member_producer_new(void);
/* `count` records for each of the first partitions, acknowledged when this returns. */
void member_produce(const char *topic, int partitions, int count);

#endif
