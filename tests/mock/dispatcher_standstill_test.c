/* dispatcher_standstill_test: what is told of partitions that wait, and which of them are stalled.
 * They are looked at once a second. */
#include "tests/harness/rig.h"

#include "base/log.h"
#include "core/lanes.h"
#include "core/progress.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREE_LOOKS_MS = 3500 };

static struct rig *rig;
static FILE *lines;
static char *text;
static size_t text_size;

static void set_up(void)
{
    static const struct log_options all = {LOG_FORMAT_CONSOLE, LOG_LEVEL_DEBUG};

    rig = rig_new();
    lines = open_memstream(&text, &text_size);
    log_configure(&all, lines);
    memory_source_topic(rig->source, "orders", 1);
    rig->options.order = ORDER_NONE;
}

static void tear_down(void)
{
    rig_free(rig);
    fclose(lines);
    free(text);
}

TestSuite(dispatcher_standstill, .init = set_up, .fini = tear_down, .timeout = 60);

static const struct faas_reply held = {.latency_ms = FAAS_HELD}, refused = {.status = 503},
                               cut = {.end = FAAS_CUT_AFTER};

/* How many lines hold it. */
static size_t said(const char *what)
{
    size_t count = 0;

    fflush(lines);
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        count++;
    return count;
}

static bool has_said_full(struct rig *it)
{
    (void)it;
    return said(" is full and waits for this") > 0;
}

static char *status_text(void)
{
    json *status = json_object();
    char *printed;

    dispatcher_status(rig->dispatcher, status);
    printed = json_print(status, false);
    json_free(status);
    return printed;
}

static void expect_status(const char *part)
{
    char *status = status_text();

    cr_expect(strstr(status, part), "no %s in %s", part, status);
    free(status);
}

/* ---- full ---- */

Test(dispatcher_standstill, a_full_window_names_what_it_waits_for_once)
{
    struct faas_function *a = rig_deploy(rig, "a", "orders", NULL);

    rig->options.partition_window = 10;
    faas_script(a, &held);
    memory_source_fill(rig->source, "orders", 0, 20, 0);
    rig_start(rig);
    cr_assert(rig_await(rig, has_said_full));
    cr_expect_eq(said("WARNING: [orders,0] offset 0, function a: partition_window is full and "
                      "waits for this: it is being called (calling, attempts: 0)"),
                 1, "%s", text);
    expect_status("\"oldest_unfinished\":{\"offset\":0,\"function\":\"a\",\"invocation\":"
                  "\"calling\",\"because\":\"it is being called\",\"attempts\":0}");
    faas_release(a, 5); /* others stand there now, for the same function and reason */
    rig_settle(rig, THREE_LOOKS_MS);
    cr_expect_eq(said(" is full and waits for this"), 1, "%s", text);
}

Test(dispatcher_standstill, and_again_when_the_reason_changes)
{
    struct faas_function *a = rig_deploy(rig, "a", "orders", NULL);

    rig->options.partition_window = 10;
    rig->options.retry_on_timeout = 0;
    faas_script(a, &held);
    memory_source_fill(rig->source, "orders", 0, 20, 0);
    rig_start(rig);
    cr_assert(rig_await(rig, has_said_full));
    faas_gateway_down(rig->gateway); /* cuts what is under way */
    rig_settle(rig, THREE_LOOKS_MS);
    cr_expect_eq(said("nothing more may be tried (on_exhausted=wait) (held, attempts: 1)"), 1, "%s",
                 text);
    cr_expect_eq(said(" is full and waits for this"), 2, "%s", text);
}

/* The one that waits for room because of it is not. */
Test(dispatcher_standstill, one_that_is_away_is_named_with_every_record_of_another_done)
{
    struct faas_function *bad = rig_deploy(rig, "bad", "orders", NULL);

    rig_deploy(rig, "good", "orders", NULL);
    rig->options.partition_window = 50;
    faas_script(bad, &refused);
    memory_source_fill(rig->source, "orders", 0, 100, 0);
    rig_start(rig);
    cr_assert(rig_await(rig, has_said_full));
    cr_expect_eq(call_log_ran(rig->calls, "good"), 50);
    rig_settle(rig, THREE_LOOKS_MS);
    cr_expect(said("function bad: partition_window is full and waits for this: "), "%s", text);
    cr_expect_eq(said("function good: partition_window"), 0, "%s", text);
    expect_status("\"oldest_unfinished\":{\"offset\":0,\"function\":\"bad\"");
    expect_status("\"state\":\"full\"");
}

