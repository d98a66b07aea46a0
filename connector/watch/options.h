/*
 * options: what the user of watch mode sets, spelled as SlimFaas Kafka's settings are.
 */
#ifndef WATCH_OPTIONS_H
#define WATCH_OPTIONS_H

#include "admin/admin.h"
#include "core/activity.h"
#include "gateway/wake.h"
#include "kafka/client.h"

#include <utstring.h>

struct watch_kafka {
    struct kafka_options client;
    int64_t interval; /* ms */
    int64_t timeout;  /* ms */
    bool create_topics;
};

/* Which function to wake, for whose records. */
struct binding_options {
    char *topic, *group, *function;
    int64_t min_pending, min_delta;
    int64_t cooldown, keep_alive; /* seconds, as SlimFaas' whole numbers; <= 0: none, off */
};

struct watch_options {
    bool on_start;
    struct option_items bindings; /* struct binding_options */
};

/* All there is to set. */
struct watch_config {
    struct wake_options wake;
    struct http_options http;
    struct watch_kafka kafka;
    struct watch_options watch;
    struct admin_options admin;
};

enum { WATCH_GROUPS = 5 };

/* Zeroes a configuration, and names the tables that fill it. */
void watch_config_init(struct watch_config *config, struct option_group groups[WATCH_GROUPS]);

/* Faults that one row cannot see: each of a binding with its number. */
void watch_config_check(const struct watch_config *config, struct option_faults *faults);

/* What two configurations differ in that is taken up only at a new start: adds the options' names,
 * "Kafka__ClientId, admin_listen". */
void watch_config_needs_start(const struct watch_config *config, const struct watch_config *other,
                              UT_string *names);

/* Binding number `index` of the list, borrowed. */
const struct binding_options *watch_binding(const struct watch_options *options, size_t index);

struct activity_rules watch_rules(const struct watch_options *options,
                                  const struct binding_options *binding);

#define WATCH_BINDINGS "SlimFaasKafka__Bindings"

/* Whether a variable of the environment is one of a binding: who sets some means this mode. */
bool watch_is_binding_variable(const char *variable);

#endif
