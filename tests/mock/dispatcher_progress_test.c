/* dispatcher_progress_test: what the next owner is told beside the offset: nothing that is finished
 * runs again, no attempt is forgotten, and nothing that is not finished is ever passed over. */
#include "tests/harness/orders.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "core/lanes.h"
#include "core/progress.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(dispatcher_progress, .init = orders_set_up, .fini = orders_tear_down, .timeout = 60);

/* Offsets that are not answered; -1 ends them. */
static struct faas_reply hold_these(void *context, const struct faas_call *call)
{
    for (const int64_t *offset = context; *offset >= 0; offset++)
        if (call->offset == *offset)
            return held;
    return at_once;
}

/* From now on; what is held stays so. */
static void answer_all(void)
{
    faas_decide(function, NULL, NULL);
    faas_script(function, &at_once);
}

static void fill(int count)
{
    memory_source_fill(rig->source, "orders", 0, count, 0);
}

/* What the next owner will know. */
static struct progress told(void)
{
    struct progress progress = {0};

    progress_decode(memory_source_metadata(rig->source, "orders", 0), committed(), &progress);
    return progress;
}

static size_t tells_finished(const char *name)
{
    struct progress progress = told();
    size_t count = 0;

    for (int64_t offset = committed(); offset <= progress_top(&progress); offset++)
        count += progress_finished(&progress, progress_name(name), offset);
    progress_clear(&progress);
    return count;
}

static struct progress_count tells_used(const char *name, int64_t offset)
{
    struct progress progress = told();
    struct progress_count used = progress_used(&progress, progress_name(name), offset);

    progress_clear(&progress);
    return used;
}

/* So much is finished above the committed offset, by so many functions, and was committed. */
static int64_t awaited_offset;
static size_t awaited_finished;

static bool is_told(struct rig *it)
{
    (void)it;
    return committed() == awaited_offset &&
           tells_finished("a") + tells_finished("b") == awaited_finished;
}

static bool await_told(int64_t offset, size_t finished)
{
    awaited_offset = offset;
    awaited_finished = finished;
    return rig_await(rig, is_told);
}

static void restart(void)
{
    rig_kill(rig);
    rig_start(rig);
}

static void hand_over(void)
{
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
    memory_source_assign(rig->source);
}

static void expect_runs(const char *name, int64_t first, int64_t end, size_t times)
{
    for (int64_t offset = first; offset < end; offset++)
        cr_expect_eq(call_log_ran_on(rig->calls, name, "orders", 0, offset), times,
                     "%s ran %zu times on %" PRId64, name,
                     call_log_ran_on(rig->calls, name, "orders", 0, offset), offset);
}

/* ---- what is finished ---- */

static void finished_is_not_repeated(void (*next_owner)(void))
{
    rig->drain_timeout_ms = 20;
    faas_decide(function, hold_these, (int64_t[]){3, 7, -1});
    fill(20);
    rig_start(rig);
    cr_assert(await_told(3, 15));
    answer_all();
    next_owner();
    cr_assert(rig_await_committed(rig));
    rig_settle(rig, 30);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 22, "two are called again");
    expect_runs("a", 0, 20, 1);
}

Test(dispatcher_progress, what_is_finished_is_not_repeated_after_a_kill)
{
    finished_is_not_repeated(restart);
}

Test(dispatcher_progress, what_is_finished_is_not_repeated_after_a_revoke)
{
    finished_is_not_repeated(hand_over);
}

/* The second life reads the first records of what it was told of, and commits: what lies behind
 * must be handed on. */
Test(dispatcher_progress, what_was_not_read_again_is_told_on)
{
    faas_decide(function, hold_these, (int64_t[]){0, 5, 50, -1});
    fill(100);
    rig_start(rig);
    cr_assert(await_told(0, 97));
    rig_kill(rig);
    faas_decide(function, hold_these, (int64_t[]){5, 50, -1});
    rig->options.partition_window = 10;
    rig_start(rig);
    cr_assert(await_told(5, 93));
    rig_kill(rig);
    answer_all();
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    expect_runs("a", 0, 100, 1);
}

Test(dispatcher_progress, a_function_that_is_new_gets_all_above_the_committed_offset)
{
    faas_decide(function, hold_these, (int64_t[]){3, -1});
    fill(10);
    rig_start(rig);
    cr_assert(await_told(3, 6));
    rig_kill(rig);
    answer_all();
    rig_deploy(rig, "b", "orders", NULL);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    expect_runs("a", 0, 10, 1);
    expect_runs("b", 0, 3, 0);
    expect_runs("b", 3, 10, 1);
}

