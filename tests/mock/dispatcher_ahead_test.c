/* dispatcher_ahead_test: delivery=at-most-once: what becomes of records that are committed and not
 * called yet when partitions are given up, lost, read again or made anew. */
#include "tests/harness/orders.h"

#include "core/lanes.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void set_up(void)
{
    orders_set_up();
    rig->options.delivery = DELIVERY_AT_MOST_ONCE;
}

TestSuite(dispatcher_ahead, .init = set_up, .fini = orders_tear_down, .timeout = 60);

/* Two are under way, and four committed and not begun; then four more come. */
static void start_with_four_behind(void)
{
    commit_before(0, 0, 1);
    rig->options.max_inflight = 2;
    rig->options.commit_interval = 60 * 1000;
    faas_script(function, &held);
    memory_source_fill(rig->source, "orders", 0, 6, 0);
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "a", 2));
    cr_assert_eq(committed(), 6);
    memory_source_fill(rig->source, "orders", 0, 4, 0);
    rig_settle(rig, 50);
    cr_assert_eq(committed(), 6, "no slot is free: the interval is waited for");
}

/* A window of what is committed and not begun is called before the partitions are given up. */
Test(dispatcher_ahead, a_rebalance_neither_loses_nor_repeats)
{
    static const struct {
        const char *sentence;
        enum order order;
    } cases[] = {
        {"by key", ORDER_KEY},
        {"in the partition's order", ORDER_PARTITION},
        {"in any order", ORDER_NONE},
    };
    static const struct faas_reply soon = {.latency_ms = 1};
    unsigned state = 19;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (i) {
            orders_tear_down();
            set_up();
        }
        rig->options.order = cases[i].order;
        rig->options.partition_window = 50;
        rig->options.max_inflight = 8;
        faas_script(function, &soon);
        rig_start(rig);
        for (int turn = 0; turn < 30; turn++) {
            memory_source_fill(rig->source, "orders", 0, 20, 9);
            rig_settle(rig, rand_r(&state) % 20);
            memory_source_revoke(rig->source);
            cr_assert(rig_await_released(rig), "%s", cases[i].sentence);
            memory_source_assign(rig->source);
        }
        cr_assert(rig_await_committed(rig), "%s", cases[i].sentence);
        cr_assert(rig_await_ran(rig, "a", 600), "%s", cases[i].sentence);
        cr_expect(rig_ran_each(rig, "a", "orders", 600, 1), "%s", cases[i].sentence);
        cr_expect_eq(orders_dropped(), 0, "%s", cases[i].sentence);
    }
}

Test(dispatcher_ahead, a_drain_calls_what_is_committed_and_leaves_the_rest)
{
    start_with_four_behind();
    memory_source_revoke(rig->source);
    faas_script(function, &at_once);
    rig_settle(rig, 50);
    cr_expect(memory_source_assigned(rig->source), "two are under way");
    faas_release(function, -1);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 6);
    cr_expect_eq(committed(), 6);
    memory_source_assign(rig->source);
    cr_assert(rig_await_ran(rig, "a", 10));
    cr_expect(rig_ran_each(rig, "a", "orders", 10, 1));
    cr_expect_eq(orders_dropped(), 0);
}

Test(dispatcher_ahead, when_the_drain_s_time_is_over_the_rest_of_the_committed_is_dropped)
{
    rig->drain_timeout_ms = 50;
    start_with_four_behind();
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(orders_dropped(), 6, "two that were called, four that were not");
    cr_expect_eq(committed(), 6);
    faas_script(function, &at_once);
    memory_source_assign(rig->source);
    cr_assert(rig_await_committed(rig));
    cr_assert(rig_await_ran(rig, "a", 4));
    rig_settle(rig, 50);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 6, "2 that were cancelled, 4 that were left");
}

