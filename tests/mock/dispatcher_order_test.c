/* dispatcher_order_test: who gets a record, what waits for what, and how much is held at once. */
#include "tests/harness/rig.h"

#include "core/lanes.h"

#include <criterion/criterion.h>
#include <string.h>

static struct rig *rig;

static void set_up(void)
{
    rig = rig_new();
    memory_source_topic(rig->source, "orders", 1);
}

static void tear_down(void)
{
    rig_free(rig);
}

TestSuite(dispatcher_order, .init = set_up, .fini = tear_down, .timeout = 60);

static const struct faas_reply held = {.latency_ms = FAAS_HELD}, at_once = {0};

static struct faas_reply some_time(void *context, const struct faas_call *call)
{
    unsigned *state = context;

    (void)call;
    return (struct faas_reply){.latency_ms = rand_r(state) % 4};
}

/* Holds the one record whose offset is *context. */
static struct faas_reply hold_one(void *context, const struct faas_call *call)
{
    return call->offset == *(const int64_t *)context ? held : at_once;
}

Test(dispatcher_order, every_record_goes_to_every_function_of_its_topic)
{
    memory_source_topic(rig->source, "payments", 2);
    rig_deploy(rig, "both", "orders, payments", NULL);
    rig_deploy(rig, "one", "orders", NULL);
    rig_deploy(rig, "other", "payments", NULL);
    memory_source_fill(rig->source, "orders", 0, 50, 5);
    memory_source_fill(rig->source, "payments", 0, 30, 5);
    memory_source_fill(rig->source, "payments", 1, 20, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_ran(rig->calls, "both"), 100);
    cr_expect_eq(call_log_ran(rig->calls, "one"), 50);
    cr_expect_eq(call_log_ran(rig->calls, "other"), 50);
    cr_expect(rig_ran_each(rig, "both", "orders", 50, 1));
    cr_expect(rig_ran_each(rig, "both", "payments", 30, 1));
    cr_expect(rig_ran_each(rig, "one", "orders", 50, 1));
    cr_expect_eq(rig_metric(rig, "kafka_connector_records_received_total"), 100);
    cr_expect_eq(rig_function_metric(rig, "both", "invocations_done_total"), 100);
}

/* Whether a call came before the one for the record before it in its lane was answered. */
static bool in_order(const char *function, bool by_key)
{
    size_t count = call_log_arrived(rig->calls, NULL);

    for (size_t i = 0; i < count; i++) {
        const struct call_entry *entry = call_log_at(rig->calls, i), *before;

        if (strcmp(entry->function, function) != 0)
            continue;
        for (size_t j = i; j-- > 0;) {
            before = call_log_at(rig->calls, j);
            if (strcmp(before->function, function) != 0 ||
                (by_key && strcmp(before->key, entry->key) != 0))
                continue;
            if (before->offset >= entry->offset || before->ended_us > entry->arrived_us)
                return false;
            break;
        }
    }
    return true;
}

Test(dispatcher_order, keys_and_partitions_keep_their_order_with_any_latency)
{
    static const struct {
        enum order order;
        const char *sentence;
    } cases[] = {{ORDER_KEY, "by key"}, {ORDER_PARTITION, "by partition"}};
    unsigned state = 42;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (i) {
            tear_down();
            set_up();
        }
        rig->options.order = cases[i].order;
        faas_decide(rig_deploy(rig, "a", "orders", NULL), some_time, &state);
        faas_decide(rig_deploy(rig, "b", "orders", NULL), some_time, &state);
        memory_source_fill(rig->source, "orders", 0, 200, 7);
        rig_start(rig);
        cr_assert(rig_await_committed(rig), "%s", cases[i].sentence);
        cr_expect(in_order("a." FAAS_NAMESPACE, cases[i].order == ORDER_KEY), "%s",
                  cases[i].sentence);
        cr_expect(in_order("b." FAAS_NAMESPACE, cases[i].order == ORDER_KEY), "%s",
                  cases[i].sentence);
        cr_expect(rig_ran_each(rig, "a", "orders", 200, 1), "%s", cases[i].sentence);
    }
}

