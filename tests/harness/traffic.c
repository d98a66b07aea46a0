/* traffic: see traffic.h. */
#include "tests/harness/traffic.h"

#include "base/xalloc.h"
#include "tests/harness/fail.h"
#include "tests/harness/kafka_client.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

enum { UNDER_WAY_MOST = 5, TURN_MS = 100, ANSWER_MS = 3000, BEGIN_TURNS = 600 };

/* What was attempted and what was acknowledged. */
struct progress {
    atomic_llong most, least;
};

struct traffic {
    const char *topic;
    char *groups[TRAFFIC_GROUPS];
    rd_kafka_t *writer, *members[TRAFFIC_GROUPS];
    struct progress ends[TRAFFIC_PARTITIONS];
    struct progress commits[TRAFFIC_GROUPS][TRAFFIC_PARTITIONS];
    int under_way[TRAFFIC_PARTITIONS]; /* the thread's */
    pthread_t thread;
    atomic_bool stopping;
};

/* ---- its clients ---- */

static void on_report(rd_kafka_t *writer, const rd_kafka_message_t *message, void *opaque)
{
    struct traffic *traffic = opaque;
    struct progress *end = &traffic->ends[message->partition];

    (void)writer;
    traffic->under_way[message->partition]--;
    if (!message->err && message->offset + 1 > atomic_load(&end->least))
        atomic_store(&end->least, message->offset + 1);
}

static rd_kafka_t *client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, const char *bootstrap)
{
    char reason[256];
    rd_kafka_t *client;

    kafka_client_set(conf, "bootstrap.servers", bootstrap);
    kafka_client_set(conf, "socket.timeout.ms", "3000");
    kafka_client_set(conf, "reconnect.backoff.max.ms", "500");
    kafka_client_set(conf, "topic.metadata.refresh.interval.ms", "1000");
    kafka_client_set(conf, "log_level", "0"); /* brokers that go away are the test's doing */
    client = rd_kafka_new(type, conf, reason, sizeof(reason));
    if (!client)
        fail("%s", reason);
    return client;
}

static rd_kafka_t *writer_new(struct traffic *traffic, const char *bootstrap,
                              enum traffic_once once)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    if (once == TRAFFIC_IDEMPOTENT)
        kafka_client_set(conf, "enable.idempotence", "true");
    else
        kafka_client_set(conf, "message.send.max.retries", "0");
    kafka_client_set(conf, "message.timeout.ms", "4000");
    kafka_client_set(conf, "request.timeout.ms", "3000");
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_opaque(conf, traffic);
    return client_new(RD_KAFKA_PRODUCER, conf, bootstrap);
}

static rd_kafka_t *member_new(const char *group, const char *bootstrap)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    kafka_client_set(conf, "group.id", group);
    kafka_client_set(conf, "isolation.level", "read_uncommitted");
    return client_new(RD_KAFKA_CONSUMER, conf, bootstrap);
}

/* ---- the thread ---- */

static void write_some(struct traffic *traffic)
{
    for (int i = 0; i < TRAFFIC_PARTITIONS; i++) {
        if (traffic->under_way[i] >= UNDER_WAY_MOST)
            continue;
        traffic->under_way[i]++;
        atomic_fetch_add(&traffic->ends[i].most, 1);
        if (rd_kafka_producev(traffic->writer, RD_KAFKA_V_TOPIC(traffic->topic),
                              RD_KAFKA_V_PARTITION(i), RD_KAFKA_V_VALUE("record", 6),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END))
            traffic->under_way[i]--;
    }
}

