/*
 * wake: has a function that sleeps at zero replicas woken, by whoever can.
 *
 *   slimfaas  POST {SlimFaas__BaseUrl}{SlimFaas__WakeUpPathTemplate}, {functionName} in the
 * template being the function's name openfaas  GET {url}/system/function/NAME, and if it has no
 * replicas POST {url}/system/scale-function/NAME {"replicas":1}: of one that is awake the number
 * would be cut down to 1. "name.namespace" names a function of another namespace.
 *
 * Names are percent-encoded. A wake-up is accepted when the answer's status is 2xx.
 */
#ifndef GATEWAY_WAKE_H
#define GATEWAY_WAKE_H

#include "gateway/gateway.h"
#include "gateway/http.h"

enum wake_target { WAKE_SLIMFAAS, WAKE_OPENFAAS };

struct wake_options {
    int target;          /* enum wake_target */
    char *url;           /* without a slash at its end */
    char *path_template; /* slimfaas */
    int64_t timeout;     /* ms, of each request */
    bool basic_auth;     /* openfaas */
    char *secret_mount_path;
};

/* Target struct wake_options. */
extern const struct option_table wake_option_table;

/* Faults that one row cannot see: a template without {functionName}, basic_auth without its
 * secrets. */
void wake_options_check(const struct wake_options *options, struct option_faults *faults);

enum wake_outcome {
    WAKE_ACCEPTED,
    WAKE_UNKNOWN, /* 404: the server has no such function */
    WAKE_FAILED,
};

struct wake_answer {
    enum wake_outcome outcome;
    bool was_awake;     /* WAKE_ACCEPTED: it has replicas already (openfaas) */
    const char *reason; /* in words, when it was not accepted; during the call */
};

struct wake; /* a wake-up on its way */

/* Everything is borrowed until `answered`, which is called once, on the loop, never from within
 * wake_start, unless wake_cancel came first. The options may be others by then, if they are valid:
 * they are looked at anew for a second request. */
struct wake *wake_start(struct http *http, const struct wake_options *options, const char *function,
                        void (*answered)(void *context, const struct wake_answer *answer),
                        void *context);
void wake_cancel(struct wake *wake);

/* The URL that wakes a function of a SlimFaas. Caller frees. */
char *wake_slimfaas_url(const struct wake_options *options, const char *function);

/* The URL of a function of an OpenFaaS: url/system/WHAT/NAME[?namespace=N]. Caller frees. */
char *wake_openfaas_url(const struct wake_options *options, const char *what, const char *function);

#endif
