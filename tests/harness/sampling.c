/* sampling: see sampling.h. */
#include "tests/harness/sampling.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "core/lag.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"
#include "tests/harness/kafka_client.h"

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

static rd_kafka_t *client_new(rd_kafka_type_t type, const char *group)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];
    rd_kafka_t *client;

    kafka_client_set(conf, "bootstrap.servers", sampling.bootstrap);
    kafka_client_set(conf, "log_level", "0");
    if (group)
        kafka_client_set(conf, "group.id", group);
    client = rd_kafka_new(type, conf, reason, sizeof(reason));
    if (!client)
        fail("%s", reason);
    return client;
}

void sampling_produce(const char *topic, int partitions, int count)
{
    rd_kafka_t *producer = client_new(RD_KAFKA_PRODUCER, NULL);

    for (int i = 0; i < count * partitions; i++)
        if (rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic),
                              RD_KAFKA_V_PARTITION(i % partitions), RD_KAFKA_V_VALUE("hello", 5),
                              RD_KAFKA_V_END))
            fail("cannot produce to %s", topic);
    if (rd_kafka_flush(producer, SAMPLING_PATIENCE_MS))
        fail("records for %s are not acknowledged", topic);
    rd_kafka_destroy(producer);
}

void sampling_commit(const char *group, const char *topic, int partition, int64_t offset)
{
    rd_kafka_t *client = client_new(RD_KAFKA_CONSUMER, group);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t error;

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    error = rd_kafka_commit(client, list, 0);
    if (error)
        fail("cannot commit for %s: %s", group, rd_kafka_err2str(error));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
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
