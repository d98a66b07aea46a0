/* The shipped producer with a real Apache Kafka. */
#include "tests/harness/scene.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { SOON_MS = 30 * 1000 };

/* Runs it to its end. */
static struct child *run(struct scene *scene, int64_t records, const char *const *arguments,
                         int wanted_status)
{
    struct child *producer = scene_load(scene, records, -1, arguments);
    int status;

    cr_assert(child_await_end(producer, SOON_MS, &status), "%s", child_output(producer));
    cr_expect_eq(status, wanted_status, "status %d:\n%s", status, child_output(producer));
    return producer;
}

static void expect(struct child *producer, const char *text, size_t count)
{
    cr_expect_eq(child_count(producer, text), count, "not %zu lines with \"%s\":\n%s", count, text,
                 child_output(producer));
}

Test(producer, tells_each_of_a_few_records)
{
    struct scene *scene = scene_new("producer-few", NULL, 1);
    struct child *producer = run(scene, 3, NULL, 0);

    expect(producer, "Sending 3 messages.", 1);
    expect(producer, "Msg: topic(producer-few)/partition(0)/offset(", 3);
    expect(producer, "Msg: topic(producer-few)/partition(0)/offset(2)\n", 1);
    expect(producer, "3 records sent, ", 1);
    child_free(producer);
    scene_free(scene);
}

Test(producer, tells_each_of_as_many_as_one_reads_or_when_asked)
{
    static const struct {
        int64_t records;
        const char *argument, *start;
        size_t told;
    } cases[] = {
        {1, NULL, "Sending 1 message.", 1},
        {20, NULL, "Sending 20 messages.", 20},
        {21, NULL, "Sending 21 messages.", 0},
        {21, "-verbose", "Sending 21 messages.", 21},
        {2, "-file=README.md", "Sending the lines of README.md, at most 2.", 2},
    };
    struct scene *scene = scene_new("producer-lines", NULL, 1);

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct child *producer =
            run(scene, cases[i].records, (const char *[]){cases[i].argument, NULL}, 0);

        expect(producer, cases[i].start, 1);
        expect(producer, "Msg: ", cases[i].told);
        child_free(producer);
    }
    scene_free(scene);
}

Test(producer, closes_as_the_perf_test_does)
{
    struct scene *scene = scene_new("producer-many", NULL, 4);
    struct child *producer = run(scene, 20000, (const char *[]){"-record-size=100", NULL}, 0);
    const char *line = strstr(child_output(producer), "20000 records sent");
    double figures[4];
    int percentiles[4];
    char full_stop = 0;

    cr_assert_not_null(line, "%s", child_output(producer));
    cr_expect_eq(sscanf(line,
                        "20000 records sent, %lf records/sec (%lf MB/sec), %lf ms avg latency, "
                        "%lf ms max latency, %d ms 50th, %d ms 95th, %d ms 99th, %d ms 99.9th%c",
                        &figures[0], &figures[1], &figures[2], &figures[3], &percentiles[0],
                        &percentiles[1], &percentiles[2], &percentiles[3], &full_stop),
                 9, "%s", line);
    cr_expect_eq(full_stop, '.');
    expect(producer, "Msg: ", 0);
    cr_expect_eq(cluster_records(scene->cluster, scene->topic), 20000);
    for (int i = 0; i < 4; i++)
        cr_expect_gt(cluster_end(scene->cluster, scene->topic, i), 0, "its keys spread");
    child_free(producer);
    scene_free(scene);
}

Test(producer, what_failed_is_counted_and_its_status)
{
    struct scene *scene = scene_new("producer-failed", NULL, 1);
    struct child *producer = run(scene, 2, (const char *[]){"-record-size=2MiB", NULL}, 1);

    expect(producer, "0 records sent, ", 1);
    expect(producer, "2 records failed: Broker: Message size too large (2)\n", 1);
    child_free(producer);
    scene_free(scene);
}

Test(producer, an_interrupt_ends_it_with_all_acknowledged)
{
    struct scene *scene = scene_new("producer-interrupted", NULL, 1);
    struct child *producer = scene_load(scene, 1000000, 1000, (const char *[]){"-verbose", NULL});
    char line[64];
    int status;

    cr_assert(child_await_count(producer, "Msg: ", 100, SOON_MS), "%s", child_output(producer));
    child_signal(producer, SIGINT);
    cr_assert(child_await_end(producer, SOON_MS, &status));
    cr_expect_eq(status, 0, "%s", child_output(producer));
    snprintf(line, sizeof(line), "\n%ld records sent, ",
             (long)cluster_records(scene->cluster, scene->topic));
    cr_expect_not_null(strstr(child_output(producer), line), "not \"%s\":\n%s", line + 1,
                       child_output(producer));
    child_free(producer);
    scene_free(scene);
}

Test(producer, all_faults_at_once)
{
    struct scene *scene = scene_new("producer-faults", NULL, 1);
    struct child *producer =
        run(scene, 1,
            (const char *[]){"stray", "-topic=a b", "-throughput=0", "-key=k", "-bogus", NULL}, 2);

    expect(producer, "topic: \"a b\" is no topic's name", 1);
    expect(producer, "throughput: \"0\" would send nothing", 1);
    expect(producer, "keys: cannot be given together with key", 1);
    expect(producer, "unknown flag -bogus", 1);
    expect(producer, "unexpected argument \"stray\"", 1);
    expect(producer, "a topic is named by -topic=NAME", 1);
    child_free(producer);
    scene_free(scene);
}
