/* dispatcher_pause_test: what is held by hand is not begun, is not lost, and keeps its order. */
#include "tests/harness/rig.h"

#include "core/lanes.h"
#include "core/progress.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct rig *rig;
static struct faas_function *a;

static void set_up(void)
{
    rig = rig_new();
    memory_source_topic(rig->source, "orders", 1);
    memory_source_topic(rig->source, "returns", 1);
    a = rig_deploy(rig, "a", "orders,returns", NULL);
    rig_deploy(rig, "b", "orders", NULL);
}

static void tear_down(void)
{
    rig_free(rig);
}

TestSuite(dispatcher_pause, .init = set_up, .fini = tear_down, .timeout = 60);

static const struct faas_reply held = {.latency_ms = FAAS_HELD}, at_once = {0};

/* The status, and in *said the answer. Caller frees *said, which may be NULL. */
static int ask(bool pause, const char *topic, const char *function, char **said)
{
    json *answer = json_object();
    int status =
        (pause ? dispatcher_pause : dispatcher_resume)(rig->dispatcher, topic, function, answer);

    if (said)
        *said = json_print(answer, false);
    json_free(answer);
    return status;
}

static void hold(const char *topic, const char *function)
{
    cr_assert_eq(ask(true, topic, function, NULL), 200);
}

static void let_go(const char *topic, const char *function)
{
    cr_assert_eq(ask(false, topic, function, NULL), 200);
}

static void fill(int count)
{
    memory_source_fill(rig->source, "orders", 0, count, 3);
    memory_source_fill(rig->source, "returns", 0, count, 3);
}

static size_t arrived(const char *function, const char *topic)
{
    size_t count = 0;

    for (size_t i = 0; i < call_log_arrived(rig->calls, NULL); i++) {
        const struct call_entry *call = call_log_at(rig->calls, i);

        count += strncmp(call->function, function, 1) == 0 && strcmp(call->topic, topic) == 0;
    }
    return count;
}

static void expect_all_in_order(int count)
{
    int64_t last[3] = {-1, -1, -1};

    cr_assert(rig_await_committed(rig));
    cr_expect(rig_ran_each(rig, "a", "orders", count, 1));
    cr_expect(rig_ran_each(rig, "a", "returns", count, 1));
    cr_expect(rig_ran_each(rig, "b", "orders", count, 1));
    for (size_t i = 0; i < call_log_arrived(rig->calls, NULL); i++) {
        const struct call_entry *call = call_log_at(rig->calls, i);
        int64_t *before = &last[call->key[1] - '0'];

        if (strcmp(call->topic, "returns") != 0)
            continue;
        cr_expect_gt(call->offset, *before, "key %s", call->key);
        *before = call->offset;
    }
}

Test(dispatcher_pause, a_function_is_sent_nothing_and_others_go_on)
{
    rig_start(rig);
    hold(NULL, "a");
    fill(50);
    cr_assert(rig_await_ran(rig, "b", 50));
    rig_settle(rig, 50);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 0);
    cr_expect_eq(rig_function_metric(rig, "a", "function_paused"), 1);
    cr_expect_eq(rig_function_metric(rig, "b", "function_paused"), 0);
    let_go(NULL, "a");
    expect_all_in_order(50);
    cr_expect_eq(rig_function_metric(rig, "a", "function_paused"), 0);
}

Test(dispatcher_pause, a_topic_is_neither_taken_nor_begun_and_others_go_on)
{
    rig_start(rig);
    hold("orders", NULL);
    fill(50);
    cr_assert(rig_await_ran(rig, "a", 50));
    rig_settle(rig, 50);
    cr_expect_eq(arrived("a", "returns"), 50);
    cr_expect_eq(call_log_arrived(rig->calls, NULL), 50);
    cr_expect_eq(memory_source_taken(rig->source), 50);
    cr_expect_eq(
        rig_metric(rig, "kafka_connector_partition_paused{topic=\"orders\",partition=\"0\"}"), 1);
    let_go("orders", NULL);
    expect_all_in_order(50);
}

Test(dispatcher_pause, everything_and_on)
{
    rig_start(rig);
    hold(NULL, NULL);
    fill(50);
    rig_settle(rig, 50);
    cr_expect_eq(call_log_arrived(rig->calls, NULL), 0);
    cr_expect_eq(memory_source_taken(rig->source), 0);
    let_go(NULL, NULL);
    expect_all_in_order(50);
}

