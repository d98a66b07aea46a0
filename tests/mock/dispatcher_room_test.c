/* dispatcher_room_test: what a function that is away gives up for another, and what it does not. */
#include "tests/harness/rig.h"

#include "core/lanes.h"

#include <criterion/criterion.h>
#include <string.h>

enum { WINDOW = 20, RECORDS = 300 };

static struct rig *rig;
static struct faas_function *bad, *good;
static char dead[] = "dead";

static void set_up(void)
{
    rig = rig_new();
    rig->options.dead_letter_topic = dead;
    rig->options.partition_window = WINDOW;
    rig->options.order = ORDER_NONE;
    rig->options.retry_attempts = 1000000;
    rig->options.retry_on_timeout = 1000000;
    memory_source_topic(rig->source, "orders", 1);
    bad = rig_deploy(rig, "bad", "orders", NULL);
    good = rig_deploy(rig, "good", "orders", NULL);
}

static void tear_down(void)
{
    rig_free(rig);
}

TestSuite(dispatcher_room, .init = set_up, .fini = tear_down, .timeout = 60);

static const struct faas_reply not_found = {.status = 404}, done = {.status = 200};

static bool bad_is_away(struct rig *it)
{
    return rig_function_metric(it, "bad", "function_state") == 2;
}

static bool both_are_away(struct rig *it)
{
    return bad_is_away(it) && rig_function_metric(it, "good", "function_state") == 2;
}

static bool probed_often(struct rig *it)
{
    return rig_function_metric(it, "bad", "retries_total") >= 50;
}

/* Each letter is one of the function away, from the oldest on, and there are no more than the other
 * one needed to get through all records. */
static void expect_letters(size_t least, size_t most)
{
    int64_t window = rig->options.partition_window;
    size_t count = letter_box_kept(rig->letters);
    int64_t before = -1;

    cr_expect(count >= least && count <= most, "%zu letters, not %zu to %zu", count, least, most);
    for (size_t i = 0; i < count; i++) {
        const struct kept_letter *letter = letter_box_at(rig->letters, i);

        cr_expect_str_eq(letter->function, "bad");
        cr_expect_eq(letter->reason, LETTER_FUNCTION_AWAY);
        /* but for one that is being called, or behind another in its lane, just then */
        cr_expect_gt(letter->offset, before - window, "the oldest first");
        before = letter->offset;
    }
}

/* The one that is back gets all that was not given up. */
static void expect_rest_runs(void)
{
    faas_script(bad, &done);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(rig_function_metric(rig, "good", "invocations_done_total"), RECORDS, "%ld",
                 rig_function_metric(rig, "good", "invocations_done_total"));
    cr_expect_eq(rig_function_metric(rig, "bad", "invocations_done_total") +
                     rig_function_metric(rig, "bad", "dead_letters_total"),
                 RECORDS);
}

Test(dispatcher_room, the_other_gets_every_record_and_no_letter_is_too_many)
{
    static const struct {
        enum order order;
        int keys;
        int64_t window;
        const char *sentence;
    } cases[] = {
        {ORDER_NONE, 0, WINDOW, "no order"},
        {ORDER_KEY, 7, WINDOW, "the order of keys"},
        {ORDER_PARTITION, 0, WINDOW, "the partition's order"},
        {ORDER_NONE, 0, 1, "a window of one"},
        {ORDER_NONE, 0, 250, "a window larger than what is called at once"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        size_t window = (size_t)cases[i].window;

        if (i) {
            tear_down();
            set_up();
        }
        rig->options.order = cases[i].order;
        rig->options.partition_window = cases[i].window;
        faas_script(bad, &not_found);
        memory_source_fill(rig->source, "orders", 0, RECORDS, cases[i].keys);
        rig_start(rig);
        cr_assert(rig_await_ran(rig, "good", RECORDS), "%s: it ran %zu times", cases[i].sentence,
                  call_log_ran(rig->calls, "good"));
        rig_settle(rig, 50);
        expect_letters(RECORDS - window - 1, RECORDS - window);
        cr_expect_leq(memory_source_most_held(rig->source), window + 1, "%s", cases[i].sentence);
        expect_rest_runs();
    }
}

Test(dispatcher_room, so_it_is_with_the_byte_budget)
{
    char value[1000];

    rig->options.partition_window = 1000;
    rig->options.max_buffered_bytes = 1024 * 1024;
    faas_script(bad, &not_found);
    memset(value, 'x', sizeof(value));
    for (int i = 0; i < RECORDS; i++)
        memory_source_append_item(rig->source, "orders", 0,
                                  &(struct memory_item){.value = value,
                                                        .value_size = sizeof(value),
                                                        .memory = 50 * 1024});
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "good", RECORDS));
    rig_settle(rig, 50);
    expect_letters(RECORDS - 22, RECORDS - 19);
    expect_rest_runs();
}

