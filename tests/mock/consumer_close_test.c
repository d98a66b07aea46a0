/* kafka/consumer: closing and freeing, in every state. */
#include "tests/harness/member.h"

#include <criterion/criterion.h>

enum { API_OFFSET_FETCH = 9 };

TestSuite(consumer_close, .init = member_set_up, .fini = member_tear_down, .timeout = 120);

static bool took_a_hundred(const void *of)
{
    return ((const struct member *)of)->taken >= 100;
}

Test(consumer_close, closing_ends_in_any_state)
{
    static const char *const topics[] = {"orders"};
    struct member *idle, *joining, *reading;

    mock_create_topic(member_mock, "orders", 2);
    idle = member_join(NULL);
    member_leave(idle);
    joining = member_join("orders");
    member_leave(joining);
    mock_push_errors(member_mock, API_OFFSET_FETCH, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                     100);
    reading = member_join(topics[0]);
    while (consumer_state(reading->consumer) != CONSUMER_READING)
        uv_run(&member_loop, UV_RUN_ONCE);
    member_leave(reading);
}

Test(consumer_close, freeing_in_a_hurry_frees_all)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 2);
    member_produce("orders", 2, 50);
    member = member_join("orders");
    member_await(took_a_hundred, member);
    consumer_free(member->consumer);
    uv_run(&member_loop, UV_RUN_DEFAULT);
    member_free(member);
}

Test(consumer_close, freeing_in_a_hurry_while_the_worker_reads)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 2);
    mock_push_errors(member_mock, API_OFFSET_FETCH, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                     100);
    member = member_join("orders");
    while (consumer_state(member->consumer) != CONSUMER_READING)
        uv_run(&member_loop, UV_RUN_ONCE);
    consumer_free(member->consumer);
    uv_run(&member_loop, UV_RUN_DEFAULT);
    cr_expect_eq(member->assignments, 0);
    member_free(member);
}
