/* invoke/topics: what the consumer is subscribed to as maps come and go. */
#include "invoke/topics.h"

#include "base/xalloc.h"
#include "tests/harness/member.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(topics, .init = member_set_up, .fini = member_tear_down, .timeout = 60);

static struct topic_map *map_of(const char *annotation)
{
    struct topic_map *map = topic_map_new();

    cr_assert(topic_map_add(map, "work", annotation, &(struct function_retry){-1, -1, -1, NULL}));
    return map;
}

static void expect_status(const struct topics *topics, const char *wanted)
{
    json *status = json_object();
    char *text;

    topics_status(topics, status);
    text = json_print(status, false);
    cr_expect_str_eq(text, wanted);
    free(text);
    json_free(status);
}

/* While calls are waited for after SIGTERM, functions come and go, and /status is asked. */
Test(topics, once_stopped_the_map_is_followed_and_nothing_is_subscribed)
{
    static const struct option_list none;
    struct member *member = member_join(NULL);
    struct topics *topics = topics_new(&member_loop, member->consumer, &none, NULL);
    struct topic_map *first = map_of("orders"), *second = map_of("orders,returns"),
                     *third = map_of("parcels");

    topics_set_map(topics, first);
    topics_set_map(topics, second); /* gathered */
    topic_map_free(first);
    topics_stop(topics);
    topics_set_map(topics, third);
    topic_map_free(second);
    expect_status(topics, "{\"topics\":[\"parcels\"]}");
    topics_free(topics);
    topic_map_free(third);
    member_leave(member);
}

static bool holds_partitions(const void *of)
{
    return ((const struct member *)of)->held > 0;
}

/* The mock makes every topic that is asked for. */
Test(topics, annotations_that_name_topics_for_dead_letters_are_passed_over)
{
    static const struct option_list none;
    struct member *member = member_join(NULL);
    struct topics *topics = topics_new(&member_loop, member->consumer, &none, "{topic}.dead");
    struct topic_map *map = map_of("orders,orders.dead");

    mock_create_topic(member_mock, "orders", 2);
    mock_create_topic(member_mock, "orders.dead", 8);
    topics_set_map(topics, map);
    member_await(holds_partitions, member);
    cr_expect_eq(member->held, 2);
    cr_expect_str_eq(member->parts[0].given.topic, "orders");
    topics_free(topics);
    topic_map_free(map);
    member_leave(member);
}

Test(topics, a_regular_expression_binds_to_no_hidden_topic)
{
    char hidden[] = "^.+[.]dead$";
    struct member *member;

    mock_create_topic(member_mock, "orders", 2);
    mock_create_topic(member_mock, "orders.dead", 8);
    member = member_join_hiding("^orders.*", hidden);
    member_await(holds_partitions, member);
    cr_expect_eq(member->held, 2);
    cr_expect_str_eq(member->parts[0].given.topic, "orders");
    member_leave(member);
}

Test(topics, a_first_map_after_the_stop_subscribes_to_nothing)
{
    static const struct option_list none;
    struct member *member = member_join(NULL);
    struct topics *topics = topics_new(&member_loop, member->consumer, &none, NULL);
    struct topic_map *map = map_of("orders");

    topics_stop(topics);
    topics_set_map(topics, map);
    cr_expect_eq(consumer_state(member->consumer), CONSUMER_IDLE);
    topics_free(topics);
    topic_map_free(map);
    member_leave(member);
}
