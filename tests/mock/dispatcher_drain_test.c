/* dispatcher_drain_test: how partitions are given up: in order, too late, lost, and for good. */
#include "tests/harness/orders.h"

#include "core/lanes.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(dispatcher_drain, .init = orders_set_up, .fini = orders_tear_down, .timeout = 60);

/* `calls` of 100 records are under way, held. */
static void start_held(int64_t calls)
{
    rig->options.max_inflight = calls;
    faas_script(function, &held);
    memory_source_fill(rig->source, "orders", 0, 100, 10);
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "a", (size_t)calls));
}

/* The next owner does what is left. */
static void go_on(void)
{
    faas_script(function, &at_once);
    rig->stopped = false;
    rig_kill(rig);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
}

Test(dispatcher_drain, a_revoke_waits_for_running_calls_and_their_commit)
{
    start_held(8);
    memory_source_revoke(rig->source);
    rig_settle(rig, 50);
    cr_expect(memory_source_assigned(rig->source), "calls are under way");
    cr_expect_eq(faas_release(function, 7), 7);
    rig_settle(rig, 50);
    cr_expect(memory_source_assigned(rig->source), "one is still under way");
    cr_expect_eq(faas_release(function, -1), 1);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 8, "nothing new was called");
    cr_expect_eq(committed(), 8);
    go_on();
    cr_expect(rig_ran_each(rig, "a", "orders", 100, 1));
}

Test(dispatcher_drain, what_comes_to_its_next_attempt_meanwhile_is_not_waited_for)
{
    static const struct faas_reply held_refused = {.latency_ms = FAAS_HELD, .status = 503};

    rig->options.retry_min_wait = rig->options.retry_max_wait = 1;
    rig->drain_timeout_ms = 10 * RIG_PATIENCE_MS;
    faas_next(function, 1, &held_refused);
    start_held(2);
    memory_source_revoke(rig->source);
    faas_release(function, 1);
    rig_settle(rig, 50);
    cr_expect(memory_source_assigned(rig->source), "one is still under way");
    faas_release(function, -1);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 2);
}

Test(dispatcher_drain, after_drain_timeout_the_rest_is_cancelled)
{
    rig->drain_timeout_ms = 50;
    start_held(8);
    memory_source_revoke(rig->source);
    faas_release(function, 3);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(committed(), 3);
    cr_expect_eq(rig_metric(rig, "kafka_connector_in_flight"), 0);
    go_on();
    for (int64_t offset = 0; offset < 100; offset++)
        cr_expect_geq(call_log_ran_on(rig->calls, "a", "orders", 0, offset), 1);
}

/* As in a process that was frozen: libuv looks at its timers first. */
Test(dispatcher_drain, an_answer_that_lies_in_the_socket_when_the_time_is_over_counts)
{
    enum { TIMEOUT_MS = 2000 };

    rig->drain_timeout_ms = TIMEOUT_MS;
    start_held(1);
    memory_source_revoke(rig->source);
    faas_release(function, -1);
    while (!call_log_ended(rig->calls, "a"))
        uv_run(&rig->loop, UV_RUN_ONCE);
    cr_assert_eq(rig_metric(rig, "kafka_connector_in_flight"), 1, "nobody has read it yet");
    uv_sleep(TIMEOUT_MS + 200);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(committed(), 1);
    go_on();
    cr_expect(rig_ran_each(rig, "a", "orders", 100, 1));
}

