/* dispatcher_once_test: delivery=at-most-once: committed, then called, and never again. */
#include "tests/harness/orders.h"

#include "core/lanes.h"
#include "core/progress.h"

#include <criterion/criterion.h>

static void set_up(void)
{
    orders_set_up();
    rig->options.delivery = DELIVERY_AT_MOST_ONCE;
}

TestSuite(dispatcher_once, .init = set_up, .fini = orders_tear_down, .timeout = 60);

Test(dispatcher_once, no_call_before_its_offset_is_acknowledged)
{
    commit_before(0, 0, 1);
    memory_source_fill(rig->source, "orders", 0, 100, 0);
    memory_source_hold_commits(rig->source, true);
    rig_start(rig);
    cr_assert(rig_await_committing(rig));
    rig_settle(rig, 50);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 0);
    memory_source_answer(rig->source, SOURCE_UNREACHED);
    cr_assert(rig_await_committing(rig), "it is sent again");
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 0);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    rig_settle(rig, 50);
    memory_source_answer(rig->source, SOURCE_COMMITTED);
    cr_assert(rig_await_ran(rig, "a", 100));
    rig_settle(rig, 50);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 100, "10 came after that commit had left");
    memory_source_hold_commits(rig->source, false);
    cr_assert(rig_await_committed(rig));
    cr_assert(rig_await_ran(rig, "a", 110));
    cr_expect(rig_ran_each(rig, "a", "orders", 110, 1));
}

/* Order is kept, and commits come in batches that no interval holds up. */
Test(dispatcher_once, keeps_order_and_commits_in_batches)
{
    static const struct {
        const char *sentence;
        enum order order;
        int keys;
    } cases[] = {
        {"by key", ORDER_KEY, 10},
        {"in the partition's order", ORDER_PARTITION, 0},
        {"in any order", ORDER_NONE, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t last[10] = {0};

        if (i) {
            orders_tear_down();
            set_up();
        }
        rig->options.order = cases[i].order;
        rig->options.commit_interval = 60 * 1000;
        rig->options.partition_window = 50;
        memory_source_fill(rig->source, "orders", 0, 1000, cases[i].keys);
        rig_start(rig);
        cr_assert(rig_await_ran(rig, "a", 1000), "%s", cases[i].sentence);
        cr_expect(rig_ran_each(rig, "a", "orders", 1000, 1), "%s", cases[i].sentence);
        cr_expect_lt(memory_source_batches(rig->source), 1000, "%s", cases[i].sentence);
        for (size_t n = 0; cases[i].order != ORDER_NONE && n < 1000; n++) {
            const struct call_entry *call = call_log_at(rig->calls, n);
            int64_t *before = &last[cases[i].keys ? call->key[1] - '0' : 0];

            cr_assert_geq(call->offset, *before, "%s", cases[i].sentence);
            *before = call->offset;
        }
    }
}

Test(dispatcher_once, what_ends_badly_is_dropped_and_not_called_again)
{
    static const struct {
        const char *sentence;
        struct faas_reply reply;
        size_t runs;
    } cases[] = {
        {"refused", {.status = 503}, 1},
        {"cut before it ran", {.end = FAAS_CUT_BEFORE}, 0},
        {"cut after it ran", {.end = FAAS_CUT_AFTER}, 1},
        {"an error of the gateway's own",
         {.status = 500, .header = "X-OpenFaaS-Internal: proxy"},
         1},
    };
    struct function_retry eager = {.attempts = 5, .min_wait_ms = 1, .max_wait_ms = 1};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (i) {
            orders_tear_down();
            set_up();
        }
        function = rig_deploy(rig, "a", "orders", &eager);
        faas_next(function, 1, &cases[i].reply);
        rig->options.order = ORDER_PARTITION;
        rig->options.on_exhausted = EXHAUSTED_WAIT;
        memory_source_fill(rig->source, "orders", 0, 3, 0);
        rig_start(rig);
        cr_assert(rig_await_ran(rig, "a", 2 + cases[i].runs), "%s", cases[i].sentence);
        rig_settle(rig, 50);
        cr_expect_eq(call_log_arrived(rig->calls, "a"), 3, "%s", cases[i].sentence);
        cr_expect_eq(orders_dropped(), 1, "%s", cases[i].sentence);
        cr_expect_eq(rig_function_metric(rig, "a", "retries_total"), 0, "%s", cases[i].sentence);
        cr_expect_eq(committed(), 3);
    }
}

