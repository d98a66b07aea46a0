/* program_replay: `kafka-connector replay` as it is shipped. */
#include "base/file.h"
#include "base/json.h"
#include "tests/harness/child.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 60 * 1000, LIMIT = 1 << 22 };

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

TestSuite(program_replay, .init = set_up, .fini = tear_down, .timeout = 120);

/* Runs it to its end. The child is to be freed. */
static struct child *replay(const char *first, const char *second, const char *environment,
                            int *status)
{
    char path[512];
    const char *folder = getenv("BUILD");
    struct child *child;

    snprintf(path, sizeof(path), "%s/kafka-connector", folder ? folder : "build");
    child = child_start(&loop, (const char *const[]){path, "replay", first, second, NULL},
                        (const char *const[]){environment, NULL});
    cr_assert(child_await_end(child, PATIENCE_MS, status));
    return child;
}

Test(program_replay, plays_all_traces_side_by_side)
{
    int status;
    struct child *child = replay(NULL, NULL, NULL, &status);

    cr_expect_eq(status, 0);
    cr_expect_eq(child_count(child, " static "), 10, "nine and the sum");
    cr_expect_eq(child_count(child, " persistent "), 10);
    cr_expect_eq(strncmp(child_output(child), "trace ", 6), 0, "no line of the log in front");
    child_free(child);
}

Test(program_replay, reads_the_policy_from_the_environment_too)
{
    int status;
    struct child *child = replay("--trace=steady", NULL, "LAG_THRESHOLD=0", &status);

    cr_expect_eq(status, 2);
    cr_expect(strstr(child_output(child), "lagThreshold: \"0\" is out of range"), "%s",
              child_output(child));
    child_free(child);
}

Test(program_replay, tells_json)
{
    int status;
    struct child *child = replay("--trace=steady,drain", "--json", NULL, &status);
    const char *text = child_output(child), *reason = "";
    json *root = json_parse(text, strlen(text), &reason);

    cr_expect_eq(status, 0);
    cr_assert(root, "%s", reason);
    cr_expect(json_next(json_first(json_member(root, "traces"))));
    json_free(root);
    child_free(child);
}

Test(program_replay, names_what_it_does_not_know)
{
    int status;
    struct child *child = replay("--trace=spike", "--sustainSecond=3", NULL, &status);

    cr_expect_eq(status, 2);
    cr_expect(strstr(child_output(child), "trace: \"spike\" is no built-in trace"));
    cr_expect(strstr(child_output(child), "did you mean --sustainSeconds"));
    child_free(child);
}

/* A file with this content; its path goes into path. */
static void make_file(const char *content, char path[static 40])
{
    int file;

    snprintf(path, 40, "/tmp/program_replay_test.XXXXXX");
    file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, content, strlen(content)), (ssize_t)strlen(content));
    close(file);
}

Test(program_replay, plays_a_file_and_draws_it)
{
    char trace[40], plot[40], file_flag[64], plot_flag[64], *svg;
    const char *reason;
    struct child *child;
    int status;

    make_file("time,partition,committed,end\n0,0,0,0\n600,0,0,600000\n3600,0,0,700000\n", trace);
    make_file("", plot);
    snprintf(file_flag, sizeof(file_flag), "--file=%s", trace);
    snprintf(plot_flag, sizeof(plot_flag), "--plot=%s", plot);
    child = replay(file_flag, plot_flag, NULL, &status);
    cr_expect_eq(status, 0, "%s", child_output(child));
    svg = file_read(plot, LIMIT, NULL, &reason);
    cr_assert(svg, "%s", reason);
    cr_expect(strstr(svg, "</svg>"));
    free(svg);
    child_free(child);
    unlink(trace);
    unlink(plot);
}

Test(program_replay, tells_where_a_file_is_wrong)
{
    char trace[40], file_flag[64];
    struct child *child;
    int status;

    make_file("0,0,0,0\n1,0,zero,5\n", trace);
    snprintf(file_flag, sizeof(file_flag), "--file=%s", trace);
    child = replay(file_flag, NULL, NULL, &status);
    cr_expect_eq(status, 2);
    cr_expect(
        strstr(child_output(child), "line 2, column 3 (committed): \"zero\" is not a whole number"),
        "%s", child_output(child));
    cr_expect(strstr(child_output(child), "kafka-connector: file /"), "without the option: %s",
              child_output(child));
    child_free(child);
    unlink(trace);
}
