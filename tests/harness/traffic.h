/*
 * traffic: a thread that writes to a topic and commits for groups that never join, while brokers
 * come and go, and knows between which two numbers every end and every commit must be.
 *
 * A record is written once and a commit is never lower than the one before, so what was attempted
 * is never exceeded, and what was acknowledged is never undone. A commit stays
 * TRAFFIC_BEHIND short of what is acknowledged: that many records wait at any time.
 */
#ifndef HARNESS_TRAFFIC_H
#define HARNESS_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

enum { TRAFFIC_GROUPS = 8, TRAFFIC_PARTITIONS = 6, TRAFFIC_BEHIND = 20 };

struct traffic;

/* How a record is written once: a leader of Kafka's that loses its partition denies what it has
 * written and others keep, and librdkafka sends it again whatever it was told; mock brokers do not
 * do the former, and do not know a record that is sent twice. */
enum traffic_once { TRAFFIC_IDEMPOTENT, TRAFFIC_WITHOUT_RETRIES };

/* The topic is there, with TRAFFIC_PARTITIONS, and empty. Returns when each group has committed in
 * each partition. */
struct traffic *traffic_new(const char *bootstrap, const char *topic, enum traffic_once once);
void traffic_free(struct traffic *traffic);

/* The groups' names are the topic's and a number: "orders-0". */
const char *traffic_group(const struct traffic *traffic, int group);

struct bounds {
    int64_t least, most;
};

struct bounds traffic_end(struct traffic *traffic, int partition);
struct bounds traffic_committed(struct traffic *traffic, int group, int partition);

/* Asks all leaders for ends and all coordinators for commits: whether all answered. Waits for them:
 * not on the loop. */
bool traffic_is_served(struct traffic *traffic);

#endif
