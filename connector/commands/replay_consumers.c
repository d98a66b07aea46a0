/* replay_consumers: see replay_consumers.h. */
#include "commands/replay_consumers.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

void consumers_init(struct consumers *consumers, const struct trace *trace,
                    const struct consumers_rules *rules, int64_t replicas)
{
    size_t partitions = trace->partitions;

    *consumers = (struct consumers){.trace = trace, .rules = *rules, .members = replicas};
    consumers->committed = xcalloc(partitions, sizeof(int64_t));
    consumers->written = xcalloc(partitions, sizeof(int64_t));
    memcpy(consumers->committed, trace->committed, partitions * sizeof(int64_t));
    consumers->ages = xcalloc((size_t)trace->seconds + 1, sizeof(int64_t));
    consumers->late = xcalloc((size_t)(trace->seconds / SLO_WINDOW_S) + 1, sizeof(int64_t));
}

void consumers_release(struct consumers *consumers)
{
    free(consumers->committed);
    free(consumers->written);
    free(consumers->starting);
    free(consumers->ages);
    free(consumers->late);
    *consumers = (struct consumers){0};
}

/* ---- members ---- */

int64_t consumers_replicas(const struct consumers *consumers)
{
    return consumers->members + consumers->starting_count;
}

static void pause_all(struct consumers *consumers, int64_t s)
{
    consumers->paused_until = s + consumers->rules.pause_s;
}

static void start(struct consumers *consumers, int64_t count, int64_t s)
{
    size_t room = (size_t)(consumers->starting_count + count);

    consumers->starting = xrealloc(consumers->starting, room * sizeof(int64_t));
    while (count-- > 0)
        consumers->starting[consumers->starting_count++] = s + consumers->rules.startup_s;
}

/* Those that have not begun yet first: nobody notices. */
static void stop(struct consumers *consumers, int64_t count, int64_t s)
{
    int64_t unstarted = count < consumers->starting_count ? count : consumers->starting_count;

    consumers->starting_count -= unstarted;
    consumers->members -= count - unstarted;
    if (count > unstarted)
        pause_all(consumers, s);
}

void consumers_scale(struct consumers *consumers, int64_t replicas, int64_t s)
{
    int64_t now = consumers_replicas(consumers);

    if (replicas > now)
        start(consumers, replicas - now, s);
    else if (replicas < now)
        stop(consumers, now - replicas, s);
}

static void begin_started(struct consumers *consumers, int64_t s)
{
    int64_t begun = 0;

    while (begun < consumers->starting_count && consumers->starting[begun] <= s)
        begun++;
    if (!begun)
        return;
    consumers->starting_count -= begun;
    memmove(consumers->starting, consumers->starting + begun,
            (size_t)consumers->starting_count * sizeof(int64_t));
    consumers->members += begun;
    pause_all(consumers, s);
}

/* ---- records ---- */

/* Counts so many records that were written in a second and are consumed, or given up, at an age. */
static void count_age(struct consumers *consumers, int64_t written, int64_t age, int64_t records)
{
    if (age > SLO_AGE_S)
        consumers->late[written / SLO_WINDOW_S] += records;
}

static void consume(struct consumers *consumers, size_t p, int64_t records, int64_t s)
{
    const struct trace *trace = consumers->trace;
    int64_t *written = &consumers->written[p];

    while (records > 0) {
        int64_t there, part;

        while (trace_end(trace, p, *written + 1) <= consumers->committed[p])
            ++*written;
        there = trace_end(trace, p, *written + 1) - consumers->committed[p];
        part = there < records ? there : records;
        consumers->ages[s - *written] += part;
        count_age(consumers, *written, s - *written, part);
        consumers->committed[p] += part;
        records -= part;
    }
}

/* What may be consumed of a partition in second s: what was written before it. */
static int64_t waiting(const struct consumers *consumers, size_t p, int64_t s)
{
    const struct trace *trace = consumers->trace;

    if (p == trace->stuck_partition && trace_within(&trace->stuck, s))
        return 0;
    return trace_end(trace, p, s) - consumers->committed[p];
}

/* Member number m of n: rounds over its partitions with an even share for each that has some. */
static void consume_as(struct consumers *consumers, size_t m, size_t n, int64_t s)
{
    size_t partitions = consumers->trace->partitions;
    int64_t left = consumers->rules.rate, with = 1;

    while (left > 0 && with > 0) {
        int64_t share;

        with = 0;
        for (size_t p = m; p < partitions; p += n)
            with += waiting(consumers, p, s) > 0;
        share = with && left >= with ? left / with : 1;
        for (size_t p = m; p < partitions && left > 0; p += n) {
            int64_t there = waiting(consumers, p, s);
            int64_t part = there < share ? there : share;

            part = part < left ? part : left;
            consume(consumers, p, part, s);
            left -= part;
        }
    }
}

void consumers_step(struct consumers *consumers, int64_t s)
{
    size_t members;

    begin_started(consumers, s);
    if (s < consumers->paused_until || trace_within(&consumers->trace->away, s))
        return;
    members = (size_t)consumers->members;
    for (size_t m = 0; m < members && m < consumers->trace->partitions; m++)
        consume_as(consumers, m, members, s);
}

int64_t consumers_lag(const struct consumers *consumers, int64_t s)
{
    int64_t lag = 0;

    for (size_t p = 0; p < consumers->trace->partitions; p++)
        lag += trace_end(consumers->trace, p, s) - consumers->committed[p];
    return lag;
}

/* ---- the end ---- */

void consumers_close(struct consumers *consumers)
{
    const struct trace *trace = consumers->trace;

    for (size_t p = 0; p < trace->partitions; p++) {
        int64_t from = consumers->committed[p];

        for (int64_t s = consumers->written[p]; s < trace->seconds; s++) {
            int64_t end = trace_end(trace, p, s + 1);

            if (end > from)
                count_age(consumers, s, trace->seconds - s, end - from);
            from = end > from ? end : from;
        }
    }
}

int64_t consumers_age(const struct consumers *consumers, double part)
{
    int64_t all = 0, sum = 0, age = 0;

    for (int64_t s = 0; s <= consumers->trace->seconds; s++)
        all += consumers->ages[s];
    for (int64_t s = 0; s <= consumers->trace->seconds && (double)sum < part * (double)all; s++) {
        sum += consumers->ages[s];
        age = s;
    }
    return age;
}

static int64_t written_between(const struct trace *trace, int64_t from, int64_t until)
{
    int64_t records = 0;

    for (size_t p = 0; p < trace->partitions; p++)
        records += trace_end(trace, p, until) - trace_end(trace, p, from);
    return records;
}

int64_t consumers_late(const struct consumers *consumers)
{
    int64_t late = 0;

    for (int64_t w = 0; w <= consumers->trace->seconds / SLO_WINDOW_S; w++)
        late += consumers->late[w];
    return late;
}

int64_t consumers_breaches(const struct consumers *consumers)
{
    const struct trace *trace = consumers->trace;
    int64_t breaches = 0;

    for (int64_t from = 0; from < trace->seconds; from += SLO_WINDOW_S) {
        int64_t until = from + SLO_WINDOW_S < trace->seconds ? from + SLO_WINDOW_S : trace->seconds;

        breaches += consumers->late[from / SLO_WINDOW_S] * 20 > written_between(trace, from, until);
    }
    return breaches;
}
