/* dispatcher_aside_test: partitions that were lost without a drain, and come back: untouched, or
 * after another member had them. */
#include "tests/harness/orders.h"

#include "core/lanes.h"
#include "core/progress.h"

#include <criterion/criterion.h>

TestSuite(dispatcher_aside, .init = orders_set_up, .fini = orders_tear_down, .timeout = 60);

/* `calls` of 100 records are under way, held, and what there is to commit is committed. */
static void start_held(int64_t calls)
{
    rig->options.max_inflight = calls;
    faas_script(function, &held);
    memory_source_fill(rig->source, "orders", 0, 100, 10);
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "a", (size_t)calls));
    rig_settle(rig, 50);
}

static bool in_flight_none(struct rig *it)
{
    return rig_metric(it, "kafka_connector_in_flight") == 0;
}

/* What runs ends, and the partitions are still lost. */
static void end_calls(void)
{
    faas_release(function, -1);
    cr_assert(rig_await(rig, in_flight_none));
}

static void give_back(void)
{
    faas_script(function, &at_once);
    memory_source_assign(rig->source);
}

static size_t runs(int64_t offset)
{
    return call_log_ran_on(rig->calls, "a", "orders", 0, offset);
}

Test(dispatcher_aside, what_ended_while_lost_is_not_repeated)
{
    static const enum order orders[] = {ORDER_NONE, ORDER_KEY, ORDER_PARTITION};

    for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
        int calls = orders[i] == ORDER_PARTITION ? 1 : 8;

        if (i) {
            orders_tear_down();
            orders_set_up();
        }
        rig->options.order = orders[i];
        start_held(calls);
        memory_source_lose(rig->source);
        cr_expect_eq(rig_metric(rig, "kafka_connector_in_flight"), calls, "they go on");
        cr_expect_eq(rig_metric(rig, "kafka_connector_partitions"), 0);
        end_calls();
        rig_settle(rig, 50);
        cr_expect_eq(call_log_arrived(rig->calls, "a"), (size_t)calls, "nothing new is begun");
        give_back();
        cr_assert(rig_await_committed(rig));
        cr_expect(rig_ran_each(rig, "a", "orders", 100, 1));
        cr_expect_eq(memory_source_taken(rig->source), 100, "nothing is even read again");
    }
}

Test(dispatcher_aside, what_still_runs_when_they_come_back_is_not_called_again)
{
    start_held(8);
    memory_source_lose(rig->source);
    give_back();
    rig_settle(rig, 50);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 8, "all slots are taken");
    faas_release(function, -1);
    cr_assert(rig_await_committed(rig));
    cr_expect(rig_ran_each(rig, "a", "orders", 100, 1));
}

Test(dispatcher_aside, of_lost_partitions_nothing_is_committed)
{
    size_t batches;

    start_held(8);
    batches = memory_source_batches(rig->source);
    memory_source_lose(rig->source);
    end_calls();
    rig_settle(rig, 50);
    cr_expect_eq(memory_source_batches(rig->source), batches);
}

/* The other one did up to 5, and committed that. */
Test(dispatcher_aside, another_member_s_progress_counts)
{
    char text[PROGRESS_TEXT_SIZE + 1];

    start_held(8);
    memory_source_lose(rig->source);
    end_calls();
    progress_encode(&(struct progress){.born = 1}, 5, PROGRESS_TEXT_SIZE, text);
    memory_source_set_committed(rig->source, "orders", 0, 5, text);
    give_back();
    cr_assert(rig_await_committed(rig));
    for (int64_t offset = 0; offset < 100; offset++)
        cr_expect_eq(runs(offset), offset >= 5 && offset < 8 ? 2 : 1, "%lld", (long long)offset);
}