Test(dispatcher_pause, what_runs_goes_on_and_what_waits_does_not_begin)
{
    rig->options.max_inflight = 8;
    faas_script(a, &held);
    rig_start(rig);
    fill(50);
    cr_assert(rig_await_arrived(rig, "a", 4));
    hold(NULL, "a");
    faas_script(a, &at_once);
    faas_release(a, -1);
    cr_assert(rig_await_ran(rig, "b", 50));
    rig_settle(rig, 50);
    cr_expect_leq(call_log_arrived(rig->calls, "a"), 6, "what was under way");
    cr_expect_eq(call_log_arrived(rig->calls, "a"), call_log_ran(rig->calls, "a"));
    let_go(NULL, "a");
    expect_all_in_order(50);
}

Test(dispatcher_pause, what_backs_off_waits_when_its_time_has_come)
{
    static const struct faas_reply later = {.status = 503, .header = "Retry-After: 1"};

    rig->options.order = ORDER_PARTITION;
    rig->options.retry_min_wait = rig->options.retry_max_wait = 100;
    faas_next(a, 1, &later);
    rig_start(rig);
    memory_source_fill(rig->source, "returns", 0, 5, 0);
    cr_assert(rig_await_metric(rig, "kafka_connector_retries_total{function=\"a\"}", 1));
    hold("returns", NULL);
    rig_settle(rig, 1100);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 1);
    let_go("returns", NULL);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 6);
}

/* A function that is paused by its name and by a topic goes on when both do. */
Test(dispatcher_pause, holds_add_up)
{
    rig_start(rig);
    hold("orders", NULL);
    hold(NULL, "a");
    fill(10);
    let_go("orders", NULL);
    cr_assert(rig_await_ran(rig, "b", 10));
    rig_settle(rig, 30);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 0);
    hold("orders", NULL);
    let_go(NULL, "a");
    cr_assert(rig_await_ran(rig, "a", 10));
    rig_settle(rig, 30);
    cr_expect_eq(arrived("a", "orders"), 0);
    let_go(NULL, NULL); /* whatever is paused */
    expect_all_in_order(10);
}

Test(dispatcher_pause, a_rebalance_does_not_end_it)
{
    rig_start(rig);
    hold("orders", NULL);
    hold(NULL, "b");
    fill(10);
    cr_assert(rig_await_ran(rig, "a", 10));
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
    memory_source_assign(rig->source);
    rig_settle(rig, 50);
    cr_expect_eq(call_log_arrived(rig->calls, NULL), 10);
    let_go(NULL, NULL);
    expect_all_in_order(10);
}

Test(dispatcher_pause, nor_does_a_function_s_coming_back)
{
    rig_start(rig);
    hold(NULL, "b");
    fill(10);
    cr_assert(rig_await_ran(rig, "a", 20));
    rig_unlist(rig, "b");
    for (int i = 0; i < TOPIC_MAP_MISSING_LIMIT; i++)
        rig_list(rig);
    cr_expect(rig_await_committed(rig), "what is owed to a function that is gone ends");
    cr_expect_eq(call_log_arrived(rig->calls, "b"), 0);
    rig_deploy(rig, "b", "orders", NULL);
    rig_list(rig);
    fill(10);
    rig_settle(rig, 50);
    cr_expect_eq(call_log_arrived(rig->calls, "b"), 0);
    let_go(NULL, "b");
    cr_assert(rig_await_ran(rig, "b", 10));
}

/* Its name is kept here only, and freed when it is resumed. */
Test(dispatcher_pause, one_that_is_gone_is_resumed_without_its_namespace_too)
{
    rig_deploy(rig, "c.dev", "orders", NULL);
    rig_start(rig);
    hold(NULL, "c");
    rig_unlist(rig, "c.dev");
    for (int i = 0; i < TOPIC_MAP_MISSING_LIMIT; i++)
        rig_list(rig);
    let_go(NULL, "c");
    cr_expect_eq(ask(true, NULL, "c", NULL), 404);
}

Test(dispatcher_pause, a_new_start_forgets_it)
{
    rig_start(rig);
    hold(NULL, NULL);
    fill(10);
    rig_kill(rig);
    rig_start(rig);
    expect_all_in_order(10);
}

