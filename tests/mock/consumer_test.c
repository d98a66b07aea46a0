/* kafka/consumer against librdkafka's mock brokers. */
#include "tests/harness/member.h"

#include <criterion/criterion.h>
#include <string.h>

enum { API_OFFSET_COMMIT = 8 };

TestSuite(consumer, .init = member_set_up, .fini = member_tear_down, .timeout = 120);

static bool is_revoking(const void *of)
{
    return ((const struct member *)of)->revoking;
}

Test(consumer, records_come_in_order_from_the_starts_chosen)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 3);
    member_produce("orders", 3, 20);
    member = member_join("orders");
    member->start[1] = 5;
    member_await(member_at_ends, member);
    cr_expect_eq(member->held, 3);
    for (int i = 0; i < 3; i++) {
        struct part *part = &member->parts[i];

        cr_expect_not(part->disordered, "partition %d in order from its start", i);
        cr_expect_eq(part->next, 20, "partition %d to its end", i);
        cr_expect_eq(part->end_told, 20, "the end is told of partition %d", i);
        cr_expect_eq(part->given.low, 0);
        cr_expect_eq(part->given.end, 20);
        cr_expect_eq(part->given.committed, -1);
        cr_expect_eq(part->given.partitions, 3);
        cr_expect_eq(part->given.least_born, -1);
        cr_expect_eq(member->source->calls->log_end(member->source, part->given.handle), 20);
    }
    cr_expect_eq(member->taken, 20 + 15 + 20);
    member_leave(member);
}

Test(consumer, records_that_come_later_wake_it)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 2);
    member = member_join("orders");
    member_await(member_at_ends, member);
    for (int round = 1; round <= 5; round++) {
        member_produce("orders", 2, 10);
        member_await(member_at_ends, member);
        while (member->taken < (size_t)round * 20)
            uv_run(&member_loop, UV_RUN_ONCE);
    }
    cr_expect_not(member->parts[0].disordered || member->parts[1].disordered);
    member_leave(member);
}

/* How many records have been taken by anybody. */
static size_t count_seen(void)
{
    size_t count = 0;

    for (int p = 0; p < PARTITIONS_MAX; p++)
        for (int i = 0; i < RECORDS_MAX; i++)
            count += member_seen[p][i] > 0;
    return count;
}

static size_t count_repeated(void)
{
    size_t count = 0;

    for (int p = 0; p < PARTITIONS_MAX; p++)
        for (int i = 0; i < RECORDS_MAX; i++)
            count += member_seen[p][i] > 1;
    return count;
}

static bool all_seen(const void *of)
{
    return count_seen() == *(const size_t *)of;
}

static bool never(const void *of)
{
    (void)of;
    return false;
}

static bool holds_once(const void *of)
{
    bool *held = *(bool *const *)of;

    return !*held && (*held = true);
}

/* One partition's records may come while the other's end is waited for. */
Test(consumer, what_passes_while_it_is_awaited_has_come)
{
    bool held = false, *of = &held;

    cr_expect(member_run_until(holds_once, &of, 1000));
}

static void commit_all(struct member *member)
{
    member->commit_answers = 0;
    member_commit(member, "steady");
    member_await(member_has_commit_answer, member);
    cr_expect_null(member->why_not, "%s", member->why_not);
}

static void resume(struct member *member)
{
    member->paused = false;
    for (int i = 0; i < PARTITIONS_MAX; i++)
        if (member->parts[i].held)
            member_take(&member->parts[i]);
}

static bool holds_four(const void *of)
{
    return member_holds_all(of) && ((const struct member *)of)->held == 4;
}

/* The mock refuses commits while its group rejoins, and now and then has it rejoin twice: so
 * nothing is taken around a rebalance, and all is committed before one. */
Test(consumer, a_revoke_is_held_and_nothing_is_lost_or_repeated)
{
    size_t expected = 4 * 200;
    struct member *first, *second;

    mock_create_topic(member_mock, "orders", 4);
    member_produce("orders", 4, 200);
    first = member_join("orders");
    member_await(all_seen, &expected);
    commit_all(first);
    first->revoke_held = true;
    second = member_join("orders");
    second->paused = true;
    member_await(is_revoking, first);
    member_produce("orders", 4, 200);
    member_run_until(never, NULL, 500);
    cr_expect(first->revoking && second->assignments == 0, "nobody has them while they are held");
    cr_expect_eq(consumer_state(first->consumer), CONSUMER_REVOKING);
    cr_expect_eq(count_seen(), expected, "nothing is taken meanwhile");
    first->revoke_held = false;
    first->paused = true;
    member_release(first);
    member_await(member_holds_all, second);
    member_await(member_holds_all, first);
    member_run_until(never, NULL, 1000);
    member_await(member_holds_all, second);
    cr_expect_eq(first->held + second->held, 4);
    resume(first);
    resume(second);
    expected = 4 * 400;
    member_await(all_seen, &expected);
    commit_all(first);
    first->paused = true;
    second->drain = true; /* its partitions go back to the first, with its last commit */
    member_leave(second);
    member_produce("orders", 4, 100);
    member_await(holds_four, first);
    resume(first);
    expected = 4 * 500;
    member_await(all_seen, &expected);
    cr_expect_eq(count_repeated(), 0, "each record once");
    cr_expect_eq(consumer_counts(first->consumer)->lost, 0);
    member_leave(first);
}