Test(dispatcher_standstill, a_full_byte_budget_names_it_too)
{
    rig->options.max_buffered_bytes = 1;
    faas_script(rig_deploy(rig, "a", "orders", NULL), &held);
    memory_source_fill(rig->source, "orders", 0, 20, 0);
    rig_start(rig);
    cr_assert(rig_await(rig, has_said_full));
    cr_expect_eq(said("[orders,0] offset 0, function a: max_buffered_bytes is full"), 1, "%s",
                 text);
}

Test(dispatcher_standstill, ordinary_back_pressure_is_not_told)
{
    static const struct faas_reply soon = {.latency_ms = 5};

    rig->options.partition_window = 10;
    faas_script(rig_deploy(rig, "a", "orders", NULL), &soon);
    memory_source_fill(rig->source, "orders", 0, 10000, 0);
    rig_start(rig);
    rig_settle(rig, THREE_LOOKS_MS);
    cr_expect_gt(rig_metric(rig, "kafka_connector_partition_lag{topic=\"orders\",partition=\"0\"}"),
                 10, "it was full all the time");
    cr_expect_not(has_said_full(rig), "%s", text);
}

Test(dispatcher_standstill, a_dead_letter_is_told_with_the_call_that_its_status_ended)
{
    rig->options.dead_letter_topic = (char[]){"dead"};
    faas_script(rig_deploy(rig, "a", "orders", NULL), &(struct faas_reply){.status = 422});
    letter_box_hold(rig->letters, true);
    memory_source_fill(rig->source, "orders", 0, 1, 0);
    rig_start(rig);
    cr_assert(rig_await_metric(rig, "kafka_connector_dead_letters_in_flight", 1));
    expect_status("\"invocation\":\"dead letter\",\"because\":\"its dead letter is on its way\","
                  "\"attempts\":1}");
    letter_box_refuse(rig->letters);
    expect_status("\"because\":\"its dead letter waits: dead letters cannot be written just now\","
                  "\"attempts\":1}");
    letter_box_hold(rig->letters, false);
    cr_assert(rig_await_committed(rig));
}

/* ---- stalled ---- */

static bool is_stalled(struct rig *it)
{
    return dispatcher_stalled(it->dispatcher) != NULL;
}

static bool is_not_stalled(struct rig *it)
{
    return !is_stalled(it);
}

