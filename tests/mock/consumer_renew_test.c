/* kafka/consumer when the group fences it, against librdkafka's mock brokers. */
#include "kafka/consumer_private.h"
#include "tests/harness/member.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
    API_OFFSET_COMMIT = 8,
    API_JOIN_GROUP = 11,
    API_HEARTBEAT = 12,
    API_SYNC_GROUP = 14,
    FENCED = RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID,
    RECORDS = 20,
};

TestSuite(consumer_renew, .init = member_set_up, .fini = member_tear_down, .timeout = 120);

static bool has_failed(const void *of)
{
    return consumer_state(((const struct member *)of)->consumer) == CONSUMER_FAILED;
}

/* The client is with the worker, another is not made yet. */
static bool has_no_client(const void *of)
{
    const struct member *member = of;

    return has_failed(of) && !member->consumer->kafka;
}

static size_t wanted;

static bool took_wanted(const void *of)
{
    return ((const struct member *)of)->taken >= wanted;
}

static void commit(struct member *member)
{
    member->commit_answers = 0;
    member_commit(member, "steady");
    member_await(member_has_commit_answer, member);
}

static struct member *join_and_commit(void)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 2);
    member_produce("orders", 2, RECORDS);
    member = member_join_named("orders", "first");
    member_await(member_at_ends, member);
    commit(member);
    cr_assert_null(member->why_not, "%s", member->why_not);
    return member;
}

/* It reads on where it was, and the new client commits and is read from as the old one was. */
static void expect_it_goes_on(struct member *member)
{
    wanted = (size_t)member->taken + 2 * RECORDS;
    member_produce("orders", 2, RECORDS);
    member_await(took_wanted, member);
    member_await(member_at_ends, member);
    commit(member);
    cr_expect_null(member->why_not, "%s", member->why_not);
    for (int p = 0; p < 2; p++)
        for (int i = 0; i < 2 * RECORDS; i++)
            cr_assert_eq(member_seen[p][i], 1, "%d/%d was taken %u times", p, i, member_seen[p][i]);
    cr_expect_null(consumer_fault(member->consumer));
    cr_expect_eq(consumer_counts(member->consumer)->renewals, 1);
}

/* A coordinator that took over knew another member by our name: the client never came back. */
Test(consumer_renew, fenced_at_a_heartbeat_it_comes_back_by_itself)
{
    struct member *member = join_and_commit();

    mock_push_errors(member_mock, API_HEARTBEAT, FENCED, 1);
    member_await(has_failed, member);
    cr_expect_eq(member->losses, 1, "nobody may be told that it still holds them");
    cr_expect_eq(member->held, 0);
    cr_expect_not_null(strstr(consumer_fault(member->consumer), "fenced"), "%s",
                       consumer_fault(member->consumer));
    expect_it_goes_on(member);
    member_leave(member);
}

/* Its answer is told once, by whichever comes first: the broker's, or that the client is gone. */
Test(consumer_renew, fenced_at_a_commit_it_comes_back_by_itself)
{
    struct member *member = join_and_commit();

    mock_push_errors(member_mock, API_OFFSET_COMMIT, FENCED, 1);
    commit(member);
    cr_expect_not_null(member->why_not);
    member_await(has_failed, member);
    cr_expect_eq(member->losses, 1);
    expect_it_goes_on(member);
    cr_expect_eq(member->commit_answers, 1);
    member_leave(member);
}

static void join_fenced(int16_t api_key)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 2);
    member_produce("orders", 2, RECORDS);
    mock_push_errors(member_mock, api_key, FENCED, 1);
    member = member_join_named("orders", "first");
    member_await(has_failed, member);
    cr_expect_eq(member->losses, 0, "it held nothing");
    member_await(member_at_ends, member);
    expect_it_goes_on(member);
    member_leave(member);
}

Test(consumer_renew, fenced_as_it_joins_it_comes_back_by_itself)
{
    join_fenced(API_JOIN_GROUP);
}

Test(consumer_renew, fenced_as_it_is_given_partitions_it_comes_back_by_itself)
{
    join_fenced(API_SYNC_GROUP);
}

/* As long as another replica of the same name lives, coming back only fences that. */
Test(consumer_renew, each_time_it_waits_longer)
{
    enum { TIMES = 3 };
    struct member *member;
    unsigned waits[TIMES];

    mock_create_topic(member_mock, "orders", 1);
    mock_push_errors(member_mock, API_JOIN_GROUP, FENCED, TIMES);
    member = member_join_named("orders", "first");
    for (int i = 0; i < TIMES; i++) {
        while (member->consumer->renewal.failures < (unsigned)i + 1)
            uv_run(&member_loop, UV_RUN_ONCE);
        waits[i] = member->consumer->renewal.wait_ms;
        cr_expect(i == 0 || waits[i] == 2 * waits[i - 1], "%u ms", waits[i]);
    }
    cr_expect_not_null(strstr(consumer_fault(member->consumer), "another replica"), "%s",
                       consumer_fault(member->consumer));
    member_await(member_at_ends, member);
    cr_expect_eq(consumer_counts(member->consumer)->renewals, TIMES);
    member_leave(member);
}

