/*
 * cluster: a test's hand on a Kafka cluster: topics made, grown and deleted, log ends and committed
 * offsets read. All calls wait for the broker and end the test when it does not answer. Works
 * with the mock brokers too, but for topics (they are made by mock_create_topic).
 */
#ifndef HARNESS_CLUSTER_H
#define HARNESS_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

enum { CLUSTER_WAIT_MS = 30 * 1000 };

struct cluster;

/* `group`: whose committed offsets are read; it is never joined. */
struct cluster *cluster_new(const char *bootstrap, const char *group);
void cluster_free(struct cluster *cluster);

void cluster_create(struct cluster *cluster, const char *topic, int partitions);
/* With a setting of the topic's own: message.timestamp.type, LogAppendTime. */
void cluster_create_with(struct cluster *cluster, const char *topic, int partitions,
                         const char *setting, const char *value);
void cluster_grow(struct cluster *cluster, const char *topic, int partitions); /* to so many */
void cluster_delete(struct cluster *cluster, const char *topic);

/* From now on the topic may be described and written, and not be read. */
void cluster_forbid_reading(struct cluster *cluster, const char *topic);

/* From now on only others than us may do anything with the consumer group. */
void cluster_forbid_group(struct cluster *cluster, const char *group);

/* Writes so many records, acknowledged when this returns. */
void cluster_write(struct cluster *cluster, const char *topic, int partition, int records);

/* With this timestamp, in ms since 1970, where the topic keeps the writer's. */
void cluster_write_at(struct cluster *cluster, const char *topic, int partition, int records,
                      int64_t timestamp_ms);

/* The log of a partition begins at the offset from now on, as behind a retention. */
void cluster_delete_records(struct cluster *cluster, const char *topic, int partition,
                            int64_t offset);

/* Commits for the group, as one of its members would. */
void cluster_commit(struct cluster *cluster, const char *topic, int partition, int64_t offset);

/* How many partitions a topic has; 0: it does not exist. */
int cluster_partitions(struct cluster *cluster, const char *topic);

/* The offset behind the last record of a partition. */
int64_t cluster_end(struct cluster *cluster, const char *topic, int partition);

/* Of all partitions. */
int64_t cluster_records(struct cluster *cluster, const char *topic);

/* The group's committed offset; -1: none. */
int64_t cluster_committed(struct cluster *cluster, const char *topic, int partition);

/* Whether the group has committed all there is in the topic. */
bool cluster_all_committed(struct cluster *cluster, const char *topic);

#endif
