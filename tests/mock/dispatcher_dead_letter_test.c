/* dispatcher_dead_letter_test: what becomes a dead letter, and when its record is done. */
#include "tests/harness/rig.h"

#include "base/xalloc.h"
#include "core/lanes.h"
#include "core/progress.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct rig *rig;
static struct faas_function *function;
static char dead[] = "{topic}.dead";

static void set_up(void)
{
    rig = rig_new();
    rig->options.dead_letter_topic = dead;
    memory_source_topic(rig->source, "orders", 1);
    function = rig_deploy(rig, "a", "orders", NULL);
}

static void tear_down(void)
{
    rig_free(rig);
}

TestSuite(dispatcher_dead_letter, .init = set_up, .fini = tear_down, .timeout = 60);

static const struct faas_reply refused = {.status = 503};

static bool is_under_way(struct rig *it)
{
    return letter_box_under_way(it->letters) > 0;
}

static bool is_kept(struct rig *it)
{
    return letter_box_kept(it->letters) > 0;
}

/* One record whose only attempt ends in a letter that is on its way. */
static void send_one(void)
{
    rig->options.retry_attempts = 1;
    faas_script(function, &refused);
    letter_box_hold(rig->letters, true);
    memory_source_append(rig->source, "orders", 0, "k", "first");
    rig_start(rig);
    cr_assert(rig_await(rig, is_under_way));
}

Test(dispatcher_dead_letter, reasons_and_what_they_tell)
{
    static const struct {
        const char *sentence, *codes;
        struct faas_reply first, then; /* the first answer, and all others */
        size_t calls;
        bool letter;
        enum letter_reason reason;
        long status;
        uint32_t attempts;
    } cases[] = {
        {"attempts used up",
         "400-599",
         {.status = 503},
         {.status = 502},
         3,
         true,
         LETTER_EXHAUSTED,
         502,
         3},
        {"never answered",
         "400-599",
         {.end = FAAS_CUT_AFTER},
         {.end = FAAS_CUT_BEFORE},
         2,
         true,
         LETTER_UNANSWERED,
         0,
         2},
        {"500, by default",
         "400-599",
         {.status = 500},
         {.status = 200},
         1,
         true,
         LETTER_STATUS,
         500,
         1},
        {"400, by default",
         "400-599",
         {.status = 400},
         {.status = 200},
         1,
         true,
         LETTER_STATUS,
         400,
         1},
        {"refused at the second attempt",
         "400-599",
         {.status = 503},
         {.status = 422},
         2,
         true,
         LETTER_STATUS,
         422,
         2},
        {"of the list",
         "422,5xx",
         {.status = 422},
         {.status = 200},
         1,
         true,
         LETTER_STATUS,
         422,
         1},
        {"not of the list: done", "422,5xx", {.status = 400}, {.status = 200}, 1, false, 0, 0, 0},
        {"of both lists: tried again",
         "400-599",
         {.status = 404},
         {.status = 200},
         2,
         false,
         0,
         0,
         0},
        {"done", "400-599", {.status = 204}, {.status = 200}, 1, false, 0, 0, 0},
        {"a redirect is done", "400-599", {.status = 301}, {.status = 200}, 1, false, 0, 0, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct kept_letter *letter;

        if (i) {
            tear_down();
            set_up();
        }
        rig->options.retry_attempts = 3;
        free(rig->options.dead_letter_codes);
        rig->options.dead_letter_codes = xstrdup(cases[i].codes);
        faas_next(function, 1, &cases[i].first);
        faas_script(function, &cases[i].then);
        memory_source_append(rig->source, "orders", 0, "k", "value");
        rig_start(rig);
        cr_assert(rig_await_committed(rig), "%s", cases[i].sentence);
        cr_expect_eq(call_log_arrived(rig->calls, "a"), cases[i].calls, "%s", cases[i].sentence);
        cr_assert_eq(letter_box_kept(rig->letters), cases[i].letter, "%s", cases[i].sentence);
        cr_expect_eq(rig_function_metric(rig, "a", "dead_letters_total"), cases[i].letter, "%s",
                     cases[i].sentence);
        cr_expect_eq(rig_function_metric(rig, "a", "invocations_done_total"), !cases[i].letter,
                     "%s", cases[i].sentence);
        if (!cases[i].letter)
            continue;
        letter = letter_box_at(rig->letters, 0);
        cr_expect_str_eq(letter->topic, "orders", "%s", cases[i].sentence);
        cr_expect_str_eq(letter->function, "a", "%s", cases[i].sentence);
        cr_expect_eq(letter->offset, 0, "%s", cases[i].sentence);
        cr_expect_eq(letter->reason, cases[i].reason, "%s", cases[i].sentence);
        cr_expect_eq(letter->status, cases[i].status, "%s: %ld", cases[i].sentence, letter->status);
        cr_expect_eq(letter->attempts, cases[i].attempts, "%s: %u", cases[i].sentence,
                     letter->attempts);
    }
}

Test(dispatcher_dead_letter, on_exhausted_counts_only_without_dead_letters)
{
    rig->options.on_exhausted = EXHAUSTED_DROP;
    send_one();
    letter_box_hold(rig->letters, false);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(letter_box_kept(rig->letters), 1);
    cr_expect_eq(rig_function_metric(rig, "a", "invocations_dropped_total"), 0);
}

static void expect_status(const char *part)
{
    json *status = json_object();
    char *text;

    dispatcher_status(rig->dispatcher, status);
    text = json_print(status, false);
    cr_expect(strstr(text, part), "no %s in %s", part, text);
    free(text);
    json_free(status);
}

Test(dispatcher_dead_letter, its_record_is_done_when_it_is_kept_and_its_key_waits)
{
    send_one();
    memory_source_append(rig->source, "orders", 0, "k", "second");
    memory_source_append(rig->source, "orders", 0, "other", "third");
    faas_script(function, &(struct faas_reply){.status = 200});
    cr_assert(rig_await_arrived(rig, "a", 2));
    rig_settle(rig, 100);
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 1), 0, "behind it in its lane");
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 2), 1);
    cr_expect_eq(memory_source_committed(rig->source, "orders", 0), 0, "it is not kept yet");
    cr_expect_eq(rig_metric(rig, "kafka_connector_dead_letters_in_flight"), 1);
    expect_status("\"dead_letters\":{\"topic\":\"{topic}.dead\",\"in_flight\":1,");
    expect_status("\"invocation\":\"dead letter\"");
    cr_expect_eq(letter_box_keep(rig->letters, -1), 1);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 1), 1);
    cr_expect_eq(rig_metric(rig, "kafka_connector_dead_letters_in_flight"), 0);
}

