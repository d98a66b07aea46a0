/* The command `kafka-connector lag` and kafka/sampler with a real Kafka: what Kafka's own command
 * says of groups, partition by partition; rights; topics that grow and are made anew. */
#include "base/json.h"
#include "base/xalloc.h"
#include "core/lag.h"
#include "tests/harness/child.h"
#include "tests/harness/cluster.h"
#include "tests/harness/fail.h"
#include "tests/harness/kafka_client.h"
#include "tests/harness/sampling.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOPICS = 3, PARTITIONS = 4, RUN_MS = 60000, ROWS_MOST = 200, OPTIONS_MOST = 4 };

static const char *bootstrap(void)
{
    const char *given = getenv("KAFKA_BOOTSTRAP");

    if (!given)
        fail("there is no KAFKA_BOOTSTRAP; run by tests/kafka/run.sh");
    return given;
}

/* ---- groups in different states ---- */

static const char *const topics[TOPICS] = {"state-a", "state-b", "state-c"};

static int records_in(int topic, int partition)
{
    return 10 * topic + 3 * partition;
}

/* `behind` short of the end, where there is so much. */
static void commit_all(const char *group, int behind)
{
    struct cluster *cluster = cluster_new(bootstrap(), group);

    for (int t = 0; t < TOPICS; t++)
        for (int p = 0; p < PARTITIONS; p++) {
            int offset = records_in(t, p) - behind;

            cluster_commit(cluster, topics[t], p, offset > 0 ? offset : 0);
        }
    cluster_free(cluster);
}

static void write_topics(void)
{
    struct cluster *cluster = cluster_new(bootstrap(), "nobody");

    for (int t = 0; t < TOPICS; t++) {
        cluster_create(cluster, topics[t], PARTITIONS);
        for (int p = 0; p < PARTITIONS; p++)
            cluster_write(cluster, topics[t], p, records_in(t, p));
    }
    cluster_free(cluster);
}

/* A member that reads all and commits nothing. */
static rd_kafka_t *join(const char *group)
{
    rd_kafka_topic_partition_list_t *wanted = rd_kafka_topic_partition_list_new(TOPICS);
    rd_kafka_topic_partition_list_t *assigned = NULL;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *member;
    char reason[256];
    int count = 0;

    kafka_client_set(conf, "bootstrap.servers", bootstrap());
    kafka_client_set(conf, "group.id", group);
    kafka_client_set(conf, "client.id", "never-commits");
    kafka_client_set(conf, "enable.auto.commit", "false");
    member = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    for (int t = 0; t < TOPICS; t++)
        rd_kafka_topic_partition_list_add(wanted, topics[t], RD_KAFKA_PARTITION_UA);
    cr_assert_eq(rd_kafka_subscribe(member, wanted), 0);
    for (int turn = 0; turn < 600 && count < TOPICS * PARTITIONS; turn++) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(member, 100);

        if (message)
            rd_kafka_message_destroy(message);
        rd_kafka_assignment(member, &assigned);
        count = assigned->cnt;
        rd_kafka_topic_partition_list_destroy(assigned);
    }
    cr_assert_eq(count, TOPICS * PARTITIONS, "it was assigned all partitions");
    rd_kafka_topic_partition_list_destroy(wanted);
    return member;
}

/* ---- what the two commands say ---- */

struct row {
    char group[32], topic[32], partition[16], committed[24], end[24], lag[24], client[32];
};

struct rows {
    struct row items[ROWS_MOST];
    size_t count;
};

/* The exit status. */
static int run(uv_loop_t *loop, const char *const *arguments, char **output)
{
    struct child *child = child_start(loop, arguments, NULL);
    int status;

    cr_assert(child_await_end(child, RUN_MS, &status), "%s", child_output(child));
    *output = xstrdup(child_output(child));
    child_free(child);
    return status;
}

/* GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID */
static struct rows rows_of_kafka(uv_loop_t *loop)
{
    const char *const arguments[] = {"tests/kafka/kafka.sh",
                                     "tool",
                                     "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
                                     "--bootstrap-server",
                                     bootstrap(),
                                     "--describe",
                                     "--group",
                                     "state-behind",
                                     "--group",
                                     "state-done",
                                     "--group",
                                     "state-never",
                                     NULL};
    struct rows rows = {.count = 0};
    char *output, *rest = NULL;

    cr_assert_eq(run(loop, arguments, &output), 0, "%s", output);
    for (char *line = strtok_r(output, "\n", &rest); line && rows.count < ROWS_MOST;
         line = strtok_r(NULL, "\n", &rest)) {
        struct row *row = &rows.items[rows.count];

        if (sscanf(line, "%31s %31s %15s %23s %23s %23s %*s %*s %31s", row->group, row->topic,
                   row->partition, row->committed, row->end, row->lag, row->client) == 7 &&
            strncmp(row->topic, "state-", 6) == 0)
            rows.count++;
    }
    free(output);
    return rows;
}