/* The answer says whether its records are ours to call. */
Test(dispatcher_ahead, a_commit_under_way_at_a_revoke_is_waited_for)
{
    static const struct {
        const char *sentence;
        enum source_result result;
        size_t arrived;
        int64_t committed;
    } cases[] = {
        {"acknowledged: they are called", SOURCE_COMMITTED, 10, 10},
        {"refused: they are the next owner's", SOURCE_REFUSED, 0, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (i) {
            orders_tear_down();
            set_up();
        }
        commit_before(0, 0, 1);
        memory_source_fill(rig->source, "orders", 0, 10, 0);
        memory_source_hold_commits(rig->source, true);
        rig_start(rig);
        cr_assert(rig_await_committing(rig));
        memory_source_revoke(rig->source);
        rig_settle(rig, 20);
        cr_expect_eq(call_log_arrived(rig->calls, "a"), 0, "%s", cases[i].sentence);
        memory_source_answer(rig->source, cases[i].result);
        memory_source_hold_commits(rig->source, false);
        cr_assert(rig_await_released(rig), "%s", cases[i].sentence);
        cr_expect_eq(call_log_arrived(rig->calls, "a"), cases[i].arrived, "%s", cases[i].sentence);
        cr_expect_eq(committed(), cases[i].committed, "%s", cases[i].sentence);
        memory_source_assign(rig->source);
        cr_assert(rig_await_ran(rig, "a", 10));
        cr_expect(rig_ran_each(rig, "a", "orders", 10, 1), "%s", cases[i].sentence);
    }
}

Test(dispatcher_ahead, lost_partitions_are_not_called_again)
{
    start_with_four_behind();
    memory_source_lose(rig->source);
    cr_expect_eq(orders_dropped(), 6);
    faas_script(function, &at_once);
    memory_source_assign(rig->source);
    cr_assert(rig_await_ran(rig, "a", 4));
    rig_settle(rig, 50);
    cr_expect_eq(orders_most_runs(10), 1);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 6);
}

/* The reader may jump back within what is unfinished. */
Test(dispatcher_ahead, what_is_delivered_again_is_passed_over)
{
    start_with_four_behind();
    memory_source_rewind(rig->source, "orders", 0, 1);
    cr_assert(rig_await_metric(rig, "kafka_connector_records_repeated_total", 9));
    faas_script(function, &at_once);
    faas_release(function, -1);
    cr_assert(rig_await_ran(rig, "a", 10));
    cr_expect(rig_ran_each(rig, "a", "orders", 10, 1));
}

/* What waits for a commit when the log goes is named by none any more. */
Test(dispatcher_ahead, a_topic_made_anew_is_read_from_its_beginning)
{
    start_with_four_behind();
    faas_release(function, 2);
    cr_assert(rig_await_arrived(rig, "a", 4));
    memory_source_make_anew(rig->source, "orders", 0);
    memory_source_fill(rig->source, "orders", 0, 3, 0);
    cr_assert(rig_await_metric(rig, "kafka_connector_partitions_made_anew_total", 1));
    faas_script(function, &at_once);
    faas_release(function, -1);
    cr_assert(rig_await_committed(rig));
    cr_assert(rig_await_ran(rig, "a", 13));
    cr_expect_eq(committed(), 3);
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 0), 2);
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 9), 1);
}

/* The commit under way when the log goes permits nothing of the one that follows. */
Test(dispatcher_ahead, a_commit_of_the_old_log_lets_nothing_of_the_new_one_be_called)
{
    commit_before(0, 0, 1);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    memory_source_hold_commits(rig->source, true);
    rig_start(rig);
    cr_assert(rig_await_committing(rig));
    memory_source_make_anew(rig->source, "orders", 0);
    memory_source_fill(rig->source, "orders", 0, 3, 0);
    cr_assert(rig_await_ran(rig, "a", 10), "the old log's: no commit will name them");
    memory_source_answer(rig->source, SOURCE_COMMITTED);
    rig_settle(rig, 50);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 10);
    memory_source_hold_commits(rig->source, false);
    memory_source_answer(rig->source, SOURCE_COMMITTED);
    cr_assert(rig_await_ran(rig, "a", 13));
}

Test(dispatcher_ahead, a_stop_leaves_nothing_begun_behind)
{
    start_with_four_behind();
    rig_stop(rig, RIG_PATIENCE_MS);
    faas_script(function, &at_once);
    faas_release(function, -1);
    cr_assert(rig_await_stopped(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 6);
    cr_expect_eq(committed(), 6);
    cr_expect_eq(orders_dropped(), 0);
}

Test(dispatcher_ahead, a_function_that_goes_in_the_midst_of_a_drain_ends_the_wait)
{
    rig->drain_timeout_ms = 10 * RIG_PATIENCE_MS;
    faas_gateway_down(rig->gateway);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_assert(rig_await_metric(rig, "kafka_connector_gateway_state", 2));
    memory_source_revoke(rig->source);
    rig_settle(rig, 50);
    cr_expect(memory_source_assigned(rig->source), "it may come back");
    rig_unlist(rig, "a");
    for (int i = 0; i < TOPIC_MAP_MISSING_LIMIT; i++)
        rig_list(rig);
    cr_assert(rig_await_released(rig));
}