Test(consumer, a_topic_that_does_not_exist_is_awaited)
{
    struct member *member;

    mock_create_topic(member_mock, "late", 1);
    member_produce("late", 1, 3);
    mock_hide_topic(member_mock, "late", true);
    member = member_join("late");
    member_run_until(never, NULL, 4000);
    cr_expect_eq(member->assignments, 0);
    cr_expect_eq(consumer_state(member->consumer), CONSUMER_JOINING);
    cr_expect_eq(consumer_counts(member->consumer)->errors, 1, "it was told once");
    mock_hide_topic(member_mock, "late", false);
    member_await(member_at_ends, member);
    cr_expect_eq(member->taken, 3);
    member_leave(member);
}

Test(consumer, a_topic_that_matches_is_found_when_it_comes)
{
    struct member *member = member_join("^late.*");

    member_run_until(never, NULL, 1000);
    mock_create_topic(member_mock, "late-1", 2);
    member_await(member_holds_all, member);
    cr_expect_eq(member->held, 2);
    member_leave(member);
}

Test(consumer, other_topics_are_revoked_and_assigned_anew)
{
    const char *bills = "bills";
    struct member *member;

    mock_create_topic(member_mock, "orders", 1);
    mock_create_topic(member_mock, "bills", 2);
    member = member_join("orders");
    member_await(member_holds_all, member);
    consumer_subscribe(member->consumer, &bills, 1);
    while (member->assignments < 2)
        uv_run(&member_loop, UV_RUN_ONCE);
    cr_expect_eq(member->revokes, 1);
    cr_expect_eq(member->held, 2);
    cr_expect_str_eq(member->parts[1].given.topic, "bills");
    consumer_subscribe(member->consumer, NULL, 0);
    while (consumer_state(member->consumer) != CONSUMER_IDLE)
        uv_run(&member_loop, UV_RUN_ONCE);
    cr_expect_eq(member->held, 0);
    member_leave(member);
}

Test(consumer, a_commit_refused_by_the_broker_says_why)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 1);
    member = member_join("orders");
    member_await(member_holds_all, member);
    mock_push_errors(member_mock, API_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE,
                     1);
    member_commit(member, "text");
    member_await(member_has_commit_answer, member);
    cr_expect_not_null(member->why_not);
    member_leave(member);
}

Test(consumer, a_commit_without_partitions_is_refused_from_the_loop)
{
    struct member *member = member_join(NULL);
    struct source_position position = {NULL, 5, NULL};

    member->source->calls->done(member->source, &position, 1);
    cr_expect_eq(member->commit_answers, 0, "not from within done");
    member_await(member_has_commit_answer, member);
    cr_expect_not_null(member->why_not);
    cr_expect_eq(member->results[0], SOURCE_REFUSED);
    member_leave(member);
}

/* An error is a topic's or the group's: a sink must know whether time helps, and whom it concerns.
 */
Test(consumer, what_a_commit_s_error_means)
{
    static const struct {
        rd_kafka_resp_err_t error;
        enum source_result result;
    } cases[] = {
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, SOURCE_TOPIC_REFUSED},
        {RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, SOURCE_TOO_LONG},
        {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, SOURCE_REFUSED},
        {RD_KAFKA_RESP_ERR_NO_ERROR, SOURCE_COMMITTED},
    };
    struct member *member;

    mock_create_topic(member_mock, "orders", 2);
    member = member_join("orders");
    member_await(member_holds_all, member);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (cases[i].error)
            mock_push_errors(member_mock, API_OFFSET_COMMIT, (int16_t)cases[i].error, 1);
        member->commit_answers = 0;
        member_commit(member, "text");
        member_await(member_has_commit_answer, member);
        for (size_t p = 0; p < 2; p++)
            cr_expect_eq(member->results[p], cases[i].result, "%s",
                         rd_kafka_err2name(cases[i].error));
    }
    member_leave(member);
}

static bool has_lost(const void *of)
{
    return ((const struct member *)of)->losses > 0;
}

