/*
 * server: libmicrohttpd without a thread of its own: its epoll descriptor is polled by the loop,
 * its timeouts are a timer of the loop, and both come down to MHD_run.
 *
 * A request passes its route's answer() once, when its body is whole. Not answered by the time
 * answer() returns, its connection is suspended, so MHD neither reads from it nor notices that the
 * client left: the request stays valid until web_answer or web_cut, which resume it; MHD then asks
 * again and gets what was decided. So `request` belongs to MHD (request_completed frees it) and is
 * only lent to whoever answers.
 */
#include "web/server.h"

#include "base/xalloc.h"
#include "web/listen.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>
#include <utstring.h>

enum {
    CONNECTIONS = 8192,
    CONNECTION_IDLE_SECONDS = 60,
    SWEEP_MS = 1000,
    HEADERS_MIN = 32 * 1024,
    HEADERS_SHARE = 128,             /* of body_limit */
    OVERLONG_READ = 16 * 1024 * 1024 /* read past body_limit, so that the client hears its 413 */
};

struct web_request {
    struct web_server *server;
    struct MHD_Connection *connection;
    const char *method, *path;
    UT_string body;
    size_t received;
    bool suspended;
    bool cut;
    struct MHD_Response *response; /* decided, not queued yet */
    int status;
    struct web_request *prev, *next; /* in server->suspended */
};

struct web_server {
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer;
    uv_timer_t sweep; /* of the guard, if there are limits */
    struct guard guard;
    int handles; /* of the loop that are not closed yet */
    int port;
    size_t body_limit;
    const struct web_route *routes;
    void *context;
    struct web_request *suspended;
    bool running;    /* MHD_run is on the stack */
    bool free_after; /* web_server_free was called meanwhile */
};

static void on_timer(uv_timer_t *timer);

static uint64_t now_of(const struct web_server *server)
{
    return uv_now(server->timer.loop);
}

static struct guarded *guarded_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* ---- answers ---- */

static void add_header(struct MHD_Response *response, const char *line, size_t size)
{
    char *name = xstrndup(line, size);
    char *colon = strchr(name, ':');
    assert(colon);
    *colon = '\0';
    const char *value = colon + 1 + strspn(colon + 1, " ");
    bool added = MHD_add_response_header(response, name, value) == MHD_YES;
    assert(added);
    (void)added;
    free(name);
}

static void add_headers(struct MHD_Response *response, const char *lines)
{
    while (lines && *lines) {
        size_t size = strcspn(lines, "\n");
        add_header(response, lines, size);
        lines += size + (lines[size] == '\n');
    }
}

static struct MHD_Response *response_new(const char *content_type, const void *body, size_t size)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, size ? (void *)body : "", MHD_RESPMEM_MUST_COPY);
    assert(response);
    if (content_type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    return response;
}

/* Once decided, MHD has to ask again; only MHD_run sees to it. */
static void decided(struct web_request *request)
{
    if (!request->suspended)
        return;
    struct web_server *server = request->server;
    request->suspended = false;
    DL_DELETE(server->suspended, request);
    MHD_resume_connection(request->connection);
    uv_timer_start(&server->timer, on_timer, 0, 0);
}

void web_answer(struct web_request *request, int status, const char *content_type, const void *body,
                size_t size, const char *headers)
{
    assert(!request->response && !request->cut);
    request->status = status;
    request->response = response_new(content_type, body, size);
    add_headers(request->response, headers);
    decided(request);
}

void web_answer_text(struct web_request *request, int status, const char *text)
{
    web_answer(request, status, "text/plain; charset=utf-8", text, strlen(text), NULL);
}

void web_cut(struct web_request *request)
{
    assert(!request->response && !request->cut);
    request->cut = true;
    decided(request);
}

/* ---- what was asked ---- */

const char *web_method(const struct web_request *request)
{
    return request->method;
}

const char *web_path(const struct web_request *request)
{
    return request->path;
}

