/* admin: see admin.h. */
#include "tests/faults/admin.h"

#include "tests/faults/nodes.h"
#include "tests/harness/fail.h"
#include "tests/harness/kafka_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    CALL_MS = 5000,
    ADMIN_MS = 10 * 1000,
    PAUSE_MS = 200,
    PATIENCE_MS = 120 * 1000,
};

void admin_init(struct admin *admin, const char *bootstrap, const char *topic,
                const struct plan *plan)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];

    *admin = (struct admin){.topic = topic, .kind = plan->topic, .partitions = plan->partitions};
    kafka_client_set(conf, "bootstrap.servers", bootstrap);
    kafka_client_set(conf, "group.id", topic);
    kafka_client_set(conf, "isolation.level", "read_uncommitted"); /* ends are high watermarks */
    kafka_client_set(conf, "reconnect.backoff.max.ms", "500");
    kafka_client_set(conf, "socket.timeout.ms", "5000");
    kafka_client_set(conf, "log_level", "0"); /* brokers that go away are our doing */
    admin->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    if (!admin->client)
        fail("%s", reason);
}

void admin_release(struct admin *admin)
{
    rd_kafka_destroy(admin->client);
}

/* Until `attempt` succeeds; what it says of codes that mean "done already" is its own business. */
static void persist(struct admin *admin, const char *what,
                    rd_kafka_resp_err_t (*attempt)(struct admin *admin))
{
    uint64_t deadline = uv_hrtime() + PATIENCE_MS * UINT64_C(1000000);
    rd_kafka_resp_err_t error;

    while ((error = attempt(admin))) {
        snprintf(admin->last_trouble, sizeof(admin->last_trouble), "%s %s: %s", what, admin->topic,
                 rd_kafka_err2str(error));
        if (uv_hrtime() > deadline)
            fail("%s", admin->last_trouble);
        uv_sleep(PAUSE_MS);
    }
}

/* ---- one admin call ---- */

static rd_kafka_AdminOptions_t *options_new(struct admin *admin, rd_kafka_admin_op_t op)
{
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(admin->client, op);
    char reason[256];

    rd_kafka_AdminOptions_set_request_timeout(options, ADMIN_MS, reason, sizeof(reason));
    rd_kafka_AdminOptions_set_operation_timeout(options, ADMIN_MS, reason, sizeof(reason));
    return options;
}

static rd_kafka_resp_err_t records_error(rd_kafka_event_t *event)
{
    const rd_kafka_topic_partition_list_t *list =
        rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));

    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err)
            return list->elems[i].err;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Takes the queue and the options. */
static rd_kafka_resp_err_t await_result(rd_kafka_queue_t *queue, rd_kafka_AdminOptions_t *options)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 2 * ADMIN_MS);
    rd_kafka_resp_err_t error = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;

    if (event && !error)
        error = rd_kafka_event_type(event) == RD_KAFKA_EVENT_DELETERECORDS_RESULT
                    ? records_error(event)
                    : kafka_client_topic_error(event);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return error;
}

/* ---- topics ---- */

/* Compacted in seconds, not in days. */
static void configure_compaction(rd_kafka_NewTopic_t *topic)
{
    static const char *const settings[][2] = {
        {"cleanup.policy", "compact"},         {"segment.ms", "1000"},
        {"min.cleanable.dirty.ratio", "0.01"}, {"min.compaction.lag.ms", "0"},
        {"max.compaction.lag.ms", "1000"},     {"delete.retention.ms", "100"},
    };

    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
        rd_kafka_NewTopic_set_config(topic, settings[i][0], settings[i][1]);
}

static rd_kafka_resp_err_t try_create(struct admin *admin)
{
    rd_kafka_AdminOptions_t *options = options_new(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin->client);
    char reason[256];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(admin->topic, admin->partitions, NODES, reason, sizeof(reason));
    rd_kafka_resp_err_t error;

    if (admin->kind == TOPIC_COMPACTED)
        configure_compaction(topic);
    rd_kafka_CreateTopics(admin->client, &topic, 1, options, queue);
    rd_kafka_NewTopic_destroy(topic);
    error = await_result(queue, options);
    return error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS ? 0 : error;
}

static rd_kafka_resp_err_t try_grow(struct admin *admin)
{
    rd_kafka_AdminOptions_t *options = options_new(admin, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin->client);
    char reason[256];
    rd_kafka_NewPartitions_t *wanted =
        rd_kafka_NewPartitions_new(admin->topic, (size_t)admin->partitions, reason, sizeof(reason));
    rd_kafka_resp_err_t error;

    rd_kafka_CreatePartitions(admin->client, &wanted, 1, options, queue);
    rd_kafka_NewPartitions_destroy(wanted);
    error = await_result(queue, options);
    return error == RD_KAFKA_RESP_ERR_INVALID_PARTITIONS ? 0 : error; /* so many already */
}