Test(dispatcher_standstill, records_that_lie_there_and_are_not_taken_are_a_stall)
{
    rig->options.stall_timeout = 1000;
    rig_deploy(rig, "a", "orders", NULL);
    memory_source_fill(rig->source, "orders", 0, 5, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    memory_source_mute(rig->source, true);
    memory_source_fill(rig->source, "orders", 0, 5, 0);
    cr_assert(rig_await(rig, is_stalled));
    cr_expect_str_eq(dispatcher_stalled(rig->dispatcher),
                     "stalled: [orders,0] before offset 5: records lie fetched and there is room, "
                     "but none is taken");
    cr_expect_eq(rig_metric(rig, "kafka_connector_stalled"), 1);
    expect_status("\"stalled\":\"stalled: [orders,0]");
    rig_settle(rig, 2000);
    cr_expect_eq(said("ERROR: [orders,0] offset 5: stalled: records lie"), 1, "%s", text);
    memory_source_mute(rig->source, false);
    cr_assert(rig_await(rig, is_not_stalled));
    cr_expect_eq(said("No partition is stalled any more"), 1, "%s", text);
    cr_expect_eq(rig_metric(rig, "kafka_connector_stalled"), 0);
    cr_assert(rig_await_committed(rig));
}

Test(dispatcher_standstill, stall_timeout_0_never_tells)
{
    rig_deploy(rig, "a", "orders", NULL);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    memory_source_mute(rig->source, true);
    memory_source_fill(rig->source, "orders", 0, 5, 0);
    rig_settle(rig, THREE_LOOKS_MS);
    cr_expect(is_not_stalled(rig));
}

/* A topic for each reason to wait, all at once; each stands still at three looks. */
Test(dispatcher_standstill, what_is_explained_is_no_stall)
{
    static const char *const topics[] = {"refused", "held", "paused", "nobodys", "called", "slow"};
    json *answer = json_object();

    for (size_t i = 0; i < sizeof(topics) / sizeof(*topics); i++)
        memory_source_topic(rig->source, topics[i], 1);
    rig->options.stall_timeout = 1;
    rig->options.no_function = NO_FUNCTION_WAIT;
    rig->options.retry_on_timeout = 0;
    rig->options.retry_min_wait = rig->options.retry_max_wait = 60 * 1000;
    rig->options.max_inflight = 3;
    rig->options.partition_window = 5;
    faas_script(rig_deploy(rig, "refused", "refused", NULL), &refused);
    faas_script(rig_deploy(rig, "held", "held", NULL), &cut);
    faas_script(rig_deploy(rig, "called", "called", NULL), &held);
    faas_script(rig_deploy(rig, "slow", "slow", NULL), &held); /* one of both waits for a slot */
    rig_deploy(rig, "paused", "paused", NULL);
    rig_start(rig);
    cr_assert_eq(dispatcher_pause(rig->dispatcher, NULL, "paused", answer), 200);
    json_free(answer);
    for (size_t i = 0; i < sizeof(topics) / sizeof(*topics); i++) {
        memory_source_fill(rig->source, topics[i], 0, 20, 0);
        if (strcmp(topics[i], "nobodys") == 0) /* those behind it take all slots */
            cr_assert(rig_await_metric(rig, "kafka_connector_function_held{function=\"held\"}", 5));
    }
    rig_settle(rig, THREE_LOOKS_MS);
    cr_expect(is_not_stalled(rig), "%s", dispatcher_stalled(rig->dispatcher));
    cr_expect_eq(rig_metric(rig, "kafka_connector_in_flight"), 3);
    for (size_t i = 0; i < sizeof(topics) / sizeof(*topics); i++)
        cr_expect_neq(memory_source_committed(rig->source, topics[i], 0), 20, "%s", topics[i]);
}

Test(dispatcher_standstill, nor_is_a_gateway_or_a_function_that_is_away)
{
    for (int gateway = 0; gateway < 2; gateway++) {
        if (gateway) {
            tear_down();
            set_up();
        }
        rig->options.stall_timeout = 1;
        rig->options.partition_window = 100;
        faas_script(rig_deploy(rig, "a", "orders", NULL), &refused);
        memory_source_fill(rig->source, "orders", 0, 200, 0);
        if (gateway)
            faas_gateway_down(rig->gateway);
        rig_start(rig);
        rig_settle(rig, THREE_LOOKS_MS);
        cr_expect(is_not_stalled(rig), "%s", dispatcher_stalled(rig->dispatcher));
        cr_expect_eq(rig_metric(rig, gateway ? "kafka_connector_gateway_state"
                                             : "kafka_connector_function_state{function=\"a\"}"),
                     2);
        expect_status(gateway ? "the gateway is away" : "function");
    }
}

/* A broker that takes no commit: starts, and with at-most-once all calls, wait for it. */
Test(dispatcher_standstill, nor_are_commits_that_are_refused_or_not_answered)
{
    for (int held_back = 0; held_back < 2; held_back++) {
        if (held_back) {
            tear_down();
            set_up();
        }
        rig->options.stall_timeout = 1;
        rig->options.delivery = DELIVERY_AT_MOST_ONCE;
        memory_source_topic(rig->source, "begun", 1);
        memory_source_set_committed(rig->source, "begun", 0, 0, "");
        rig_deploy(rig, "a", "orders,begun", NULL);
        memory_source_fill(rig->source, "orders", 0, 5, 0);
        memory_source_fill(rig->source, "begun", 0, 5, 0);
        memory_source_hold_commits(rig->source, held_back);
        memory_source_refuse(rig->source, 1000, SOURCE_UNREACHED);
        rig_start(rig);
        rig_settle(rig, THREE_LOOKS_MS);
        cr_expect(is_not_stalled(rig), "%s", dispatcher_stalled(rig->dispatcher));
        cr_expect_eq(call_log_arrived(rig->calls, NULL), 0);
        expect_status("its offset is being committed");
        memory_source_hold_commits(rig->source, false);
    }
}
