/*
 * admin: what an operator and an orchestrator ask a running connector, over HTTP.
 *
 *   GET /health   200 while the loop turns and the mode can go on; 503 and why only a new start
 * helps GET /ready    200 when the mode is ready for work; 503 and why not yet GET /metrics
 * Prometheus text GET /status   all there is to know, as JSON
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "base/json.h"
#include "base/metrics.h"
#include "base/option.h"

#include <uv.h>

struct admin_options {
    char *listen; /* admin_listen; "none": nowhere */
};

extern const struct option_table admin_option_table;

/* What the mode answers. */
struct admin_subject {
    /* NULL: it can go on. Else why it cannot, in words: static text. */
    const char *(*broken)(void *context);
    /* NULL: ready. Else why not, in words: static text, or valid until the next call. */
    const char *(*unready)(void *context);
    /* Adds to the status. */
    void (*status)(void *context, json *status);
    void *context;
};

struct admin;

/* NULL: a fault naming option and value was added. metrics and subject are borrowed. With
 * "none" to listen on: an admin that does nothing. */
struct admin *admin_new(uv_loop_t *loop, const struct admin_options *options,
                        struct metrics *metrics, const struct admin_subject *subject,
                        struct option_faults *faults);
/* Run the loop once more before closing it. */
void admin_free(struct admin *admin);

#endif
