/* replay: see replay.h. */
#include "commands/replay.h"

#include "base/xalloc.h"
#include "commands/replay_plot.h"
#include "commands/replay_report.h"
#include "commands/replay_run.h"
#include "commands/replay_trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { QUICK_MS = 500 }; /* what takes no longer needs no progress */

struct how {
    struct option_list traces;
    char *file;
    bool json;
    char *plot;
    int64_t partitions, rate, startup_ms, pause_ms, min, max;
};

static struct {
    struct scale_policy policy;
    struct how how;
} replay;

/* ---- options ---- */

#define FIELD(name) offsetof(struct how, name)

static const struct option_row rows[] = {
    {.name = "trace",
     .type = OPTION_LIST,
     .offset = FIELD(traces),
     .value_name = "NAME,...",
     .text = "Built-in traces: steady, spikes, bursts, wave, ramp, noisy, stuck, drain, outage. "
             "Unset: all.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "file",
     .type = OPTION_PATH,
     .offset = FIELD(file),
     .value_name = "FILE.csv",
     .text = "A trace of your own: lines of time (seconds), partition, committed, end.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "json",
     .type = OPTION_BOOL,
     .offset = FIELD(json),
     .text = "JSON instead of the table, with each change of the verdict and its reason.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "plot",
     .type = OPTION_STRING,
     .offset = FIELD(plot),
     .value_name = "FILE.svg",
     .text = "Draw lag, replicas and verdicts over time into this file.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "partitions",
     .type = OPTION_INT,
     .offset = FIELD(partitions),
     .default_text = "12",
     .min = 1,
     .max = 1000,
     .text = "Partitions of a built-in trace.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "replica_rate",
     .type = OPTION_INT,
     .offset = FIELD(rate),
     .default_text = "400",
     .min = 1,
     .max = 1000000000,
     .text = "Records a second that one replica consumes.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "startup",
     .type = OPTION_DURATION,
     .offset = FIELD(startup_ms),
     .default_text = "20s",
     .text = "What a replica takes to start.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "rebalance",
     .type = OPTION_DURATION,
     .offset = FIELD(pause_ms),
     .default_text = "3s",
     .text = "How long all replicas pause when one joins or leaves.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "min_replicas",
     .type = OPTION_INT,
     .offset = FIELD(min),
     .default_text = "1",
     .max = 100000,
     .text = "The ScaledObject's minReplicaCount.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "max_replicas",
     .type = OPTION_INT,
     .offset = FIELD(max),
     .default_text = "12",
     .min = 1,
     .max = 100000,
     .text = "The ScaledObject's maxReplicaCount.",
     .flags = OPTION_FLAG_ONLY},
};

static const struct option_table replay_table = {"Replay", rows, sizeof(rows) / sizeof(*rows)};

static const struct option_group groups[] = {
    {&replay_table, &replay.how},
    {&scale_policy_table, &replay.policy},
};

const struct option_group *replay_options(size_t *count)
{
    *count = sizeof(groups) / sizeof(*groups);
    return groups;
}

static bool is_trace(const char *name)
{
    for (size_t i = 0; trace_name(i); i++)
        if (strcmp(trace_name(i), name) == 0)
            return true;
    return false;
}

void replay_check(struct option_faults *faults)
{
    for (size_t i = 0; i < replay.how.traces.count; i++)
        if (!is_trace(replay.how.traces.items[i]))
            option_fault(faults, "trace: \"%s\" is no built-in trace; see replay --help",
                         replay.how.traces.items[i]);
    if (replay.how.file && replay.how.traces.count)
        option_fault(faults, "file: cannot be given together with trace");
    if (replay.how.min > replay.how.max)
        option_fault(faults, "min_replicas: is more than max_replicas");
    scale_policy_settle(&replay.policy, true, faults);
}

/* ---- progress ---- */

struct progress {
    struct timespec began;
    bool shown;
    const char *trace;
    enum replay_policy policy;
    int64_t seconds;
};

static int64_t ms_since(const struct timespec *began)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - began->tv_sec) * 1000 + (now.tv_nsec - began->tv_nsec) / 1000000;
}