Test(dispatcher_aside, another_member_is_told_by_its_metadata_alone)
{
    static const char *const texts[] = {"another program's", "", NULL};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (i) {
            orders_tear_down();
            orders_set_up();
        }
        start_held(8);
        memory_source_lose(rig->source);
        memory_source_set_committed(rig->source, "orders", 0, 0, texts[i]);
        give_back();
        cr_assert(rig_await_committed(rig), "what ran is cancelled and runs again");
        cr_expect_eq(memory_source_taken(rig->source), 200);
        cr_expect_eq(rig_metric(rig, "kafka_connector_buffered_bytes"), 0);
    }
}

/* Its answer comes when they are back, or they come back with what it said. */
Test(dispatcher_aside, lost_while_a_commit_is_under_way)
{
    for (int reached = 0; reached < 2; reached++) {
        if (reached) {
            orders_tear_down();
            orders_set_up();
        }
        orders_start_with_a_commit_under_way();
        if (reached)
            memory_source_commit_unanswered(rig->source);
        memory_source_lose(rig->source);
        memory_source_topic(rig->source, "orders", 2);
        memory_source_fill(rig->source, "orders", 1, 10, 0);
        memory_source_assign(rig->source);
        rig_settle(rig, 50);
        memory_source_hold_commits(rig->source, false);
        cr_assert(rig_await_committed(rig));
        cr_expect(rig_ran_each(rig, "a", "orders", 10, 1), "reached: %d", reached);
        cr_expect_eq(call_log_ran(rig->calls, "a"), 20);
    }
}

Test(dispatcher_aside, lost_in_the_midst_of_a_drain)
{
    for (int late = 0; late < 2; late++) {
        if (late) {
            orders_tear_down();
            orders_set_up();
        }
        rig->options.order = ORDER_KEY;
        start_held(8);
        memory_source_revoke(rig->source);
        if (late)
            faas_release(function, 4);
        rig_settle(rig, 20);
        memory_source_lose(rig->source);
        end_calls();
        give_back();
        cr_assert(rig_await_committed(rig));
        cr_expect(rig_ran_each(rig, "a", "orders", 100, 1));
    }
}

Test(dispatcher_aside, one_that_another_member_has_now_is_dropped)
{
    memory_source_topic(rig->source, "bills", 1);
    function = rig_deploy(rig, "a", "orders,bills", NULL);
    memory_source_fill(rig->source, "bills", 0, 10, 0);
    start_held(20);
    memory_source_lose(rig->source);
    memory_source_withhold(rig->source, "bills");
    give_back();
    cr_expect_eq(rig_metric(rig, "kafka_connector_in_flight"), 20, "slots of bills went to orders");
    cr_expect_eq(
        rig_metric(rig, "kafka_connector_partition_state{topic=\"bills\",partition=\"0\"}"), -1);
    faas_release(function, -1);
    cr_assert(rig_await_ran(rig, "a", 100));
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "bills", 0, 0), 0);
    cr_expect(rig_ran_each(rig, "a", "orders", 100, 1));
}

/* It is kept until it follows, or until the others are given up. */
Test(dispatcher_aside, one_that_cannot_be_read_at_once_stays_aside)
{
    for (int follows = 0; follows < 2; follows++) {
        if (follows) {
            orders_tear_down();
            orders_set_up();
        }
        memory_source_topic(rig->source, "bills", 1);
        function = rig_deploy(rig, "a", "orders,bills", NULL);
        memory_source_fill(rig->source, "bills", 0, 10, 0);
        start_held(20);
        memory_source_lose(rig->source);
        end_calls();
        memory_source_unread(rig->source, "bills");
        give_back();
        cr_assert(rig_await_ran(rig, "a", 100));
        if (!follows) {
            memory_source_revoke(rig->source);
            cr_assert(rig_await_released(rig));
            cr_expect_eq(memory_source_held(rig->source), 0);
            continue;
        }
        memory_source_assign_rest(rig->source);
        cr_assert(rig_await_committed(rig));
        cr_expect(rig_ran_each(rig, "a", "orders", 100, 1));
        cr_expect(rig_ran_each(rig, "a", "bills", 10, 1));
    }
}

