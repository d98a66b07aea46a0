/*
 * ask: asks a cluster once who it is, for `check`. Blocks: not for the loop.
 */
#ifndef KAFKA_ASK_H
#define KAFKA_ASK_H

#include "kafka/client.h"

enum { KAFKA_ASK_TIMEOUT_MS = 10000 };

/* True: *answer tells brokers and topics; false: why there was none. Caller frees *answer. */
bool kafka_ask(const struct kafka_options *options, char **answer);

#endif
