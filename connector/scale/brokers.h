/*
 * brokers: which brokers metadata may name, and which lists of them are the same cluster.
 */
#ifndef SCALE_BROKERS_H
#define SCALE_BROKERS_H

#include "scale/trigger.h"

/* `own`: of the process or the profile, whose credentials they would be given. False: a fault that
 * names the first that may not be named was added. */
bool brokers_allowed(const struct option_list *allowed, const struct kafka_options *own,
                     const struct trigger *trigger, struct option_faults *faults);

/* "a:9092,b:9092" in one order, behind "payments: " with a profile. Caller frees. */
char *brokers_key_dup(const struct kafka_options *kafka, const char *profile);

#endif