Test(dispatcher_drain, what_fails_while_draining_is_left_to_the_next_owner)
{
    static const struct {
        struct faas_reply reply;
        const char *sentence;
    } cases[] = {
        {{.status = 503, .latency_ms = 50}, "refused"},
        {{.end = FAAS_CUT_BEFORE, .latency_ms = 50}, "cut"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (i) {
            orders_tear_down();
            orders_set_up();
        }
        faas_script(function, &cases[i].reply);
        memory_source_fill(rig->source, "orders", 0, 10, 0);
        rig_start(rig);
        cr_assert(rig_await_arrived(rig, "a", 10), "%s", cases[i].sentence);
        memory_source_revoke(rig->source);
        cr_assert(rig_await_released(rig), "%s", cases[i].sentence);
        rig_settle(rig, 50);
        cr_expect_eq(call_log_arrived(rig->calls, "a"), 10, "%s", cases[i].sentence);
        cr_expect_eq(committed(), 0, "%s", cases[i].sentence);
        go_on();
        cr_expect_eq(call_log_arrived(rig->calls, "a"), 20, "%s", cases[i].sentence);
    }
}

static struct faas_reply first_fails_second_is_held(void *context, const struct faas_call *call)
{
    (void)context;
    return call->offset == 0   ? (struct faas_reply){.status = 503, .latency_ms = 50}
           : call->offset == 1 ? held
                               : at_once;
}

Test(dispatcher_drain, what_fails_while_draining_is_not_called_again)
{
    rig->options.order = ORDER_KEY;
    faas_decide(function, first_fails_second_is_held, NULL);
    memory_source_fill(rig->source, "orders", 0, 10, 2);
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "a", 2));
    memory_source_revoke(rig->source);
    cr_assert(rig_await_ran(rig, "a", 1));
    rig_settle(rig, 100);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 2);
    faas_release(function, -1);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(committed(), 0);
}

Test(dispatcher_drain, back_offs_and_held_ones_hold_up_nothing)
{
    static const struct faas_reply cut_early = {.end = FAAS_CUT_BEFORE};

    rig->options.retry_min_wait = rig->options.retry_max_wait = 60 * 1000;
    rig->options.retry_on_timeout = 0;
    faas_next(function, 5, &refused);
    faas_next(function, 5, &cut_early);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_metric(rig, "kafka_connector_function_held{function=\"a\"}", 5));
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig), "nothing is under way but the last commit");
    cr_expect_eq(rig_metric(rig, "kafka_connector_function_held{function=\"a\"}"), 0);
}

Test(dispatcher_drain, a_commit_under_way_is_waited_for)
{
    orders_start_with_a_commit_under_way();
    memory_source_revoke(rig->source);
    rig_settle(rig, 50);
    cr_expect(memory_source_assigned(rig->source));
    memory_source_answer(rig->source, SOURCE_UNREACHED);
    cr_expect(memory_source_committing(rig->source), "the last one, with all that is done");
    memory_source_answer(rig->source, SOURCE_COMMITTED);
    cr_expect_not(memory_source_assigned(rig->source));
    cr_expect_eq(committed(), 10);
}

Test(dispatcher_drain, a_last_commit_that_fails_releases_all_the_same)
{
    start_held(8);
    memory_source_revoke(rig->source);
    memory_source_refuse(rig->source, 1000, SOURCE_REFUSED);
    faas_release(function, -1);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(committed(), 0);
}

/* The last commit meets a coordinator that moves, and the like. */
Test(dispatcher_drain, a_last_commit_that_fails_is_sent_again_while_there_is_time)
{
    size_t batches;

    start_held(8);
    rig_settle(rig, 50);
    batches = memory_source_batches(rig->source);
    memory_source_revoke(rig->source);
    memory_source_refuse(rig->source, 2, SOURCE_UNREACHED);
    faas_release(function, -1);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(memory_source_batches(rig->source), batches + 3);
    cr_expect_eq(committed(), 8);
    go_on();
    cr_expect(rig_ran_each(rig, "a", "orders", 100, 1));
}

Test(dispatcher_drain, a_last_commit_that_goes_on_failing_ends_with_the_time)
{
    rig->drain_timeout_ms = 1000;
    start_held(8);
    memory_source_revoke(rig->source);
    memory_source_refuse(rig->source, 1000, SOURCE_UNREACHED);
    faas_release(function, -1);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(committed(), 0);
    memory_source_refuse(rig->source, 0, SOURCE_COMMITTED);
    go_on();
}

