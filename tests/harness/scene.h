/*
 * scene: all that a test of the shipped programs stands on: a topic on a Kafka, a gateway with a
 * function bound to it, the log of its calls, and how the connector and the producer are started.
 *
 *     struct scene *scene = scene_new("sigterm", NULL, 3);
 *     struct child *member = scene_connector(scene, NULL);
 *     struct child *load = scene_load(scene, 5000, 1000, NULL);
 *     scene_await_done(scene, load, 60000);
 *     ... scene_account(scene) ...
 *     child_free(load), child_free(member);
 *     scene_free(scene);
 */
#ifndef HARNESS_SCENE_H
#define HARNESS_SCENE_H

#include "sandbox/gateway.h"
#include "tests/harness/account.h"
#include "tests/harness/call_log.h"
#include "tests/harness/child.h"
#include "tests/harness/cluster.h"

#include <uv.h>

#define SCENE_FUNCTION "work"

struct scene {
    uv_loop_t loop;
    char *bootstrap;
    char *topic; /* and group */
    struct cluster *cluster;
    struct faas_gateway *gateway;
    struct faas_function *function; /* SCENE_FUNCTION: 200 after 5 ms */
    struct call_log *log;
};

/* `name` is the topic's and the group's: no two tests' on one broker. `bootstrap` NULL: the broker
 * of tests/kafka/run.sh. */
struct scene *scene_new(const char *name, const char *bootstrap, int partitions);
void scene_free(struct scene *scene);

/* Starts a member of the group, reading from the earliest record, with further settings
 * ("name=value", NULL-ended, or NULL) that win over the scene's. */
struct child *scene_connector(struct scene *scene, const char *const *settings);

/* Ends it by SIGTERM, which it leaves the group for with status 0, and frees it. */
void scene_stop(struct child *connector);

/* Starts `kafka-connector check` with what a member would be started with. */
struct child *scene_check(struct scene *scene, const char *const *settings);

/* Waits until a connector has been given partitions `times` times. Ends the test if not. */
void scene_await_assigned(struct child *connector, size_t times);

/* Starts the producer: so many records of 100 keys, `throughput` a second (-1: as fast as it can).
 * It waits for brokers that are away. Further arguments NULL-ended, or NULL. */
struct child *scene_load(struct scene *scene, int64_t records, int64_t throughput,
                         const char *const *arguments);

/* Waits until the producer has ended with status 0 and the group has committed all its records. */
bool scene_await_done(struct scene *scene, struct child *load, int64_t timeout_ms);

/* Waits until the function ran so many times. */
bool scene_await_ran(struct scene *scene, size_t count, int64_t timeout_ms);

/* How many of the first `calls` calls (SIZE_MAX: all) were for records that are not committed. */
int64_t scene_uncommitted(struct scene *scene, size_t calls);
/* Waits until none of them is. */
bool scene_await_covered(struct scene *scene, size_t calls, int64_t timeout_ms);

struct account scene_account(struct scene *scene);

#endif
