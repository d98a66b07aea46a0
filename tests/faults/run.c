/* run: see run.h. */
#include "tests/faults/run.h"

#include "base/xalloc.h"
#include "tests/faults/clock.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    LOOK_US = 200 * 1000,
    FAULTS_END_MS = 240 * 1000,  /* beyond the time that records are produced */
    STUCK_US = 60 * 1000 * 1000, /* so long nothing may happen before it counts as stuck */
    SETTLED_MS = 600 * 1000,
    PEAK_KIB_MOST = 40 * 1024, /* records may take 8 MiB of it */
};

/* ---- the start ---- */

static uint32_t records_of(const struct plan *plan)
{
    return (uint32_t)(plan->rate * plan->seconds);
}

static void start(struct run *run)
{
    const char *bootstrap = nodes_bootstrap(run->nodes);
    uint32_t room = 2 * records_of(&run->plan);

    admin_init(&run->admin, bootstrap, run->topic, &run->plan);
    run->commits = (struct commits){.bootstrap = bootstrap, .group = run->topic};
    job_do(run->loop, admin_create, &run->admin);
    job_do(run->loop, commits_begin, &run->commits);
    calls_init(&run->calls, run->loop, &run->plan, run->topic, room);
    run->members = (struct members){.loop = run->loop,
                                    .plan = &run->plan,
                                    .bootstrap = bootstrap,
                                    .gateway_url = faas_gateway_url(run->calls.gateway),
                                    .group = run->topic};
    for (int i = 0; i < run->plan.connectors; i++)
        run->slots[i].member = members_start(&run->members, i);
    members_await_assigned(&run->members);
    job_do(run->loop, admin_await_begun, &run->admin);
    for (size_t i = 0; i < run->plan.fault_count; i++)
        run->faults[i].plan = run->plan.faults[i];
    writer_init(&run->writer, &run->plan, bootstrap, run->topic, room);
    writer_start(&run->writer, 0, records_of(&run->plan));
    run->began_us = clock_us();
}

/* ---- whether all is there ---- */

uint32_t run_undelivered(struct run *run)
{
    uint8_t *owed = judge_owed(&run->plan, &run->writer, &run->admin);
    uint8_t all = (uint8_t)((1u << run->plan.functions) - 1);
    uint32_t missing = 0;

    for (uint32_t i = 0; i < run->writer.count; i++)
        missing += owed[i] && (run->calls.answered[i] & all) != all;
    free(owed);
    return missing;
}

bool run_is_settled(struct run *run)
{
    if (run->asking.running || clock_us() - run->asked_us < LOOK_US)
        return false;
    run->asked_us = clock_us();
    if (run_undelivered(run))
        return false;
    if (run->admin.all_committed) {
        run->admin.all_committed = false; /* the next time it is asked anew */
        return true;
    }
    job_start(&run->asking, run->loop, admin_read_committed, &run->admin);
    return false;
}

/* ---- its course ---- */

static bool is_over(void *context)
{
    struct run *run = context;

    if (clock_us() - run->looked_us >= LOOK_US) {
        run->looked_us = clock_us();
        members_look(&run->members);
    }
    faults_step(run);
    return faults_are_over(run) && writer_is_over(&run->writer);
}

struct settling {
    struct run *run;
    size_t done;      /* calls, when it was looked the last time */
    int64_t moved_us; /* when there were more */
    bool settled;
};

static bool is_settled_or_stuck(void *context)
{
    struct settling *settling = context;
    struct run *run = settling->run;

    members_look(&run->members);
    if (run->calls.done != settling->done) {
        settling->done = run->calls.done;
        settling->moved_us = clock_us();
    }
    settling->settled = run_is_settled(run);
    return settling->settled || clock_us() - settling->moved_us > STUCK_US;
}

static void settle(struct run *run)
{
    struct settling settling = {.run = run, .moved_us = clock_us()};

    await(run->loop, is_settled_or_stuck, &settling, SETTLED_MS);
    job_wait(&run->asking);
    if (!settling.settled)
        run->failure =
            xasprintf("stuck: %" PRIu32 " records are not delivered%s", run_undelivered(run),
                      run_undelivered(run) ? "" : ", but not all is committed");
}

static void go(struct run *run)
{
    if (!await(run->loop, is_over, run, run->plan.seconds * INT64_C(1000) + FAULTS_END_MS))
        fail("the faults do not end");
    writer_join(&run->writer);
    if (run->writer.trouble)
        printf("the writer ended early: %s\n", run->writer.trouble);
    settle(run);
    if (!members_stop(&run->members) && !run->failure)
        run->failure = xstrdup("a connector does not end");
    members_look(&run->members);
    if (!run->failure)
        run->failure = members_complaint(&run->members);
    job_do(run->loop, admin_read_lows, &run->admin);
    job_do(run->loop, commits_read, &run->commits);
}

static void end(struct run *run)
{
    job_do(run->loop, admin_await_health, &run->admin);
    job_do(run->loop, admin_delete, &run->admin);
    admin_release(&run->admin);
    commits_release(&run->commits);
    members_release(&run->members);
    calls_release(&run->calls);
    writer_release(&run->writer);
    free(run->failure);
}

/* ---- what is told ---- */