Test(dispatcher_order, what_may_go_at_once)
{
    static const struct {
        enum order order;
        int keys;
        size_t at_once;
        const char *sentence;
    } cases[] = {
        {ORDER_KEY, 10, 10, "by key: one a key"},
        {ORDER_KEY, 0, 1, "by key: records without a key keep their partition's order"},
        {ORDER_PARTITION, 10, 1, "by partition: one"},
        {ORDER_NONE, 1, 64, "none: all there are slots for"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct faas_function *function;

        if (i) {
            tear_down();
            set_up();
        }
        rig->options.order = cases[i].order;
        function = rig_deploy(rig, "a", "orders", NULL);
        faas_script(function, &held);
        memory_source_fill(rig->source, "orders", 0, 100, cases[i].keys);
        rig_start(rig);
        cr_assert(rig_await_arrived(rig, "a", cases[i].at_once), "%s", cases[i].sentence);
        rig_settle(rig, 50);
        cr_expect_eq(call_log_arrived(rig->calls, "a"), cases[i].at_once, "%s", cases[i].sentence);
        faas_script(function, &at_once);
        faas_release(function, -1);
        cr_expect(rig_await_committed(rig), "%s", cases[i].sentence);
    }
}

Test(dispatcher_order, the_window_bounds_what_is_read_ahead)
{
    int64_t first = 0;
    struct faas_function *function = rig_deploy(rig, "a", "orders", NULL);

    rig->options.partition_window = 5;
    rig->options.order = ORDER_NONE;
    faas_decide(function, hold_one, &first);
    memory_source_fill(rig->source, "orders", 0, 50, 0);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "a", 4));
    rig_settle(rig, 50);
    cr_expect_eq(memory_source_taken(rig->source), 5);
    cr_expect_eq(memory_source_committed(rig->source, "orders", 0), 0);
    cr_expect_eq(
        rig_metric(rig, "kafka_connector_partition_state{topic=\"orders\",partition=\"0\"}"), 2);
    first = -1;
    faas_release(function, -1);
    cr_expect(rig_await_committed(rig));
    cr_expect_leq(memory_source_most_held(rig->source), 5);
}

Test(dispatcher_order, max_inflight_is_reached_and_never_passed)
{
    static const struct faas_reply soon = {.latency_ms = 2};

    rig->options.max_inflight = 7;
    rig->options.order = ORDER_NONE;
    faas_script(rig_deploy(rig, "a", "orders", NULL), &soon);
    faas_script(rig_deploy(rig, "b", "orders", NULL), &soon);
    memory_source_fill(rig->source, "orders", 0, 300, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_max_in_flight(rig->calls), 7);
}

Test(dispatcher_order, one_function_holds_at_most_half_while_another_waits)
{
    struct faas_function *greedy = rig_deploy(rig, "greedy", "orders", NULL), *late;

    memory_source_topic(rig->source, "payments", 1);
    late = rig_deploy(rig, "late", "payments", NULL);
    rig->options.max_inflight = 8;
    rig->options.order = ORDER_NONE;
    faas_script(greedy, &held);
    faas_script(late, &held);
    memory_source_fill(rig->source, "orders", 0, 100, 0);
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "greedy", 8)); /* alone: all of them */
    memory_source_fill(rig->source, "payments", 0, 100, 0);
    rig_settle(rig, 50);
    cr_expect_eq(call_log_arrived(rig->calls, "late"), 0);
    faas_release(greedy, 4);
    cr_assert(rig_await_arrived(rig, NULL, 12));
    cr_expect_eq(call_log_arrived(rig->calls, "late"), 4, "all that came free, up to the half");
    faas_release(greedy, 4);
    cr_assert(rig_await_arrived(rig, NULL, 16));
    rig_settle(rig, 50);
    cr_expect_eq(call_log_arrived(rig->calls, "late"), 4);
    cr_expect_eq(call_log_arrived(rig->calls, "greedy"), 8 + 4);
    faas_script(greedy, &at_once);
    faas_script(late, &at_once);
    faas_release(greedy, -1);
    faas_release(late, -1);
    cr_expect(rig_await_committed(rig));
}