/* Options NULL-ended. */
static char *ours(uv_loop_t *loop, const char *const *options, int *status)
{
    const char *arguments[3 + OPTIONS_MOST + 1] = {NULL, "lag", NULL};
    char *program = xasprintf("%s/kafka-connector", getenv("BUILD"));
    char *broker = xasprintf("--broker_host=%s", bootstrap());
    char *output;

    arguments[0] = program;
    arguments[2] = broker;
    for (size_t i = 0; options[i]; i++)
        arguments[3 + i] = options[i];
    *status = run(loop, arguments, &output);
    free(broker);
    free(program);
    return output;
}

static char *of_group(uv_loop_t *loop, const char *option, int *status)
{
    const char *const options[] = {option, NULL};

    return ours(loop, options, status);
}

/* GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG OLDEST TREND CLIENT-ID HOST FAULT */
static struct rows rows_of_ours(uv_loop_t *loop, const char *option)
{
    struct rows rows = {.count = 0};
    int status;
    char *output = of_group(loop, option, &status), *rest = NULL;

    cr_assert_eq(status, 0, "%s", output);
    for (char *line = strtok_r(output, "\n", &rest); line && rows.count < ROWS_MOST;
         line = strtok_r(NULL, "\n", &rest)) {
        struct row *row = &rows.items[rows.count];

        if (sscanf(line, "%31s\t%31s\t%15s\t%23s\t%23s\t%23s\t%*s\t%*s\t%31s", row->group,
                   row->topic, row->partition, row->committed, row->end, row->lag,
                   row->client) == 7 &&
            strcmp(row->group, "GROUP") != 0)
            rows.count++;
    }
    free(output);
    return rows;
}

static const struct row *find(const struct rows *rows, const struct row *like)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->items[i].group, like->group) == 0 &&
            strcmp(rows->items[i].topic, like->topic) == 0 &&
            strcmp(rows->items[i].partition, like->partition) == 0)
            return &rows->items[i];
    return NULL;
}

static void expect_same(const struct rows *ours_of, const struct rows *kafkas)
{
    for (size_t i = 0; i < kafkas->count; i++) {
        const struct row *theirs = &kafkas->items[i], *own = find(ours_of, theirs);

        cr_assert_not_null(own, "%s %s %s", theirs->group, theirs->topic, theirs->partition);
        cr_expect_str_eq(own->committed, theirs->committed);
        cr_expect_str_eq(own->end, theirs->end);
        cr_expect_str_eq(own->lag, theirs->lag, "%s %s %s", theirs->group, theirs->topic,
                         theirs->partition);
        cr_expect_str_eq(own->client, theirs->client);
    }
}

Test(lag, says_what_kafka_consumer_groups_says, .timeout = 300)
{
    uv_loop_t loop;
    rd_kafka_t *member;
    struct rows theirs, own;

    uv_loop_init(&loop);
    write_topics();
    commit_all("state-behind", 7);
    commit_all("state-done", 0);
    member = join("state-never");
    theirs = rows_of_kafka(&loop);
    cr_assert_eq(theirs.count, 3 * TOPICS * PARTITIONS, "%zu rows", theirs.count);
    own = rows_of_ours(&loop, "--group=state-behind,state-done,state-never");
    cr_expect_eq(own.count, 3 * TOPICS * PARTITIONS);
    expect_same(&own, &theirs);
    own = rows_of_ours(&loop, "--all-groups"); /* and those of the other tests */
    expect_same(&own, &theirs);
    rd_kafka_consumer_close(member);
    rd_kafka_destroy(member);
    cr_expect_eq(uv_loop_close(&loop), 0);
}

/* ---- its other answers ---- */

static void expect_value(const json *object, const char *name, const char *value)
{
    char *text = json_scalar_dup(json_member(object, name));

    cr_assert_not_null(text, "%s", name);
    cr_expect_str_eq(text, value, "%s: %s", name, text);
    free(text);
}

Test(lag, tells_in_json, .timeout = 120)
{
    const char *const options[] = {"--json", "--samples=2", "--interval=1s", "--group=lag-json",
                                   NULL};
    uv_loop_t loop;
    struct cluster *cluster = cluster_new(bootstrap(), "lag-json");
    const char *reason;
    const json *group, *topic, *partition;
    json *document;
    char *output;
    int status;

    uv_loop_init(&loop);
    cluster_create(cluster, "lag-json", 1);
    cluster_write(cluster, "lag-json", 0, 9);
    cluster_commit(cluster, "lag-json", 0, 4);
    output = ours(&loop, options, &status);
    cr_expect_eq(status, 0);
    document = json_parse(output, strlen(output), &reason);
    cr_assert_not_null(document, "%s: %s", reason, output);
    group = json_first(json_member(document, "groups"));
    topic = json_first(json_member(group, "topics"));
    partition = json_first(json_member(topic, "partitions"));
    expect_value(group, "group", "lag-json");
    expect_value(group, "readable", "true");
    expect_value(topic, "topic", "lag-json");
    expect_value(partition, "lag", "5");
    expect_value(partition, "committed_offset", "4");
    expect_value(partition, "trend_per_second", "0");
    expect_value(partition, "oldest_age_is_at_least", "true");
    json_free(document);
    free(output);
    cluster_free(cluster);
    cr_expect_eq(uv_loop_close(&loop), 0);
}

