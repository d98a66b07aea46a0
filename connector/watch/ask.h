/*
 * ask: whether whoever wakes the functions is there, for `check`.
 */
#ifndef WATCH_ASK_H
#define WATCH_ASK_H

#include "gateway/wake.h"

#include <stdio.h>

/* Asks once (GET /health of SlimFaas, /healthz of OpenFaaS) and tells on `to` what it says. False:
 * no answer; any status is one. */
bool ask_wake_server(const struct wake_options *options, const struct http_options *http, FILE *to);

#endif