static void show_progress(void *context, int64_t s)
{
    struct progress *progress = context;

    if (!isatty(STDERR_FILENO) || ms_since(&progress->began) < QUICK_MS)
        return;
    progress->shown = true;
    fprintf(stderr, "\r\33[K%s, %s: %d%%", progress->trace, replay_policy_name(progress->policy),
            (int)(100 * s / progress->seconds));
}

static void end_progress(const struct progress *progress)
{
    if (progress->shown)
        fputs("\r\33[K", stderr);
}

/* ---- the command ---- */

/* The same, with no time in it: KEDA's arithmetic. */
static struct scale_policy static_policy(const struct scale_policy *policy)
{
    struct scale_policy without_time = *policy;

    without_time.sustain_ms = without_time.up_ms = without_time.down_ms = 0;
    return without_time;
}

static struct replay_pair play(const struct trace *trace, struct progress *progress)
{
    const struct scale_policy policies[REPLAY_POLICIES] = {
        [REPLAY_STATIC] = static_policy(&replay.policy),
        [REPLAY_PERSISTENT] = replay.policy,
    };
    struct replay_rules rules = {
        .consumers = {replay.how.rate, replay.how.startup_ms / 1000, replay.how.pause_ms / 1000},
        .bounds = {replay.how.min, replay.how.max},
    };
    struct replay_pair pair = {.name = xstrdup(trace->name)};

    progress->trace = trace->name;
    progress->seconds = trace->seconds;
    for (int policy = 0; policy < REPLAY_POLICIES; policy++) {
        progress->policy = policy;
        pair.results[policy] =
            replay_run(trace, &policies[policy], &rules, show_progress, progress);
    }
    return pair;
}

/* The traces that were asked for, each played. */
struct pairs {
    struct replay_pair *items;
    size_t count;
};

static void play_trace(struct pairs *pairs, struct trace *trace, struct progress *progress)
{
    pairs->items = xrealloc(pairs->items, (pairs->count + 1) * sizeof(*pairs->items));
    pairs->items[pairs->count++] = play(trace, progress);
    trace_release(trace);
}

static void play_built_in(struct pairs *pairs, const char *name, struct progress *progress)
{
    struct trace trace;

    if (trace_build(name, (size_t)replay.how.partitions, &trace))
        play_trace(pairs, &trace, progress);
}

static void play_all(struct pairs *pairs, struct option_faults *faults, struct progress *progress)
{
    const struct option_list *wanted = &replay.how.traces;
    struct trace trace;

    if (replay.how.file) {
        if (trace_read(replay.how.file, &trace, faults))
            play_trace(pairs, &trace, progress);
        return;
    }
    for (size_t i = 0; i < wanted->count; i++)
        play_built_in(pairs, wanted->items[i], progress);
    for (size_t i = 0; !wanted->count && trace_name(i); i++)
        play_built_in(pairs, trace_name(i), progress);
}

static void draw(const struct pairs *pairs, struct option_faults *faults)
{
    FILE *file = fopen(replay.how.plot, "we");

    if (file)
        replay_plot(pairs->items, pairs->count, file);
    if (!file || fclose(file) != 0)
        option_fault(faults, "plot: \"%s\" cannot be written: %s", replay.how.plot,
                     strerror(errno));
}

static void release(struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        for (int policy = 0; policy < REPLAY_POLICIES; policy++)
            replay_result_release(&pairs->items[i].results[policy]);
        free(pairs->items[i].name);
    }
    free(pairs->items);
}

int replay_command(struct option_faults *faults)
{
    struct pairs pairs = {NULL, 0};
    struct progress progress = {.shown = false};

    clock_gettime(CLOCK_MONOTONIC, &progress.began);
    play_all(&pairs, faults, &progress);
    end_progress(&progress);
    if (replay.how.plot && pairs.count)
        draw(&pairs, faults);
    if (pairs.count && replay.how.json)
        replay_print_json(pairs.items, pairs.count, stdout);
    else if (pairs.count)
        replay_print_table(pairs.items, pairs.count, stdout);
    release(&pairs);
    return EXIT_SUCCESS;
}