Test(consumer, a_broker_away_too_long_loses_the_assignment_and_it_comes_back)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 2);
    member = member_join("orders");
    member_await(member_holds_all, member);
    mock_broker_down(member_mock, 1);
    member_await(has_lost, member);
    cr_expect_eq(member->held, 0);
    mock_broker_up(member_mock, 1);
    member_await(member_holds_all, member);
    cr_expect_eq(consumer_counts(member->consumer)->lost, 1);
    member_leave(member);
}

Test(consumer, a_drain_whose_broker_is_away_ends_with_an_answer)
{
    struct member *first, *second;

    mock_create_topic(member_mock, "orders", 2);
    first = member_join("orders");
    member_await(member_holds_all, first);
    first->revoke_held = true;
    second = member_join("orders");
    member_await(is_revoking, first);
    mock_broker_down(member_mock, 1);
    first->revoke_held = false;
    member_commit(first, "drained");
    member_await(member_has_commit_answer, first);
    cr_expect_not_null(first->why_not);
    cr_expect_eq(first->held, 0);
    mock_broker_up(member_mock, 1);
    member_leave(first);
    member_leave(second);
}

/* A sink with a window: it stops in the midst of a queue and goes on without being woken. */

static void take_three(void *sink, void *partition)
{
    struct member *member = sink;
    struct part *part = partition;

    for (int i = 0; i < 3 && member->taken < 10; i++) {
        struct record *record = member->source->calls->take(member->source, part->given.handle);

        if (!record)
            return;
        part->disordered |= record->offset != part->next;
        part->next = record->offset + 1;
        member->taken++;
        record_unref(&record);
    }
}

static bool took_some(const void *of)
{
    return ((const struct member *)of)->taken > 0;
}

Test(consumer, a_sink_that_was_full_goes_on_by_itself)
{
    static struct sink_calls calls;
    struct member *member;

    calls = member_sink_calls;
    calls.ready = take_three;
    mock_create_topic(member_mock, "orders", 1);
    member_produce("orders", 1, 50);
    member = member_join("orders");
    member->source->sink_calls = &calls;
    member_await(took_some, member);
    cr_expect_leq(member->taken, 10);
    calls.ready = member_sink_calls.ready;
    member_take(&member->parts[0]);
    cr_expect_eq(member->parts[0].end_told, -1, "the end is not told from within take");
    member_await(member_at_ends, member);
    cr_expect_eq(member->taken, 50);
    cr_expect_not(member->parts[0].disordered);
    member_leave(member);
}

/* ---- what a record carries, as it came over the wire ---- */

static struct record *taken_record;

static void keep_ready(void *sink, void *partition)
{
    struct member *member = sink;
    struct part *part = partition;

    if (!taken_record)
        taken_record = member->source->calls->take(member->source, part->given.handle);
}

static bool has_record(const void *of)
{
    (void)of;
    return taken_record != NULL;
}

Test(consumer, a_record_carries_key_headers_and_time)
{
    static struct sink_calls calls;
    rd_kafka_t *producer = member_producer_new();
    struct member *member;

    mock_create_topic(member_mock, "orders", 1);
    rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("orders"), RD_KAFKA_V_PARTITION(0),
                      RD_KAFKA_V_KEY("a\0b", 3), RD_KAFKA_V_VALUE(NULL, 0),
                      RD_KAFKA_V_TIMESTAMP(1700000000123), RD_KAFKA_V_HEADER("one", "1\n", 2),
                      RD_KAFKA_V_HEADER("none", NULL, 0), RD_KAFKA_V_END);
    cr_assert_eq(rd_kafka_flush(producer, MEMBER_PATIENCE_MS), 0);
    rd_kafka_destroy(producer);
    calls = member_sink_calls;
    calls.ready = keep_ready;
    member = member_join("orders");
    member->source->sink_calls = &calls;
    member_await(has_record, NULL);
    cr_expect_str_eq(taken_record->topic, "orders");
    cr_expect_eq(taken_record->offset, 0);
    cr_expect_eq(taken_record->timestamp_ms, 1700000000123);
    cr_assert_eq(taken_record->key_size, 3);
    cr_expect_eq(memcmp(taken_record->key, "a\0b", 3), 0);
    cr_expect_null(taken_record->value, "a tombstone");
    cr_assert_eq(taken_record->header_count, 2);
    cr_expect_str_eq(taken_record->headers[0].name, "one");
    cr_expect_eq(taken_record->headers[0].size, 2);
    cr_expect_null(taken_record->headers[1].value);
    cr_expect_gt(taken_record->memory, sizeof(*taken_record) + 5);
    record_unref(&taken_record);
    member_leave(member);
}
