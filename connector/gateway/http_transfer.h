/*
 * http_transfer: an easy handle, the request it carries and the answer as it comes in. Private to
 * http.
 *
 * A transfer is used for one request after another. Its options are set anew for each, never
 * reset: resetting costs an eighth of a request.
 */
#ifndef GATEWAY_HTTP_TRANSFER_H
#define GATEWAY_HTTP_TRANSFER_H

#include "gateway/http.h"
#include "gateway/http_loop.h"

struct transfer {
    CURL *easy;
    struct http_request request;
    http_target *own_target; /* parsed from request.url */
    unsigned sends;          /* how often curl began to send it */
    bool has_head;           /* the answer's head is whole; curl is content with half of one */
    bool stopped;            /* by us: what follows is not wanted */
    bool has_credentials;
    bool fresh;
    uint64_t started; /* uv_hrtime */
    struct http_answer answer;
    char *body;
    size_t body_room;
    char error[CURL_ERROR_SIZE];
};

/* `owner` is what transfer_owner gives for the easy handle. Zero the transfer before, and do not
 * move it afterwards. */
void transfer_init(struct transfer *transfer, struct http_loop *loop,
                   const struct http_options *options, void *owner);
void transfer_release(struct transfer *transfer);
void *transfer_owner(CURL *easy);

/* Takes a request on. Other than CURLE_OK: it cannot be sent. */
CURLcode transfer_begin(struct transfer *transfer, const struct http_request *request);

/* Fills in `answer` with what came of it. */
void transfer_judge(struct transfer *transfer, CURLcode code);

/* After that: frees what the next request has no use for. */
void transfer_clear(struct transfer *transfer);

#endif
