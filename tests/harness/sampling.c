/* sampling: see sampling.h. */
#include "tests/harness/sampling.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "core/lag.h"
#include "tests/harness/await.h"
#include "tests/harness/cluster.h"
#include "tests/harness/fail.h"

#include <stdlib.h>
#include <string.h>

enum { BROKERS_MOST = 8 };

struct sampling sampling;

static void on_ticked(void *context)
{
    (void)context;
    sampling.ticks++;
}

static void on_closed(void *context)
{
    (void)context;
    sampling.closed = true;
}

static bool is_closed(void *context)
{
    (void)context;
    return sampling.closed;
}

/* Cut in place. */
static size_t split(char *list, char *items[BROKERS_MOST])
{
    size_t count = 0;

    for (char *rest = NULL, *item = strtok_r(list, ",", &rest); item && count < BROKERS_MOST;
         item = strtok_r(NULL, ",", &rest))
        items[count++] = item;
    return count;
}

void sampling_open(const char *bootstrap, char **properties, size_t count)
{
    char *list = xstrdup(bootstrap), *brokers[BROKERS_MOST];
    struct kafka_options kafka = {{brokers, split(list, brokers)}, "sampling", {properties, count}};
    struct option_faults faults = {0};
    const struct sampler_setup setup = {
        .loop = &sampling.loop,
        .kafka = &kafka,
        .interval_ms = SAMPLING_INTERVAL_MS,
        .timeout_ms = SAMPLING_TIMEOUT_MS,
        .unanswered_ms = sampling.unanswered_ms,
        .ticked = on_ticked,
    };

    sampling.bootstrap = xstrdup(bootstrap);
    uv_loop_init(&sampling.loop);
    sampling.sampler = sampler_new(&setup, &faults);
    if (!sampling.sampler)
        fail("%s", faults.items[0]);
    free(list);
}

void sampling_close(void)
{
    sampler_close(sampling.sampler, on_closed, NULL);
    if (!await(&sampling.loop, is_closed, NULL, SAMPLING_PATIENCE_MS))
        fail("the sampler does not close");
    if (!await_close(&sampling.loop))
        fail("the sampler left a handle behind");
    free(sampling.bootstrap);
}

static bool has_ticked(void *context)
{
    return sampling.ticks >= *(unsigned *)context;
}

void sampling_await_ticks(unsigned count)
{
    unsigned until = sampling.ticks + count;

    if (!await(&sampling.loop, has_ticked, &until, SAMPLING_PATIENCE_MS))
        fail("the sampler does not tick");
}

bool sampling_await(bool (*holds)(void *context), void *context)
{
    return await(&sampling.loop, holds, context, SAMPLING_PATIENCE_MS);
}

bool sampling_is_read(void *context)
{
    const struct sampler_interest *interest = context;
    const struct sampler_topic *topic = sampler_next_topic(interest, NULL);

    if (sampler_fault(sampling.sampler) || sampler_group_of(interest)->error || !topic->count)
        return false;
    for (size_t i = 0; i < topic->count; i++)
        if (topic->partitions[i].error)
            return false;
    return true;
}

void sampling_produce(const char *topic, int partitions, int count)
{
    struct cluster *cluster = cluster_new(sampling.bootstrap, "nobody");

    for (int i = 0; i < partitions; i++)
        cluster_write(cluster, topic, i, count);
    cluster_free(cluster);
}

void sampling_commit(const char *group, const char *topic, int partition, int64_t offset)
{
    struct cluster *cluster = cluster_new(sampling.bootstrap, group);

    cluster_commit(cluster, topic, partition, offset);
    cluster_free(cluster);
}

const struct sampler_partition *sampling_partition(const struct sampler_interest *interest,
                                                   size_t number)
{
    const struct sampler_topic *topic = sampler_next_topic(interest, NULL);

    return topic && number < topic->count ? &topic->partitions[number] : NULL;
}

int64_t sampling_lag(const struct sampler_interest *interest, size_t number)
{
    const struct sampler_partition *partition = sampling_partition(interest, number);

    return partition
               ? lag_of(&(struct lag_rule){LAG_NONE_WHOLE_LOG, false, false}, &partition->offsets)
               : LAG_UNKNOWN;
}
