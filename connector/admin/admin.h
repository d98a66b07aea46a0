/*
 * admin: what an operator and an orchestrator ask a running connector, over HTTP.
 *
 *   GET /health    200 while the loop turns and the mode can go on; 503 and why: only a new
 *                  start helps
 *   GET /ready     200 when the mode is ready for work; 503 and why not yet
 *   GET /metrics   Prometheus text
 *   GET /status    all there is to know, as JSON
 *   GET /          a page that shows the status to a person (admin/page)
 *   GET ...        the mode's pages, as JSON
 *   POST ...       the mode's actions, for who shows the token of admin_token_file
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "base/json.h"
#include "base/metrics.h"
#include "base/option.h"

#include <uv.h>

struct admin_options {
    char *listen;     /* admin_listen; "none": nowhere */
    char *token_file; /* admin_token_file; NULL or "": no action is allowed */
};

extern const struct option_table admin_option_table;

/* Adds a fault when admin_listen is no address, and when the token cannot be read. That is read
 * again for each action, so that a changed one is taken up. */
void admin_options_check(const struct admin_options *options, struct option_faults *faults);

enum { ADMIN_PARAMETERS_MAX = 2, ADMIN_ACTIONS_MAX = 8, ADMIN_PAGES_MAX = 8 };

/* Something that can be done by a POST. */
struct admin_action {
    const char *path; /* "/pause"; "/wake/" "*": what stands for the star is the first parameter */
    const char *parameters[ADMIN_PARAMETERS_MAX]; /* of the query; each may be left out, and no
                                                     other is taken */
    /* Does it. `values` are the parameters', none empty; NULL: left out. Adds to the answer, a JSON
     * object; "reason" says why not. Returns the HTTP status. */
    int (*act)(void *context, const char *const *values, json *answer);
};

/* Something that can be looked at by a GET. */
struct admin_page {
    const char *path;                          /* "/bindings" */
    void (*fill)(void *context, json *answer); /* adds to the answer, a JSON object */
};

/* What the mode answers. */
struct admin_subject {
    /* NULL: it can go on. Else why it cannot, in words: static text, or valid until the next call.
     */
    const char *(*broken)(void *context);
    /* NULL: ready. Else why not, in words: static text, or valid until the next call. */
    const char *(*unready)(void *context);
    /* Adds to the status. */
    void (*status)(void *context, json *status);
    void *context;
    const struct admin_action *actions; /* ended by a row without a path; NULL: none */
    const struct admin_page *pages;     /* likewise */
    /* Adds to what /health says of one that can go on; NULL: nothing. */
    void (*health)(void *context, json *answer);
};

struct admin;

/* NULL: a fault naming option and value was added. metrics, subject and the options' texts are
 * borrowed. With "none" to listen on: an admin that does nothing. */
struct admin *admin_new(uv_loop_t *loop, const struct admin_options *options,
                        struct metrics *metrics, const struct admin_subject *subject,
                        struct option_faults *faults);
/* Run the loop once more before closing it. */
void admin_free(struct admin *admin);

#endif
