/* What kafka/consumer reads of partitions before it tells of them, against librdkafka's mock
 * brokers. */
#include "core/progress.h"
#include "tests/harness/member.h"

#include <criterion/criterion.h>
#include <string.h>

enum { API_LIST_OFFSETS = 2, API_OFFSET_FETCH = 9 };

TestSuite(consumer_start, .init = member_set_up, .fini = member_tear_down, .timeout = 120);

static void commit_progress(struct member *member, int partition, int64_t offset, int32_t born)
{
    char text[PROGRESS_TEXT_SIZE + 1];
    struct progress progress = {.born = born};
    struct source_position position = {member->parts[partition].given.handle, offset, text};

    progress_encode(&progress, offset, PROGRESS_TEXT_SIZE, text);
    member->commit_answers = 0;
    member->source->calls->done(member->source, &position, 1);
    cr_expect_eq(member->commit_answers, 0, "no answer from within done");
    member_await(member_has_commit_answer, member);
    cr_expect_null(member->why_not, "%s", member->why_not);
}

static struct member *member_with_commits(void)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 3);
    member_produce("orders", 3, 20);
    member = member_join("orders");
    member_await(member_holds_all, member);
    commit_progress(member, 0, 7, 3);
    commit_progress(member, 2, 9, 2);
    return member;
}

Test(consumer_start, what_was_committed_is_read_by_the_next_member)
{
    struct progress progress = {0};
    struct member *member;

    member_leave(member_with_commits());
    member = member_join("orders");
    member_await(member_holds_all, member);
    cr_expect_eq(member->parts[0].given.committed, 7);
    cr_expect_eq(member->parts[1].given.committed, -1);
    cr_expect_eq(member->parts[2].given.committed, 9);
    cr_assert(progress_decode(member->parts[0].metadata, 7, &progress));
    cr_expect_eq(progress.born, 3);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(member->parts[i].given.least_born, 2, "the least among the siblings");
    member_leave(member);
}

Test(consumer_start, an_error_of_the_commits_reading_is_not_none_committed)
{
    struct member *member;

    member_leave(member_with_commits());
    mock_push_errors(member_mock, API_OFFSET_FETCH, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                     2);
    member = member_join("orders");
    member_await(member_holds_all, member);
    cr_expect_eq(member->assignments, 1);
    cr_expect_eq(member->parts[0].given.committed, 7);
    cr_expect_eq(member->parts[2].given.committed, 9);
    member_leave(member);
}

static bool holds_two(const void *of)
{
    return member_holds_all(of) && ((const struct member *)of)->held == 2;
}

static bool holds_three(const void *of)
{
    return member_holds_all(of) && ((const struct member *)of)->held == 3;
}

static bool has_trouble(const void *of)
{
    return consumer_trouble(((const struct member *)of)->consumer) != NULL;
}

static bool has_no_trouble(const void *of)
{
    return !has_trouble(of);
}

static void commit_on(struct member *member)
{
    member->commit_answers = 0;
    member_commit(member, "steady");
}

/* Its leader is gone: the others are read meanwhile, and are neither lost nor repeated when it is
 * back and librdkafka is given the longer list. */