static struct member *fail_at_once(void)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 1);
    mock_push_errors(member_mock, API_JOIN_GROUP, FENCED, 1);
    member = member_join_named("orders", "first");
    member_await(has_failed, member);
    return member;
}

Test(consumer_renew, closing_ends_while_it_is_out)
{
    member_leave(fail_at_once());
}

Test(consumer_renew, closing_ends_while_there_is_no_client)
{
    struct member *member = fail_at_once();

    member_await(has_no_client, member);
    member_leave(member);
}

static uv_sem_t let_go;

static void wait_to_be_let_go(uv_work_t *work)
{
    (void)work;
    uv_sem_wait(&let_go);
}

static void noop(uv_work_t *work, int status)
{
    (void)work, (void)status;
}

static bool has_another_client(const void *of)
{
    const struct member *member = of;

    return !has_failed(of) && member->consumer->kafka;
}

static bool has_left(const void *of)
{
    return consumer_state(((const struct member *)of)->consumer) == CONSUMER_LEFT;
}

static bool is_over(const void *of)
{
    return *(const bool *)of;
}

static void on_over(void *context)
{
    *(bool *)context = true;
}

/* librdkafka's destroying of a client may last for ever: so, here, until it is let go. */
static struct member *fail_and_hang(void)
{
    static uv_work_t works[4]; /* libuv's threads */
    struct member *member = fail_at_once();

    uv_sem_init(&let_go, 0);
    for (size_t i = 0; i < sizeof(works) / sizeof(*works); i++)
        uv_queue_work(&member_loop, &works[i], wait_to_be_let_go, noop);
    member_await(has_another_client, member);
    cr_assert_eq(member->consumer->ending, 1);
    return member;
}

static void close_let_go(struct member *member)
{
    bool over = false;

    consumer_close(member->consumer, on_over, &over);
    member_await(has_left, member);
    cr_expect(!over, "a client is there yet");
    for (int i = 0; i < 4; i++)
        uv_sem_post(&let_go);
    member_await(is_over, &over);
    cr_expect_eq(consumer_state(member->consumer), CONSUMER_CLOSED);
    consumer_free(member->consumer);
    member_free(member);
    uv_run(&member_loop, UV_RUN_DEFAULT);
    uv_sem_destroy(&let_go);
}

/* The group was left all the same, but the program waited until shutdown_timeout, and then said
 * that it was not. */
Test(consumer_renew, the_group_is_left_though_an_earlier_client_does_not_end)
{
    close_let_go(fail_and_hang());
}

/* There are two clients at most: /health says so then, and not each time that it was fenced. */
Test(consumer_renew, it_is_stuck_when_fenced_once_more_and_the_earlier_client_does_not_end)
{
    struct member *member = fail_and_hang();

    cr_expect_null(consumer_stuck(member->consumer));
    mock_push_errors(member_mock, API_JOIN_GROUP, FENCED, 1);
    mock_push_errors(member_mock, API_SYNC_GROUP, FENCED, 1); /* or it has joined already */
    member_await(has_failed, member);
    cr_expect_not_null(consumer_fault(member->consumer));
    cr_expect_null(consumer_stuck(member->consumer));
    member->consumer->renewal.at = 0;
    cr_expect(!member_run_until(has_another_client, member, 1000));
    cr_expect_not_null(consumer_stuck(member->consumer));
    close_let_go(member);
}

Test(consumer_renew, freeing_in_a_hurry_while_there_is_no_client)
{
    struct member *member = fail_at_once();

    member_await(has_no_client, member);
    consumer_free(member->consumer);
    uv_run(&member_loop, UV_RUN_DEFAULT);
    member_free(member);
}

Test(consumer_renew, topics_chosen_while_there_is_no_client_are_the_next_one_s)
{
    static const char *const bills[] = {"bills"};
    struct member *member = fail_at_once();

    mock_create_topic(member_mock, "bills", 1);
    member_await(has_no_client, member);
    consumer_subscribe(member->consumer, bills, 1);
    cr_expect_eq(consumer_state(member->consumer), CONSUMER_FAILED);
    member_await(member_at_ends, member);
    cr_expect_str_eq(member->parts[0].given.topic, "bills");
    member_leave(member);
}
