/*
 * admin: what a run does to its topic and asks of the cluster. Every call waits for brokers, tries
 * again for as long as they are away, and so belongs into a job; calls from several are fine.
 */
#ifndef FAULTS_ADMIN_H
#define FAULTS_ADMIN_H

#include "tests/faults/plan.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

enum { PARTITIONS_MOST = 64, ERAS = 2 };

struct admin {
    const char *topic; /* and group */
    rd_kafka_t *client;
    enum topic_kind kind;
    int partitions;                     /* wanted, and then there */
    int era;                            /* 1: made anew */
    int64_t low[ERAS][PARTITIONS_MOST]; /* as admin_read_lows found them */
    bool all_committed;                 /* the group has committed all there is */
    char last_trouble[256];             /* why a call had to be tried again */
};

void admin_init(struct admin *admin, const char *bootstrap, const char *topic,
                const struct plan *plan);
void admin_release(struct admin *admin);

/* All take a struct admin. */
void admin_create(void *admin);
void admin_grow(void *admin); /* to admin->partitions */
void admin_make_anew(void *admin);
void admin_expire(void *admin); /* what is there now; reads the lows */
void admin_delete(void *admin);
void admin_read_lows(void *admin);
void admin_read_committed(void *admin); /* asks once; all_committed is false if it fails */
/* Until the group has committed a start of every partition: one that could not be read at once, of
 * a topic just made, would else begin with initial_offset=latest behind what is written now. */
void admin_await_begun(void *admin);
/* Until three brokers are there and every replica of every partition is in step. */
void admin_await_health(void *admin);

#endif
