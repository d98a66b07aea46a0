/*
 * broker: a real Apache Kafka of a test's own, for tests that take it away. Tests that do not share
 * the one whose address is in KAFKA_BOOTSTRAP.
 */
#ifndef HARNESS_BROKER_H
#define HARNESS_BROKER_H

#include <uv.h>

struct broker;

/* Returns when it serves. Its data lies in a temporary folder. */
struct broker *broker_new(uv_loop_t *loop);
/* One that makes topics that are asked for. */
struct broker *broker_new_making_topics(uv_loop_t *loop);
/* One that tests/kafka/kafka.sh is told more of, by its environment ("KAFKA_LISTENERS=...",
 * NULL-ended, borrowed). */
struct broker *broker_new_with(uv_loop_t *loop, const char *const *environment);
void broker_free(struct broker *broker);

const char *broker_bootstrap(const struct broker *broker); /* stays the same over restarts */

/* The port of a further listener of KAFKA_LISTENERS. */
int broker_listener_port(const struct broker *broker, const char *name);

/* Ends it by a signal and waits for that: SIGTERM as an operator, SIGKILL as a power cut. */
void broker_stop(struct broker *broker, int signal);
void broker_restart(struct broker *broker);

/* The port that tests/kafka/kafka.sh gave to the broker whose data lie in the folder. */
int broker_port(const char *folder);

#endif