static void commit(struct traffic *traffic, int group)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(TRAFFIC_PARTITIONS);
    struct progress *commits = traffic->commits[group];
    rd_kafka_resp_err_t error;

    for (int i = 0; i < TRAFFIC_PARTITIONS; i++) {
        int64_t to = atomic_load(&traffic->ends[i].least) - TRAFFIC_BEHIND;

        if (to < atomic_load(&commits[i].most) || to <= 0)
            continue;
        atomic_store(&commits[i].most, to);
        rd_kafka_topic_partition_list_add(list, traffic->topic, i)->offset = to;
    }
    error = list->cnt ? rd_kafka_commit(traffic->members[group], list, 0) : 0;
    for (int i = 0; i < list->cnt && !error; i++)
        if (!list->elems[i].err)
            atomic_store(&commits[list->elems[i].partition].least, list->elems[i].offset);
    rd_kafka_topic_partition_list_destroy(list);
}

static void *run(void *context)
{
    struct traffic *traffic = context;

    for (int turn = 0; !atomic_load(&traffic->stopping); turn++) {
        uint64_t until = uv_hrtime() + TURN_MS * UINT64_C(1000000);

        write_some(traffic);
        while (uv_hrtime() < until)
            rd_kafka_poll(traffic->writer, TURN_MS / 4);
        commit(traffic, turn % TRAFFIC_GROUPS);
    }
    return NULL;
}

/* ---- what is known ---- */

static struct bounds bounds_of(struct progress *progress)
{
    int64_t least = atomic_load(&progress->least);

    return (struct bounds){least, atomic_load(&progress->most)};
}

struct bounds traffic_end(struct traffic *traffic, int partition)
{
    return bounds_of(&traffic->ends[partition]);
}

struct bounds traffic_committed(struct traffic *traffic, int group, int partition)
{
    return bounds_of(&traffic->commits[group][partition]);
}

const char *traffic_group(const struct traffic *traffic, int group)
{
    return traffic->groups[group];
}

static bool have_all_committed(struct traffic *traffic)
{
    for (int g = 0; g < TRAFFIC_GROUPS; g++)
        for (int i = 0; i < TRAFFIC_PARTITIONS; i++)
            if (!atomic_load(&traffic->commits[g][i].least))
                return false;
    return true;
}

bool traffic_is_served(struct traffic *traffic)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(TRAFFIC_PARTITIONS);
    bool served = true;

    rd_kafka_topic_partition_list_add_range(list, traffic->topic, 0, TRAFFIC_PARTITIONS - 1);
    for (int g = 0; g < TRAFFIC_GROUPS && served; g++)
        served = !rd_kafka_committed(traffic->members[g], list, ANSWER_MS);
    for (int i = 0; i < TRAFFIC_PARTITIONS; i++)
        list->elems[i].offset = RD_KAFKA_OFFSET_END;
    served = served && !rd_kafka_offsets_for_times(traffic->members[0], list, ANSWER_MS);
    for (int i = 0; i < TRAFFIC_PARTITIONS; i++)
        served = served && !list->elems[i].err;
    rd_kafka_topic_partition_list_destroy(list);
    return served;
}

/* ---- beginning and end ---- */

struct traffic *traffic_new(const char *bootstrap, const char *topic, enum traffic_once once)
{
    struct traffic *traffic = xcalloc(1, sizeof(*traffic));

    traffic->topic = topic;
    traffic->writer = writer_new(traffic, bootstrap, once);
    for (int g = 0; g < TRAFFIC_GROUPS; g++) {
        traffic->groups[g] = xasprintf("%s-%d", topic, g);
        traffic->members[g] = member_new(traffic->groups[g], bootstrap);
    }
    if (pthread_create(&traffic->thread, NULL, run, traffic))
        fail("no thread");
    for (int turn = 0; !have_all_committed(traffic); turn++) {
        if (turn > BEGIN_TURNS)
            fail("the groups do not come to commit");
        uv_sleep(TURN_MS);
    }
    return traffic;
}

void traffic_free(struct traffic *traffic)
{
    atomic_store(&traffic->stopping, true);
    pthread_join(traffic->thread, NULL);
    rd_kafka_destroy(traffic->writer);
    for (int g = 0; g < TRAFFIC_GROUPS; g++) {
        rd_kafka_destroy(traffic->members[g]);
        free(traffic->groups[g]);
    }
    free(traffic);
}
