/* dispatcher_map_test: functions that come, go and change while records are under way. */
#include "tests/harness/orders.h"

#include "core/lanes.h"

#include <criterion/criterion.h>

TestSuite(dispatcher_map, .init = orders_set_up_without_function, .fini = orders_tear_down,
          .timeout = 60);

/* As many good lists as it takes to be gone. */
static void unbind(const char *name)
{
    rig_unlist(rig, name);
    for (int i = 0; i < TOPIC_MAP_MISSING_LIMIT; i++)
        rig_list(rig);
}

Test(dispatcher_map, a_function_that_is_added_gets_new_records)
{
    rig_deploy(rig, "a", "orders", NULL);
    memory_source_fill(rig->source, "orders", 0, 5, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    rig_deploy(rig, "b", "orders", NULL);
    rig_list(rig);
    memory_source_fill(rig->source, "orders", 0, 5, 0);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_ran(rig->calls, "a"), 10);
    cr_expect_eq(call_log_ran(rig->calls, "b"), 5);
    cr_expect_eq(call_log_ran_on(rig->calls, "b", "orders", 0, 5), 1);
}

Test(dispatcher_map, a_function_stays_until_three_good_lists_lack_it)
{
    rig_deploy(rig, "a", "orders", NULL);
    rig_deploy(rig, "b", "orders", NULL);
    rig_start(rig);
    rig_unlist(rig, "b");
    for (int i = 1; i < TOPIC_MAP_MISSING_LIMIT; i++) {
        rig_list(rig);
        memory_source_fill(rig->source, "orders", 0, 1, 0);
        cr_assert(rig_await_committed(rig));
        cr_expect_eq(call_log_ran(rig->calls, "b"), (size_t)i);
    }
    rig_list(rig);
    memory_source_fill(rig->source, "orders", 0, 1, 0);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_ran(rig->calls, "a"), TOPIC_MAP_MISSING_LIMIT);
    cr_expect_eq(call_log_ran(rig->calls, "b"), TOPIC_MAP_MISSING_LIMIT - 1);
}

Test(dispatcher_map, what_is_owed_to_a_function_that_is_gone_ends_as_unbound)
{
    static const struct {
        struct faas_reply reply;
        const char *sentence;
    } cases[] = {
        {{.status = 503}, "backing off, or away"},
        {{.end = FAAS_CUT_AFTER}, "held: never answered"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (i) {
            orders_tear_down();
            orders_set_up_without_function();
        }
        rig->options.order = i ? ORDER_KEY : ORDER_NONE;
        rig_deploy(rig, "a", "orders", NULL);
        faas_script(rig_deploy(rig, "b", "orders", NULL), &cases[i].reply);
        memory_source_fill(rig->source, "orders", 0, 50, 10);
        rig_start(rig);
        cr_assert(rig_await_ran(rig, "a", 50), "%s", cases[i].sentence);
        cr_assert(rig_await_ran(rig, "b", 10), "%s", cases[i].sentence);
        cr_expect_lt(memory_source_committed(rig->source, "orders", 0), 50);
        unbind("b");
        cr_assert(rig_await_committed(rig), "%s", cases[i].sentence);
        cr_expect(rig_ran_each(rig, "a", "orders", 50, 1), "%s", cases[i].sentence);
    }
}

/* Nothing else is under way that would have the partition read on. */
Test(dispatcher_map, a_full_window_of_a_function_that_is_gone_is_read_on)
{
    struct faas_function *other;

    memory_source_topic(rig->source, "payments", 1);
    rig->options.partition_window = 4;
    rig->options.max_inflight = 1;
    other = rig_deploy(rig, "other", "payments", NULL);
    rig_deploy(rig, "gone", "orders", NULL);
    faas_script(other, &held);
    memory_source_fill(rig->source, "payments", 0, 1, 0);
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "other", 1));
    memory_source_fill(rig->source, "orders", 0, 20, 0);
    rig_settle(rig, 50);
    cr_expect_eq(memory_source_taken(rig->source), 1 + 4);
    unbind("gone");
    rig_settle(rig, 20);
    faas_release(other, -1);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "gone"), 0);
}

