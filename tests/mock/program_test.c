/* program: the shipped program at its start, without a broker or a gateway: what it says, how it
 * ends. */
#include "tests/harness/child.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 15 * 1000 };

static uv_loop_t loop;

static void set_up(void)
{
    uv_loop_init(&loop);
}

static void tear_down(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&loop), 0);
}

TestSuite(program, .init = set_up, .fini = tear_down, .timeout = 60);

/* With nobody at either address. */
static struct child *start(const char *const *environment)
{
    char *path = child_program("kafka-connector");
    struct child *child =
        child_start(&loop,
                    (const char *const[]){path, "--gateway_url=http://127.0.0.1:1",
                                          "--broker_host=127.0.0.1:1", "--admin_listen=none", NULL},
                    environment);

    free(path);
    return child;
}

Test(program, logs_json_from_the_first_line_to_the_last)
{
    struct child *child =
        start((const char *const[]){"log_format=json", "rebild_interval=1s", NULL});
    size_t lines = 0;
    int status;

    cr_assert(child_await_text(
        child, "Cannot read the functions of gateway_url http://127.0.0.1:1: ", PATIENCE_MS));
    child_signal(child, SIGTERM);
    cr_assert(child_await_end(child, PATIENCE_MS, &status));
    cr_expect_eq(status, 0);
    cr_expect(strstr(child_output(child), "did you mean rebuild_interval"));
    for (const char *line = child_output(child); *line; line = strchr(line, '\n') + 1) {
        cr_expect_eq(*line, '{', "%.80s", line);
        lines++;
        cr_assert(strchr(line, '\n'), "a line without an end: %s", line);
    }
    cr_expect_geq(lines, 4);
    child_free(child);
}

Test(program, tells_at_the_start_that_records_may_be_lost)
{
    struct child *child = start((const char *const[]){"delivery=at-most-once", NULL});
    int status;

    cr_assert(child_await_text(child, "delivery=at-most-once: ", PATIENCE_MS), "%s",
              child_output(child));
    child_signal(child, SIGTERM);
    cr_assert(child_await_end(child, PATIENCE_MS, &status));
    cr_expect_eq(status, 0);
    child_free(child);
}

Test(program, hints_at_the_start_at_what_does_not_do_what_was_meant)
{
    struct child *child =
        start((const char *const[]){"DEAD_LETTER_TOPIC=dead", "max_record_age=1h", NULL});
    int status;

    cr_assert(child_await_text(child, "Cannot read the functions", PATIENCE_MS));
    cr_expect_eq(child_count(child, "DEAD_LETTER_TOPIC is no option; did you mean "
                                    "dead_letter_topic?"),
                 1, "%s", child_output(child));
    cr_expect_eq(child_count(child, "max_record_age=1h without dead_letter_topic: "), 1, "%s",
                 child_output(child));
    child_signal(child, SIGTERM);
    cr_assert(child_await_end(child, PATIENCE_MS, &status));
    child_free(child);
}

Test(program, tells_which_brokers_lag_could_not_ask)
{
    char *path = child_program("kafka-connector");
    struct child *child =
        child_start(&loop,
                    (const char *const[]){path, "lag", "--group=orders",
                                          "--broker_host=127.0.0.1:1", "--timeout=1s", NULL},
                    (const char *const[]){NULL});
    int status;

    cr_assert(child_await_end(child, PATIENCE_MS, &status));
    cr_expect_eq(status, 1);
    cr_expect(strstr(child_output(child), "broker_host 127.0.0.1:1: the groups cannot be read: "),
              "%s", child_output(child));
    child_free(child);
    free(path);
}

Test(program, tells_all_faults_at_once_and_exits_with_2)
{
    static const char *const faults[] = {"upstream_timeout: \"abc\"", "order: \"foo\"",
                                         "unknown Kafka property no.such", "topics: \"a b\"",
                                         "4 faults"};
    struct child *child = start((const char *const[]){"upstream_timeout=abc", "order=foo",
                                                      "kafka_no_such=1", "topics=a b", NULL});
    int status;

    cr_assert(child_await_end(child, PATIENCE_MS, &status));
    cr_expect_eq(status, 2);
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
        cr_expect(strstr(child_output(child), faults[i]), "%s", faults[i]);
    child_free(child);
}

