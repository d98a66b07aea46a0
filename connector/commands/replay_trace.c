/* replay_trace: see replay_trace.h; the built-in traces. */
#include "commands/replay_trace.h"

#include "base/xalloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR = 3600, SECONDS = 6 * HOUR, FAULT_AT = 2 * HOUR, STUCK_PARTITION = 3, NOISE_S = 10 };

/* ---- records a second ---- */

static double steady(int64_t s)
{
    (void)s;
    return 300;
}

static double spikes(int64_t s)
{
    return s >= 600 && s % 600 < 30 ? 3000 : 300;
}

static double bursts(int64_t s)
{
    int64_t in_hour = s % HOUR - HOUR / 2;

    return in_hour >= 0 && in_hour < 300 ? 2000 : 300;
}

static double wave(int64_t s)
{
    return 1550 - 1450 * cos(2 * M_PI * (double)s / (2 * HOUR));
}

static double ramp(int64_t s)
{
    return 100 + 3900 * (1 - fabs((double)s * 2 / SECONDS - 1));
}

static double few(int64_t s)
{
    (void)s;
    return 200;
}

/* A number in [0, 1) for each n (SplitMix64, Steele et al. 2014). */
static double random_of(uint64_t n)
{
    uint64_t z = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ z >> 31) >> 11) / (double)(UINT64_C(1) << 53);
}

/* Another rate every ten seconds: 350 x e^N(0, 1), by Box and Muller. */
static double noisy(int64_t s)
{
    uint64_t draw = (uint64_t)(s / NOISE_S) * 2;
    double radius = sqrt(-2 * log(1 - random_of(draw)));

    return 350 * exp(radius * cos(2 * M_PI * random_of(draw + 1)));
}

static const struct built_in {
    const char *name;
    double (*rate)(int64_t s);
    int64_t waiting;     /* when it begins */
    int64_t stuck, away; /* for so many seconds from FAULT_AT */
} built_in[] = {
    {"steady", steady, 0, 0, 0},   {"spikes", spikes, 0, 0, 0},   {"bursts", bursts, 0, 0, 0},
    {"wave", wave, 0, 0, 0},       {"ramp", ramp, 0, 0, 0},       {"noisy", noisy, 0, 0, 0},
    {"stuck", steady, 0, 1200, 0}, {"drain", few, 1000000, 0, 0}, {"outage", steady, 0, 0, 600},
};

enum { BUILT_IN = sizeof(built_in) / sizeof(*built_in) };

const char *trace_name(size_t index)
{
    return index < BUILT_IN ? built_in[index].name : NULL;
}

/* ---- a trace ---- */

void trace_init(struct trace *trace, const char *name, size_t partitions, int64_t seconds)
{
    *trace = (struct trace){.name = xstrdup(name), .seconds = seconds, .partitions = partitions};
    trace->numbers = xcalloc(partitions, sizeof(*trace->numbers));
    trace->ends = xcalloc(partitions * (size_t)(seconds + 1), sizeof(*trace->ends));
    trace->committed = xcalloc(partitions, sizeof(*trace->committed));
    for (size_t p = 0; p < partitions; p++)
        trace->numbers[p] = (int32_t)p;
}

void trace_release(struct trace *trace)
{
    free(trace->name);
    free(trace->numbers);
    free(trace->ends);
    free(trace->committed);
    *trace = (struct trace){0};
}

/* Record number n goes to partition n modulo their number. */
static void spread(struct trace *trace, int64_t s, int64_t records)
{
    int64_t partitions = (int64_t)trace->partitions;

    for (int64_t p = 0; p < partitions; p++)
        trace->ends[p * (trace->seconds + 1) + s] = (records + partitions - 1 - p) / partitions;
}

bool trace_build(const char *name, size_t partitions, struct trace *trace)
{
    const struct built_in *it = built_in;
    double records;

    while (it < built_in + BUILT_IN && strcmp(it->name, name) != 0)
        it++;
    if (it == built_in + BUILT_IN)
        return false;
    trace_init(trace, name, partitions, SECONDS);
    records = (double)it->waiting;
    for (int64_t s = 0; s <= SECONDS; s++) {
        spread(trace, s, (int64_t)records);
        records += it->rate(s);
    }
    trace->stuck = (struct trace_span){FAULT_AT, FAULT_AT + it->stuck};
    trace->stuck_partition = STUCK_PARTITION % partitions;
    trace->away = (struct trace_span){FAULT_AT, FAULT_AT + it->away};
    return true;
}

int64_t trace_visible_end(const struct trace *trace, size_t partition, int64_t s)
{
    if (trace_within(&trace->away, s))
        s = trace->away.from_s;
    return trace_end(trace, partition, s < 0 ? 0 : s);
}
