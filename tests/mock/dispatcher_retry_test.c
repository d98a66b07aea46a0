/* dispatcher_retry_test: what an answer, or none, leads to. */
#include "tests/harness/rig.h"

#include <criterion/criterion.h>

static struct rig *rig;
static struct faas_function *function;

static void set_up(void)
{
    rig = rig_new();
    memory_source_topic(rig->source, "orders", 1);
    function = rig_deploy(rig, "a", "orders", NULL);
}

static void tear_down(void)
{
    rig_free(rig);
}

TestSuite(dispatcher_retry, .init = set_up, .fini = tear_down, .timeout = 60);

/* Runs one record through; the function gives `reply` `times` times, then 200. */
static bool run_one(const struct faas_reply *reply, int times)
{
    if (times)
        faas_next(function, times, reply);
    memory_source_append(rig->source, "orders", 0, "k", "value");
    rig_start(rig);
    return rig_await_committed(rig);
}

Test(dispatcher_retry, an_answer_is_done_or_tried_again)
{
    static const struct {
        struct faas_reply reply;
        int times;
        size_t calls; /* in all */
        int64_t retries, unanswered;
        const char *sentence;
    } cases[] = {
        {{.status = 200}, 1, 1, 0, 0, "200 is done"},
        {{.status = 204}, 1, 1, 0, 0, "204 is done"},
        {{.status = 301}, 1, 1, 0, 0, "a redirect is done: it is not followed"},
        {{.status = 400}, 1, 1, 0, 0, "400 is done: the function refused it"},
        {{.status = 401}, 1, 1, 0, 0, "401 is done"},
        {{.status = 500}, 1, 1, 0, 0, "500 is done: the function failed on it"},
        {{.status = 404}, 3, 4, 3, 0, "404 is tried again: the gateway may not know it yet"},
        {{.status = 408}, 2, 3, 2, 0, "408 is tried again"},
        {{.status = 429}, 2, 3, 2, 0, "429 is tried again"},
        {{.status = 502}, 2, 3, 2, 0, "502 is tried again"},
        {{.status = 503}, 9, 10, 9, 0, "503 is tried again, 10 attempts in all"},
        {{.status = 504}, 2, 3, 2, 0, "504 is tried again"},
        {{.status = 500, .header = "X-OpenFaaS-Internal: proxy"},
         2,
         3,
         2,
         0,
         "an error of the gateway's own is tried again"},
        {{.end = FAAS_CUT_BEFORE}, 1, 2, 1, 1, "cut before it ran: once more"},
        {{.end = FAAS_CUT_AFTER}, 1, 2, 1, 1, "cut after it ran: once more"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (i) {
            tear_down();
            set_up();
        }
        cr_assert(run_one(&cases[i].reply, cases[i].times), "%s", cases[i].sentence);
        cr_expect_eq(call_log_arrived(rig->calls, "a"), cases[i].calls, "%s: %zu calls",
                     cases[i].sentence, call_log_arrived(rig->calls, "a"));
        cr_expect_eq(rig_function_metric(rig, "a", "retries_total"), cases[i].retries, "%s",
                     cases[i].sentence);
        cr_expect_eq(rig_function_metric(rig, "a", "unanswered_total"), cases[i].unanswered, "%s",
                     cases[i].sentence);
        cr_expect_eq(rig_function_metric(rig, "a", "invocations_done_total"), 1, "%s",
                     cases[i].sentence);
    }
}

Test(dispatcher_retry, attempts_used_up_are_dropped_if_told_so)
{
    static const struct {
        struct faas_reply reply;
        size_t calls, runs;
        const char *sentence;
    } cases[] = {
        {{.status = 503}, 3, 3, "refused: retry_attempts"},
        {{.end = FAAS_CUT_BEFORE}, 2, 0, "cut before it ran: retry_on_timeout and one"},
        {{.end = FAAS_CUT_AFTER}, 2, 2, "cut after it ran: retry_on_timeout and one"},
        {{.latency_ms = FAAS_HELD}, 2, 0, "upstream_timeout passed: retry_on_timeout and one"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (i) {
            tear_down();
            set_up();
        }
        rig->options.retry_attempts = 3;
        rig->options.on_exhausted = EXHAUSTED_DROP;
        rig->gateway_options.upstream_timeout = 100;
        faas_script(function, &cases[i].reply);
        cr_assert(run_one(NULL, 0), "%s", cases[i].sentence);
        cr_expect_eq(call_log_arrived(rig->calls, "a"), cases[i].calls, "%s", cases[i].sentence);
        cr_expect_eq(call_log_ran(rig->calls, "a"), cases[i].runs, "%s", cases[i].sentence);
        cr_expect_eq(rig_function_metric(rig, "a", "invocations_dropped_total"), 1, "%s",
                     cases[i].sentence);
    }
}

Test(dispatcher_retry, refused_beyond_its_attempts_it_is_tried_on)
{
    static const struct faas_reply refused = {.status = 503};

    rig->options.retry_attempts = 3;
    cr_assert(run_one(&refused, 7));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 8);
    cr_expect_eq(rig_function_metric(rig, "a", "invocations_dropped_total"), 0);
}

Test(dispatcher_retry, never_answered_it_is_held_with_what_is_behind_it)
{
    static const struct faas_reply cut = {.end = FAAS_CUT_AFTER};

    faas_next(function, 2, &cut);
    memory_source_append(rig->source, "orders", 0, "stuck", "first");
    rig_start(rig);
    cr_assert(rig_await_metric(rig, "kafka_connector_function_held{function=\"a\"}", 1));
    memory_source_append(rig->source, "orders", 0, "stuck", "second");
    memory_source_append(rig->source, "orders", 0, "free", "third");
    cr_assert(rig_await_arrived(rig, "a", 3));
    rig_settle(rig, 100);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 3, "neither it nor its key goes on");
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 0), 2);
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 1), 0);
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 2), 1);
    cr_expect_eq(memory_source_committed(rig->source, "orders", 0), 0);
}

