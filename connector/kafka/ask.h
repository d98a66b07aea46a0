/*
 * ask: asks a cluster once who it is, for `check`. Blocks: not for the loop.
 */
#ifndef KAFKA_ASK_H
#define KAFKA_ASK_H

#include "kafka/client.h"

#include <stdio.h>

enum { KAFKA_ASK_TIMEOUT_MS = 10000 };

/* Tells on `to` that it asks, and the brokers and topics or, in the client's last words, why there
 * was no answer. False: there was none. */
bool kafka_ask(const struct kafka_options *options, FILE *to);

#endif