const char *web_query(const struct web_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *web_header(const struct web_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct visit {
    void (*each)(void *context, const char *name, const char *value);
    void *context;
};

static enum MHD_Result visit_value(void *cls, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    const struct visit *visit = cls;
    visit->each(visit->context, name, value || kind != MHD_HEADER_KIND ? value : "");
    return MHD_YES;
}

void web_each_query(const struct web_request *request,
                    void (*each)(void *context, const char *name, const char *value), void *context)
{
    struct visit visit = {each, context};
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, visit_value, &visit);
}

void web_each_header(const struct web_request *request,
                     void (*each)(void *context, const char *name, const char *value),
                     void *context)
{
    struct visit visit = {each, context};
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, visit_value, &visit);
}

const void *web_body(const struct web_request *request, size_t *size)
{
    *size = utstring_len(&request->body);
    return utstring_body(&request->body);
}

/* ---- the route ---- */

static bool path_matches(const char *pattern, const char *path)
{
    size_t length = strlen(pattern);
    if (length && pattern[length - 1] == '*')
        return strncmp(pattern, path, length - 1) == 0;
    return strcmp(pattern, path) == 0;
}

static bool method_matches(const char *served, const char *method)
{
    return strcmp(served, method) == 0 ||
           (strcmp(served, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* 405 names what the path does serve, 404 when that is nothing. */
static void answer_unserved(struct web_request *request)
{
    UT_string allow;
    utstring_init(&allow);
    for (const struct web_route *route = request->server->routes; route->method; route++)
        if (path_matches(route->path, request->path))
            utstring_printf(&allow, "%s%s", utstring_len(&allow) ? ", " : "Allow: ", route->method);
    if (utstring_len(&allow)) {
        static const char text[] = "method not allowed\n";
        web_answer(request, 405, "text/plain", text, sizeof(text) - 1, utstring_body(&allow));
    } else {
        web_answer_text(request, 404, "not found\n");
    }
    utstring_done(&allow);
}

static void route_request(struct web_request *request)
{
    if (request->received > request->server->body_limit) {
        web_answer_text(request, 413, "body too large\n");
        return;
    }
    for (const struct web_route *route = request->server->routes; route->method; route++) {
        if (path_matches(route->path, request->path) &&
            method_matches(route->method, request->method)) {
            route->answer(request, request->server->context);
            return;
        }
    }
    answer_unserved(request);
}

/* ---- what MHD calls ---- */

static struct web_request *request_new(struct web_server *server, struct MHD_Connection *connection,
                                       const char *path, const char *method)
{
    struct web_request *request = xcalloc(1, sizeof(*request));
    request->server = server;
    request->connection = connection;
    request->path = path;
    request->method = method;
    utstring_init(&request->body);
    return request;
}

/* What lies past the limit is read and dropped, within reason: a client that is cut off while it
 * sends never sees the 413. */
static bool take_body(struct web_request *request, const char *data, size_t size)
{
    size_t limit = request->server->body_limit;
    request->received += size;
    if (request->received <= limit)
        utstring_bincpy(&request->body, data, size);
    return request->received <= limit || request->received - limit <= OVERLONG_READ;
}

static enum MHD_Result queue_answer(struct web_request *request)
{
    struct MHD_Response *response = request->response;
    struct web_server *server = request->server;
    request->response = NULL;
    guard_answered(&server->guard, guarded_of(request->connection), now_of(server));
    enum MHD_Result result =
        MHD_queue_response(request->connection, (unsigned)request->status, response);
    MHD_destroy_response(response);
    return result;
}

/* MHD asks here several times: for the headers, for each piece of the body, at its end, and once
 * more after a resume. MHD_NO closes the connection. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    (void)version;
    struct web_request *request = *state;
    if (!request) {
        *state = request_new(cls, connection, path, method);
        return MHD_YES;
    }
    if (*size) {
        bool taken = take_body(request, data, *size);
        *size = 0;
        return taken ? MHD_YES : MHD_NO;
    }
    if (!request->response && !request->cut) {
        guard_asked(&request->server->guard, guarded_of(connection));
        route_request(request);
    }
    if (request->cut)
        return MHD_NO;
    if (request->response)
        return queue_answer(request);
    request->suspended = true;
    DL_APPEND(request->server->suspended, request);
    MHD_suspend_connection(connection);
    return MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls, (void)connection, (void)code;
    struct web_request *request = *state;
    if (!request)
        return;
    assert(!request->suspended);
    if (request->response) /* decided, and the client had left meanwhile */
        MHD_destroy_response(request->response);
    utstring_done(&request->body);
    free(request);
    *state = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct web_server *server = cls;

    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *context = guard_opened(
            &server->guard,
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
            now_of(server));
    else
        guard_closed(&server->guard, *context);
}

/* ---- the loop ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct web_server *server = handle->data;
    if (--server->handles == 0)
        free(server);
}

static void close_server(struct web_server *server)
{
    struct web_request *request, *next;
    DL_FOREACH_SAFE (server->suspended, request, next)
        web_cut(request); /* MHD must not be stopped with suspended connections */
    uv_close((uv_handle_t *)&server->timer, on_handle_closed);
    uv_close((uv_handle_t *)&server->poll, on_handle_closed);
    if (server->guard.limits.connections)
        uv_close((uv_handle_t *)&server->sweep, on_handle_closed);
    MHD_stop_daemon(server->daemon);
}

static void run(struct web_server *server)
{
    server->running = true;
    MHD_run(server->daemon);
    server->running = false;
    MHD_UNSIGNED_LONG_LONG ms;
    if (server->free_after)
        close_server(server);
    else if (MHD_get_timeout(server->daemon, &ms) == MHD_YES)
        uv_timer_start(&server->timer, on_timer, ms, 0);
    else
        uv_timer_stop(&server->timer);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    run(poll->data);
}

static void start_polling(struct web_server *server, uv_loop_t *loop)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    uv_timer_init(loop, &server->timer);
    uv_poll_init(loop, &server->poll, info->epoll_fd);
    server->timer.data = server->poll.data = server;
    server->handles = 2;
    uv_poll_start(&server->poll, UV_READABLE, on_poll);
}

