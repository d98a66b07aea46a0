/*
 * profile: how one Kafka cluster is reached, by a file of clusters_path: NAME.json.
 *
 *     {"bootstrapServers": "kafka.payments.svc:9093",
 *      "kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "SCRAM-SHA-512",
 *      "kafka_sasl_username": "scaler", "kafka_sasl_password": "..."}
 *
 * It is read when the first scaled object names it, so that one that is added needs no new start.
 */
#ifndef SCALE_PROFILE_H
#define SCALE_PROFILE_H

#include "kafka/client.h"

/* folder NULL or "": there are none. False: faults naming the key `cluster` were added; what was
 * read is to be released nevertheless. */
bool profile_read(const char *folder, const char *name, struct kafka_options *options,
                  struct option_faults *faults);
void profile_release(struct kafka_options *options);

/* Reads all there are, for their faults. */
void profiles_check(const char *folder, struct option_faults *faults);

#endif