Test(dispatcher_aside, a_stop_drops_them)
{
    start_held(8);
    memory_source_lose(rig->source);
    rig_stop(rig, RIG_PATIENCE_MS);
    cr_expect(rig->stopped, "nothing can be committed: nothing is waited for");
    cr_expect_eq(rig_metric(rig, "kafka_connector_in_flight"), 0);
    cr_expect_eq(memory_source_held(rig->source), 0);
}

Test(dispatcher_aside, lost_while_stopping)
{
    start_held(8);
    rig_stop(rig, RIG_PATIENCE_MS);
    memory_source_lose(rig->source);
    cr_expect(rig->stopped);
    cr_expect_eq(memory_source_held(rig->source), 0);
}

Test(dispatcher_aside, back_offs_go_on_and_end_without_a_call)
{
    rig->options.retry_min_wait = rig->options.retry_max_wait = 100;
    rig->options.order = ORDER_KEY;
    faas_next(function, 10, &refused);
    memory_source_fill(rig->source, "orders", 0, 100, 10);
    rig_start(rig);
    cr_assert(rig_await_metric(rig, "kafka_connector_retries_total{function=\"a\"}", 10));
    memory_source_lose(rig->source);
    rig_settle(rig, 200);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 10);
    give_back();
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 110);
}

Test(dispatcher_aside, a_function_that_went_meanwhile_is_owed_nothing)
{
    for (int ended = 0; ended < 2; ended++) {
        if (ended) {
            orders_tear_down();
            orders_set_up();
        }
        start_held(8);
        memory_source_lose(rig->source);
        if (ended)
            end_calls();
        rig_unlist(rig, "a");
        for (int i = 0; i < TOPIC_MAP_MISSING_LIMIT; i++)
            rig_list(rig);
        give_back();
        faas_release(function, -1);
        cr_assert(rig_await_committed(rig));
        cr_expect_eq(call_log_arrived(rig->calls, "a"), 8);
        cr_expect_eq(rig_function_metric(rig, "a", "invocations_unbound_total"), 92);
    }
}

/* Kafka drops a deleted topic's commits. */
Test(dispatcher_aside, a_topic_made_anew_meanwhile_is_read_from_its_beginning)
{
    start_held(8);
    memory_source_lose(rig->source);
    end_calls();
    memory_source_make_anew(rig->source, "orders", 0);
    memory_source_set_committed(rig->source, "orders", 0, -1, NULL);
    memory_source_fill(rig->source, "orders", 0, 100, 10);
    give_back();
    cr_assert(rig_await_committed(rig));
    for (int64_t offset = 0; offset < 100; offset++)
        cr_expect_eq(runs(offset), offset < 8 ? 2 : 1, "%lld", (long long)offset);
}

static struct faas_reply slow_key(void *context, const struct faas_call *call)
{
    (void)context;
    return (struct faas_reply){.latency_ms = call->offset % 7 ? 1 : 5};
}

Test(dispatcher_aside, many_losses_under_load_lose_and_repeat_nothing)
{
    static const enum order orders[] = {ORDER_NONE, ORDER_KEY, ORDER_PARTITION};
    unsigned state = 17;

    for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
        if (i) {
            orders_tear_down();
            orders_set_up();
        }
        rig->options.order = orders[i];
        rig->options.partition_window = 50;
        faas_decide(function, slow_key, NULL);
        rig_start(rig);
        cr_assert(rig_await_committed(rig));
        for (int turn = 0; turn < 50; turn++) {
            memory_source_fill(rig->source, "orders", 0, 20, 9);
            rig_settle(rig, rand_r(&state) % 20);
            if (turn % 3 == 0)
                memory_source_revoke(rig->source);
            if (memory_source_assigned(rig->source))
                memory_source_lose(rig->source);
            rig_settle(rig, rand_r(&state) % 5);
            memory_source_assign(rig->source);
        }
        cr_assert(rig_await_committed(rig));
        cr_expect(rig_ran_each(rig, "a", "orders", 1000, 1));
    }
}