/* One letter is not kept: what is behind it goes on being made room by, until the window is full
 * of what waits for it. */
Test(dispatcher_room, letters_on_their_way_are_bounded_by_the_window)
{
    letter_box_hold(rig->letters, true);
    faas_script(bad, &not_found);
    memory_source_fill(rig->source, "orders", 0, RECORDS, 0);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "good", WINDOW));
    cr_assert(rig_await_metric(rig, "kafka_connector_dead_letters_in_flight", 1));
    rig_settle(rig, 50);
    cr_expect_leq(letter_box_under_way(rig->letters), WINDOW / 2 + 1);
    cr_expect_leq(call_log_ran(rig->calls, "good"), WINDOW + 1);
    letter_box_hold(rig->letters, false);
    cr_assert(rig_await_ran(rig, "good", RECORDS));
    expect_rest_runs();
}

static uint64_t letters_since; /* the call of the good one that found the first on their way, */
static size_t letters_then;    /* and how many those were */

static struct faas_reply note_letters(void *context, const struct faas_call *call)
{
    (void)context;
    if (!letters_since && letter_box_under_way(rig->letters)) {
        letters_since = call->number;
        letters_then = letter_box_under_way(rig->letters);
    }
    return done;
}

/* Letters take their time: the other one is called meanwhile, a few times for each slot. */
Test(dispatcher_room, room_is_made_before_it_is_needed_and_much_at_once)
{
    enum { SLOTS = 4, LONG_WINDOW = 200 };

    letters_since = letters_then = 0;
    rig->options.partition_window = LONG_WINDOW;
    rig->options.max_inflight = SLOTS;
    letter_box_hold(rig->letters, true);
    faas_script(bad, &not_found);
    faas_decide(good, note_letters, NULL);
    memory_source_fill(rig->source, "orders", 0, RECORDS, 0);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "good", LONG_WINDOW));
    cr_expect(letters_since && letters_since <= LONG_WINDOW - 4 * SLOTS, "since call %lu",
              (unsigned long)letters_since);
    cr_expect_geq(letters_then, 2 * SLOTS, "%zu at once", letters_then);
    letter_box_hold(rig->letters, false);
    cr_assert(rig_await_ran(rig, "good", RECORDS));
    expect_rest_runs();
}

/* The letters of a lane go one behind the other, none waits for the one before it to be kept. */
Test(dispatcher_room, letters_of_a_lane_follow_each_other)
{
    int64_t before = -1;

    rig->options.order = ORDER_PARTITION;
    letter_box_hold(rig->letters, true);
    faas_script(bad, &not_found);
    memory_source_fill(rig->source, "orders", 0, RECORDS, 0);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "good", WINDOW));
    cr_assert(rig_await_metric(rig, "kafka_connector_dead_letters_in_flight", WINDOW / 2));
    letter_box_hold(rig->letters, false);
    cr_assert(rig_await_ran(rig, "good", RECORDS));
    for (size_t i = 0; i < letter_box_kept(rig->letters); i++) {
        cr_expect_gt(letter_box_at(rig->letters, i)->offset, before);
        before = letter_box_at(rig->letters, i)->offset;
    }
    expect_rest_runs();
}

