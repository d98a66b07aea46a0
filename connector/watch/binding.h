/*
 * binding: one function bound to one topic of one consumer group: what is known of the group, and
 * the wake-up that is on its way.
 *
 * At each tick of the sampler it takes what was read, and sends a wake-up when one is due and none
 * is on its way. The wake-up has a time of its own and holds up nobody. One that is not accepted is
 * due again at the next tick; its reason is logged when it changes.
 */
#ifndef WATCH_BINDING_H
#define WATCH_BINDING_H

#include "base/json.h"
#include "base/metrics.h"
#include "kafka/sampler.h"
#include "watch/options.h"

/* What all bindings share; borrowed, its options may change between two calls. */
struct binding_world {
    struct http *http;
    const struct wake_options *wake;
    struct sampler *sampler;
    struct metrics *metrics;
};

extern const struct metrics_table binding_metrics, wakeup_metrics;

struct binding;

/* The options' texts are copied. */
struct binding *binding_new(const struct binding_world *world,
                            const struct binding_options *options,
                            const struct activity_rules *rules);
/* A wake-up on its way is forgotten. */
void binding_free(struct binding *binding);

/* Whether it binds the same function to the same topic and group. */
bool binding_is(const struct binding *binding, const struct binding_options *options);

/* Other rules; what is known stays. */
void binding_set_rules(struct binding *binding, const struct activity_rules *rules);

/* The sampler's tick, which was due at now_ms, has ended. */
void binding_tick(struct binding *binding, int64_t now_ms);

/* Why what is known of it is not of the last tick, static text; NULL: it is. */
const char *binding_stale(const struct binding *binding);

/* For how long, in seconds; 0: it is not stale, -1: nothing was ever read. */
double binding_stale_seconds(const struct binding *binding);

/* Brings its metrics up to date. */
void binding_collect(struct binding *binding);

/* Adds its settings, as SlimFaas Kafka names them, and its state. */
void binding_describe(const struct binding *binding, json *to);

#endif