/* ---- partitions given up ---- */

Test(dispatcher_dead_letter, a_drain_waits_for_it)
{
    send_one();
    memory_source_revoke(rig->source);
    rig_settle(rig, 100);
    cr_expect(memory_source_assigned(rig->source), "the letter is waited for");
    letter_box_keep(rig->letters, -1);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(memory_source_committed(rig->source, "orders", 0), 1);
}

Test(dispatcher_dead_letter, so_does_the_end)
{
    send_one();
    rig_stop(rig, RIG_PATIENCE_MS);
    rig_settle(rig, 100);
    cr_expect_not(rig->stopped);
    letter_box_keep(rig->letters, -1);
    cr_assert(rig_await_stopped(rig));
    cr_expect_eq(memory_source_committed(rig->source, "orders", 0), 1);
}

Test(dispatcher_dead_letter, a_call_that_fails_while_draining_is_followed_by_its_letter)
{
    static const struct faas_reply later = {.status = 503, .latency_ms = FAAS_HELD};

    rig->options.retry_attempts = 1;
    faas_script(function, &later);
    memory_source_append(rig->source, "orders", 0, "k", "value");
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "a", 1));
    letter_box_hold(rig->letters, true);
    memory_source_revoke(rig->source);
    faas_release(function, -1);
    cr_assert(rig_await(rig, is_under_way));
    rig_settle(rig, 50);
    cr_expect(memory_source_assigned(rig->source));
    letter_box_keep(rig->letters, -1);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(memory_source_committed(rig->source, "orders", 0), 1);
}