/* Not a member any more, or no right: time changes nothing, and the group waits for us. */
Test(dispatcher_drain, a_last_commit_that_is_refused_is_not_sent_again)
{
    static const enum source_result results[] = {SOURCE_REFUSED, SOURCE_TOPIC_REFUSED};

    for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++) {
        size_t batches;

        if (i) {
            orders_tear_down();
            orders_set_up();
        }
        start_held(8);
        rig_settle(rig, 50);
        batches = memory_source_batches(rig->source);
        memory_source_revoke(rig->source);
        memory_source_refuse(rig->source, 1000, results[i]);
        faas_release(function, -1);
        cr_assert(rig_await_released(rig));
        cr_expect_eq(memory_source_batches(rig->source), batches + 1);
    }
}

Test(dispatcher_drain, a_stop_sends_its_last_commit_again_too)
{
    start_held(8);
    memory_source_refuse(rig->source, 2, SOURCE_UNREACHED);
    rig_stop(rig, RIG_PATIENCE_MS);
    faas_release(function, -1);
    cr_assert(rig_await_stopped(rig));
    cr_expect_eq(committed(), 8);
}

Test(dispatcher_drain, lost_while_the_last_commit_waits_to_be_sent_again)
{
    start_held(8);
    memory_source_revoke(rig->source);
    memory_source_refuse(rig->source, 1000, SOURCE_UNREACHED);
    faas_release(function, -1);
    cr_assert(rig_await_metric(rig, "kafka_connector_commit_failures_total", 1));
    memory_source_lose(rig->source);
    memory_source_refuse(rig->source, 0, SOURCE_COMMITTED);
    faas_script(function, &at_once);
    memory_source_assign(rig->source);
    cr_assert(rig_await_committed(rig));
    cr_expect(rig_ran_each(rig, "a", "orders", 100, 1));
}

Test(dispatcher_drain, a_stop_waits_commits_and_tells_once)
{
    start_held(8);
    rig_stop(rig, RIG_PATIENCE_MS);
    rig_settle(rig, 50);
    cr_expect_not(rig->stopped);
    faas_release(function, -1);
    cr_assert(rig_await_stopped(rig));
    cr_expect_eq(committed(), 8);
    /* The source still has its partitions, and goes on telling of them. */
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    memory_source_gap(rig->source, "orders", 0, 1);
    rig_settle(rig, 50);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 8);
    memory_source_revoke(rig->source);
    cr_assert_not(memory_source_assigned(rig->source));
    go_on();
    cr_expect(rig_ran_each(rig, "a", "orders", 110, 1));
}

Test(dispatcher_drain, a_stop_after_its_time_cancels)
{
    start_held(8);
    rig_stop(rig, 50);
    cr_assert(rig_await_stopped(rig));
    cr_expect_eq(committed(), 0);
}

Test(dispatcher_drain, a_stop_of_an_idle_one_is_told_at_once)
{
    rig_start(rig);
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
    rig_stop(rig, RIG_PATIENCE_MS);
    cr_expect(rig->stopped);
}

Test(dispatcher_drain, a_stop_and_a_revoke_in_any_order)
{
    for (int stop_first = 0; stop_first < 2; stop_first++) {
        if (stop_first) {
            orders_tear_down();
            orders_set_up();
        }
        start_held(8);
        if (stop_first)
            rig_stop(rig, RIG_PATIENCE_MS);
        memory_source_revoke(rig->source);
        if (!stop_first)
            rig_stop(rig, RIG_PATIENCE_MS);
        rig_settle(rig, 20);
        cr_expect_not(rig->stopped);
        faas_release(function, -1);
        cr_assert(rig_await_stopped(rig));
        cr_expect_not(memory_source_assigned(rig->source));
        cr_expect_eq(committed(), 8);
    }
}

