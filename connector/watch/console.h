/*
 * console: what an operator is told of a running watch, and what can be done by hand: the mode's
 * part of the admin server.
 *
 *   GET /bindings           the bindings, their settings and what is known of each
 *   POST /wake/NAME         wakes a function now, bound or not: 202
 *   GET /health             says also whether what is known is stale, and why
 */
#ifndef WATCH_CONSOLE_H
#define WATCH_CONSOLE_H

#include "admin/admin.h"
#include "watch/bindings.h"
#include "watch/by_hand.h"

enum { CONSOLE_REQUEST_KINDS = SAMPLER_REQUEST_KINDS };

/* All borrowed; the owner fills it and changes the marks. */
struct console {
    struct bindings *bindings;
    struct sampler *sampler;
    struct by_hand *by_hand;
    bool stopping;
    bool settings_fault; /* the settings were read again, with faults */
    struct metrics_instance *values, *requests[CONSOLE_REQUEST_KINDS]; /* console's own */
};

extern const struct metrics_table console_metrics, request_metrics;

/* Adds its metrics, and keeps them up to date. */
void console_begin(struct console *console, struct metrics *metrics);

/* What the admin server answers. Borrows the console. */
struct admin_subject console_subject(struct console *console);

#endif