/* The partition is back with what that commit said, and then its answer comes. */
Test(dispatcher_aside, a_commit_that_is_answered_when_they_are_back)
{
    orders_start_with_a_commit_under_way();
    memory_source_commit_unanswered(rig->source);
    memory_source_lose(rig->source);
    memory_source_assign(rig->source);
    memory_source_answer(rig->source, SOURCE_COMMITTED);
    cr_expect_eq(rig_metric(rig, "kafka_connector_partition_committed_offset"
                                 "{topic=\"orders\",partition=\"0\"}"),
                 10);
    memory_source_hold_commits(rig->source, false);
    cr_assert(rig_await_committed(rig));
    cr_expect(rig_ran_each(rig, "a", "orders", 10, 1));
}

static bool is_probed(struct rig *it)
{
    return rig_function_metric(it, "a", "function_state") == 2 &&
           rig_function_metric(it, "a", "function_in_flight") == 1;
}

/* The probe under way ends with a partition that is void: others wait for the next one. */
Test(dispatcher_aside, a_probe_that_ends_with_its_partition_is_followed_by_another)
{
    memory_source_topic(rig->source, "bills", 1);
    function = rig_deploy(rig, "a", "orders,bills", NULL);
    rig->options.order = ORDER_PARTITION;
    faas_script(function, &held);
    faas_next(function, 10, &refused);
    memory_source_fill(rig->source, "orders", 0, 1, 0);
    rig_start(rig);
    cr_assert(rig_await(rig, is_probed));
    memory_source_lose(rig->source);
    memory_source_fill(rig->source, "bills", 0, 1, 0);
    memory_source_unread(rig->source, "orders");
    memory_source_assign(rig->source);
    rig_settle(rig, 50);
    memory_source_set_committed(rig->source, "orders", 0, 1, "another member's");
    faas_script(function, &at_once);
    memory_source_assign_rest(rig->source);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "bills", 0, 0), 1);
}

/* Of the byte budget too. */
Test(dispatcher_aside, one_that_is_dropped_leaves_room)
{
    memory_source_topic(rig->source, "bills", 1);
    function = rig_deploy(rig, "a", "orders,bills", NULL);
    rig->options.max_buffered_bytes = 4096;
    start_held(4);
    memory_source_lose(rig->source);
    memory_source_fill(rig->source, "bills", 0, 10, 0);
    memory_source_unread(rig->source, "orders");
    memory_source_assign(rig->source);
    rig_settle(rig, 50);
    memory_source_set_committed(rig->source, "orders", 0, 100, "another member's");
    memory_source_assign_rest(rig->source);
    rig_settle(rig, 50);
    cr_expect_gt(rig_metric(rig, "kafka_connector_partition_window_fill"
                                 "{topic=\"bills\",partition=\"0\"}"),
                 1);
    faas_release(function, -1);
    faas_script(function, &at_once);
    cr_assert(rig_await_committed(rig));
}

/* Its source takes none before it has begun, however much was done meanwhile. */
Test(dispatcher_aside, no_commit_leaves_while_they_are_given_back)
{
    size_t batches;

    rig_start(rig);
    memory_source_hold_commits(rig->source, true);
    memory_source_fill(rig->source, "orders", 0, 400, 0);
    cr_assert(rig_await_committing(rig));
    memory_source_answer(rig->source, SOURCE_COMMITTED);
    cr_assert(rig_await_ran(rig, "a", 400));
    rig_settle(rig, 50);
    cr_assert(memory_source_committing(rig->source));
    memory_source_lose(rig->source);
    memory_source_answer(rig->source, SOURCE_REFUSED);
    batches = memory_source_batches(rig->source);
    memory_source_assign(rig->source);
    cr_expect_eq(memory_source_batches(rig->source), batches);
    memory_source_hold_commits(rig->source, false);
    cr_assert(rig_await_committed(rig));
    cr_expect(rig_ran_each(rig, "a", "orders", 400, 1));
}
