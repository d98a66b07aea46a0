/* kafka/consumer when a broker says that a log lacks what is read next, against librdkafka's mock
 * brokers. */
#include "base/xalloc.h"
#include "kafka/consumer_private.h"
#include "tests/harness/member.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum {
    API_FETCH = 1,
    RECORDS = 20,
    LARGE = 900 * 1000,
    LOOK_AGAIN_MS = 500,       /* consumer_start.c */
    LOG_MOST = 5 * 1024 * 1024 /* the mock's */
};

TestSuite(consumer_astray, .init = member_set_up, .fini = member_tear_down, .timeout = 120);

static size_t wanted;

static bool took_wanted(const void *of)
{
    return ((const struct member *)of)->taken >= wanted;
}

/* It leads no more and does not know it yet. All partitions are in its answer. */
Test(consumer_astray, what_a_broker_lacks_that_lags_behind_is_not_read_again)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 2);
    member_produce("orders", 2, RECORDS);
    member = member_join("orders");
    member_await(member_at_ends, member);
    for (size_t round = 1; round <= 3; round++) {
        mock_push_errors(member_mock, API_FETCH, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, 1);
        member_produce("orders", 2, RECORDS);
        wanted = (round + 1) * 2 * RECORDS;
        member_await(took_wanted, member);
    }
    member_await(member_at_ends, member);
    for (int i = 0; i < 2; i++) {
        cr_expect_not(member->parts[i].disordered, "partition %d", i);
        for (int offset = 0; offset < 4 * RECORDS; offset++)
            cr_assert_eq(member_seen[i][offset], 1, "%d/%d", i, offset);
    }
    cr_expect_eq(member->expired, 0);
    cr_expect_eq(member->assignments, 1, "the sink is told nothing anew");
    cr_expect_eq(consumer_counts(member->consumer)->rebalances, 1);
    member_leave(member);
}

/* Its refusal was in the queue yet when it was assigned again: it is read on while the worker
 * looks, and what is appended meanwhile lies behind the end that the worker saw. */
Test(consumer_astray, what_is_read_on_while_it_is_looked_at_is_not_read_again)
{
    struct source_partition *partition;
    struct member *member;

    mock_create_topic(member_mock, "orders", 1);
    member_produce("orders", 1, RECORDS);
    member = member_join("orders");
    member_await(member_at_ends, member);
    partition = member->parts[0].given.handle;
    consumer_go_astray(member->consumer, partition);
    consumer_settle(member->consumer, partition, &(struct log_look){RECORDS - 2, 0, RECORDS - 1});
    member_produce("orders", 1, RECORDS);
    wanted = 2 * RECORDS;
    member_await(took_wanted, member);
    cr_expect_not(member->parts[0].disordered);
    cr_expect_eq(member_seen[0][0], 1, "jumped back");
    member_leave(member);
}

static bool has_records(const void *of)
{
    const struct member *member = of;
    const struct source_partition *partition = member->parts[0].given.handle;

    return partition && member->source->calls->has_records(member->source, partition);
}

/* Behind the last record a transaction's marker may lie, or what compaction has removed: a log
 * whose beginning has come to its end then lacks nothing. `next` stayed below, and looked expired.
 */
Test(consumer_astray, an_end_told_is_where_it_is_read_on)
{
    struct source_partition *partition;
    struct member *member;

    mock_create_topic(member_mock, "orders", 1);
    member_produce("orders", 1, RECORDS);
    member = member_join("orders");
    member->paused = true;
    member_await(has_records, member);
    partition = member->parts[0].given.handle;
    for (int i = 0; i < RECORDS; i++) {
        struct record *record;

        while (!(record = member->source->calls->take(member->source, partition)))
            uv_run(&member_loop, UV_RUN_ONCE);
        record_unref(&record);
    }
    member_await(has_records, member); /* its end */
    partition->next = RECORDS - 2;     /* as if the last two had been no records */
    cr_expect_null(member->source->calls->take(member->source, partition));
    cr_expect_eq(partition->next, RECORDS);
    member_leave(member);
}

Test(consumer_astray, a_log_that_stays_too_short_is_read_from_its_beginning)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 1);
    member_produce("orders", 1, RECORDS);
    member = member_join("orders");
    member->start[0] = RECORDS + 30;
    wanted = RECORDS;
    member_await(took_wanted, member);
    for (int offset = 0; offset < RECORDS; offset++)
        cr_assert_eq(member_seen[0][offset], 1, "%d", offset);
    cr_expect_eq(member->expired, 0);
    member_leave(member);
}