/* It is on no list that a whole life sees, in which more is read than it ever was told of. */
Test(dispatcher_progress, a_function_that_is_away_for_a_life_keeps_its_progress)
{
    faas_decide(function, hold_these, (int64_t[]){2, -1});
    rig_deploy(rig, "b", "orders", NULL);
    fill(10);
    rig_start(rig);
    cr_assert(await_told(2, 7 + 8));
    rig_kill(rig);
    rig_unlist(rig, "b");
    for (int i = 0; i < 5; i++)
        rig_list(rig);
    fill(10);
    rig_start(rig);
    cr_assert(await_told(2, 17 + 8));
    rig_kill(rig);
    answer_all();
    rig_deploy(rig, "b", "orders", NULL);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    expect_runs("a", 0, 20, 1);
    expect_runs("b", 0, 20, 1);
}

/* ---- attempts ---- */

static int64_t awaited_attempts;

static bool is_counted(struct rig *it)
{
    (void)it;
    return tells_used("a", 0).attempts == awaited_attempts;
}

/* Each life calls it once and is killed before the next try is due. */
Test(dispatcher_progress, attempts_outlive_kills)
{
    static const struct faas_reply later = {.status = 503, .header = "Retry-After: 5"};

    rig->options.retry_attempts = 5;
    rig->options.retry_max_wait = 500;
    rig->options.on_exhausted = EXHAUSTED_DROP;
    faas_script(function, &later);
    fill(1);
    for (awaited_attempts = 1; awaited_attempts < 5; awaited_attempts++) {
        rig_start(rig);
        cr_assert(rig_await(rig, is_counted), "%" PRId64, awaited_attempts);
        rig_kill(rig);
    }
    rig_start(rig);
    cr_assert(rig_await_committed(rig), "the fifth is the last");
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 5);
    cr_expect_eq(rig_function_metric(rig, "a", "invocations_dropped_total"), 1);
}

static struct faas_reply refuse_first_hold_rest(void *context, const struct faas_call *call)
{
    (void)context;
    return call->offset ? held : (struct faas_reply){.status = 503, .header = "Retry-After: 5"};
}

/* What waits for its next try is given up with the partition, and commits follow. */
Test(dispatcher_progress, attempts_outlive_a_drain)
{
    rig->options.retry_max_wait = 500;
    faas_decide(function, refuse_first_hold_rest, NULL);
    fill(3);
    rig_start(rig);
    awaited_attempts = 1;
    cr_assert(rig_await_arrived(rig, "a", 3));
    cr_assert(rig_await(rig, is_counted));
    memory_source_revoke(rig->source);
    cr_assert_eq(faas_release(function, -1), 2);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(tells_finished("a"), 2);
    cr_expect_eq(tells_used("a", 0).attempts, 1);
}

static struct faas_reply cut_first(void *context, const struct faas_call *call)
{
    (void)context;
    return call->offset ? at_once : (struct faas_reply){.end = FAAS_CUT_AFTER};
}

/* It may have run each time: 1 + retry_on_timeout calls in all, however many owners there are. */
Test(dispatcher_progress, what_was_not_answered_stays_held)
{
    int64_t lives = 6;

    faas_decide(function, cut_first, NULL);
    rig_start(rig);
    for (int64_t i = 0; i < lives; i++) {
        fill(10);
        cr_assert(await_told(0, (size_t)(10 * (i + 1) - 1)), "life %" PRId64, i);
        cr_assert(rig_await_metric(rig, "kafka_connector_function_held{function=\"a\"}", 1));
        (i % 2 ? restart : hand_over)();
    }
    cr_assert(rig_await_metric(rig, "kafka_connector_function_held{function=\"a\"}", 1));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), (size_t)(2 + 10 * lives - 1));
    expect_runs("a", 0, 1, 2);
    expect_runs("a", 1, 10 * lives, 1);
}

Test(dispatcher_progress, what_was_not_answered_is_tried_when_more_tries_are_allowed)
{
    faas_decide(function, cut_first, NULL);
    fill(3);
    rig_start(rig);
    cr_assert(rig_await_metric(rig, "kafka_connector_function_held{function=\"a\"}", 1));
    cr_assert(await_told(0, 2));
    rig_kill(rig);
    rig->options.retry_on_timeout = 2;
    answer_all();
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    expect_runs("a", 0, 1, 3);
    expect_runs("a", 1, 3, 1);
}

Test(dispatcher_progress, what_was_not_answered_is_dropped_when_that_is_wanted_now)
{
    faas_decide(function, cut_first, NULL);
    fill(3);
    rig_start(rig);
    cr_assert(rig_await_metric(rig, "kafka_connector_function_held{function=\"a\"}", 1));
    cr_assert(await_told(0, 2));
    rig_kill(rig);
    rig->options.on_exhausted = EXHAUSTED_DROP;
    rig->options.partition_window = 1;
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 4);
}

/* ---- what is said of another log, or by somebody else ---- */

/* The new log is shorter than what was finished of the old one: it is another. */
Test(dispatcher_progress, of_a_topic_made_anew_between_lives_nothing_is_passed_over)
{
    faas_decide(function, hold_these, (int64_t[]){1, -1});
    fill(10);
    rig_start(rig);
    cr_assert(await_told(1, 8));
    rig_kill(rig);
    memory_source_make_anew(rig->source, "orders", 0);
    fill(5);
    answer_all();
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    expect_runs("a", 0, 1, 2);
    expect_runs("a", 1, 2, 1);
    expect_runs("a", 2, 5, 2);
}