Test(dispatcher_retry, annotations_override)
{
    static const struct {
        struct function_retry retry;
        int status;
        size_t calls;
        const char *sentence;
    } cases[] = {
        {{2, -1, -1, NULL}, 503, 2, "com.openfaas.retry.attempts"},
        {{-1, -1, -1, "500"}, 500, 4, "com.openfaas.retry.codes: 500 is tried again"},
        {{-1, -1, -1, "500"}, 503, 1, "com.openfaas.retry.codes: 503 is done"},
        {{-1, -1, -1, "bad"}, 503, 4, "codes that cannot be read change nothing"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct faas_reply reply = {.status = cases[i].status};

        if (i) {
            tear_down();
            set_up();
        }
        rig->options.retry_attempts = 4;
        rig->options.on_exhausted = EXHAUSTED_DROP;
        function = rig_deploy(rig, "a", "orders", &cases[i].retry);
        faas_script(function, &reply);
        cr_assert(run_one(NULL, 0), "%s", cases[i].sentence);
        cr_expect_eq(call_log_arrived(rig->calls, "a"), cases[i].calls, "%s", cases[i].sentence);
    }
}

Test(dispatcher_retry, retry_after_is_honoured_up_to_ten_times_the_longest_wait)
{
    static const struct faas_reply later = {.status = 503, .header = "Retry-After: 1"};
    static const struct {
        int64_t max_wait_ms, least_ms, most_ms;
        const char *sentence;
    } cases[] = {
        {200, 1000, 1900, "honoured"},
        {30, 300, 900, "cut to 10 x retry_max_wait"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t waited_ms;

        if (i) {
            tear_down();
            set_up();
        }
        rig->options.retry_max_wait = cases[i].max_wait_ms;
        cr_assert(run_one(&later, 1), "%s", cases[i].sentence);
        waited_ms =
            (call_log_at(rig->calls, 1)->arrived_us - call_log_at(rig->calls, 0)->ended_us) / 1000;
        /* A millisecond of grace: the loop's clock is cut to whole ones. */
        cr_expect(waited_ms >= cases[i].least_ms - 2 && waited_ms < cases[i].most_ms, "%s: %lld ms",
                  cases[i].sentence, (long long)waited_ms);
    }
}

Test(dispatcher_retry, asynchronous_only_2xx_is_done)
{
    static const struct faas_reply queue_full = {.status = 500};

    tear_down();
    rig = rig_new();
    memory_source_topic(rig->source, "orders", 1);
    rig->gateway_options.async_invocation = true;
    function = rig_deploy(rig, "a", "orders", NULL);
    cr_assert(run_one(&queue_full, 2)); /* then the queue took it: 202 */
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 3);
    cr_expect(call_log_at(rig->calls, 0)->async);
}