/* A call that fails for good when its function is gone already must not be held for ever. */
Test(dispatcher_map, a_call_under_way_may_end_in_any_way_when_its_function_is_gone)
{
    static const struct {
        struct faas_reply reply; /* of the call under way */
        const char *sentence;
    } cases[] = {
        {{.status = 200, .latency_ms = 100}, "done"},
        {{.status = 503, .latency_ms = 100}, "refused"},
        {{.end = FAAS_CUT_AFTER, .latency_ms = 100}, "never answered"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (i) {
            orders_tear_down();
            orders_set_up_without_function();
        }
        rig->options.order = ORDER_PARTITION;
        rig->options.retry_on_timeout = 0;
        faas_script(rig_deploy(rig, "a", "orders", NULL), &cases[i].reply);
        memory_source_fill(rig->source, "orders", 0, 10, 0);
        rig_start(rig);
        cr_assert(rig_await_arrived(rig, "a", 1), "%s", cases[i].sentence);
        unbind("a");
        cr_assert(rig_await_committed(rig), "%s", cases[i].sentence);
        cr_expect_eq(call_log_arrived(rig->calls, "a"), 1, "%s", cases[i].sentence);
    }
}

Test(dispatcher_map, a_function_that_comes_back_gets_records_again)
{
    function = rig_deploy(rig, "a", "orders", NULL);
    faas_script(function, &held);
    memory_source_fill(rig->source, "orders", 0, 5, 0);
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "a", 5));
    unbind("a");
    function = rig_deploy(rig, "a", "orders", NULL); /* cuts what was under way */
    rig_list(rig);
    memory_source_fill(rig->source, "orders", 0, 5, 0);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 9), 1);
}

Test(dispatcher_map, a_function_that_turns_to_another_topic_ends_what_it_is_owed)
{
    function = rig_deploy(rig, "a", "orders", NULL);
    memory_source_topic(rig->source, "payments", 1);
    rig->options.max_inflight = 1;
    faas_script(function, &held);
    memory_source_fill(rig->source, "orders", 0, 5, 0);
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "a", 1));
    faas_script(function, &at_once);
    rig_unlist(rig, "a");
    faas_release(function, -1);
    rig_deploy(rig, "b", "orders", NULL);
    rig_list(rig);
    rig_unlist(rig, "b");
    rig_deploy(rig, "a", "payments", NULL);
    rig_list(rig);
    memory_source_fill(rig->source, "payments", 0, 5, 0);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 4), 1);
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "payments", 0, 4), 1);
}

/* Functions come and go at every turn, with all kinds of outcomes: all must end. */
Test(dispatcher_map, functions_come_and_go_under_load)
{
    static const struct faas_reply *const replies[] = {&at_once, &cut, &refused};
    unsigned state = 7;

    rig->options.order = ORDER_KEY;
    rig->options.partition_window = 20;
    rig_deploy(rig, "a", "orders", NULL);
    rig_start(rig);
    for (int i = 0; i < 100; i++) {

        function = rig_deploy(rig, i % 2 ? "b" : "c", "orders", NULL);
        faas_script(function, replies[rand_r(&state) % 3]);
        rig_list(rig);
        memory_source_fill(rig->source, "orders", 0, 30, 7);
        rig_settle(rig, rand_r(&state) % 10);
        rig_unlist(rig, i % 3 ? "b" : "c");
        rig_list(rig);
    }
    unbind("b");
    unbind("c");
    cr_assert(rig_await_committed(rig));
    cr_expect(rig_ran_each(rig, "a", "orders", 3000, 1));
    cr_expect_eq(rig_metric(rig, "kafka_connector_buffered_bytes"), 0);
}