Test(dispatcher_pause, a_stop_does_not_wait_for_what_is_paused)
{
    rig_start(rig);
    hold(NULL, "a");
    fill(10);
    cr_assert(rig_await_ran(rig, "b", 10));
    rig_stop(rig, RIG_PATIENCE_MS);
    cr_assert(rig_await_stopped(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 0);
    rig->stopped = false;
    rig_kill(rig);
    rig_start(rig);
    expect_all_in_order(10);
}

Test(dispatcher_pause, holds_what_is_committed_too)
{
    rig->options.delivery = DELIVERY_AT_MOST_ONCE;
    rig_start(rig);
    hold(NULL, "a");
    fill(50);
    cr_assert(rig_await_ran(rig, "b", 50));
    cr_assert(rig_await_committed(rig));
    hold("orders", NULL);
    let_go(NULL, "a");
    cr_assert(rig_await_ran(rig, "a", 50));
    rig_settle(rig, 50);
    cr_expect_eq(arrived("a", "orders"), 0);
    let_go("orders", NULL);
    cr_assert(rig_await_ran(rig, "a", 100));
    expect_all_in_order(50);
}

/* Nobody calls it later, and the group does not wait for it. */
Test(dispatcher_pause, what_is_committed_and_paused_is_dropped_at_a_rebalance)
{
    rig->options.delivery = DELIVERY_AT_MOST_ONCE;
    rig->drain_timeout_ms = 10 * RIG_PATIENCE_MS;
    rig_start(rig);
    hold(NULL, "a");
    memory_source_fill(rig->source, "returns", 0, 10, 3);
    cr_assert(rig_await_committed(rig));
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(rig_function_metric(rig, "a", "invocations_dropped_total"), 10);
    let_go(NULL, NULL);
    memory_source_assign(rig->source);
    fill(10);
    cr_assert(rig_await_ran(rig, "a", 20));
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "returns", 0, 9), 0);
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "returns", 0, 10), 1);
}

/* What is committed waits for a gateway that is away, and then for nobody. */
Test(dispatcher_pause, in_the_midst_of_a_drain_it_ends_the_wait)
{
    rig->options.delivery = DELIVERY_AT_MOST_ONCE;
    rig->drain_timeout_ms = 10 * RIG_PATIENCE_MS;
    faas_gateway_down(rig->gateway);
    memory_source_fill(rig->source, "returns", 0, 10, 3);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_assert(rig_await_metric(rig, "kafka_connector_gateway_state", 2));
    memory_source_revoke(rig->source);
    rig_settle(rig, 50);
    cr_expect(memory_source_assigned(rig->source), "it may come back");
    hold(NULL, "a");
    cr_assert(rig_await_released(rig));
    cr_expect_eq(rig_function_metric(rig, "a", "invocations_dropped_total"), 10);
}

Test(dispatcher_pause, answers_what_is_asked_of_it)
{
    static const struct {
        const char *sentence;
        bool pause;
        const char *topic, *function;
        int status;
        const char *said;
    } steps[] = {
        {"a topic", true, "orders", NULL, 200, "\"topics\":[\"orders\"]"},
        {"again: so it is", true, "orders", NULL, 200, "\"topics\":[\"orders\"]"},
        {"a function", true, NULL, "a", 200, "\"functions\":[\"a\"]"},
        {"both at once", true, "orders", "a", 400, "not both"},
        {"a topic nobody knows", true, "order", NULL, 404, "no topic \\\"order\\\" is known"},
        {"a function nobody knows", true, NULL, "c", 404, "no function \\\"c\\\" is known"},
        {"resumed", false, "orders", NULL, 200, "\"topics\":[]"},
        {"though it was not paused", false, "orders", NULL, 200, "\"functions\":[\"a\"]"},
        {"everything", true, NULL, NULL, 200, "\"everything\":true"},
        {"one cannot go on then", false, "orders", NULL, 409, "everything is paused"},
        {"nor a function", false, NULL, "a", 409, "everything is paused"},
        {"all can", false, NULL, NULL, 200,
         "{\"everything\":false,\"topics\":[],\"functions\":[]}"},
        {"a topic without partitions here, by the map", true, "payments", NULL, 200, "payments"},
        {"or by the option", true, "invoices", NULL, 200, "invoices"},
        {"a function without its namespace", true, NULL, "p", 200, "\"functions\":[\"p.dev\"]"},
        {"so it is", false, NULL, "p", 200, "\"functions\":[]"},
        {"one that is in several", true, NULL, "q", 400,
         "function \\\"q\\\" is there more than once: give one of q.dev, q.test"},
        {"named in full", true, NULL, "q.test", 200, "\"functions\":[\"q.test\"]"},
        {"half a name", true, NULL, "q.te", 404, "no function \\\"q.te\\\" is known"},
        {"one without a namespace is itself", false, NULL, "a", 200, "\"functions\":[\"q.test\"]"},
    };

    rig_deploy(rig, "p.dev", "payments", NULL);
    rig_deploy(rig, "q.dev", "payments", NULL);
    rig_deploy(rig, "q.test", "payments", NULL);
    rig_deploy(rig, "a.dev", "payments", NULL);
    option_list_add(&rig->options.topics, "invoices", strlen("invoices"));
    rig_start(rig);
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        char *said;
        int status = ask(steps[i].pause, steps[i].topic, steps[i].function, &said);

        cr_expect_eq(status, steps[i].status, "%s: %d", steps[i].sentence, status);
        cr_expect(strstr(said, steps[i].said), "%s: %s", steps[i].sentence, said);
        free(said);
    }
    option_list_release(&rig->options.topics);
}
