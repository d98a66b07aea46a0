/* sampler_judge: see sampler_judge.h. */
#include "tests/harness/sampler_judge.h"

#include "base/xalloc.h"
#include "core/lag.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_MS = 60 * 1000, TIMEOUT_MS = 3000, TICKS_TO_RECOVER = 2, BROKERS_MOST = 8 };

/* What was last told of a partition, for a group; or what is to be reached. */
struct pair {
    int64_t committed, end;
};

struct sampler_judge {
    uv_loop_t *loop;
    struct sampler *sampler;
    struct traffic *traffic;
    struct sampler_interest *interests[TRAFFIC_GROUPS];
    struct pair told[TRAFFIC_GROUPS][TRAFFIC_PARTITIONS];
    char *verdict;
    struct sampler_judge_counts counts;
    int64_t back_ms; /* of the wall clock; 0: the cluster is not */
    unsigned since;  /* ticks that began after */
    bool reached;    /* all that was acknowledged by then */
    struct pair goal[TRAFFIC_GROUPS][TRAFFIC_PARTITIONS];
    bool closed;
};

__attribute__((format(printf, 2, 3))) static void blame(struct sampler_judge *judge,
                                                        const char *format, ...)
{
    va_list args;

    if (judge->verdict)
        return; /* the first says most */
    va_start(args, format);
    judge->verdict = xvasprintf(format, args);
    va_end(args);
}

/* ---- at each tick ---- */

static const struct sampler_partition *partition_of(const struct sampler_judge *judge, int group,
                                                    int partition)
{
    const struct sampler_topic *topic = sampler_next_topic(judge->interests[group], NULL);

    return topic && (size_t)partition < topic->count ? &topic->partitions[partition] : NULL;
}

static void judge_number(struct sampler_judge *judge, const char *what, int64_t now, int64_t before,
                         int64_t most)
{
    if (now > most)
        blame(judge, "tick %u: %s of %lld, when no more than %lld was attempted",
              judge->counts.ticks, what, (long long)now, (long long)most);
    if (now < before)
        blame(judge, "tick %u: %s of %lld fell from %lld", judge->counts.ticks, what,
              (long long)now, (long long)before);
}

static void judge_partition(struct sampler_judge *judge, int group, int i)
{
    const struct sampler_partition *it = partition_of(judge, group, i);
    struct pair *told = &judge->told[group][i];
    static const struct lag_rule rule = {.none = LAG_NONE_WHOLE_LOG};

    if (!it || it->read_ms < 0)
        return;
    judge_number(judge, "an end", it->offsets.end, told->end, traffic_end(judge->traffic, i).most);
    judge_number(judge, "a commit", it->offsets.committed, told->committed,
                 traffic_committed(judge->traffic, group, i).most);
    if (lag_of(&rule, &it->offsets) == 0)
        blame(judge, "tick %u: nothing waits, of %lld and %lld", judge->counts.ticks,
              (long long)it->offsets.committed, (long long)it->offsets.end);
    if (!it->error != (it->read_ms == sampler_ticked_ms(judge->sampler)))
        blame(judge, "tick %u: read, and \"%s\"", judge->counts.ticks, it->error);
    *told = (struct pair){it->offsets.committed, it->offsets.end};
}

static const char *trouble_of(const struct sampler_judge *judge, int group, int partition)
{
    const struct sampler_partition *it = partition_of(judge, group, partition);

    if (sampler_fault(judge->sampler))
        return sampler_fault(judge->sampler);
    return it ? it->error : "it is not known";
}

/* Why not all is read, or less than is to be; NULL: it is. */
static const char *first_trouble(const struct sampler_judge *judge)
{
    for (int g = 0; g < TRAFFIC_GROUPS; g++)
        for (int i = 0; i < TRAFFIC_PARTITIONS; i++) {
            const char *trouble = trouble_of(judge, g, i);

            if (trouble)
                return trouble;
            if (judge->back_ms && (judge->told[g][i].end < judge->goal[g][i].end ||
                                   judge->told[g][i].committed < judge->goal[g][i].committed))
                return "less was read than had been acknowledged";
        }
    return NULL;
}

