/* dispatcher_away_test: a gateway or a function that is not there. */
#include "tests/harness/orders.h"

#include "core/lanes.h"

#include <criterion/criterion.h>

TestSuite(dispatcher_away, .init = orders_set_up_without_function, .fini = orders_tear_down,
          .timeout = 60);

static const struct faas_reply done = {.status = 200};

static void gateway_up(void)
{
    char *reason = NULL;

    cr_assert(faas_gateway_up(rig->gateway, &reason), "%s", reason);
}

/* Once the first calls are over, only probes: one at a time. */
static bool probed_one_by_one(struct rig *it)
{
    static bool probing;
    int64_t in_flight = rig_metric(it, "kafka_connector_in_flight");

    probing |= rig_metric(it, "kafka_connector_gateway_state") == 2 && in_flight <= 1;
    if (probing)
        cr_assert_leq(in_flight, 1);
    return probing && rig_function_metric(it, "a", "unsent_total") >= 100;
}

Test(dispatcher_away, a_gateway_that_is_gone_costs_no_attempt_and_no_record)
{
    rig->options.retry_attempts = 1;
    rig->options.on_exhausted = EXHAUSTED_DROP;
    rig_deploy(rig, "a", "orders", NULL);
    memory_source_fill(rig->source, "orders", 0, 80, 0);
    faas_gateway_down(rig->gateway);
    rig_start(rig);
    cr_assert(rig_await(rig, probed_one_by_one));
    cr_expect_eq(rig_function_metric(rig, "a", "function_state"), 0,
                 "it says nothing of the function");
    cr_expect_eq(memory_source_committed(rig->source, "orders", 0), 0);
    gateway_up();
    cr_assert(rig_await_committed(rig));
    cr_expect(rig_ran_each(rig, "a", "orders", 80, 1));
    cr_expect_eq(rig_function_metric(rig, "a", "invocations_dropped_total"), 0);
    cr_expect_eq(rig_metric(rig, "kafka_connector_gateway_state"), 0);
}

Test(dispatcher_away, a_gateway_that_goes_and_comes_under_load_loses_nothing)
{
    static const struct faas_reply soon = {.latency_ms = 2};

    rig->options.order = ORDER_KEY;
    rig->options.retry_on_timeout = 1000; /* calls under way are cut each time */
    faas_script(rig_deploy(rig, "a", "orders", NULL), &soon);
    memory_source_fill(rig->source, "orders", 0, 1000, 20);
    rig_start(rig);
    for (size_t i = 1; i <= 5; i++) {
        cr_assert(rig_await_ran(rig, "a", i * 150));
        faas_gateway_down(rig->gateway);
        rig_settle(rig, 30);
        gateway_up();
    }
    cr_assert(rig_await_committed(rig));
    for (int64_t offset = 0; offset < 1000; offset++)
        cr_assert_geq(call_log_ran_on(rig->calls, "a", "orders", 0, offset), 1);
}

static bool is_away(struct rig *it)
{
    return rig_function_metric(it, "a", "function_state") == 2 &&
           rig_metric(it, "kafka_connector_in_flight") <= 1;
}

Test(dispatcher_away, a_function_that_fails_ten_times_in_a_row_is_called_one_at_a_time)
{
    static const struct faas_reply slow_no = {.status = 503, .latency_ms = 5};

    function = rig_deploy(rig, "a", "orders", NULL);
    rig->options.retry_attempts = 1000;
    faas_script(function, &slow_no);
    memory_source_fill(rig->source, "orders", 0, 100, 0);
    rig_start(rig);
    cr_assert(rig_await(rig, is_away));
    cr_expect_geq(call_log_ended(rig->calls, "a"), 10);
    call_log_clear(rig->calls);
    cr_assert(rig_await_arrived(rig, "a", 10));
    cr_expect_eq(call_log_max_in_flight(rig->calls), 1);
    faas_script(function, &done);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(rig_function_metric(rig, "a", "function_state"), 0);
    cr_expect_eq(rig_function_metric(rig, "a", "invocations_done_total"), 100);
}

Test(dispatcher_away, a_function_that_fails_holds_up_no_other_until_the_window_is_full)
{
    struct faas_function *bad = rig_deploy(rig, "bad", "orders", NULL);

    rig_deploy(rig, "good", "orders", NULL);
    rig->options.partition_window = 100;
    faas_script(bad, &refused);
    memory_source_fill(rig->source, "orders", 0, 300, 0);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "good", 100));
    rig_settle(rig, 100);
    cr_expect_eq(call_log_ran(rig->calls, "good"), 100);
    cr_expect_eq(memory_source_committed(rig->source, "orders", 0), 0);
    faas_script(bad, &done);
    cr_assert(rig_await_committed(rig));
    cr_expect(rig_ran_each(rig, "good", "orders", 300, 1));
    cr_expect_eq(rig_function_metric(rig, "bad", "invocations_done_total"), 300);
}

static bool good_has_all_but_one(struct rig *it)
{
    return rig_function_metric(it, "good", "function_in_flight") >= it->options.max_inflight - 1;
}

/* Nor has it less to itself than if it were alone: a slot is for the probe, no more. */
Test(dispatcher_away, beside_one_that_is_away_the_other_has_the_slots)
{
    struct faas_function *bad = rig_deploy(rig, "bad", "orders", NULL);
    struct faas_function *good = rig_deploy(rig, "good", "orders", NULL);

    rig->options.max_inflight = 10;
    faas_script(bad, &refused);
    faas_script(good, &held);
    memory_source_fill(rig->source, "orders", 0, 300, 0);
    rig_start(rig);
    cr_assert(rig_await(rig, good_has_all_but_one));
    cr_expect_eq(rig_function_metric(rig, "bad", "function_state"), 2);
    faas_script(good, &done);
    faas_script(bad, &done);
    faas_release(good, -1);
    cr_assert(rig_await_committed(rig));
}

/* The probe of a function that is away finds no gateway: both must come back. */
Test(dispatcher_away, a_function_and_the_gateway_away_at_once)
{
    function = rig_deploy(rig, "a", "orders", NULL);
    faas_script(function, &refused);
    memory_source_fill(rig->source, "orders", 0, 50, 0);
    rig_start(rig);
    cr_assert(rig_await(rig, is_away));
    faas_gateway_down(rig->gateway);
    cr_assert(rig_await_metric(rig, "kafka_connector_unsent_total{function=\"a\"}", 5));
    faas_script(function, &done);
    gateway_up();
    cr_assert(rig_await_committed(rig));
}

/* What was away when partitions were given up is asked again when there are new ones. */
Test(dispatcher_away, a_probe_that_is_cancelled_is_followed_by_another)
{
    function = rig_deploy(rig, "a", "orders", NULL);
    faas_script(function, &refused);
    memory_source_fill(rig->source, "orders", 0, 50, 0);
    rig_start(rig);
    cr_assert(rig_await(rig, is_away));
    faas_script(function, &held);
    call_log_clear(rig->calls);
    cr_assert(rig_await_arrived(rig, "a", 1)); /* the probe is under way, and is not answered */
    memory_source_lose(rig->source);
    memory_source_set_committed(rig->source, "orders", 0, 0, "another member's");
    faas_script(function, &done);
    memory_source_assign(rig->source);
    cr_assert(rig_await_committed(rig));
}
