/*
 * http: requests to the gateway, many at once, on the loop; the only place that knows libcurl.
 *
 * curl's multi interface by socket_action on libuv, sockets registered lazily: polled from their
 * first CURL_POLL, forgotten on CURL_POLL_REMOVE without telling libuv, stopped when an event
 * comes while nothing is wanted. (Measured: 57k requests/s against 50k when registering at each
 * callback.) Easy handles and connections are reused. HTTP/1.1; redirects are not followed.
 *
 * A POST is sent at most once: on a reused connection that closes without a byte libcurl repeats
 * a request by itself, up to 5 times; the second send of a POST is aborted and told as
 * HTTP_UNKNOWN, because the first may have run. A GET may be repeated so.
 * No proxy is taken from the environment: it would answer in the gateway's place. OpenSSL may
 * raise SIGPIPE: the program ignores it.
 */
#ifndef GATEWAY_HTTP_H
#define GATEWAY_HTTP_H

#include "base/option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct http_options {
    char *ca_file;   /* gateway_ca_file: PEM; NULL or "": the system's */
    char *cert_file; /* gateway_cert_file: client certificate, PEM; NULL or "": none */
    char *key_file;  /* gateway_key_file: its key, PEM; NULL or "": in cert_file */
    bool insecure;   /* gateway_tls_insecure */
};

/* Options gateway_ca_file, gateway_cert_file, gateway_key_file, gateway_tls_insecure. */
extern const struct option_table http_option_table;

/* Adds a fault for each file that cannot be read or holds no PEM of its kind, for a key without a
 * certificate, and for a certificate without a key. That they match is seen when connecting. */
void http_options_check(const struct http_options *options, struct option_faults *faults);

enum http_outcome {
    HTTP_ANSWERED, /* a whole answer: status, headers, body */
    HTTP_NOT_SENT, /* no connection, or our certificate was refused: the server did not look at it
                    */
    HTTP_UNKNOWN,  /* sent, wholly or in part, and no whole answer: cut, timed out, garbled */
};

struct http_answer {
    enum http_outcome outcome;
    long status; /* HTTP_ANSWERED */
    const char *body;
    size_t body_size;
    bool body_cut;          /* longer than the request's body_limit: the rest was dropped, of a
                               GET not even read */
    int64_t retry_after_ms; /* Retry-After in seconds or as a date; -1: none */
    bool internal_error;    /* the answer has X-OpenFaaS-Internal */
    bool timed_out;         /* HTTP_UNKNOWN because the request's timeout passed */
    const char *reason;     /* in words, the same for the same fault; when not HTTP_ANSWERED */
    int64_t elapsed_us;
};

/* Header lines, "Name: value", NUL-terminated; linked by its owner, who keeps it alive and
 * unchanged until the answer or the cancel. Lines may be shared by requests as a common tail. As
 * curl has it, "Name:" alone takes away a header that curl would send by itself, and a text may
 * hold several lines, separated by CR LF: only the first hinders curl from sending its own. */
struct http_line {
    char *text;
    struct http_line *next;
}; /* laid out as struct curl_slist, which http_transfer.c asserts */

typedef struct Curl_URL http_target; /* a URL, parsed: curl's CURLU */

struct http_request {
    const char *method;  /* "GET" or "POST" */
    const char *url;     /* for a request made once, borrowed during http_send; or: */
    http_target *target; /* for one made often; then url is NULL */
    const struct http_line *lines;
    const char *user, *password; /* basic auth; NULL: none */
    const void *body;            /* POST; borrowed until the answer or the cancel */
    size_t body_size;
    size_t body_limit;  /* of the answer: what is longer is cut */
    int64_t timeout_ms; /* for the whole request; 0: none */
    bool fresh;         /* on a connection of its own: one that was kept may be dead */
    void (*answered)(void *context, const struct http_answer *answer); /* answer: during the call */
    void *context;
};

struct http;
struct http_call; /* a request on its way */

/* `in_flight`: the most requests at once that connections are kept for. Options are borrowed.
 * NULL: *reason (static). */
struct http *http_new(uv_loop_t *loop, const struct http_options *options, size_t in_flight,
                      const char **reason);
/* Cancels what is on its way, without telling; not from within `answered`. Run the loop once more
 * before closing it. */
void http_free(struct http *http);

/* Parses a URL once. NULL: not a URL. */
http_target *http_target_new(const char *url);
void http_target_free(http_target *target); /* NULL: nothing */
/* As a Host header has it: with the port where it is not the scheme's. Caller frees. */
char *http_target_host(http_target *target);

/* Copies *request; everything it points to is borrowed until `answered`, which is called exactly
 * once, from the loop and never from within http_send, unless http_cancel came first. `answered`
 * may call http_send and http_cancel of other calls. */
struct http_call *http_send(struct http *http, const struct http_request *request);
void http_cancel(struct http_call *call);

size_t http_in_flight(const struct http *http);

#endif
