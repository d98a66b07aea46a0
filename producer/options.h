/*
 * options: what the producer is told on its command line.
 */
#ifndef PRODUCER_OPTIONS_H
#define PRODUCER_OPTIONS_H

#include "kafka/client.h"

#include <stdint.h>

struct producer_options {
    struct kafka_options kafka;
    int64_t messages; /* 0: not given */
    char *topic;
    char *value;
    char *file; /* NULL: value; "-": stdin */
    int64_t record_size;
    int64_t throughput; /* records/s; -1: no limit */
    char *key;
    int64_t keys;
    struct option_list headers; /* "name=value" */
    bool verbose;
    char *listen; /* NULL: does not */
    bool help, version;
};

extern const struct option_table producer_option_table;

/* Adds a fault for each pair of options that contradict each other, and for a topic no Kafka has.
 */
void producer_options_check(const struct producer_options *options, struct option_faults *faults);

/* How many records are to be sent; INT64_MAX: as many as the file has. */
int64_t producer_limit(const struct producer_options *options);

/* Whether each acknowledged record is told: -verbose, or few enough to be read. */
bool producer_tells_each(const struct producer_options *options);

#endif