Test(lag, says_so_when_there_is_no_such_group, .timeout = 120)
{
    uv_loop_t loop;
    char *output;
    int status;

    uv_loop_init(&loop);
    output = of_group(&loop, "--group=lag-nobody", &status);
    cr_expect_eq(status, 1);
    cr_expect_not_null(strstr(output, "there is no consumer group lag-nobody"), "%s", output);
    free(output);
    cr_expect_eq(uv_loop_close(&loop), 0);
}

Test(lag, names_the_right_that_it_lacks, .timeout = 120)
{
    uv_loop_t loop;
    struct cluster *cluster = cluster_new(bootstrap(), "lag-hidden");
    struct sampler_interest *interest;
    char *output;
    int status;

    uv_loop_init(&loop);
    cluster_create(cluster, "lag-hidden", 2);
    cluster_write(cluster, "lag-hidden", 0, 9);
    cluster_commit(cluster, "lag-hidden", 0, 4);
    cluster_forbid_group(cluster, "lag-hidden");
    output = of_group(&loop, "--group=lag-hidden", &status);
    cr_expect_eq(status, 1);
    cr_expect_not_null(strstr(output, "grant the ACL operation DESCRIBE"), "%s", output);
    free(output);
    cr_expect_eq(uv_loop_close(&loop), 0);

    sampling_open(bootstrap(), NULL, 0);
    interest = sampler_ask(sampling.sampler, "lag-hidden", "lag-hidden", 10);
    sampling_await_ticks(2);
    cr_expect_eq(sampler_group_of(interest)->access, SAMPLER_NO_ACL);
    cr_expect_eq(sampling_lag(interest, 0), 9, "the whole log");
    sampler_drop(interest);
    sampling_close();
    cluster_free(cluster);
}

/* ---- the sampler ---- */

static bool has_four(void *interest)
{
    return sampler_next_topic(interest, NULL)->count == 4;
}

static bool is_missing(void *interest)
{
    return sampler_next_topic(interest, NULL)->missing;
}

static bool is_read_anew(void *interest)
{
    const struct sampler_topic *topic = sampler_next_topic(interest, NULL);

    return topic->count == 1 && !topic->partitions[0].error &&
           topic->partitions[0].offsets.end == 3;
}

Test(lag, follows_a_topic_that_grows_goes_and_comes_back, .timeout = 120)
{
    struct cluster *cluster = cluster_new(bootstrap(), "lag-life");
    struct sampler_interest *interest;

    cluster_create(cluster, "lag-life", 2);
    cluster_write(cluster, "lag-life", 0, 9);
    cluster_commit(cluster, "lag-life", 0, 4);
    sampling_open(bootstrap(), NULL, 0);
    interest = sampler_ask(sampling.sampler, "lag-life", "lag-life", 10);
    sampling_await_ticks(2);
    cr_expect_eq(sampling_lag(interest, 0), 5);
    cluster_grow(cluster, "lag-life", 4);
    cr_assert(sampling_await(has_four, interest));
    cr_expect_eq(sampling_lag(interest, 0), 5);
    cluster_delete(cluster, "lag-life");
    cr_assert(sampling_await(is_missing, interest));
    cluster_create(cluster, "lag-life", 1);
    cluster_write(cluster, "lag-life", 0, 3);
    cr_assert(sampling_await(is_read_anew, interest));
    cr_expect_eq(sampling_partition(interest, 0)->offsets.committed, OFFSET_NONE);
    cr_expect_eq(sampling_partition(interest, 0)->offsets.start, 0);
    sampler_drop(interest);
    sampling_close();
    cluster_free(cluster);
}

Test(lag, finds_all_topics_of_a_group, .timeout = 120)
{
    struct cluster *cluster = cluster_new(bootstrap(), "lag-all");
    const struct sampler_topic *topic;
    struct sampler_interest *interest;

    cluster_create(cluster, "lag-all-2", 1);
    cluster_create(cluster, "lag-all-1", 2);
    cluster_write(cluster, "lag-all-1", 1, 5);
    cluster_commit(cluster, "lag-all-2", 0, 0);
    sampling_open(bootstrap(), NULL, 0);
    interest = sampler_ask(sampling.sampler, "lag-all", NULL, 10);
    sampling_await_ticks(1);
    topic = sampler_next_topic(interest, NULL);
    cr_assert_not_null(topic);
    cr_expect_str_eq(topic->name, "lag-all-2");
    cr_expect_null(sampler_next_topic(interest, topic));
    cluster_commit(cluster, "lag-all-1", 1, 2);
    sampling_await_ticks(3);
    topic = sampler_next_topic(interest, NULL);
    cr_assert_not_null(topic);
    cr_expect_str_eq(topic->name, "lag-all-1", "by name");
    cr_assert_eq(topic->count, 2);
    cr_expect_eq(topic->partitions[0].offsets.committed, OFFSET_NONE);
    cr_expect_eq(topic->partitions[1].offsets.committed, 2);
    cr_expect_eq(topic->partitions[1].offsets.end, 5);
    sampler_drop(interest);
    sampling_close();
    cluster_free(cluster);
}
