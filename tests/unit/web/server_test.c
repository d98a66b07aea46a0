/* server_test: the HTTP server against a raw client on the same loop. */
#include "web/server.h"

#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utstring.h>

enum { BODY_LIMIT = 1000, PATIENCE_MS = 5000 };

static uv_loop_t loop;
static uv_timer_t patience;
static bool out_of_time;
static struct web_server *server;
static struct web_request *held[3];
static size_t held_count;

/* ---- routes ---- */

static void answer_hello(struct web_request *request, void *context)
{
    cr_expect_eq(context, &loop);
    web_answer_text(request, 200, "hello");
}

static void collect_header(void *context, const char *name, const char *value)
{
    utstring_printf((UT_string *)context, "%s=%s;", name, value ? value : "(none)");
}

/* Tells what it sees of the request. */
static void answer_echo(struct web_request *request, void *context)
{
    (void)context;
    size_t size;
    const char *body = web_body(request, &size);
    const char *query = web_query(request, "q"), *header = web_header(request, "x-topic");
    UT_string text;
    utstring_init(&text);
    utstring_printf(&text, "%s %s q=%s topic=%s body=", web_method(request), web_path(request),
                    query ? query : "-", header ? header : "-");
    utstring_bincpy(&text, body, size);
    utstring_printf(&text, " headers=");
    web_each_header(request, collect_header, &text);
    utstring_printf(&text, " query=");
    web_each_query(request, collect_header, &text);
    web_answer(request, 201, NULL, utstring_body(&text), utstring_len(&text),
               "Retry-After: 7\nX-Second: a:b");
    utstring_done(&text);
}

static void hold(struct web_request *request, void *context)
{
    (void)context;
    held[held_count++] = request;
}

static void cut_at_once(struct web_request *request, void *context)
{
    (void)context;
    web_cut(request);
}

static void free_server(struct web_request *request, void *context)
{
    (void)context;
    web_server_free(server);
    server = NULL;
    web_answer_text(request, 200, "last words");
}

static const struct web_route routes[] = {
    {"GET", "/hello", answer_hello},
    {"POST", "/echo/*", answer_echo},
    {"GET", "/echo/*", answer_echo},
    {"POST", "/hold", hold},
    {"POST", "/cut", cut_at_once},
    {"POST", "/free", free_server},
    {NULL, NULL, NULL},
};

/* ---- the loop and a client ---- */

struct client {
    uv_tcp_t socket;
    uv_connect_t connect;
    uv_write_t write;
    UT_string received;
    bool closed_by_server;
    bool refused;
};

static void on_patience(uv_timer_t *timer)
{
    (void)timer;
    out_of_time = true;
}

/* Runs the loop until the condition holds. */
#define await(condition)                                                                           \
    do {                                                                                           \
        out_of_time = false;                                                                       \
        uv_timer_start(&patience, on_patience, PATIENCE_MS, 0);                                    \
        while (!(condition) && !out_of_time)                                                       \
            uv_run(&loop, UV_RUN_ONCE);                                                            \
        uv_timer_stop(&patience);                                                                  \
        cr_assert(condition, "still waiting for: " #condition);                                    \
    } while (0)

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    *buffer = uv_buf_init(xmalloc(suggested), (unsigned)suggested);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct client *client = stream->data;
    if (size > 0)
        utstring_bincpy(&client->received, buffer->base, (size_t)size);
    else if (size < 0)
        client->closed_by_server = true;
    free(buffer->base);
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct client *client = connect->data;
    client->refused = status != 0;
    if (!status)
        uv_read_start((uv_stream_t *)&client->socket, give_room, on_read);
}

static struct client *client_new(int port)
{
    struct client *client = xcalloc(1, sizeof(*client));
    utstring_init(&client->received);
    uv_tcp_init(&loop, &client->socket);
    client->socket.data = client->connect.data = client;
    struct sockaddr_in to;
    uv_ip4_addr("127.0.0.1", port, &to);
    uv_tcp_connect(&client->connect, &client->socket, (struct sockaddr *)&to, on_connected);
    return client;
}

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    utstring_done(&client->received);
    free(client);
}

static void client_free(struct client *client)
{
    uv_close((uv_handle_t *)&client->socket, on_client_closed);
}

