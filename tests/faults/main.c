/*
 * faults: runs the shipped connector on a Kafka of three brokers while connectors, brokers, the
 * gateway and the topic fail in ways and at times that a seed draws, and judges each run: nothing
 * lost, order kept, nothing repeated without need.
 *
 *     faults FOLDER         data, and what is kept of runs that failed, lies in it
 *
 * Environment: SEED the first run's, the next have the ones behind it (default: the clock's); RUNS
 * how many; SECONDS_A_RUN how long records are written in each; FAULT a kind, to draw no other;
 * KEEP keeps the logs of runs that went well too.
 */
#include "tests/faults/run.h"
#include "tests/harness/fail.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    char *rest;
    unsigned long long number;

    if (!text || !*text)
        return otherwise;
    number = strtoull(text, &rest, 10);
    if (*rest)
        fail("%s=%s is no number", name, text);
    return number;
}

static int kind_of(const char *name)
{
    enum fault_kind kind;

    if (!name || !*name)
        return -1;
    kind = fault_named(name);
    if (kind == FAULT_KINDS)
        fail("FAULT=%s: there is no such fault", name);
    return (int)kind;
}

static void print_head(void)
{
    printf("%-12s %7s %7s %5s %6s %5s %8s %5s %5s  %-6s  %s\n", "seed", "records", "calls", "lost",
           "order", "twice", "allowed", "MiB", "s", "", "what");
}

static void print_line(const struct plan *plan, const struct outcome *outcome)
{
    const struct verdict *it = &outcome->verdict;
    char *setup = plan_setup_text(plan), *faults = plan_faults_text(plan);

    printf("%-12" PRIu64 " %7" PRIu32 " %7zu %5" PRIu32 " %6" PRIu32 " %5" PRIu32 " %8" PRIu32
           " %5.1f %5.1f  %-6s  %s: %s\n",
           plan->seed, outcome->records, outcome->calls, it->lost,
           it->disordered + it->overtaken + it->crossed, it->repeated, it->allowed,
           (double)outcome->peak_kib / 1024, outcome->seconds, outcome->good ? "ok" : "FAILED",
           setup, faults);
    if (!outcome->good)
        printf("  again: SEED=%" PRIu64 " RUNS=1 SECONDS_A_RUN=%d make test-faults\n", plan->seed,
               plan->seconds);
    fflush(stdout);
    free(setup);
    free(faults);
}

struct totals {
    uint64_t runs, failed, repeated_by[CAUSES], unexplained;
};

static void add(struct totals *totals, const struct outcome *outcome)
{
    totals->runs++;
    totals->failed += !outcome->good;
    totals->unexplained += outcome->verdict.unexplained;
    for (int i = 0; i < CAUSES; i++)
        totals->repeated_by[i] += outcome->verdict.repeated_by[i];
}

static void print_totals(const struct totals *totals)
{
    printf("%" PRIu64 " runs, %" PRIu64 " failed. Run twice after", totals->runs, totals->failed);
    for (int i = 0; i < CAUSES; i++)
        printf("%s %s: %" PRIu64, i ? "," : "", cause_name((enum cause)i), totals->repeated_by[i]);
    printf(". Assignments lost without a cause: %" PRIu64 "\n", totals->unexplained);
}

static uint64_t run_all(uv_loop_t *loop, struct nodes *nodes, const char *folder)
{
    uint64_t seed = number_of("SEED", (uint64_t)time(NULL)), runs = number_of("RUNS", 6);
    int seconds = (int)number_of("SECONDS_A_RUN", 10);
    struct totals totals = {0};

    print_head();
    for (uint64_t i = 0; i < runs; i++) {
        struct plan plan = plan_draw(seed + i, seconds, kind_of(getenv("FAULT")));
        struct outcome outcome = run_plan(loop, nodes, folder, &plan);

        print_line(&plan, &outcome);
        add(&totals, &outcome);
    }
    print_totals(&totals);
    return totals.failed;
}

int main(int argc, char **argv)
{
    uv_loop_t loop;
    struct nodes *nodes;
    uint64_t failed;

    if (argc != 2)
        fail("one folder is to be named");
    setvbuf(stdout, NULL, _IOLBF, 0);
    uv_loop_init(&loop);
    nodes = nodes_new(&loop, argv[1]);
    printf("== Apache Kafka at %s\n", nodes_bootstrap(nodes));
    failed = run_all(&loop, nodes, argv[1]);
    nodes_free(nodes);
    return failed ? 1 : 0;
}