static rd_kafka_resp_err_t try_delete(struct admin *admin)
{
    rd_kafka_AdminOptions_t *options = options_new(admin, RD_KAFKA_ADMIN_OP_DELETETOPICS);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin->client);
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(admin->topic);
    rd_kafka_resp_err_t error;

    rd_kafka_DeleteTopics(admin->client, &topic, 1, options, queue);
    rd_kafka_DeleteTopic_destroy(topic);
    error = await_result(queue, options);
    return error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ? 0 : error;
}

/* The brokers all know of it, or of its end, a moment after the controller does. */
static rd_kafka_resp_err_t try_see(struct admin *admin)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(admin->client, admin->topic, NULL);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error = rd_kafka_metadata(admin->client, 0, topic, &metadata, CALL_MS);

    rd_kafka_topic_destroy(topic);
    if (error)
        return error;
    error = metadata->topics[0].err;
    if (!error && metadata->topics[0].partition_cnt != admin->partitions)
        error = RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
    for (int i = 0; !error && i < metadata->topics[0].partition_cnt; i++)
        error = metadata->topics[0].partitions[i].err;
    rd_kafka_metadata_destroy(metadata);
    return error;
}

void admin_create(void *admin)
{
    persist(admin, "creating", try_create);
    persist(admin, "looking at", try_see);
}

void admin_grow(void *admin)
{
    persist(admin, "adding partitions to", try_grow);
    persist(admin, "looking at", try_see);
}

void admin_delete(void *admin)
{
    persist(admin, "deleting", try_delete);
}

void admin_make_anew(void *context)
{
    struct admin *admin = context;

    admin_read_lows(admin);
    admin_delete(admin);
    admin->era++;
    admin_create(admin);
}

/* ---- offsets ---- */

static rd_kafka_resp_err_t try_expire(struct admin *admin)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(admin->partitions);
    rd_kafka_AdminOptions_t *options = options_new(admin, RD_KAFKA_ADMIN_OP_DELETERECORDS);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin->client);
    rd_kafka_DeleteRecords_t *records;

    for (int i = 0; i < admin->partitions; i++)
        rd_kafka_topic_partition_list_add(list, admin->topic, i)->offset = RD_KAFKA_OFFSET_END;
    records = rd_kafka_DeleteRecords_new(list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_DeleteRecords(admin->client, &records, 1, options, queue);
    rd_kafka_DeleteRecords_destroy(records);
    return await_result(queue, options);
}

static rd_kafka_resp_err_t try_read_lows(struct admin *admin)
{
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    int64_t high;

    for (int i = 0; !error && i < admin->partitions; i++)
        error = rd_kafka_query_watermark_offsets(admin->client, admin->topic, i,
                                                 &admin->low[admin->era][i], &high, CALL_MS);
    return error;
}

void admin_read_lows(void *admin)
{
    persist(admin, "reading the ends of", try_read_lows);
}

void admin_expire(void *admin)
{
    persist(admin, "deleting records of", try_expire);
    admin_read_lows(admin);
}

static bool is_committed(struct admin *admin, rd_kafka_topic_partition_list_t *list)
{
    int64_t low, high;

    if (rd_kafka_committed(admin->client, list, CALL_MS))
        return false;
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err ||
            rd_kafka_query_watermark_offsets(admin->client, admin->topic, i, &low, &high,
                                             CALL_MS) ||
            (high > 0 && list->elems[i].offset != high))
            return false;
    return true;
}

void admin_read_committed(void *context)
{
    struct admin *admin = context;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(admin->partitions);

    rd_kafka_topic_partition_list_add_range(list, admin->topic, 0, admin->partitions - 1);
    admin->all_committed = is_committed(admin, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static rd_kafka_resp_err_t try_begun(struct admin *admin)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(admin->partitions);
    rd_kafka_resp_err_t error;

    rd_kafka_topic_partition_list_add_range(list, admin->topic, 0, admin->partitions - 1);
    error = rd_kafka_committed(admin->client, list, CALL_MS);
    for (int i = 0; !error && i < list->cnt; i++)
        if (list->elems[i].offset < 0)
            error = list->elems[i].err ? list->elems[i].err : RD_KAFKA_RESP_ERR__NO_OFFSET;
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}

void admin_await_begun(void *admin)
{
    persist(admin, "waiting for the group's first commits of", try_begun);
}

/* ---- the cluster ---- */

static bool in_step(const struct rd_kafka_metadata_topic *topic)
{
    for (int i = 0; i < topic->partition_cnt; i++)
        if (topic->partitions[i].isr_cnt != topic->partitions[i].replica_cnt ||
            topic->partitions[i].leader < 0)
            return false;
    return !topic->err;
}

static rd_kafka_resp_err_t try_health(struct admin *admin)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error = rd_kafka_metadata(admin->client, 1, NULL, &metadata, CALL_MS);

    if (error)
        return error;
    if (metadata->broker_cnt != NODES)
        error = RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE;
    for (int i = 0; !error && i < metadata->topic_cnt; i++)
        if (!in_step(&metadata->topics[i]))
            error = RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS;
    rd_kafka_metadata_destroy(metadata);
    return error;
}

void admin_await_health(void *admin)
{
    persist(admin, "waiting for the brokers, that lead", try_health);
}