/* `text` must live until it is written: all are literals or freed after the answer. */
static void client_send(struct client *client, const char *text)
{
    uv_buf_t buffer = uv_buf_init((char *)text, (unsigned)strlen(text));
    uv_write(&client->write, (uv_stream_t *)&client->socket, &buffer, 1, NULL);
}

static const char *client_text(const struct client *client)
{
    return utstring_body(&client->received);
}

static bool client_got(const struct client *client, const char *text)
{
    return strstr(client_text(client), text) != NULL;
}

static void setup(void)
{
    uv_loop_init(&loop);
    uv_timer_init(&loop, &patience);
    held_count = 0;
    char *reason = NULL;
    server = web_server_new(&loop, "127.0.0.1:0", BODY_LIMIT, routes, &loop, &reason);
    cr_assert(server, "%s", reason);
}

static void teardown(void)
{
    web_server_free(server);
    uv_close((uv_handle_t *)&patience, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&loop), 0, "a handle was left open");
}

TestSuite(server, .init = setup, .fini = teardown);

/* ---- tests ---- */

#define REQUEST(first_line, rest) first_line " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" rest

static const struct exchange {
    const char *sentence;
    const char *request;
    const char *status;
    const char *text; /* somewhere in what comes back; NULL: any */
} exchanges[] = {
    {"a route answers", REQUEST("GET /hello", "\r\n"), "200", "\r\n\r\nhello"},
    {"a text has a type", REQUEST("GET /hello", "\r\n"), "200", "Content-Type: text/plain"},
    {"a path is compared to its end", REQUEST("GET /hello2", "\r\n"), "404", NULL},
    {"a wildcard takes the rest", REQUEST("GET /echo/a/b", "\r\n"), "201", "GET /echo/a/b q=-"},
    {"a wildcard takes an empty rest", REQUEST("GET /echo/", "\r\n"), "201", "GET /echo/ q=-"},
    {"but not less than its beginning", REQUEST("GET /echo", "\r\n"), "404", NULL},
    {"a path is decoded", REQUEST("GET /echo/a%20b%2f", "\r\n"), "201", "GET /echo/a b/ q=-"},
    {"each part of a query, with a value or without", REQUEST("GET /echo/?a=1&b&c=", "\r\n"), "201",
     "query=a=1;b=(none);c=;"},
    {"a query is found by name", REQUEST("GET /echo/?a=1&q=x%26y", "\r\n"), "201", "q=x&y "},
    {"headers are found in any case", REQUEST("GET /echo/", "X-Topic: t\r\n\r\n"), "201",
     "topic=t "},
    {"all headers are told", REQUEST("GET /echo/", "A: 1\r\n\r\n"), "201", "A=1;"},
    {"a further header is sent", REQUEST("GET /echo/", "\r\n"), "201", "Retry-After: 7\r\n"},
    {"and another", REQUEST("GET /echo/", "\r\n"), "201", "X-Second: a:b\r\n"},
    {"a body arrives", REQUEST("POST /echo/", "Content-Length: 4\r\n\r\na\nbc"), "201",
     "body=a\nbc "},
    {"a body in chunks too",
     REQUEST("POST /echo/", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
     "201", "body=abc "},
    {"an unknown path", REQUEST("GET /nothing", "\r\n"), "404", NULL},
    {"a known path, another method", REQUEST("DELETE /hello", "\r\n"), "405", "Allow: GET\r\n"},
    {"405 names every method", REQUEST("PUT /echo/", "Content-Length: 0\r\n\r\n"), "405",
     "Allow: POST, GET\r\n"},
    {"rubbish is closed on", "rubbish\r\n\r\n", "", NULL},
};

Test(server, answers_a_table_of_requests)
{
    for (size_t i = 0; i < sizeof(exchanges) / sizeof(*exchanges); i++) {
        const struct exchange *e = &exchanges[i];
        struct client *client = client_new(web_server_port(server));
        client_send(client, e->request);
        await(client->closed_by_server);
        char *status = xasprintf("HTTP/1.1 %s ", e->status);
        cr_expect(*e->status ? client_got(client, status) : !*client_text(client),
                  "%s: status \"%s\" expected in: %s", e->sentence, e->status, client_text(client));
        free(status);
        cr_expect(!e->text || client_got(client, e->text), "%s: \"%s\" expected in: %s",
                  e->sentence, e->text, client_text(client));
        client_free(client);
    }
}

Test(server, head_is_get_without_the_body)
{
    struct client *client = client_new(web_server_port(server));
    client_send(client, REQUEST("HEAD /hello", "\r\n"));
    await(client->closed_by_server);
    cr_expect(client_got(client, "HTTP/1.1 200"), "%s", client_text(client));
    cr_expect(client_got(client, "Content-Length: 5"), "%s", client_text(client));
    cr_expect_not(client_got(client, "hello"), "%s", client_text(client));
    client_free(client);
}

static const struct {
    size_t size;
    const char *status;
} sizes[] = {{0, "201"}, {BODY_LIMIT, "201"}, {BODY_LIMIT + 1, "413"}, {3 * 1000 * 1000, "413"}};

Test(server, refuses_a_body_over_its_limit)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        char *body = xcalloc(1, sizes[i].size + 1);
        memset(body, 'x', sizes[i].size);
        char *request =
            xasprintf(REQUEST("POST /echo/", "Content-Length: %zu\r\n\r\n%s"), sizes[i].size, body);
        struct client *client = client_new(web_server_port(server));
        client_send(client, request);
        await(client->closed_by_server);
        cr_expect(client_got(client, sizes[i].status), "%zu bytes: %.60s", sizes[i].size,
                  client_text(client));
        client_free(client);
        free(request);
        free(body);
    }
}

