/*
 * bindings: all of them, by their numbers.
 */
#ifndef WATCH_BINDINGS_H
#define WATCH_BINDINGS_H

#include "watch/binding.h"

struct bindings;

/* None at first. */
struct bindings *bindings_new(const struct binding_world *world);
void bindings_free(struct bindings *bindings);

/* Takes the place of what was there: a binding that stays keeps what is known of it, and the
 * wake-up that is on its way. */
void bindings_set(struct bindings *bindings, const struct watch_options *options);

size_t bindings_count(const struct bindings *bindings);

/* For each, as for one. */
void bindings_tick(struct bindings *bindings, int64_t now_ms);
void bindings_collect(struct bindings *bindings);

/* Adds a list "bindings". */
void bindings_describe(const struct bindings *bindings, json *to);

/* How many are stale. *why: of the first of them, static text; NULL: none is. */
size_t bindings_stale(const struct bindings *bindings, const char **why);

#endif