/* The help promised that brokers would be asked, and nobody was. */
Test(program, check_says_that_it_asks_nobody_for_a_command_that_ends_by_itself)
{
    static const char *const commands[] = {"lag", "replay"};
    char *path = child_program("kafka-connector");
    int status;

    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        struct child *child =
            child_start(&loop, (const char *const[]){path, "check", commands[i], NULL},
                        (const char *const[]){"group=orders", NULL});

        cr_assert(child_await_end(child, PATIENCE_MS, &status));
        cr_expect_eq(status, 0);
        cr_expect(strstr(child_output(child), "so nobody was asked"), "%s", child_output(child));
        child_free(child);
    }
    free(path);
}

/* What was not there was told without the option that says where it is. */
Test(program, check_tells_by_which_option_who_is_not_there)
{
    char *path = child_program("kafka-connector");
    struct child *child =
        child_start(&loop,
                    (const char *const[]){path, "check", "--gateway_url=http://127.0.0.1:1",
                                          "--broker_host=127.0.0.1:1", NULL},
                    (const char *const[]){NULL});
    int status;

    cr_assert(child_await_end(child, PATIENCE_MS, &status));
    cr_expect_eq(status, 1);
    cr_expect(strstr(child_output(child), "\nbroker_host 127.0.0.1:1: no answer within "), "%s",
              child_output(child));
    cr_expect(strstr(child_output(child), "\ngateway_url http://127.0.0.1:1: GET /system/"), "%s",
              child_output(child));
    child_free(child);
    free(path);
}

Test(program, ask_tells_which_scaler_does_not_answer)
{
    char *path = child_program("kafka-connector");
    struct child *child = child_start(
        &loop,
        (const char *const[]){path, "ask", "--scaler=127.0.0.1:1", "--timeout=1s",
                              "--metadata=topic=orders", "--metadata=consumerGroup=workers", NULL},
        (const char *const[]){NULL});
    int status;

    cr_assert(child_await_end(child, PATIENCE_MS, &status));
    cr_expect_eq(status, 1);
    cr_expect(strstr(child_output(child), "scaler 127.0.0.1:1: GetMetricSpec: "), "%s",
              child_output(child));
    child_free(child);
    free(path);
}

/* ---- help ---- */

static struct child *help_of(const char *program, const char *mode)
{
    char *path = child_program(program);
    struct child *child =
        child_start(&loop, (const char *const[]){path, mode ? mode : "--help", "--help", NULL},
                    (const char *const[]){NULL});
    int status;

    cr_assert(child_await_end(child, PATIENCE_MS, &status));
    cr_expect_eq(status, 0);
    free(path);
    return child;
}

/* One behind the other; each must be there. */
static void expect_in_order(const char *text, const char *const *parts)
{
    const char *at = text;

    for (; *parts; parts++) {
        at = strstr(at, *parts);
        cr_assert(at, "\"%s\" is missing, or too early, in:\n%s", *parts, text);
    }
}

Test(program, teaches_each_mode_by_examples_before_its_options)
{
    static const char *const modes[][2] = {
        {"invoke", "\nInvoke:\n"}, {"watch", "\nWatch:\n"}, {"scale", "\nScale:\n"},
        {"ask", "\nAgain:\n"},     {"lag", "\nLag:\n"},     {"replay", "\nReplay:\n"},
    };

    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        struct child *child = help_of("kafka-connector", modes[i][0]);
        char first[64];

        snprintf(first, sizeof(first), "kafka-connector %s: ", modes[i][0]);
        expect_in_order(child_output(child),
                        (const char *const[]){first, "\nExamples:\n  ", "\nExit status: 0 ",
                                              "\nDocs: docs/", modes[i][1], "\nLogs:\n", NULL});
        cr_expect_not(strstr(child_output(child), "(default)"), "%s", child_output(child));
        child_free(child);
    }
}

Test(program, lists_the_modes_of_the_executable_that_is_asked)
{
    struct child *child = help_of("kafka-connector", NULL);

    expect_in_order(child_output(child),
                    (const char *const[]){"Usage: kafka-connector [MODE]", "  invoke ",
                                          "(default)\n", "  watch ", "  scale ", "  ask ", "  lag ",
                                          "  replay ", "  check ", "\nInvoke:\n", NULL});
    child_free(child);
    child = help_of("kafka-connector-scale", NULL);
    expect_in_order(child_output(child),
                    (const char *const[]){"Usage: kafka-connector-scale [MODE]", "  scale ",
                                          "(default)\n", "  ask ", "  check ", NULL});
    cr_expect_not(strstr(child_output(child), "  watch "));
    child_free(child);
}
