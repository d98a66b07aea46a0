/*
 * credentials: user and password of SASL from files (sasl.password.file), read again, so that a
 * changed secret is taken up. librdkafka uses them from its next connection on; those that are
 * there stay. Certificates and keys it reads once, at the start.
 */
#ifndef KAFKA_CREDENTIALS_H
#define KAFKA_CREDENTIALS_H

#include "kafka/client.h"

#include <librdkafka/rdkafka.h>
#include <stdint.h>

enum { CREDENTIALS_LOOK_MS = 5000 };

/* The files of one client; zero-initialised: none. */
struct credentials {
    char *user_file, *password_file; /* NULL: not from a file */
    uint64_t look_at;                /* no sooner, of the caller's clock, in ms */
    char *fault;                     /* why a file cannot be used, said already; NULL: it can */
};

void credentials_init(struct credentials *credentials, const struct kafka_options *options);
void credentials_release(struct credentials *credentials);

/* Looks into the files, at most once in CREDENTIALS_LOOK_MS. What they hold, if it is other than
 * what the client has, is given to it, and to `conf` (or NULL) of which a later one will be made.
 * One that cannot be used leaves what was there, and is logged once. */
void credentials_look(struct credentials *credentials, uint64_t now_ms, rd_kafka_t *kafka,
                      rd_kafka_conf_t *conf);

#endif