Test(server, refuses_headers_beyond_reason)
{
    static const struct {
        int size;
        const char *status;
    } cases[] = {{10 * 1000, "201"}, {100 * 1000, "431"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *request = xasprintf(REQUEST("GET /echo/", "X-Long: %0*d\r\n\r\n"), cases[i].size, 0);
        struct client *client = client_new(web_server_port(server));
        client_send(client, request);
        await(client->closed_by_server);
        cr_expect(client_got(client, cases[i].status), "%d bytes: %.60s", cases[i].size,
                  client_text(client));
        client_free(client);
        free(request);
    }
}

Test(server, keeps_a_connection_for_the_next_request)
{
    struct client *client = client_new(web_server_port(server));
    client_send(client, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    await(client_got(client, "hello"));
    utstring_clear(&client->received);
    client_send(client, "GET /echo/second HTTP/1.1\r\nHost: x\r\n\r\n");
    await(client_got(client, "/echo/second"));
    cr_expect_not(client->closed_by_server);
    client_free(client);
}

Test(server, answers_later_and_in_any_order)
{
    struct client *clients[3];
    for (int i = 0; i < 3; i++) {
        clients[i] = client_new(web_server_port(server));
        client_send(clients[i], REQUEST("POST /hold", "Content-Length: 1\r\n\r\nx"));
        await(held_count == (size_t)i + 1);
    }
    const char *const words[] = {"first", "second", "third"};
    for (int i = 2; i >= 0; i--) {
        web_answer_text(held[i], 200, words[i]);
        await(clients[i]->closed_by_server);
        cr_expect(client_got(clients[i], words[i]), "%s", client_text(clients[i]));
        client_free(clients[i]);
    }
}

static void expect_cut(const char *path)
{
    char *request = xasprintf(REQUEST("POST %s", "Content-Length: 0\r\n\r\n"), path);
    struct client *client = client_new(web_server_port(server));
    client_send(client, request);
    if (strcmp(path, "/hold") == 0) {
        await(held_count == 1);
        web_cut(held[0]);
    }
    await(client->closed_by_server);
    cr_expect_str_empty(client_text(client), "%s", path);
    client_free(client);
    free(request);
}

Test(server, cuts_at_once_or_later)
{
    expect_cut("/cut");
    expect_cut("/hold");
}

Test(server, a_request_outlives_a_client_that_left)
{
    for (int answered = 0; answered < 2; answered++) {
        held_count = 0;
        struct client *client = client_new(web_server_port(server));
        client_send(client, REQUEST("POST /hold", "Content-Length: 3\r\n\r\nabc"));
        await(held_count == 1);
        client_free(client);
        for (int turn = 0; turn < 5; turn++)
            uv_run(&loop, UV_RUN_NOWAIT);
        size_t size;
        cr_expect_arr_eq(web_body(held[0], &size), "abc", 3);
        if (answered)
            web_answer_text(held[0], 200, "nobody hears this");
        else
            web_cut(held[0]);
        for (int turn = 0; turn < 5; turn++)
            uv_run(&loop, UV_RUN_NOWAIT);
    }
}

Test(server, free_cuts_what_is_held)
{
    struct client *client = client_new(web_server_port(server));
    client_send(client, REQUEST("POST /hold", "Content-Length: 0\r\n\r\n"));
    await(held_count == 1);
    web_server_free(server);
    server = NULL;
    await(client->closed_by_server);
    cr_expect_str_empty(client_text(client));
    client_free(client);
}

Test(server, can_be_freed_from_a_route)
{
    struct client *client = client_new(web_server_port(server));
    client_send(client, REQUEST("POST /free", "Content-Length: 0\r\n\r\n"));
    await(client->closed_by_server);
    cr_expect_null(server);
    client_free(client);
}

Test(server, the_port_is_free_at_once_and_can_be_taken_again)
{
    int port = web_server_port(server);
    struct client *before = client_new(port);
    client_send(before, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    await(client_got(before, "hello"));
    web_server_free(server);
    struct client *refused = client_new(port);
    await(refused->refused);
    char *reason = NULL, *listen = xasprintf("127.0.0.1:%d", port);
    server = web_server_new(&loop, listen, BODY_LIMIT, routes, &loop, &reason);
    cr_assert(server, "%s", reason);
    cr_expect_eq(web_server_port(server), port);
    await(before->closed_by_server);
    client_free(before);
    client_free(refused);
    free(listen);
}

Test(server, a_port_in_use_is_named)
{
    char *listen = xasprintf("127.0.0.1:%d", web_server_port(server)), *reason = NULL;
    cr_expect_null(web_server_new(&loop, listen, BODY_LIMIT, routes, NULL, &reason));
    cr_assert(reason);
    cr_expect(strstr(reason, listen) && strstr(reason, "in use"), "%s", reason);
    free(reason);
    free(listen);
}

/* ---- strangers ---- */

/* More of it: guard_test.c. */
static int closed_of(struct client *const *clients, int count)
{
    int closed = 0;

    for (int i = 0; i < count; i++)
        closed += clients[i]->closed_by_server;
    return closed;
}

Test(server, answers_beside_500_connections_that_say_nothing)
{
    enum { SILENT = 500 };
    static const struct guard_limits patient = {
        .connections = 20, .request_ms = 3600000, .idle_ms = 3600000};
    static struct client *silent[SILENT];

    web_server_guard(server, &patient);
    for (int i = 0; i < SILENT; i++)
        silent[i] = client_new(web_server_port(server));
    struct client *client = client_new(web_server_port(server));
    client_send(client, REQUEST("GET /hello", "\r\n"));
    await(client_got(client, "hello"));
    await(closed_of(silent, SILENT) >= SILENT - 20);
    cr_expect_leq(closed_of(silent, SILENT), SILENT - 19, "the newest may stay");
    for (int i = 0; i < SILENT; i++)
        client_free(silent[i]);
    client_free(client);
}

static void on_trickle(uv_timer_t *timer)
{
    struct client *client = timer->data;
    uv_buf_t byte = uv_buf_init("x", 1);

    uv_try_write((uv_stream_t *)&client->socket, &byte, 1);
}

/* Slow loris: a byte now and then keeps no connection. */
Test(server, a_request_that_trickles_in_is_cut)
{
    struct client *client = client_new(web_server_port(server));
    static const struct guard_limits limits = {.connections = 20, .request_ms = 50, .idle_ms = 100};
    static uv_timer_t trickle; /* it is closed after the test */

    web_server_guard(server, &limits);
    uv_timer_init(&loop, &trickle);
    trickle.data = client;
    client_send(client, "GET /hello HTTP/1.1\r\nX-Slow: ");
    uv_timer_start(&trickle, on_trickle, 10, 10);
    await(client->closed_by_server);
    uv_close((uv_handle_t *)&trickle, NULL);
    cr_expect_str_empty(client_text(client));
    client_free(client);
}
