/*
 * service: a producer that listens: POST /produce {"count": N, "messageSize": N} writes so many
 * records and answers, when they have ended, how many were acknowledged. GET /health: 200.
 */
#ifndef PRODUCER_SERVICE_H
#define PRODUCER_SERVICE_H

#include "producer/options.h"

/* Serves at options->listen until SIGINT or SIGTERM; then what was sent is waited for, 5 seconds at
 * most or until a second signal. An exit status; with faults added it does not serve. */
int service_run(const struct producer_options *options, struct option_faults *faults);

#endif