static void copy(const char *from, const char *to)
{
    char buffer[64 * 1024];
    FILE *source = fopen(from, "r"), *target = fopen(to, "w");
    size_t size;

    if (!source || !target)
        fail("cannot copy %s to %s", from, to);
    while ((size = fread(buffer, 1, sizeof(buffer), source)) > 0)
        fwrite(buffer, 1, size, target);
    fclose(source);
    fclose(target);
}

static void keep_calls(const struct run *run, const char *folder)
{
    char *path = xasprintf("%s/calls", folder);
    FILE *file = fopen(path, "w");

    if (!file)
        fail("cannot write %s", path);
    fprintf(file,
            "# s arrived, s ended, member, function, partition, offset, record, key, status\n");
    for (size_t i = 0; i < run->calls.count; i++) {
        const struct call *call = &run->calls.list[i];
        int key = call->record < run->writer.count ? run->writer.records[call->record].key : -2;

        fprintf(file, "%.6f %.6f m%d f%d p%d o%" PRId64 " r%u k%d %d%s\n",
                (double)(call->arrived_us - run->began_us) / 1e6,
                call->ended_us ? (double)(call->ended_us - run->began_us) / 1e6 : -1.0,
                call->member, call->function, (int)call->partition, call->offset, call->record, key,
                call->status, call->ran ? " ran" : "");
    }
    fclose(file);
    free(path);
}

static void keep_commits(const struct run *run, const char *folder)
{
    char *path = xasprintf("%s/commits", folder);
    FILE *file = fopen(path, "w");

    if (!file)
        fail("cannot write %s", path);
    for (int p = 0; p < PARTITIONS_MOST; p++)
        for (size_t i = 0; i < run->commits.partition[p].count; i++) {
            const struct commit *commit = &run->commits.partition[p].list[i];

            fprintf(file, "%.3f p%d %" PRId64 " %s\n",
                    (double)(commit->at_us - run->began_us) / 1e6, p, commit->offset,
                    commit->metadata);
        }
    fclose(file);
    free(path);
}

static void keep_faults(const struct run *run, FILE *file)
{
    static const char *const names[] = {"killed", "SIGTERM", "frozen", "lost its assignment"};

    for (size_t i = 0; i < run->evidence.broker_count; i++)
        fprintf(file, "brokers in trouble %.3f .. %.3f\n",
                (double)(run->evidence.brokers[i].from_us - run->began_us) / 1e6,
                (double)(run->evidence.brokers[i].until_us - run->began_us) / 1e6);
    for (int i = 0; i < run->members.count; i++)
        for (size_t k = 0; k < run->members.one[i]->happening_count; k++) {
            const struct happening *it = &run->members.one[i]->happenings[k];

            fprintf(file, "connector-%d %s %.3f .. %.3f\n", i, names[it->event],
                    (double)(it->from_us - run->began_us) / 1e6,
                    (double)(it->until_us - run->began_us) / 1e6);
        }
}

static void keep(const struct run *run, const char *report)
{
    char *folder = xasprintf("%s/seed-%" PRIu64, run->folder, run->plan.seed), *path;
    FILE *file;

    if (mkdir(folder, 0755) && errno != EEXIST)
        fail("cannot make %s", folder);
    members_keep(&run->members, folder);
    keep_calls(run, folder);
    keep_commits(run, folder);
    for (int i = 0; i < NODES; i++) {
        path = xasprintf("%s/broker-%d.log", folder, i + 1);
        copy(nodes_log(run->nodes, i), path);
        free(path);
    }
    path = xasprintf("%s/report", folder);
    file = fopen(path, "w");
    if (!file)
        fail("cannot write %s", path);
    fprintf(file, "%s%s%s", run->failure ? run->failure : "", run->failure ? "\n" : "", report);
    keep_faults(run, file);
    fclose(file);
    printf("%s%s%s  logs in %s\n", run->failure ? run->failure : "", run->failure ? "\n" : "",
           report, folder);
    free(path);
    free(folder);
}

struct outcome run_plan(uv_loop_t *loop, struct nodes *nodes, const char *folder,
                        const struct plan *plan)
{
    struct run *run = xcalloc(1, sizeof(*run));
    struct outcome outcome;

    run->loop = loop;
    run->nodes = nodes;
    run->folder = folder;
    run->plan = *plan;
    snprintf(run->topic, sizeof(run->topic), "faults-%" PRIu64 "-%" PRIx64, plan->seed,
             uv_hrtime() / 1000000);
    start(run);
    go(run);
    outcome = (struct outcome){
        .verdict = judge(&run->plan, &run->writer, &run->calls, &run->members, &run->admin,
                         &run->commits, &run->evidence),
        .records = run->writer.count,
        .calls = run->calls.count,
        .peak_kib = members_peak_kib(&run->members),
    };
    if (!run->failure && outcome.peak_kib > PEAK_KIB_MOST && !getenv("SANITIZE"))
        run->failure = xasprintf("a connector took %ld KiB of memory", outcome.peak_kib);
    outcome.good = !run->failure && verdict_is_good(&outcome.verdict);
    if (!outcome.good || getenv("KEEP"))
        keep(run, outcome.verdict.report);
    outcome.seconds = (double)(clock_us() - run->began_us) / 1e6;
    end(run);
    free(outcome.verdict.report);
    outcome.verdict.report = NULL;
    free(run);
    return outcome;
}