/* A function that has stopped wanting slots must not keep the others from them. */
Test(dispatcher_order, a_function_that_wants_nothing_leaves_its_share)
{
    struct faas_function *busy = rig_deploy(rig, "busy", "orders", NULL);

    memory_source_topic(rig->source, "payments", 1);
    rig_deploy(rig, "idle", "payments", NULL);
    rig->options.max_inflight = 4;
    rig->options.order = ORDER_NONE;
    faas_script(busy, &held);
    memory_source_fill(rig->source, "payments", 0, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    cr_expect(rig_await_arrived(rig, "busy", 4));
    faas_script(busy, &at_once);
    faas_release(busy, -1);
    cr_expect(rig_await_committed(rig));
}

Test(dispatcher_order, memory_is_bound_and_each_partition_may_hold_one_record)
{
    static const char value[] = "big";
    struct memory_item some = {.value = value, .value_size = 3, .memory = 400 * 1024};
    struct memory_item big = {.value = value, .value_size = 3, .memory = 10 * 1024 * 1024};
    struct faas_function *function = rig_deploy(rig, "a", "orders", NULL);

    memory_source_topic(rig->source, "orders", 2);
    rig->options.max_buffered_bytes = 1024 * 1024;
    rig->options.order = ORDER_NONE;
    faas_script(function, &held);
    for (int i = 0; i < 20; i++)
        memory_source_append_item(rig->source, "orders", 0, &some);
    memory_source_append_item(rig->source, "orders", 1, &big);
    memory_source_append_item(rig->source, "orders", 1, &big);
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "a", 4));
    rig_settle(rig, 50);
    cr_expect_eq(memory_source_taken(rig->source), 3 + 1);
    faas_script(function, &at_once);
    faas_release(function, -1);
    cr_expect(rig_await_committed(rig));
    cr_expect_eq(rig_metric(rig, "kafka_connector_buffered_bytes"), 0);
    cr_expect_leq(memory_source_most_bytes(rig->source), 3 * some.memory + big.memory);
}

Test(dispatcher_order, empty_values_are_skipped)
{
    rig_deploy(rig, "a", "orders", NULL);
    memory_source_append(rig->source, "orders", 0, "k", NULL);
    memory_source_append(rig->source, "orders", 0, "k", "");
    memory_source_append(rig->source, "orders", 0, "k", "value");
    memory_source_append(rig->source, "orders", 0, "k", NULL);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_arrived(rig->calls, NULL), 1);
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 2), 1);
    cr_expect_eq(rig_metric(rig, "kafka_connector_records_empty_total"), 3);
}

Test(dispatcher_order, empty_values_are_sent_if_told_so)
{
    static const struct {
        const char *sentence, *value, *tombstone;
    } cases[] = {
        {"a null value is marked as a tombstone", NULL, "true"},
        {"an empty one is not", "", NULL},
        {"nor is one that is not empty", "value", NULL},
    };

    rig->options.empty_records = EMPTY_SEND;
    rig->options.order = ORDER_PARTITION;
    rig_deploy(rig, "a", "orders", NULL);
    for (size_t i = 0; i < 3; i++)
        memory_source_append(rig->source, "orders", 0, "k", cases[i].value);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_assert_eq(call_log_arrived(rig->calls, NULL), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct call_entry *call = call_log_at(rig->calls, i);
        const char *mark = call_entry_header(call, "X-Kafka-Tombstone");
        const char *size = call_entry_header(call, "Content-Length");

        cr_expect_str_eq(call->body, cases[i].value ? cases[i].value : "", "%s", cases[i].sentence);
        cr_assert_eq(!mark, !cases[i].tombstone, "%s", cases[i].sentence);
        cr_expect(!mark || strcmp(mark, "true") == 0, "%s", cases[i].sentence);
        cr_expect_not_null(size, "a body, though an empty one");
    }
    cr_expect_eq(rig_metric(rig, "kafka_connector_records_empty_total"), 0);
}

Test(dispatcher_order, an_empty_value_that_no_function_wants_is_skipped_as_any_other)
{
    rig->options.empty_records = EMPTY_SEND;
    memory_source_append(rig->source, "orders", 0, "k", NULL);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(rig_metric(rig, "kafka_connector_records_no_function_total"), 1);
    cr_expect_eq(rig_metric(rig, "kafka_connector_records_empty_total"), 0);
}

Test(dispatcher_order, without_a_function_records_are_skipped)
{
    rig_deploy(rig, "a", "payments", NULL);
    memory_source_fill(rig->source, "orders", 0, 10, 2);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(rig_metric(rig, "kafka_connector_records_no_function_total"), 10);
    cr_expect_eq(call_log_arrived(rig->calls, NULL), 0);
}

Test(dispatcher_order, without_a_function_records_wait_if_told_so)
{
    rig->options.no_function = NO_FUNCTION_WAIT;
    memory_source_fill(rig->source, "orders", 0, 10, 2);
    rig_start(rig);
    rig_settle(rig, 100);
    cr_expect_eq(memory_source_taken(rig->source), 0);
    rig_deploy(rig, "a", "orders", NULL);
    rig_list(rig);
    cr_assert(rig_await_committed(rig));
    cr_expect(rig_ran_each(rig, "a", "orders", 10, 1));
}
