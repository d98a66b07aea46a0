/*
 * ask: asks the gateway once which functions it has, for `check`.
 */
#ifndef INVOKE_ASK_H
#define INVOKE_ASK_H

#include "gateway/gateway.h"
#include "gateway/http.h"

#include <stdio.h>

/* Reads the functions' map once and tells on `to` what came of it. False: there is none. Runs a
 * loop of its own. */
bool ask_gateway(const struct gateway_options *gateway, const struct http_options *options,
                 FILE *to);

#endif
