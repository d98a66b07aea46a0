/*
 * ask: asks a cluster once who it is, and for topics, for `check`. Blocks: not for the loop.
 */
#ifndef KAFKA_ASK_H
#define KAFKA_ASK_H

#include "core/name_set.h"
#include "kafka/client.h"

#include <stdio.h>

enum { KAFKA_ASK_TIMEOUT_MS = 10000 };

/* Tells on `to` that it asks, and the brokers and topics or, in the client's last words, why there
 * was no answer, with the option that names the brokers. False: there was none. */
bool kafka_ask(const struct kafka_options *options, const char *option, FILE *to);

/* Tells of those of the topics that are not there, or are not shown to us; makes none. False: there
 * are such. */
bool kafka_ask_topics(const struct kafka_options *options, const struct name_set *topics, FILE *to);

/* Tells of each of the topics for dead letters whether it is there or, where it is not, whether the
 * brokers make it when the first letter is written; makes none. False: letters for one of them
 * would wait. That the brokers do not say what they make is told, and no fault. */
bool kafka_ask_dead_topics(const struct kafka_options *options, const struct name_set *topics,
                           FILE *to);

#endif
