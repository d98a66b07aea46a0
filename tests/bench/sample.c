/*
 * sample: what it costs to know how far a thousand groups are behind.
 *
 *   sample prepare  BROKER   makes 100 topics of 100 partitions, and 1,000 groups that have
 *                            committed in all partitions of a topic each
 *   sample sampler  BROKER   ticks of kafka/sampler for all of them
 *   sample one-by-one BROKER BINDINGS   the same for some of them as SlimFaas Kafka does it: for
 *                            each a new admin client and a new consumer, the group's commits, and
 *                            one question a partition, one after another
 *
 * The last two print "name=value ..." on a line.
 */
#include "kafka/sampler.h"

#include <librdkafka/rdkafka.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { TOPICS = 100, PARTITIONS = 100, GROUPS = 1000, SAMPLES = 30, WAIT_MS = 120000 };
enum { TICKS = SAMPLES + 2 }; /* so that all that is kept is full */

enum { NAME_SIZE = 32 };

_Noreturn static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "sample: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static void topic_name(char name[NAME_SIZE], int topic)
{
    snprintf(name, NAME_SIZE, "sample-%d", topic);
}

static void group_name(char name[NAME_SIZE], int group)
{
    snprintf(name, NAME_SIZE, "sample-group-%d", group);
}

static rd_kafka_t *client_new(rd_kafka_type_t type, const char *broker, const char *group)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];
    rd_kafka_t *client;

    rd_kafka_conf_set(conf, "bootstrap.servers", broker, NULL, 0);
    rd_kafka_conf_set(conf, "log_level", "3", NULL, 0);
    if (group)
        rd_kafka_conf_set(conf, "group.id", group, NULL, 0);
    client = rd_kafka_new(type, conf, reason, sizeof(reason));
    if (!client)
        give_up("no client", reason);
    return client;
}

/* The next answer on a queue, which must be good. */
static void await_answer(rd_kafka_queue_t *queue, const char *what)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);

    if (!event || rd_kafka_event_error(event))
        give_up(what, event ? rd_kafka_event_error_string(event) : "no answer");
    rd_kafka_event_destroy(event);
}

/* ---- prepare ---- */

static void make_topic(rd_kafka_t *client, rd_kafka_queue_t *queue, const char *name)
{
    char reason[256];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, PARTITIONS, 1, reason, sizeof(reason));
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);

    rd_kafka_AdminOptions_set_request_timeout(options, WAIT_MS, reason, sizeof(reason));
    rd_kafka_AdminOptions_set_operation_timeout(options, WAIT_MS, reason, sizeof(reason));
    rd_kafka_CreateTopics(client, &topic, 1, options, queue);
    await_answer(queue, name);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(topic);
}

static void commit_all(rd_kafka_t *client, rd_kafka_queue_t *queue, int number)
{
    char group[NAME_SIZE], topic[NAME_SIZE];
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
    rd_kafka_AlterConsumerGroupOffsets_t *wanted;

    group_name(group, number);
    topic_name(topic, number % TOPICS);
    rd_kafka_topic_partition_list_add_range(list, topic, 0, PARTITIONS - 1);
    for (int i = 0; i < PARTITIONS; i++)
        list->elems[i].offset = 0;
    wanted = rd_kafka_AlterConsumerGroupOffsets_new(group, list);
    rd_kafka_AlterConsumerGroupOffsets(client, &wanted, 1, NULL, queue);
    await_answer(queue, group);
    rd_kafka_AlterConsumerGroupOffsets_destroy(wanted);
    rd_kafka_topic_partition_list_destroy(list);
}

/* The controller says that topics are made before the broker has made them. */
static bool are_made(rd_kafka_t *client)
{
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(TOPICS * PARTITIONS);
    const struct rd_kafka_metadata *metadata;
    bool made;

    for (int i = 0; i < TOPICS; i++) {
        char name[NAME_SIZE];

        topic_name(name, i);
        rd_kafka_topic_partition_list_add_range(all, name, 0, PARTITIONS - 1);
    }
    for (int i = 0; i < all->cnt; i++)
        all->elems[i].offset = RD_KAFKA_OFFSET_END;
    if (!rd_kafka_metadata(client, 1, NULL, &metadata, WAIT_MS))
        rd_kafka_metadata_destroy(metadata);
    made = !rd_kafka_offsets_for_times(client, all, WAIT_MS);
    for (int i = 0; i < all->cnt; i++)
        made &= !all->elems[i].err;
    rd_kafka_topic_partition_list_destroy(all);
    return made;
}

static void prepare(const char *broker)
{
    enum { LOOK_MS = 500, LOOKS_MOST = 600 };
    int looks = 0;
    rd_kafka_t *client = client_new(RD_KAFKA_CONSUMER, broker, "sample");
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);

    for (int i = 0; i < TOPICS; i++) {
        char name[NAME_SIZE];

        topic_name(name, i);
        make_topic(client, queue, name);
    }
    while (!are_made(client))
        if (rd_kafka_queue_poll(queue, LOOK_MS) || ++looks > LOOKS_MOST)
            give_up("prepare", "the partitions are not made");
    for (int i = 0; i < GROUPS; i++)
        commit_all(client, queue, i);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
}

/* ---- the sampler ---- */

struct sampling {
    uv_loop_t loop;
    struct sampler *sampler;
    struct sampler_interest *interests[GROUPS];
    int64_t requests;                      /* before the tick */
    int64_t first_requests, most_requests; /* of a tick */
    int64_t first_ms, most_ms;
    int64_t ticks;
};

