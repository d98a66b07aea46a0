/*
 * orders: what most tests of the dispatcher begin with: a rig with the topic "orders" of one
 * partition, in no order, and the function "a".
 *
 *     TestSuite(dispatcher_drain, .init = orders_set_up, .fini = orders_tear_down, .timeout = 60);
 */
#ifndef HARNESS_ORDERS_H
#define HARNESS_ORDERS_H

#include "tests/harness/rig.h"

extern struct rig *rig;                /* the test's */
extern struct faas_function *function; /* "a"; NULL: none is deployed */

static const struct faas_reply held = {.latency_ms = FAAS_HELD}, at_once = {0},
                               refused = {.status = 503}, cut = {.end = FAAS_CUT_AFTER};

void orders_set_up(void);
void orders_set_up_without_function(void);
void orders_tear_down(void);

/* What the group has committed; -1: nothing. */
int64_t committed(void);

/* Of "a": invocations dropped, and the most runs on one of the records 0 .. count-1. */
int64_t orders_dropped(void);
size_t orders_most_runs(int64_t count);

/* As a member before us committed it: an offset, when the topic had `born` partitions. */
void commit_before(int partition, int64_t offset, int32_t born);

/* Ten records are done, and the commit that says so is not answered. */
void orders_start_with_a_commit_under_way(void);

/* 1,500 records of nine keys, a member killed after each fifty of them; the last one commits. */
void orders_kill_members(unsigned seed);

#endif
