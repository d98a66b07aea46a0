/*
 * ask: asks once, for `check`: the gateway which functions it has, the brokers for the topics that
 * would be bound to and those that dead letters would go to.
 */
#ifndef INVOKE_ASK_H
#define INVOKE_ASK_H

#include "core/name_set.h"
#include "gateway/gateway.h"
#include "gateway/http.h"
#include "invoke/options.h"
#include "kafka/client.h"

#include <stdio.h>

/* Reads the functions' map once, tells on `to` what came of it, and adds its topics. False: there
 * is none. Runs a loop of its own. */
bool ask_gateway(const struct gateway_options *gateway, const struct http_options *options,
                 struct name_set *topics, FILE *to);

/* Tells which topics that would be bound to are not there: those that the option topics names, and
 * of `annotated` those that it lets in. False: there are such; they are awaited all the same. */
bool ask_topics(const struct kafka_options *kafka, const struct invoke_options *options,
                const struct name_set *annotated, FILE *to);

/* Where there are dead letters: tells whether their topics are there, those of the option topics
 * and, as far as it lets them be bound to, of `annotated`. False: letters would wait. */
bool ask_dead_letters(const struct kafka_options *kafka, const struct invoke_options *options,
                      const struct name_set *annotated, FILE *to);

#endif