static int64_t all_requests(const struct sampler_counts *counts)
{
    int64_t all = 0;

    for (int kind = 0; kind < SAMPLER_REQUEST_KINDS; kind++)
        all += counts->requests[kind];
    return all;
}

static long peak_kib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* How many partitions of all groups were read at the last tick. */
static int64_t partitions_read(const struct sampling *sampling)
{
    int64_t read = 0;

    for (int i = 0; i < GROUPS; i++) {
        const struct sampler_topic *topic = sampler_next_topic(sampling->interests[i], NULL);

        for (size_t k = 0; topic && k < topic->count; k++)
            read += !topic->partitions[k].error;
    }
    return read;
}

static void on_ticked(void *context)
{
    struct sampling *sampling = context;
    struct sampler_counts counts = sampler_counts(sampling->sampler);
    int64_t requests = all_requests(&counts) - sampling->requests;

    sampling->requests += requests;
    if (sampling->ticks++ == 0) {
        sampling->first_ms = counts.tick_ms;
        sampling->first_requests = requests;
        return;
    }
    sampling->most_ms = counts.tick_ms > sampling->most_ms ? counts.tick_ms : sampling->most_ms;
    sampling->most_requests =
        requests > sampling->most_requests ? requests : sampling->most_requests;
    if (sampling->ticks < TICKS)
        return;
    printf("first_ms=%lld first_requests=%lld most_ms=%lld most_requests=%lld "
           "partitions=%lld peak_kib=%ld\n",
           (long long)sampling->first_ms, (long long)sampling->first_requests,
           (long long)sampling->most_ms, (long long)sampling->most_requests,
           (long long)partitions_read(sampling), peak_kib());
    for (int i = 0; i < GROUPS; i++)
        sampler_drop(sampling->interests[i]);
    sampler_close(sampling->sampler, NULL, NULL);
}

static void sample(char *broker)
{
    struct kafka_options kafka = {{&broker, 1}, "sample", {NULL, 0}};
    struct option_faults faults = {0};
    struct sampling sampling = {0};
    const struct sampler_setup setup = {
        .loop = &sampling.loop,
        .kafka = &kafka,
        .interval_ms = 2000,
        .timeout_ms = 30000,
        .ticked = on_ticked,
        .context = &sampling,
    };

    uv_loop_init(&sampling.loop);
    sampling.sampler = sampler_new(&setup, &faults);
    if (!sampling.sampler)
        give_up("no sampler", faults.items[0]);
    for (int i = 0; i < GROUPS; i++) {
        char group[NAME_SIZE], topic[NAME_SIZE];

        group_name(group, i);
        topic_name(topic, i % TOPICS);
        sampling.interests[i] = sampler_ask(sampling.sampler, group, topic, SAMPLES);
    }
    uv_run(&sampling.loop, UV_RUN_DEFAULT);
    uv_loop_close(&sampling.loop);
}

/* ---- one by one ---- */

static void ask_commits(rd_kafka_t *admin, const char *group)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
    rd_kafka_ListConsumerGroupOffsets_t *question =
        rd_kafka_ListConsumerGroupOffsets_new(group, NULL);

    rd_kafka_ListConsumerGroupOffsets(admin, &question, 1, NULL, queue);
    await_answer(queue, group);
    rd_kafka_ListConsumerGroupOffsets_destroy(question);
    rd_kafka_queue_destroy(queue);
}

static void ask_binding(const char *broker, int number)
{
    char group[NAME_SIZE], topic[NAME_SIZE];
    rd_kafka_t *admin, *consumer;
    const struct rd_kafka_metadata *metadata;
    int64_t low, high;

    group_name(group, number);
    topic_name(topic, number % TOPICS);
    admin = client_new(RD_KAFKA_CONSUMER, broker, group);
    if (rd_kafka_metadata(admin, 1, NULL, &metadata, WAIT_MS))
        give_up(topic, "no metadata");
    rd_kafka_metadata_destroy(metadata);
    ask_commits(admin, group);
    consumer = client_new(RD_KAFKA_CONSUMER, broker, group);
    for (int32_t i = 0; i < PARTITIONS; i++)
        if (rd_kafka_query_watermark_offsets(consumer, topic, i, &low, &high, WAIT_MS))
            give_up(topic, "no offsets");
    rd_kafka_destroy(consumer);
    rd_kafka_destroy(admin);
}

static void one_by_one(const char *broker, int bindings)
{
    uint64_t began = uv_hrtime();
    int64_t passed_ms;

    for (int i = 0; i < bindings; i++)
        ask_binding(broker, i);
    passed_ms = (int64_t)((uv_hrtime() - began) / 1000000);
    printf("bindings=%d ms=%lld all_ms=%lld\n", bindings, (long long)passed_ms,
           (long long)(passed_ms * GROUPS / bindings));
}

int main(int argc, char **argv)
{
    mallopt(M_ARENA_MAX, 1); /* as main.c has it */
    if (argc == 3 && strcmp(argv[1], "prepare") == 0)
        prepare(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "sampler") == 0)
        sample(argv[2]);
    else if (argc == 4 && strcmp(argv[1], "one-by-one") == 0)
        one_by_one(argv[2], (int)strtol(argv[3], NULL, 10));
    else
        give_up("usage", "sample prepare|sampler|one-by-one BROKER [BINDINGS]");
    return EXIT_SUCCESS;
}
