/* cluster: see cluster.h. One consumer's handle that never subscribes does it all. */
#include "tests/harness/cluster.h"

#include "base/xalloc.h"
#include "tests/harness/fail.h"
#include "tests/harness/kafka_client.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>

struct cluster {
    rd_kafka_t *client;
    rd_kafka_t *writer; /* NULL: nothing was written yet */
    rd_kafka_queue_t *queue;
    char *bootstrap;
};

struct cluster *cluster_new(const char *bootstrap, const char *group)
{
    struct cluster *cluster = xcalloc(1, sizeof(*cluster));
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];

    kafka_client_set(conf, "bootstrap.servers", bootstrap);
    kafka_client_set(conf, "group.id", group);
    kafka_client_set(conf, "isolation.level", "read_uncommitted"); /* ends are high watermarks */
    kafka_client_set(conf, "log_level", "0"); /* brokers that go away are the test's doing */
    cluster->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    if (!cluster->client)
        fail("%s", reason);
    cluster->queue = rd_kafka_queue_new(cluster->client);
    cluster->bootstrap = xstrdup(bootstrap);
    return cluster;
}

void cluster_free(struct cluster *cluster)
{
    if (!cluster)
        return;
    rd_kafka_queue_destroy(cluster->queue);
    rd_kafka_destroy(cluster->client);
    if (cluster->writer)
        rd_kafka_destroy(cluster->writer);
    free(cluster->bootstrap);
    free(cluster);
}

static rd_kafka_AdminOptions_t *admin_options(struct cluster *cluster, rd_kafka_admin_op_t op)
{
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(cluster->client, op);
    char reason[256];

    /* answered only when it is done, not when it has been begun */
    rd_kafka_AdminOptions_set_operation_timeout(options, CLUSTER_WAIT_MS, reason, sizeof(reason));
    return options;
}

static rd_kafka_resp_err_t acl_error(const rd_kafka_CreateAcls_result_t *result)
{
    const rd_kafka_acl_result_t **results;
    const rd_kafka_error_t *error = NULL;
    size_t count;

    results = rd_kafka_CreateAcls_result_acls(result, &count);
    for (size_t i = 0; i < count && !error; i++)
        error = rd_kafka_acl_result_error(results[i]);
    return error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t records_error(const rd_kafka_DeleteRecords_result_t *result)
{
    return rd_kafka_DeleteRecords_result_offsets(result)->elems[0].err;
}

static rd_kafka_resp_err_t result_error(rd_kafka_event_t *event)
{
    if (rd_kafka_event_error(event))
        return rd_kafka_event_error(event);
    if (rd_kafka_event_CreateAcls_result(event))
        return acl_error(rd_kafka_event_CreateAcls_result(event));
    if (rd_kafka_event_DeleteRecords_result(event))
        return records_error(rd_kafka_event_DeleteRecords_result(event));
    return kafka_client_topic_error(event);
}

static void await_result(struct cluster *cluster, const char *what, const char *topic)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(cluster->queue, CLUSTER_WAIT_MS);
    rd_kafka_resp_err_t error = event ? result_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;

    if (event)
        rd_kafka_event_destroy(event);
    if (error)
        fail("%s %s: %s", what, topic, rd_kafka_err2str(error));
}

void cluster_create_with(struct cluster *cluster, const char *topic, int partitions,
                         const char *setting, const char *value)
{
    rd_kafka_AdminOptions_t *options = admin_options(cluster, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    char reason[256];
    rd_kafka_NewTopic_t *wanted =
        rd_kafka_NewTopic_new(topic, partitions, 1, reason, sizeof(reason));

    if (!wanted)
        fail("%s", reason);
    if (setting)
        rd_kafka_NewTopic_set_config(wanted, setting, value);
    rd_kafka_CreateTopics(cluster->client, &wanted, 1, options, cluster->queue);
    rd_kafka_NewTopic_destroy(wanted);
    rd_kafka_AdminOptions_destroy(options);
    await_result(cluster, "creating topic", topic);
}

void cluster_create(struct cluster *cluster, const char *topic, int partitions)
{
    cluster_create_with(cluster, topic, partitions, NULL, NULL);
}

void cluster_grow(struct cluster *cluster, const char *topic, int partitions)
{
    rd_kafka_AdminOptions_t *options = admin_options(cluster, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
    char reason[256];
    rd_kafka_NewPartitions_t *wanted =
        rd_kafka_NewPartitions_new(topic, (size_t)partitions, reason, sizeof(reason));

    if (!wanted)
        fail("%s", reason);
    rd_kafka_CreatePartitions(cluster->client, &wanted, 1, options, cluster->queue);
    rd_kafka_NewPartitions_destroy(wanted);
    rd_kafka_AdminOptions_destroy(options);
    await_result(cluster, "adding partitions to", topic);
}

void cluster_delete(struct cluster *cluster, const char *topic)
{
    rd_kafka_AdminOptions_t *options = admin_options(cluster, RD_KAFKA_ADMIN_OP_DELETETOPICS);
    rd_kafka_DeleteTopic_t *wanted = rd_kafka_DeleteTopic_new(topic);

    rd_kafka_DeleteTopics(cluster->client, &wanted, 1, options, cluster->queue);
    rd_kafka_DeleteTopic_destroy(wanted);
    rd_kafka_AdminOptions_destroy(options);
    await_result(cluster, "deleting topic", topic);
}

/* A rule that allows one thing to somebody; what has a rule allows nothing else. */
static void allow(struct cluster *cluster, rd_kafka_ResourceType_t type, const char *name,
                  const char *user, rd_kafka_AclOperation_t operation)
{
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(cluster->client, RD_KAFKA_ADMIN_OP_CREATEACLS);
    char reason[256];
    rd_kafka_AclBinding_t *rule =
        rd_kafka_AclBinding_new(type, name, RD_KAFKA_RESOURCE_PATTERN_LITERAL, user, "*", operation,
                                RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, reason, sizeof(reason));

    rd_kafka_CreateAcls(cluster->client, &rule, 1, options, cluster->queue);
    rd_kafka_AclBinding_destroy(rule);
    rd_kafka_AdminOptions_destroy(options);
    await_result(cluster, "making a rule for", name);
}

void cluster_forbid_reading(struct cluster *cluster, const char *topic)
{
    allow(cluster, RD_KAFKA_RESOURCE_TOPIC, topic, "User:ANONYMOUS",
          RD_KAFKA_ACL_OPERATION_DESCRIBE);
    allow(cluster, RD_KAFKA_RESOURCE_TOPIC, topic, "User:ANONYMOUS", RD_KAFKA_ACL_OPERATION_WRITE);
}

void cluster_forbid_group(struct cluster *cluster, const char *group)
{
    allow(cluster, RD_KAFKA_RESOURCE_GROUP, group, "User:somebody", RD_KAFKA_ACL_OPERATION_READ);
}

/* ---- records and commits ---- */

static rd_kafka_t *writer_new(const struct cluster *cluster)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];
    rd_kafka_t *writer;

    kafka_client_set(conf, "bootstrap.servers", cluster->bootstrap);
    kafka_client_set(conf, "log_level", "0");
    writer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (!writer)
        fail("%s", reason);
    return writer;
}