/* MHD zeroes this memory before each request of a connection: 48k requests/s with 32 KiB, 27k with
 * 128 KiB, 5k with 1 MiB. */
static size_t connection_memory(size_t body_limit)
{
    size_t memory = body_limit / HEADERS_SHARE;
    return memory > HEADERS_MIN ? memory : HEADERS_MIN;
}

struct web_server *web_server_new(uv_loop_t *loop, const char *listen, size_t body_limit,
                                  const struct web_route *routes, void *context, char **reason)
{
    int port;
    int fd = listen_on(listen, &port, reason);
    if (fd < 0)
        return NULL;
    struct web_server *server = xcalloc(1, sizeof(*server));
    *server = (struct web_server){
        .port = port, .body_limit = body_limit, .routes = routes, .context = context};
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_memory(body_limit), MHD_OPTION_END);
    if (!server->daemon) {
        *reason = xasprintf("cannot serve HTTP on %s: no descriptors left", listen);
        close(fd);
        free(server);
        return NULL;
    }
    start_polling(server, loop);
    return server;
}

static void on_sweep(uv_timer_t *sweep)
{
    struct web_server *server = sweep->data;

    guard_sweep(&server->guard, now_of(server));
}

void web_server_guard(struct web_server *server, const struct guard_limits *limits)
{
    assert(limits->connections && !server->guard.limits.connections);
    server->guard.limits = *limits;
    server->sweep.data = server;
    server->handles++;
    uv_timer_init(server->timer.loop, &server->sweep);
    uv_timer_start(&server->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

void web_server_free(struct web_server *server)
{
    if (!server)
        return;
    close(MHD_quiesce_daemon(server->daemon)); /* from here on connections are refused */
    if (server->running)
        server->free_after = true;
    else
        close_server(server);
}

int web_server_port(const struct web_server *server)
{
    return server->port;
}