/* Where there was no connection, nobody was called. */
Test(dispatcher_once, what_was_not_sent_is_called_when_the_gateway_is_back)
{
    char *reason = NULL;

    memory_source_fill(rig->source, "orders", 0, 20, 0);
    faas_gateway_down(rig->gateway);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_assert(rig_await_metric(rig, "kafka_connector_gateway_state", 2));
    cr_assert(faas_gateway_up(rig->gateway, &reason), "%s", reason);
    cr_assert(rig_await_ran(rig, "a", 20));
    cr_expect(rig_ran_each(rig, "a", "orders", 20, 1));
    cr_expect_eq(orders_dropped(), 0);
}

Test(dispatcher_once, a_killed_member_s_calls_are_not_repeated)
{
    orders_kill_members(17);
    memory_source_fill(rig->source, "orders", 0, 1, 0);
    cr_assert(rig_await_committed(rig));
    rig_settle(rig, 50);
    cr_expect_eq(orders_most_runs(1501), 1);
    cr_expect_geq(call_log_ran(rig->calls, "a"), 300, "and not all of it was lost");
}

/* A member that did not commit first tells in its metadata what it has tried. */
Test(dispatcher_once, what_was_tried_before_the_option_was_set_is_not_called_again)
{
    rig->options.delivery = DELIVERY_AT_LEAST_ONCE;
    rig->options.retry_min_wait = rig->options.retry_max_wait = 60 * 1000;
    faas_next(function, 1, &refused);
    faas_next(function, 1, &cut);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "a", 10));
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
    rig_kill(rig);
    rig->options.delivery = DELIVERY_AT_MOST_ONCE;
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    rig_settle(rig, 50);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 10);
    cr_expect_eq(orders_dropped(), 2);
}

/* One offset for all: each function is called once on what it covers. */
Test(dispatcher_once, functions_do_not_wait_for_one_another)
{
    struct faas_function *b = rig_deploy(rig, "b", "orders", NULL);

    faas_script(b, &held);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "a", 10));
    cr_assert(rig_await_committed(rig));
    faas_release(b, -1);
    cr_assert(rig_await_ran(rig, "b", 10));
    cr_expect(rig_ran_each(rig, "a", "orders", 10, 1));
    cr_expect(rig_ran_each(rig, "b", "orders", 10, 1));
}

Test(dispatcher_once, a_function_that_is_gone_is_owed_nothing)
{
    commit_before(0, 0, 1);
    memory_source_fill(rig->source, "orders", 0, 10, 2);
    rig->options.order = ORDER_KEY;
    memory_source_hold_commits(rig->source, true);
    rig_start(rig);
    cr_assert(rig_await_committing(rig));
    rig_unlist(rig, "a");
    for (int i = 0; i < TOPIC_MAP_MISSING_LIMIT; i++)
        rig_list(rig);
    memory_source_hold_commits(rig->source, false);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 0);
    cr_expect_eq(rig_function_metric(rig, "a", "function_pending"), -1, "nor is it there");
}

static bool has_two_letters(struct rig *it)
{
    return letter_box_kept(it->letters) == 2;
}

static struct faas_reply refuse_the_first(void *context, const struct faas_call *call)
{
    (void)context;
    return call->offset == 0 ? refused : cut;
}

Test(dispatcher_once, where_there_are_dead_letters_what_fails_becomes_one)
{
    rig->options.dead_letter_topic = (char *)"{topic}.dead";
    faas_decide(function, refuse_the_first, NULL);
    memory_source_fill(rig->source, "orders", 0, 2, 0);
    rig_start(rig);
    cr_assert(rig_await(rig, has_two_letters));
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(orders_most_runs(2), 1);
    cr_expect_eq(letter_box_kept_of(rig->letters, "a", 0), 1);
    cr_expect_eq(letter_box_kept_of(rig->letters, "a", 1), 1);
    cr_expect_eq(orders_dropped(), 0);
}