Test(dispatcher_drain, partitions_assigned_to_a_stopped_one_are_left_alone)
{
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    rig_stop(rig, RIG_PATIENCE_MS);
    cr_assert(rig_await_stopped(rig));
    memory_source_revoke(rig->source);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    memory_source_assign(rig->source);
    rig_settle(rig, 50);
    cr_expect_eq(memory_source_taken(rig->source), 0);
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
}

Test(dispatcher_drain, the_map_changes_while_draining)
{
    start_held(8);
    memory_source_revoke(rig->source);
    rig_unlist(rig, "a");
    rig_deploy(rig, "b", "orders", NULL);
    for (int i = 0; i < TOPIC_MAP_MISSING_LIMIT; i++)
        rig_list(rig);
    faas_release(function, -1);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(committed(), 8);
    memory_source_assign(rig->source);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_ran(rig->calls, "b"), 92);
}

static struct faas_reply slow_key(void *context, const struct faas_call *call)
{
    return (struct faas_reply){.latency_ms = strcmp(call->key, context) == 0 ? 5 : 0};
}

Test(dispatcher_drain, what_was_done_out_of_order_is_not_repeated)
{
    rig->options.order = ORDER_KEY;
    faas_decide(function, slow_key, "k0");
    memory_source_fill(rig->source, "orders", 0, 100, 2);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "a", 50)); /* nearly all of k1, hardly any of k0 */
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
    cr_expect_lt(committed(), (int64_t)call_log_ran(rig->calls, "a"));
    go_on();
    cr_expect(rig_ran_each(rig, "a", "orders", 100, 1));
}

Test(dispatcher_drain, what_backs_off_keeps_its_lane_in_order)
{
    static const struct faas_reply no = {.status = 503};

    rig->options.order = ORDER_KEY;
    rig->options.retry_min_wait = rig->options.retry_max_wait = 60 * 1000;
    faas_next(function, 1, &no); /* the first of k0 backs off, what is behind it waits */
    memory_source_fill(rig->source, "orders", 0, 100, 2);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "a", 10));
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(committed(), 0);
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 2), 0, "order is kept");
}

/* Members that come and go all the time. What is done out of order lies ahead of the offset that
 * can be committed: but for the metadata the next owner would repeat it. */
Test(dispatcher_drain, many_rebalances_under_load_lose_and_repeat_nothing)
{
    static const struct {
        enum order order;
        const char *sentence;
    } cases[] = {
        {ORDER_PARTITION, "in the partition's order"},
        {ORDER_KEY, "by key"},
        {ORDER_NONE, "in any order"},
    };
    static const struct faas_reply soon = {.latency_ms = 1};
    unsigned state = 11;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (i) {
            orders_tear_down();
            orders_set_up();
        }
        rig->options.order = cases[i].order;
        rig->options.partition_window = 50;
        faas_script(function, &soon);
        faas_script(rig_deploy(rig, "b", "orders", NULL), &at_once);
        rig_start(rig);
        for (int turn = 0; turn < 50; turn++) {
            memory_source_fill(rig->source, "orders", 0, 20, 9);
            rig_settle(rig, rand_r(&state) % 20);
            memory_source_revoke(rig->source);
            cr_assert(rig_await_released(rig), "%s", cases[i].sentence);
            memory_source_assign(rig->source);
        }
        cr_assert(rig_await_committed(rig), "%s", cases[i].sentence);
        for (int64_t offset = 0; offset < 1000; offset++) {
            size_t runs = call_log_ran_on(rig->calls, "a", "orders", 0, offset);

            cr_assert_eq(call_log_ran_on(rig->calls, "b", "orders", 0, offset), 1, "%s",
                         cases[i].sentence);
            cr_assert(runs == 1, "%s: offset %lld, %zu times", cases[i].sentence, (long long)offset,
                      runs);
        }
    }
}

Test(dispatcher_drain, killed_members_lose_nothing)
{
    orders_kill_members(13);
    for (int64_t offset = 0; offset < 1500; offset++)
        cr_assert_geq(call_log_ran_on(rig->calls, "a", "orders", 0, offset), 1);
}