/* One that is refused may be kept late: what stands behind it waits for it. */
Test(dispatcher_room, but_not_while_one_is_refused)
{
    rig->options.order = ORDER_PARTITION;
    letter_box_hold(rig->letters, true);
    rig->options.partition_window = 2 * WINDOW;
    rig->options.retry_attempts = 1; /* its first letters are of attempts used up */
    faas_script(bad, &not_found);
    memory_source_fill(rig->source, "orders", 0, RECORDS, 0);
    rig_start(rig);
    cr_assert(rig_await_metric(rig, "kafka_connector_dead_letters_in_flight", 1));
    letter_box_refuse(rig->letters);
    cr_assert(rig_await_ran(rig, "good", 2 * WINDOW));
    rig_settle(rig, 50);
    cr_expect_eq(letter_box_under_way(rig->letters), 1);
    letter_box_hold(rig->letters, false);
    cr_assert(rig_await_ran(rig, "good", RECORDS));
    expect_rest_runs();
}

/* ---- nobody is there to need room ---- */

Test(dispatcher_room, alone_on_its_topic_it_gives_up_nothing)
{
    rig_unlist(rig, "good");
    faas_script(bad, &not_found);
    memory_source_fill(rig->source, "orders", 0, RECORDS, 0);
    rig_start(rig);
    cr_assert(rig_await(rig, probed_often));
    cr_expect(bad_is_away(rig));
    cr_expect_eq(letter_box_kept(rig->letters), 0);
    cr_expect_eq(memory_source_taken(rig->source), WINDOW);
    faas_script(bad, &done);
    cr_assert(rig_await_committed(rig));
}

Test(dispatcher_room, when_all_go_away_at_once_nothing_is_given_up)
{
    memory_source_fill(rig->source, "orders", 0, 100, 0);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "good", 100) && rig_await_ran(rig, "bad", 100));
    faas_script(good, &not_found);
    faas_script(bad, &not_found);
    memory_source_fill(rig->source, "orders", 0, RECORDS - 100, 0);
    cr_assert(rig_await(rig, both_are_away));
    cr_assert(rig_await(rig, probed_often));
    cr_expect_eq(letter_box_kept(rig->letters), 0);
    faas_script(good, &done);
    expect_rest_runs();
    cr_expect_eq(letter_box_kept(rig->letters), 0, "nor when they come back one by one");
}

/* Attempts that probes use up end in letters, as they would for one function alone. */
Test(dispatcher_room, when_all_are_away_only_what_probes_used_up_is_given_up)
{
    rig->options.retry_attempts = 3;
    faas_script(good, &not_found);
    faas_script(bad, &not_found);
    memory_source_fill(rig->source, "orders", 0, RECORDS, 0);
    rig_start(rig);
    cr_assert(rig_await(rig, probed_often));
    for (size_t i = 0; i < letter_box_kept(rig->letters); i++) {
        const struct kept_letter *letter = letter_box_at(rig->letters, i);

        cr_expect_eq(letter->reason, LETTER_EXHAUSTED);
        cr_expect_eq(letter->attempts, 3);
    }
    cr_expect_leq(3 * letter_box_kept(rig->letters), call_log_arrived(rig->calls, NULL));
}

/* The bad one's calls are held until the good one has nothing left to do. */
static void fill_window(void)
{
    static const struct faas_reply held = {.status = 404, .latency_ms = FAAS_HELD};

    faas_script(bad, &held);
    memory_source_fill(rig->source, "orders", 0, RECORDS, 0);
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "bad", WINDOW));
    cr_assert(rig_await_ran(rig, "good", WINDOW));
    rig_settle(rig, 20);
    cr_expect_eq(call_log_arrived(rig->calls, "good"), WINDOW);
}

static void fail_bad(void)
{
    faas_script(bad, &not_found);
    faas_release(bad, -1);
    cr_assert(rig_await(rig, bad_is_away));
}

