/*
 * server: a small HTTP server on the loop; the only place that knows libmicrohttpd.
 *
 * Routes are a table of {method, path, answer}; a path that ends in "*" matches whatever begins
 * with what stands before it. The first row that matches serves. 404 and 405 are answered by the
 * engine. Used by admin, the sandbox's gateway and the tests' gateway, so a request may be
 * answered later (from another callback of the loop), or not at all (web_cut).
 */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include "web/guard.h"

#include <stddef.h>
#include <uv.h>

struct web_request; /* lives until web_answer or web_cut */

struct web_route {
    const char *method; /* "GET"; also serves HEAD */
    const char *path;   /* "/health", "/function/" "*" */
    /* Must call web_answer or web_cut, now or later. */
    void (*answer)(struct web_request *request, void *context);
};

struct web_server;

/* `listen` is ":8081", "127.0.0.1:8080", "[::1]:8080" or "127.0.0.1:0" for any free port. Bodies
 * over body_limit are answered 413, headers over a 128th of it, but at least 32 KiB, 431. The
 * table, ended by an all-NULL row, and context are borrowed. NULL: *reason (caller frees) names the
 * address: in use, not an address. */
struct web_server *web_server_new(uv_loop_t *loop, const char *listen, size_t body_limit,
                                  const struct web_route *routes, void *context, char **reason);
/* Cuts what is unanswered: those requests are gone. May be called from answer(); then the cut comes
 * when it returned. Run the loop once more before closing it. */
void web_server_free(struct web_server *server);

/* Against strangers; without, a connection may be silent for a minute, and there may be 8192. */
void web_server_guard(struct web_server *server, const struct guard_limits *limits);

int web_server_port(const struct web_server *server);

const char *web_method(const struct web_request *request);
const char *web_path(const struct web_request *request);                    /* decoded */
const char *web_query(const struct web_request *request, const char *name); /* NULL: not there */
/* Each parameter of the query; value NULL: it has no "=". */
void web_each_query(const struct web_request *request,
                    void (*each)(void *context, const char *name, const char *value),
                    void *context);
const char *web_header(const struct web_request *request, const char *name); /* NULL: not there */
void web_each_header(const struct web_request *request,
                     void (*each)(void *context, const char *name, const char *value),
                     void *context);
const void *web_body(const struct web_request *request, size_t *size);

/* Answers and frees the request. The body is copied. `headers` are further headers, "Name: value",
 * with a line break between them, or NULL. */
void web_answer(struct web_request *request, int status, const char *content_type, const void *body,
                size_t size, const char *headers);
void web_answer_text(struct web_request *request, int status, const char *text);

/* Closes the connection without an answer and frees the request. */
void web_cut(struct web_request *request);

#endif
