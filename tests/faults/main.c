/*
 * faults: runs the shipped connector on a Kafka of three brokers while connectors, brokers, the
 * gateway and the topic fail in ways and at times that a seed draws, and judges each run: nothing
 * lost, order kept, nothing repeated without need.
 *
 *     faults FOLDER         data, and what is kept of runs that failed, lies in it
 *     faults sampler FOLDER the sampler alone instead, for SAMPLER_SECONDS (sampler_faults.h)
 *
 * Environment: SEED the first run's, the next have the ones behind it (default: the clock's); RUNS
 * how many; SECONDS_A_RUN how long records are written in each; FAULT a kind, to draw no other;
 * KEEP keeps the logs of runs that went well too.
 *
 * A run in which the suite itself cannot go on (fail.h) has failed; those behind it have a cluster
 * of their own.
 */
#include "base/xalloc.h"
#include "tests/faults/run.h"
#include "tests/faults/sampler_faults.h"
#include "tests/harness/fail.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

/* ---- series ---- */

/* What is to be run, and how much of it was. */
struct series {
    const char *folder;
    uint64_t seed, end; /* the next one's; behind the last */
    int seconds, kind;  /* kind -1: any */
    unsigned clusters;
    struct totals totals;
};

static struct series series_of(const char *folder)
{
    uint64_t seed = number_of("SEED", (uint64_t)time(NULL));

    return (struct series){.folder = folder,
                           .seed = seed,
                           .end = seed + number_of("RUNS", 6),
                           .seconds = (int)number_of("SECONDS_A_RUN", 10),
                           .kind = kind_of(getenv("FAULT"))};
}

/* Writes the totals of each run into the pipe. */
static void run_on_one_cluster(const struct series *series, int pipe)
{
    char *folder = xasprintf("%s/cluster-%u", series->folder, series->clusters);
    struct nodes *nodes;
    uv_loop_t loop;

    if (mkdir(folder, 0755))
        fail("cannot make %s", folder);
    uv_loop_init(&loop);
    nodes = nodes_new(&loop, folder);
    printf("== Apache Kafka at %s\n", nodes_bootstrap(nodes));
    for (uint64_t seed = series->seed; seed < series->end; seed++) {
        struct plan plan = plan_draw(seed, series->seconds, series->kind);
        struct outcome outcome = run_plan(&loop, nodes, series->folder, &plan);
        struct totals totals = {0};

        print_line(&plan, &outcome);
        add(&totals, &outcome);
        if (write(pipe, &totals, sizeof(totals)) != (ssize_t)sizeof(totals))
            fail("nobody reads the totals");
    }
    nodes_free(nodes);
    free(folder);
}

/* In a process of its own, which ends at once when what it stands on does not hold (fail.h). */
static pid_t start_cluster(const struct series *series, int pipes[2])
{
    pid_t parent = getpid(), pid;

    if (pipe(pipes))
        fail("no pipe");
    fflush(stdout);
    pid = fork();
    if (pid < 0)
        fail("no process");
    if (pid == 0) {
        close(pipes[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            run_on_one_cluster(series, pipes[1]);
        exit(0);
    }
    close(pipes[1]);
    return pid;
}

static void sum_up(struct totals *totals, const struct totals *more)
{
    totals->runs += more->runs;
    totals->failed += more->failed;
    totals->unexplained += more->unexplained;
    for (int i = 0; i < CAUSES; i++)
        totals->repeated_by[i] += more->repeated_by[i];
}

/* A run that ended its process has failed, and the next ones have another. */
static void note_end(struct series *series, int status)
{
    bool all = series->seed == series->end;

    if (all && WIFEXITED(status) && !WEXITSTATUS(status))
        return;
    printf("%-12" PRIu64 " FAILED: the suite itself ended by %s%s, see above\n",
           all ? series->seed - 1 : series->seed,
           WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "an exit", all ? " behind it" : "");
    series->totals.failed++;
    series->totals.runs += !all;
    series->seed += !all;
}

static void run_some(struct series *series)
{
    struct totals totals;
    int pipes[2], status;
    pid_t pid;

    series->clusters++;
    pid = start_cluster(series, pipes);
    while (read(pipes[0], &totals, sizeof(totals)) == (ssize_t)sizeof(totals)) {
        sum_up(&series->totals, &totals);
        series->seed++;
    }
    close(pipes[0]);
    if (waitpid(pid, &status, 0) != pid)
        fail("a process is nowhere");
    note_end(series, status);
}

int main(int argc, char **argv)
{
    struct series series;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 3 && strcmp(argv[1], "sampler") == 0)
        return !sampler_faults(argv[2], number_of("SEED", (uint64_t)time(NULL)),
                               (int)number_of("SAMPLER_SECONDS", 40));
    if (argc != 2)
        fail("one folder is to be named");
    series = series_of(argv[1]);
    print_head();
    while (series.seed < series.end)
        run_some(&series);
    print_totals(&series.totals);
    return series.totals.failed ? 1 : 0;
}