static bool never(const void *of)
{
    (void)of;
    return false;
}

static bool is_reading(const void *of)
{
    return ((const struct member *)of)->consumer->reading != NULL;
}

/* The leader moves between two looks at the log's end. */
static bool is_settled_by_the_next_leader(struct member *member, int32_t leader)
{
    struct source_partition *partition = member->parts[0].given.handle;

    wanted = member->taken + RECORDS;
    member->consumer->readings = 0;
    partition->next = RECORDS + 30; /* more than the log has, so that it is looked at again */
    do                              /* what a broker says that leads no more is passed over */
        mock_push_errors(member_mock, API_FETCH, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, 1);
    while (!member_run_until(is_reading, member, 5000));
    member_run_until(never, NULL, LOOK_AGAIN_MS / 2);
    mock_set_leader(member_mock, "orders", 0, leader);
    member_await(took_wanted, member);
    member_await(member_at_ends, member);
    return member->consumer->readings == 0;
}

/* One that leads no more may know less than was read, and all looks were at that. The leader may
 * move in the midst of a look, which fails then; but not each time. */
Test(consumer_astray, each_look_is_at_who_leads_then)
{
    const char *reason;
    struct member *member;
    bool settled = false;

    mock_free(member_mock);
    member_mock = mock_new(2, &reason);
    mock_create_topic(member_mock, "orders", 1);
    mock_set_leader(member_mock, "orders", 0, 1);
    member_produce("orders", 1, RECORDS);
    member_property = "topic.metadata.refresh.interval.ms=60000";
    member = member_join("orders");
    member_await(member_at_ends, member);
    for (int32_t round = 0; round < 4 && !settled; round++)
        settled = is_settled_by_the_next_leader(member, round % 2 ? 1 : 2);
    cr_expect(settled);
    member_leave(member);
}

static void commit_again(void *sink, const struct source_answer *answers, size_t count)
{
    member_sink_calls.committed(sink, answers, count);
    if (!((struct member *)sink)->revoking)
        member_commit(sink, "again");
}

/* As with delivery=at-most-once under load. */
Test(consumer_astray, commits_that_follow_each_other_without_a_pause_do_not_keep_it_from_being_read)
{
    struct sink_calls calls = member_sink_calls;
    struct member *member;

    mock_create_topic(member_mock, "orders", 1);
    member_produce("orders", 1, RECORDS);
    member = member_join("orders");
    member_await(member_at_ends, member);
    calls.committed = commit_again;
    member->source->sink_calls = &calls;
    member_commit(member, "first");
    mock_push_errors(member_mock, API_FETCH, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, 1);
    member_produce("orders", 1, RECORDS);
    wanted = 2 * RECORDS;
    member_await(took_wanted, member);
    member->source->sink_calls = &member_sink_calls;
    cr_expect_not(member->parts[0].disordered);
    member_leave(member);
}

static void produce_large(int count)
{
    rd_kafka_t *producer = member_producer_new();
    void *value = xcalloc(1, LARGE);

    for (int i = 0; i < count; i++) {
        cr_assert_eq(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("orders"),
                                       RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_VALUE(value, LARGE),
                                       RD_KAFKA_V_END),
                     0);
        cr_assert_eq(rd_kafka_flush(producer, MEMBER_PATIENCE_MS), 0);
    }
    free(value);
    rd_kafka_destroy(producer);
}

enum { MADE = 20, LEFT = LOG_MOST / LARGE };

static bool has_come_to_the_end(const void *of)
{
    return ((const struct member *)of)->parts[0].next == MADE;
}

/* What it has fetched already, while paused, it takes all the same. */
Test(consumer_astray, of_what_expired_under_way_the_earliest_left_is_next)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 1);
    member = member_join("orders");
    member_await(member_at_ends, member);
    member->paused = true;
    produce_large(MADE);
    member->paused = false;
    member_take(&member->parts[0]);
    cr_assert_lt(member->parts[0].next, MADE - LEFT, "something has expired");
    member_await(has_come_to_the_end, member);
    cr_expect_eq(member->taken + (size_t)member->expired, MADE, "%zu taken, %lld expired",
                 member->taken, (long long)member->expired);
    cr_expect_eq(member_seen[0][MADE - LEFT], 1, "the earliest left");
    member_leave(member);
}