void cluster_write_at(struct cluster *cluster, const char *topic, int partition, int records,
                      int64_t timestamp_ms)
{
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;

    if (!cluster->writer)
        cluster->writer = writer_new(cluster);
    for (int i = 0; i < records && !error; i++)
        error = rd_kafka_producev(cluster->writer, RD_KAFKA_V_TOPIC(topic),
                                  RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_VALUE("record", 6),
                                  RD_KAFKA_V_TIMESTAMP(timestamp_ms),
                                  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (!error)
        error = rd_kafka_flush(cluster->writer, CLUSTER_WAIT_MS);
    if (error)
        fail("writing to %s: %s", topic, rd_kafka_err2str(error));
}

void cluster_write(struct cluster *cluster, const char *topic, int partition, int records)
{
    cluster_write_at(cluster, topic, partition, records, 0); /* 0: now */
}

void cluster_delete_records(struct cluster *cluster, const char *topic, int partition,
                            int64_t offset)
{
    rd_kafka_AdminOptions_t *options = admin_options(cluster, RD_KAFKA_ADMIN_OP_DELETERECORDS);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_DeleteRecords_t *wanted;

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    wanted = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(cluster->client, &wanted, 1, options, cluster->queue);
    rd_kafka_DeleteRecords_destroy(wanted);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_AdminOptions_destroy(options);
    await_result(cluster, "deleting records of", topic);
}

void cluster_commit(struct cluster *cluster, const char *topic, int partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t error;

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    error = rd_kafka_commit(cluster->client, list, 0);
    if (!error)
        error = list->elems[0].err;
    if (error)
        fail("committing [%s,%d]: %s", topic, partition, rd_kafka_err2str(error));
    rd_kafka_topic_partition_list_destroy(list);
}

int cluster_partitions(struct cluster *cluster, const char *topic)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(cluster->client, topic, NULL);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error =
        rd_kafka_metadata(cluster->client, 0, handle, &metadata, CLUSTER_WAIT_MS);
    int count;

    if (error)
        fail("metadata of %s: %s", topic, rd_kafka_err2str(error));
    count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return count;
}

int64_t cluster_end(struct cluster *cluster, const char *topic, int partition)
{
    int64_t low, end;
    rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(cluster->client, topic, partition,
                                                                 &low, &end, CLUSTER_WAIT_MS);

    if (error)
        fail("end of [%s,%d]: %s", topic, partition, rd_kafka_err2str(error));
    return end;
}

int64_t cluster_records(struct cluster *cluster, const char *topic)
{
    int partitions = cluster_partitions(cluster, topic);
    int64_t records = 0;

    for (int i = 0; i < partitions; i++)
        records += cluster_end(cluster, topic, i);
    return records;
}

int64_t cluster_committed(struct cluster *cluster, const char *topic, int partition)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t offset;
    rd_kafka_resp_err_t error;

    rd_kafka_topic_partition_list_add(list, topic, partition);
    error = rd_kafka_committed(cluster->client, list, CLUSTER_WAIT_MS);
    if (!error)
        error = list->elems[0].err;
    if (error)
        fail("committed offset of [%s,%d]: %s", topic, partition, rd_kafka_err2str(error));
    offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return offset >= 0 ? offset : -1;
}

bool cluster_all_committed(struct cluster *cluster, const char *topic)
{
    int partitions = cluster_partitions(cluster, topic);

    for (int i = 0; i < partitions; i++) {
        int64_t end = cluster_end(cluster, topic, i);

        if (end > 0 && cluster_committed(cluster, topic, i) != end)
            return false;
    }
    return true;
}
