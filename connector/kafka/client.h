/*
 * client: from options to a librdkafka configuration; what every Kafka client of ours shares.
 *
 * TLS, SASL and everything else librdkafka knows is set by its own property names: -X key=value
 * or the environment kafka_key_name=value (an underscore stands for a dot where the property
 * librdkafka knows has one); NAME.file names a file with the value (kafka/security.h). Properties
 * whose meaning the program depends on are refused.
 */
#ifndef KAFKA_CLIENT_H
#define KAFKA_CLIENT_H

#include "base/option.h"

#include <stdbool.h>

typedef struct rd_kafka_s rd_kafka_t;
typedef struct rd_kafka_conf_s rd_kafka_conf_t;

struct kafka_options {
    struct option_list brokers; /* broker_host / broker_hosts; a port 9092 is added where none is */
    char *client_id;
    struct option_list properties;
};

/* Target struct kafka_options. */
extern const struct option_table kafka_option_table;

/* What the option X says, also in a mode's table of its own. */
#define KAFKA_PROPERTIES_TEXT                                                                      \
    "Any property of librdkafka (TLS, SASL, timeouts): -X security.protocol=SASL_SSL, or "         \
    "kafka_security_protocol=SASL_SSL in the environment. With .file behind its name "             \
    "(kafka_sasl_password_file) the value is a file's first line."

struct kafka_setting {
    const char *name, *value;
};

/* A configuration of our `settings` (fixed: a user's property that names one of them is a fault)
 * over `defaults` (a user's property wins over them), both ended by {NULL, NULL}, either may be
 * NULL. Faults: those of the brokers, unknown property, value refused (librdkafka's own words),
 * fixed one, what authentication lacks. Returns NULL if any was added; else the caller owns it
 * (rd_kafka_new takes it over).
 */
rd_kafka_conf_t *kafka_conf_new(const struct kafka_options *options,
                                const struct kafka_setting *settings,
                                const struct kafka_setting *defaults, struct option_faults *faults);

/* A client of a configuration, which it takes over; NULL: *reason says why, the configuration is
 * still the caller's. As rd_kafka_new, but that tokens are renewed whoever polls. */
rd_kafka_t *kafka_client_new(bool consumes, rd_kafka_conf_t *conf, char *reason, size_t size);

/* The value of a property, "" when it has none. Caller frees. */
char *kafka_conf_value_dup(const rd_kafka_conf_t *conf, const char *name);

/* Whether it authenticates itself by Kerberos: librdkafka then holds the lock of the credentials
 * while a ticket server is asked. */
bool kafka_uses_kerberos(const rd_kafka_conf_t *conf);

/* Faults: a broker that is no [PROTOCOL://]HOST[:PORT]; none at all. kafka_conf_new calls it. */
void kafka_brokers_check(const struct kafka_options *options, struct option_faults *faults);

/* Why a broker is none, static text to stand behind it; NULL: it is one. */
const char *kafka_broker_fault(const char *broker);

/* "host:9092,other:9093" of options->brokers. Caller frees. */
char *kafka_bootstrap(const struct kafka_options *options);

/* Whether Kafka accepts it as a topic's name: 1-249 of [a-zA-Z0-9._-], not "." or "..".
 * Source: Kafka's org.apache.kafka.common.internals.Topic. */
bool kafka_topic_name_valid(const char *name);

#endif