static void note_recovery(struct sampler_judge *judge, const char *trouble)
{
    judge->since++;
    if (!trouble) {
        judge->reached = true;
        judge->counts.recoveries++;
        judge->counts.at_first += judge->since == 1;
    } else if (judge->since >= TICKS_TO_RECOVER) {
        blame(judge, "tick %u, the %u. after the cluster was back: %s", judge->counts.ticks,
              judge->since, trouble);
    }
}

static void on_ticked(void *context)
{
    struct sampler_judge *judge = context;
    const char *trouble;

    judge->counts.ticks++;
    for (int g = 0; g < TRAFFIC_GROUPS; g++)
        for (int i = 0; i < TRAFFIC_PARTITIONS; i++)
            judge_partition(judge, g, i);
    trouble = first_trouble(judge);
    judge->counts.good += !trouble;
    if (judge->back_ms && !judge->reached && sampler_ticked_ms(judge->sampler) >= judge->back_ms)
        note_recovery(judge, trouble);
}

/* ---- recovery ---- */

static bool is_judged(void *context)
{
    const struct sampler_judge *judge = context;

    return judge->reached || judge->verdict;
}

static int64_t wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sampler_judge_recovers(struct sampler_judge *judge)
{
    for (int g = 0; g < TRAFFIC_GROUPS; g++)
        for (int i = 0; i < TRAFFIC_PARTITIONS; i++)
            judge->goal[g][i] = (struct pair){traffic_committed(judge->traffic, g, i).least,
                                              traffic_end(judge->traffic, i).least};
    judge->back_ms = wall_ms();
    judge->since = 0;
    judge->reached = false;
    if (!await(judge->loop, is_judged, judge, PATIENCE_MS))
        blame(judge, "no tick ends");
    judge->back_ms = 0;
}

const char *sampler_judge_verdict(const struct sampler_judge *judge)
{
    return judge->verdict;
}

struct sampler_judge_counts sampler_judge_counts(const struct sampler_judge *judge)
{
    return judge->counts;
}

/* ---- beginning and end ---- */

/* Cut in place. */
static size_t split(char *list, char *items[BROKERS_MOST])
{
    size_t count = 0;

    for (char *rest = NULL, *item = strtok_r(list, ",", &rest); item && count < BROKERS_MOST;
         item = strtok_r(NULL, ",", &rest))
        items[count++] = item;
    return count;
}

static void open_sampler(struct sampler_judge *judge, const char *bootstrap, int64_t interval_ms)
{
    char *list = xstrdup(bootstrap), *brokers[BROKERS_MOST];
    struct kafka_options kafka = {{brokers, split(list, brokers)}, "judged", {NULL, 0}};
    struct option_faults faults = {0};
    const struct sampler_setup setup = {
        .loop = judge->loop,
        .kafka = &kafka,
        .interval_ms = interval_ms,
        .timeout_ms = TIMEOUT_MS,
        .ticked = on_ticked,
        .context = judge,
    };

    judge->sampler = sampler_new(&setup, &faults);
    if (!judge->sampler)
        fail("%s", faults.items[0]);
    free(list);
}

static bool has_ticked(void *context)
{
    return ((struct sampler_judge *)context)->counts.ticks > 0;
}

struct sampler_judge *sampler_judge_new(uv_loop_t *loop, const char *bootstrap, const char *topic,
                                        struct traffic *traffic, int64_t interval_ms)
{
    struct sampler_judge *judge = xcalloc(1, sizeof(*judge));

    judge->loop = loop;
    judge->traffic = traffic;
    open_sampler(judge, bootstrap, interval_ms);
    for (int g = 0; g < TRAFFIC_GROUPS; g++)
        judge->interests[g] = sampler_ask(judge->sampler, traffic_group(traffic, g), topic, 30);
    if (!await(loop, has_ticked, judge, PATIENCE_MS))
        fail("the sampler does not tick");
    return judge;
}

static void on_closed(void *context)
{
    ((struct sampler_judge *)context)->closed = true;
}

static bool is_closed(void *context)
{
    return ((struct sampler_judge *)context)->closed;
}

void sampler_judge_free(struct sampler_judge *judge)
{
    for (int g = 0; g < TRAFFIC_GROUPS; g++)
        sampler_drop(judge->interests[g]);
    sampler_close(judge->sampler, on_closed, judge);
    if (!await(judge->loop, is_closed, judge, PATIENCE_MS))
        fail("the sampler does not close");
    free(judge->verdict);
    free(judge);
}
