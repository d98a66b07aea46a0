/*
 * asked: what a test asks an HTTP server on this machine, and what that answers.
 */
#ifndef HARNESS_ASKED_H
#define HARNESS_ASKED_H

#include "gateway/http.h"

#include <stdbool.h>
#include <stdint.h>

struct asked {
    long status; /* 0: not answered yet; -1: there is no answer */
    char *body;  /* caller frees */
};

/* Sends a request, all of it but for whom the answer is. *asked is to stay until that is there. */
void asked_send(struct asked *asked, struct http *http, struct http_request request);

/* Runs the loop until it is answered. False: the time is over. */
bool asked_await(struct asked *asked, uv_loop_t *loop, int64_t timeout_ms);

/* For a server that is to be started: a port that was free a moment ago. */
int asked_free_port(uv_loop_t *loop);

#endif
