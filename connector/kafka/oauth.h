/*
 * oauth: the token of SASL OAUTHBEARER, from a file (sasl.oauthbearer.token.file): a JWT, such as
 * whoever runs us puts there and renews (a projected token of Kubernetes, a side-car). It is read
 * again when four fifths of its life are over, by a thread of librdkafka's.
 *
 * librdkafka's own maker of unsecured tokens is refused (kafka/security.c): 2.0.2 follows a NULL
 * pointer when such a token is to be renewed, and the program ends.
 */
#ifndef KAFKA_OAUTH_H
#define KAFKA_OAUTH_H

#include "base/option.h"

#include <librdkafka/rdkafka.h>

#define OAUTH_TOKEN "sasl.oauthbearer.token"

/* Has the token of the file used. A file that holds none is a fault. */
void oauth_use_file(rd_kafka_conf_t *conf, const char *path, struct option_faults *faults);

#endif
