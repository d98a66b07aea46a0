/*
 * security: the properties by which brokers know us, judged before anybody connects: what
 * librdkafka would refuse in the words of its libraries, or not at all.
 *
 * A property NAME.file (in the environment kafka_sasl_password_file) is not librdkafka's: it names
 * a file whose first line is the value of NAME, so that a secret stands neither in the environment
 * nor on a command line.
 */
#ifndef KAFKA_SECURITY_H
#define KAFKA_SECURITY_H

#include "kafka/client.h"

#include <librdkafka/rdkafka.h>

/* What stands in `properties` behind "NAME=", the last of that name; NULL: none. Borrowed. */
const char *security_property(const struct option_list *properties, const char *name);

/* A name without its ".file", cut in place. False: it has none. */
bool security_cut_file(char *name);

/* The first line of the file that NAME.file names. NULL: a fault was added. Caller frees. */
char *security_read_file(const char *name, const char *path, struct option_faults *faults);

/* Adds a fault for a certificate, key or authority that cannot be read. */
void security_check_path(const char *name, const char *path, struct option_faults *faults);

/* Adds a fault for SASL without a mechanism, or without what the mechanism needs. */
void security_check(const rd_kafka_conf_t *conf, const struct option_list *properties,
                    struct option_faults *faults);

#endif