/* The next owner sends it again and does not call again. */
static void expect_letter_only(void)
{
    letter_box_hold(rig->letters, false);
    memory_source_assign(rig->source);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 1);
    cr_assert_eq(letter_box_kept(rig->letters), 1);
    cr_expect_eq(letter_box_at(rig->letters, 0)->reason, LETTER_EXHAUSTED);
    cr_expect_eq(letter_box_at(rig->letters, 0)->attempts, 1);
}

static bool has_committed_attempts(struct rig *it)
{
    struct progress progress = {0};
    const char *metadata = memory_source_metadata(it->source, "orders", 0);
    bool has = progress_decode(metadata, 0, &progress) &&
               progress_used(&progress, progress_name("a"), 0).attempts == 1;

    progress_clear(&progress);
    return has;
}

Test(dispatcher_dead_letter, a_drain_that_takes_too_long_leaves_it_to_the_next_owner)
{
    rig->drain_timeout_ms = 50;
    send_one();
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(letter_box_cancelled(rig->letters), 1);
    cr_expect_eq(memory_source_committed(rig->source, "orders", 0), 0, "it may not be kept");
    expect_letter_only();
}

Test(dispatcher_dead_letter, a_drain_does_not_wait_for_one_that_is_refused)
{
    send_one();
    letter_box_refuse(rig->letters);
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(letter_box_cancelled(rig->letters), 1);
    expect_letter_only();
}

/* Of which nobody tells: it is seen at the next look. */
Test(dispatcher_dead_letter, a_drain_does_not_wait_on_when_one_is_refused)
{
    rig->drain_timeout_ms = 10 * RIG_PATIENCE_MS;
    send_one();
    memory_source_revoke(rig->source);
    rig_settle(rig, 50);
    cr_expect(memory_source_assigned(rig->source));
    letter_box_refuse(rig->letters);
    cr_assert(rig_await_released(rig));
    expect_letter_only();
}

Test(dispatcher_dead_letter, one_of_a_partition_lost_counts_if_it_comes_back_as_it_was)
{
    send_one();
    cr_assert(rig_await(rig, has_committed_attempts));
    memory_source_lose(rig->source);
    cr_expect_eq(letter_box_cancelled(rig->letters), 0);
    cr_expect_eq(letter_box_keep(rig->letters, -1), 1);
    expect_letter_only();
}

Test(dispatcher_dead_letter, one_of_a_partition_that_others_had_is_theirs)
{
    send_one();
    cr_assert(rig_await(rig, has_committed_attempts));
    memory_source_lose(rig->source);
    memory_source_set_committed(rig->source, "orders", 0, 0, "");
    letter_box_hold(rig->letters, false);
    memory_source_assign(rig->source);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(letter_box_cancelled(rig->letters), 1);
    cr_expect_eq(letter_box_kept(rig->letters), 1);
}

Test(dispatcher_dead_letter, a_kill_leaves_it_to_the_next_owner)
{
    send_one();
    cr_assert(rig_await(rig, has_committed_attempts));
    rig_kill(rig);
    letter_box_hold(rig->letters, false);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 1);
    cr_expect_eq(letter_box_kept(rig->letters), 1);
}

Test(dispatcher_dead_letter, a_function_that_goes_has_its_letters_kept_and_no_more)
{
    send_one();
    memory_source_append(rig->source, "orders", 0, "k", "behind it");
    cr_assert(rig_await_metric(rig, "kafka_connector_function_pending{function=\"a\"}", 2));
    rig_deploy(rig, "b", "orders", NULL);
    rig_unlist(rig, "a");
    for (int i = 0; i < TOPIC_MAP_MISSING_LIMIT; i++)
        rig_list(rig);
    letter_box_keep(rig->letters, -1);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(letter_box_kept(rig->letters), 1);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 1);
}

/* ---- age ---- */