Test(dispatcher_room, one_that_had_nothing_to_do_shows_that_it_is_there_by_one_record_more)
{
    fill_window();
    fail_bad();
    cr_assert(rig_await_ran(rig, "good", RECORDS));
    cr_expect_leq(memory_source_most_held(rig->source), WINDOW + 1);
    expect_rest_runs();
}

Test(dispatcher_room, if_it_is_away_too_that_record_is_all_there_is)
{
    fill_window();
    faas_script(good, &not_found);
    fail_bad();
    cr_assert(rig_await(rig, probed_often));
    cr_expect_eq(letter_box_kept(rig->letters), 0);
    cr_expect_eq(memory_source_taken(rig->source), WINDOW + 1);
    faas_script(good, &done);
    cr_assert(rig_await_ran(rig, "good", RECORDS));
    expect_rest_runs();
}

Test(dispatcher_room, nor_while_the_gateway_is_away)
{
    char *reason = NULL;

    fill_window();
    faas_gateway_down(rig->gateway);
    cr_assert(rig_await_metric(rig, "kafka_connector_gateway_state", 2));
    rig_settle(rig, 100);

    cr_expect_eq(letter_box_kept(rig->letters), 0);
    cr_expect_leq(memory_source_taken(rig->source), WINDOW + 1);
    cr_assert(faas_gateway_up(rig->gateway, &reason));
    expect_rest_runs();
    cr_expect_eq(letter_box_kept(rig->letters), 0);
}

/* What was cut off before the gateway went, a probe among it, is no proof that the function is away
 * when it comes back. */
Test(dispatcher_room, nor_because_it_was)
{
    static const struct faas_reply cut = {.end = FAAS_CUT_BEFORE}, held = {.latency_ms = FAAS_HELD},
                                   late = {.status = 404, .latency_ms = 500};
    char *reason = NULL;
    size_t before;

    fill_window();
    faas_script(bad, &cut);
    faas_script(good, &held);
    faas_release(bad, -1);
    cr_assert(rig_await(rig, bad_is_away));
    cr_assert(rig_await_metric(rig, "kafka_connector_unanswered_total{function=\"bad\"}", 3));
    cr_assert(rig_await_arrived(rig, "good", WINDOW + 1));
    faas_gateway_down(rig->gateway);
    cr_assert(rig_await_metric(rig, "kafka_connector_gateway_state", 2));
    faas_script(good, &done);
    faas_script(bad, &late);
    before = call_log_ended(rig->calls, "bad");
    cr_assert(faas_gateway_up(rig->gateway, &reason));
    cr_assert(rig_await_ran(rig, "good", WINDOW + 1));
    rig_settle(rig, 50);
    cr_expect(letter_box_kept(rig->letters) == 0 || call_log_ended(rig->calls, "bad") > before + 1,
              "it was asked by no call but the one that found the gateway back");
    cr_assert(rig_await_ran(rig, "good", RECORDS), "it is away, and the other is there");
    expect_rest_runs();
}

/* It could do nothing with the room. */
Test(dispatcher_room, one_that_is_paused_needs_none)
{
    json *answer = json_object();
    size_t letters;

    faas_script(bad, &not_found);
    memory_source_fill(rig->source, "orders", 0, RECORDS / 2, 0);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "good", RECORDS / 2));
    rig_settle(rig, 50);
    letters = letter_box_kept(rig->letters);
    cr_assert_eq(dispatcher_pause(rig->dispatcher, NULL, "good", answer), 200);
    memory_source_fill(rig->source, "orders", 0, RECORDS / 2, 0);
    rig_settle(rig, 100);
    cr_expect_eq(letter_box_kept(rig->letters), letters);
    cr_assert_eq(dispatcher_resume(rig->dispatcher, NULL, "good", answer), 200);
    json_free(answer);
    cr_assert(rig_await_ran(rig, "good", RECORDS));
    rig_settle(rig, 50);
    expect_letters(RECORDS - WINDOW - 1, RECORDS - WINDOW);
    expect_rest_runs();
}