Test(dispatcher_progress, of_a_topic_made_anew_under_our_hands_nothing_is_passed_over)
{
    faas_decide(function, hold_these, (int64_t[]){1, -1});
    fill(10);
    rig_start(rig);
    cr_assert(await_told(1, 8));
    restart();
    cr_assert(rig_await_arrived(rig, "a", 11));
    memory_source_make_anew(rig->source, "orders", 0);
    answer_all();
    fill(10);
    cr_assert(rig_await_committed(rig));
    expect_runs("a", 0, 1, 2);
    expect_runs("a", 1, 2, 1);
    expect_runs("a", 2, 10, 2);
}

static size_t occurrences(const char *text, const char *what)
{
    size_t count = 0;

    for (; (text = strstr(text, what)); text++)
        count++;
    return count;
}

Test(dispatcher_progress, metadata_of_another_offset_is_ignored_with_one_warning)
{
    static const struct log_options options = {LOG_FORMAT_CONSOLE, LOG_LEVEL_WARNING};
    struct progress progress = {.born = 1};
    char text[PROGRESS_TEXT_SIZE + 1], *said;
    size_t size;
    FILE *log = open_memstream(&said, &size);

    progress_add_run(progress_add(&progress, progress_name("a")), 4, 9);
    progress_encode(&progress, 2, PROGRESS_TEXT_SIZE, text);
    progress_clear(&progress);
    fill(10);
    memory_source_set_committed(rig->source, "orders", 0, 3, text);
    log_configure(&options, log);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    fflush(log);
    cr_expect_eq(occurrences(said, "is not ours"), 1, "%s", said);
    expect_runs("a", 0, 3, 0);
    expect_runs("a", 3, 10, 1);
    log_configure(&options, stderr);
    fclose(log);
    free(said);
}

/* ---- owners in turn ---- */

enum { RECORDS = 400, WALKS = 6 };

static const char *const functions[] = {"a", "b"};

struct walk {
    uint64_t random;
    size_t may[2][RECORDS]; /* how often each function may run on a record */
};

static struct faas_reply take_some_time(void *context, const struct faas_call *call)
{
    struct walk *walk = context;

    (void)call;
    return (struct faas_reply){.latency_ms = (int64_t)random_below(&walk->random, 12)};
}

/* What the next owner is not told of may run once more. */
static void allow_more(struct walk *walk)
{
    struct progress progress = told();

    for (int f = 0; f < 2; f++)
        for (int64_t offset = 0; offset < RECORDS; offset++)
            walk->may[f][offset] +=
                offset >= committed() &&
                !progress_finished(&progress, progress_name(functions[f]), offset);
    progress_clear(&progress);
}

static void live(struct walk *walk)
{
    rig->options.partition_window = (int64_t)(1 + random_below(&walk->random, 100));
    rig->options.commit_interval = (int64_t)(1 + random_below(&walk->random, 20));
    rig_start(rig);
    rig_settle(rig, (int64_t)random_below(&walk->random, 40));
    if (random_below(&walk->random, 3) == 0)
        hand_over(); /* a drain leaves nothing to be run again */
    rig_settle(rig, (int64_t)random_below(&walk->random, 40));
    if (!memory_source_all_committed(rig->source))
        allow_more(walk);
    rig_kill(rig);
}

static void expect_walk(const struct walk *walk, int seed)
{
    for (int f = 0; f < 2; f++)
        for (int offset = 0; offset < RECORDS; offset++) {
            size_t ran = call_log_ran_on(rig->calls, functions[f], "orders", 0, offset);

            cr_assert(ran >= 1, "seed %d: %s never ran on %d", seed, functions[f], offset);
            cr_assert(ran <= 1 + walk->may[f][offset], "seed %d: %s ran %zu times on %d, not %zu",
                      seed, functions[f], ran, offset, 1 + walk->may[f][offset]);
        }
}

static void walk_through(int seed)
{
    struct walk *walk = xcalloc(1, sizeof(*walk));

    walk->random = (uint64_t)seed;
    rig->drain_timeout_ms = RIG_PATIENCE_MS;
    faas_decide(function, take_some_time, walk);
    faas_decide(rig_deploy(rig, "b", "orders", NULL), take_some_time, walk);
    fill(RECORDS);
    for (int lives = 0; lives < 10; lives++)
        live(walk);
    rig_start(rig);
    cr_assert(rig_await_committed(rig), "seed %d", seed);
    expect_walk(walk, seed);
    rig_kill(rig);
    free(walk);
}

Test(dispatcher_progress, every_record_runs_and_only_what_was_not_told_runs_again)
{
    for (int seed = 1; seed <= WALKS; seed++) {
        if (seed > 1) {
            orders_tear_down();
            orders_set_up();
        }
        walk_through(seed);
    }
}