Test(consumer_start, a_partition_without_a_leader_holds_up_no_other)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 3);
    member_produce("orders", 3, 20);
    mock_set_leader(member_mock, "orders", 1, 0);
    member = member_join("orders");
    member->start[0] = 5;
    member_await(holds_two, member);
    cr_expect(member->more);
    member_await(member_at_ends, member);
    cr_expect_not(member->parts[1].held);
    cr_expect_eq(member->taken, 15 + 20);
    cr_assert(has_trouble(member));
    cr_expect_not_null(strstr(consumer_trouble(member->consumer), "orders, partition 1"), "%s",
                       consumer_trouble(member->consumer));
    member->paused = true; /* what waits in the queues must come again */
    commit_on(member);
    mock_set_leader(member_mock, "orders", 1, 1);
    member_produce("orders", 3, 20);
    while (member->held < 3) /* commits go on all the while */
        if (!member->commit_answers)
            uv_run(&member_loop, UV_RUN_ONCE);
        else
            commit_on(member);
    cr_expect_not(member->more);
    member_await(has_no_trouble, member);
    cr_expect_null(consumer_trouble(member->consumer));
    cr_expect_eq(member->assignments, 2);
    cr_expect_eq(consumer_counts(member->consumer)->rebalances, 1);
    member->paused = false;
    for (int i = 0; i < 3; i++)
        member_take(&member->parts[i]);
    member_await(member_at_ends, member);
    member_produce("orders", 3, 20);
    while (member->taken < 55 + 60 + 60)
        uv_run(&member_loop, UV_RUN_ONCE);
    for (int i = 0; i < 3; i++) {
        cr_expect_not(member->parts[i].disordered, "partition %d", i);
        for (int offset = i ? 0 : 5; offset < 60; offset++)
            cr_assert_eq(member_seen[i][offset], 1, "%d/%d", i, offset);
    }
    member_leave(member);
}

/* A sink that asks at once, as one does that looks for stalls while the answer is still due. */
static void assigned_and_asked(void *sink, struct source_assignment *assignments, size_t count,
                               bool more)
{
    struct member *member = sink;

    member_sink_calls.assigned(sink, assignments, count, more);
    for (size_t i = 0; i < count; i++)
        cr_expect_not(member->source->calls->has_records(member->source, assignments[i].handle));
}

Test(consumer_start, what_is_told_later_has_no_records_before_it_begins)
{
    struct sink_calls calls = member_sink_calls;
    struct member *member;

    calls.assigned = assigned_and_asked;
    mock_create_topic(member_mock, "orders", 3);
    mock_set_leader(member_mock, "orders", 1, 0);
    member = member_join("orders");
    member->source->sink_calls = &calls;
    member_await(holds_two, member);
    mock_set_leader(member_mock, "orders", 1, 1);
    member_await(holds_three, member);
    member_leave(member);
}

Test(consumer_start, partitions_that_are_still_unread_are_given_up_with_the_others)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 3);
    mock_set_leader(member_mock, "orders", 1, 0);
    member = member_join("orders");
    member_await(holds_two, member);
    consumer_subscribe(member->consumer, NULL, 0);
    while (consumer_state(member->consumer) != CONSUMER_IDLE)
        uv_run(&member_loop, UV_RUN_ONCE);
    cr_expect_eq(member->held, 0);
    cr_expect_null(consumer_trouble(member->consumer));
    member_leave(member);
}

/* One broken partition loses the whole call: it is found by halves, twice here, and left out. */
Test(consumer_start, a_log_start_that_cannot_be_read_holds_up_no_other)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 3);
    member_produce("orders", 3, 20);
    for (int round = 0; round < 2; round++) {
        mock_push_errors(member_mock, API_LIST_OFFSETS,
                         RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                         2); /* of all; of the first */
        mock_push_errors(member_mock, API_LIST_OFFSETS, RD_KAFKA_RESP_ERR_NO_ERROR, 2);
    }
    member = member_join("orders");
    member_await(holds_two, member);
    cr_expect(member->more);
    cr_expect(member->parts[1].held && member->parts[2].held);
    cr_expect_eq(member->parts[1].given.end, 20);
    member_await(holds_three, member);
    member_await(member_at_ends, member);
    cr_expect_eq(member->taken, 60);
    member_leave(member);
}

Test(consumer_start, siblings_of_another_member_tell_born)
{
    struct member *first = member_with_commits(), *second;

    second = member_join("orders");
    member_await(member_holds_all, second);
    member_await(member_holds_all, first);
    for (int i = 0; i < 3; i++) {
        struct part *part = first->parts[i].held ? &first->parts[i] : &second->parts[i];

        cr_expect(first->parts[i].held != second->parts[i].held, "one owner of partition %d", i);
        cr_expect_eq(part->given.least_born, 2);
    }
    member_leave(first);
    member_leave(second);
}
