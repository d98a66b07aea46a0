/*
 * http_loop: curl's multi interface on libuv, by socket_action. Private to http.
 *
 * A connection's socket is watched from its first CURL_POLL until it is closed: on
 * CURL_POLL_REMOVE only what was wanted is forgotten, and libuv is told when an event comes that
 * nobody wants. Registering at each callback costs a seventh of the requests a second. When the
 * peer closes an idle connection, that is noted: see http_loop_drop_stale.
 */
#ifndef GATEWAY_HTTP_LOOP_H
#define GATEWAY_HTTP_LOOP_H

#include <curl/curl.h>
#include <stddef.h>
#include <uv.h>

struct http_loop;

/* `connections` idle ones are kept at most. `collect` is called, from the loop, when transfers may
 * have ended and after http_loop_wake; it may call everything here but http_loop_free. NULL: curl
 * has no memory. */
struct http_loop *http_loop_new(uv_loop_t *loop, size_t connections, void (*collect)(void *context),
                                void *context);

/* No transfer may be left. Its libuv handles are closed in the loop's next turn. */
void http_loop_free(struct http_loop *loop);

/* Once for each easy handle, before it is first added. */
void http_loop_prepare(struct http_loop *loop, CURL *easy);

CURLMcode http_loop_add(struct http_loop *loop, CURL *easy);
void http_loop_remove(struct http_loop *loop, CURL *easy);

/* When idle connections were closed by their peers, closes all idle ones. curl would close those
 * when it next wants a connection; until then, for ever it may be, they would keep their sockets.
 * No transfer may be left. */
void http_loop_drop_stale(struct http_loop *loop);

/* The next transfer that ended and is to be removed now; NULL: none. */
CURL *http_loop_ended(struct http_loop *loop, CURLcode *code);

/* Has `collect` called in the loop's next turn. */
void http_loop_wake(struct http_loop *loop);

#endif