static int64_t wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void append_aged(int64_t age_ms)
{
    memory_source_append_item(rig->source, "orders", 0,
                              &(struct memory_item){.value = "value",
                                                    .value_size = 5,
                                                    .timestamp_ms = wall_ms() - age_ms});
}

static void append_old_and_young(void)
{
    rig->options.max_record_age = 3600 * 1000;
    append_aged(3601 * 1000);
    append_aged(0);
    append_aged(3600 * 1000 * 24);
}

Test(dispatcher_dead_letter, a_record_too_old_is_not_called)
{
    append_old_and_young();
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 1);
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 1), 1);
    cr_assert_eq(letter_box_kept(rig->letters), 2);
    cr_expect_eq(letter_box_at(rig->letters, 0)->reason, LETTER_MAX_AGE);
    cr_expect_eq(letter_box_at(rig->letters, 0)->attempts, 0);
}

Test(dispatcher_dead_letter, without_dead_letters_a_record_too_old_is_dropped_and_counted)
{
    rig->options.dead_letter_topic = NULL;
    append_old_and_young();
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 1);
    cr_expect_eq(rig_function_metric(rig, "a", "invocations_too_old_total"), 2);
    cr_expect_eq(letter_box_kept(rig->letters), 0);
}

Test(dispatcher_dead_letter, a_record_that_grows_too_old_between_attempts_is_not_tried_again)
{
    static const struct faas_reply later = {.status = 503, .header = "Retry-After: 1"};

    rig->options.retry_max_wait = 200;
    rig->options.max_record_age = 900;
    faas_script(function, &later);
    append_aged(0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 1);
    cr_assert_eq(letter_box_kept(rig->letters), 1);
    cr_expect_eq(letter_box_at(rig->letters, 0)->reason, LETTER_MAX_AGE);
    cr_expect_eq(letter_box_at(rig->letters, 0)->attempts, 1);
}

/* ---- who is away ---- */

static bool probed_often(struct rig *it)
{
    return rig_function_metric(it, "a", "unsent_total") >= 20;
}

Test(dispatcher_dead_letter, a_gateway_that_is_away_makes_none_not_even_of_old_records)
{
    char *reason = NULL;

    rig->options.retry_attempts = 1;
    rig->options.order = ORDER_NONE;
    rig->options.max_record_age = 1;
    memory_source_fill(rig->source, "orders", 0, 80, 0);
    faas_gateway_down(rig->gateway);
    rig_start(rig);
    rig->options.max_record_age = 0; /* those begun before it was seen to be away are young */
    cr_assert(rig_await_metric(rig, "kafka_connector_gateway_state", 2));
    rig->options.max_record_age = 1;
    cr_assert(rig_await(rig, probed_often));
    cr_expect_eq(letter_box_kept(rig->letters), 0);
    rig->options.max_record_age = 0;
    cr_assert(faas_gateway_up(rig->gateway, &reason));
    cr_assert(rig_await_committed(rig));
    cr_expect(rig_ran_each(rig, "a", "orders", 80, 1));
    cr_expect_eq(letter_box_kept(rig->letters), 0);
}

Test(dispatcher_dead_letter, a_status_in_the_list_keeps_a_function_there)
{
    faas_script(function, &(struct faas_reply){.status = 500});
    memory_source_fill(rig->source, "orders", 0, 50, 5);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_expect(rig_await(rig, is_kept));
    cr_expect_eq(letter_box_kept(rig->letters), 50);
    cr_expect_eq(rig_function_metric(rig, "a", "function_state"), 0);
}

/* Nobody would send it later. */
Test(dispatcher_dead_letter, a_drain_waits_for_one_that_is_refused_when_committed_first)
{
    rig->options.delivery = DELIVERY_AT_MOST_ONCE;
    send_one();
    letter_box_refuse(rig->letters);
    memory_source_revoke(rig->source);
    rig_settle(rig, 50);
    cr_expect(memory_source_assigned(rig->source));
    letter_box_keep(rig->letters, -1);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(letter_box_kept(rig->letters), 1);
    cr_expect_eq(letter_box_cancelled(rig->letters), 0);
}
