/* ask: what `check` is told of topics by librdkafka's mock brokers, which do not say how they are
 * set. */
#include "kafka/ask.h"
#include "tests/harness/member.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(ask, .init = member_set_up, .fini = member_tear_down, .timeout = 60);

typedef bool ask_call(const struct kafka_options *options, const struct name_set *topics, FILE *to);

/* Whether it is good, and in *said what was told; the caller frees it. */
static bool ask(ask_call *call, const char *const *topics, char **said)
{
    char *broker = (char *)mock_bootstrap(member_mock);
    const struct kafka_options options = {{&broker, 1}, "test", {NULL, 0}};
    struct name_set names = {0};
    size_t size;
    FILE *to = open_memstream(said, &size);
    bool good;

    for (; *topics; topics++)
        name_set_add(&names, *topics);
    good = call(&options, &names, to);
    fclose(to);
    name_set_clear(&names);
    return good;
}

Test(ask, tells_of_each_topic_for_dead_letters_whether_it_is_there)
{
    char *said;

    mock_create_topic(member_mock, "orders.dead", 3);
    mock_create_topic(member_mock, "returns.dead", 1);
    cr_expect(
        ask(kafka_ask_dead_topics, (const char *[]){"orders.dead", "returns.dead", NULL}, &said));
    cr_expect_str_eq(said, "dead-letter topic orders.dead: partitions: 3\n"
                           "dead-letter topic returns.dead: partitions: 1\n");
    free(said);
}

Test(ask, tells_that_one_is_missing_where_it_is_not_known_whether_the_brokers_make_it)
{
    char *said;

    mock_create_topic(member_mock, "orders.dead", 3);
    mock_hide_topic(member_mock, "orders.dead", true);
    cr_expect(ask(kafka_ask_dead_topics, (const char *[]){"orders.dead", NULL}, &said));
    cr_expect(strstr(said, "dead-letter topic orders.dead: missing, and the brokers do not tell"),
              "%s", said);
    free(said);
}

/* With topics=orders,nope the missing one was not looked for, and all was said to be well. */
Test(ask, tells_which_topics_are_missing)
{
    const char *const topics[] = {"orders", "nope", NULL};
    char *said;

    mock_create_topic(member_mock, "orders", 3);
    mock_create_topic(member_mock, "nope", 1);
    cr_expect(ask(kafka_ask_topics, topics, &said));
    cr_expect_str_empty(said);
    free(said);
    mock_hide_topic(member_mock, "nope", true);
    cr_expect_not(ask(kafka_ask_topics, topics, &said));
    cr_expect_str_eq(said, "topic nope: missing; it is read from when it is there\n");
    free(said);
}
