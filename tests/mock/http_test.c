/*
 * http against a server of raw sockets that answers by a script: what no well-behaved server does
 * is what matters here.
 */
#include "base/xalloc.h"
#include "gateway/http.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The server: one step of the script for each request it has read whole. */

enum then { KEEP, FIN, RST };

struct step {
    const char *reply; /* NULL: nothing */
    enum then then;
    size_t body_size; /* so many further bytes behind the reply */
};

struct peer {
    uv_tcp_t tcp;
    struct server *server;
    char *text; /* the request as far as it was read */
    size_t size;
    struct peer *next;
};

struct server {
    uv_tcp_t tcp;
    const struct step *steps;
    size_t steps_left;
    size_t accepted, requests;
    char *last; /* the last request read, with its body */
    struct peer *peers;
};

struct reply {
    uv_write_t write;
    struct peer *peer;
    enum then then;
    char *text;
};

static void peer_closed(uv_handle_t *handle)
{
    struct peer *peer = handle->data;

    free(peer->text);
    free(peer);
}

static void peer_close(struct peer *peer, enum then then)
{
    if (then == KEEP || uv_is_closing((uv_handle_t *)&peer->tcp))
        return;
    for (struct peer **at = &peer->server->peers; *at; at = &(*at)->next)
        if (*at == peer) {
            *at = peer->next;
            break;
        }
    if (then == RST)
        uv_tcp_close_reset(&peer->tcp, (uv_close_cb)peer_closed);
    else
        uv_close((uv_handle_t *)&peer->tcp, peer_closed);
}

static void replied(uv_write_t *write, int status)
{
    struct reply *reply = write->data;

    peer_close(reply->peer, status < 0 ? FIN : reply->then);
    free(reply->text);
    free(reply);
}

static void answer(struct peer *peer, const struct step *step)
{
    size_t size = step->reply ? strlen(step->reply) : 0;
    struct reply *reply;
    uv_buf_t buffer;

    if (!step->reply) {
        peer_close(peer, step->then);
        return;
    }
    reply = xcalloc(1, sizeof *reply);
    reply->text = xmalloc(size + step->body_size);
    memcpy(reply->text, step->reply, size);
    memset(reply->text + size, 'x', step->body_size);
    reply->peer = peer;
    reply->then = step->then;
    reply->write.data = reply;
    buffer = uv_buf_init(reply->text, (unsigned)(size + step->body_size));
    uv_write(&reply->write, (uv_stream_t *)&peer->tcp, &buffer, 1, replied);
}

/* The size of the first request in the text; 0: it is not whole. */
static size_t request_size(const char *text, size_t size)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strstr(text, "Content-Length: ");
    size_t whole;

    if (!end)
        return 0;
    whole = (size_t)(end + 4 - text);
    if (length && length < end)
        whole += strtoul(length + strlen("Content-Length: "), NULL, 10);
    return whole <= size ? whole : 0;
}

static void serve(struct peer *peer)
{
    struct server *server = peer->server;
    size_t size = request_size(peer->text, peer->size);

    if (!size)
        return;
    server->requests++;
    free(server->last);
    server->last = xstrndup(peer->text, size);
    peer->size = 0;
    cr_assert(server->steps_left, "a request the script has no step for:\n%s", server->last);
    server->steps_left--;
    answer(peer, server->steps++);
}

static void make_room(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    (void)handle;
    *buffer = uv_buf_init(xmalloc(size), (unsigned)size);
}

static void on_bytes(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct peer *peer = stream->data;

    if (size < 0) {
        peer_close(peer, FIN);
    } else {
        peer->text = xrealloc(peer->text, peer->size + (size_t)size + 1);
        memcpy(peer->text + peer->size, buffer->base, (size_t)size);
        peer->size += (size_t)size;
        peer->text[peer->size] = '\0';
        serve(peer);
    }
    free(buffer->base);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct server *server = stream->data;
    struct peer *peer = xcalloc(1, sizeof *peer);

    cr_assert_eq(status, 0);
    peer->server = server;
    peer->next = server->peers;
    server->peers = peer;
    server->accepted++;
    uv_tcp_init(stream->loop, &peer->tcp);
    peer->tcp.data = peer;
    cr_assert_eq(uv_accept(stream, (uv_stream_t *)&peer->tcp), 0);
    uv_read_start((uv_stream_t *)&peer->tcp, make_room, on_bytes);
}

/* The bench: a loop, the server, an http and what it told. */

enum { SEEN_MAX = 512 };

struct seen {
    struct http_answer answer;
    char body[32]; /* its beginning */
};

struct bench {
    uv_loop_t loop;
    struct server server;
    struct http_options options;
    struct http *http;
    char url[64];
    struct seen seen[SEEN_MAX];
    size_t count;
    bool sending; /* within http_send */
};

static struct bench bench;

static int start_server(void)
{
    struct sockaddr_in address;
    int size = sizeof address;

    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(&bench.loop, &bench.server.tcp);
    bench.server.tcp.data = &bench.server;
    cr_assert_eq(uv_tcp_bind(&bench.server.tcp, (struct sockaddr *)&address, 0), 0);
    cr_assert_eq(uv_listen((uv_stream_t *)&bench.server.tcp, 64, on_connection), 0);
    uv_tcp_getsockname(&bench.server.tcp, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

static void open_bench(void)
{
    const char *reason = NULL;

    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&bench.loop);
    snprintf(bench.url, sizeof bench.url, "http://127.0.0.1:%d/function/f", start_server());
    bench.http = http_new(&bench.loop, &bench.options, 8, &reason);
    cr_assert(bench.http, "%s", reason);
}

static void close_bench(void)
{
    http_free(bench.http);
    while (bench.server.peers)
        peer_close(bench.server.peers, FIN);
    uv_close((uv_handle_t *)&bench.server.tcp, NULL);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&bench.loop), 0, "a handle was left in the loop");
    free(bench.server.last);
}

TestSuite(http, .init = open_bench, .fini = close_bench, .timeout = 20);

static void script(const struct step *steps, size_t count)
{
    bench.server.steps = steps;
    bench.server.steps_left = count;
}

static void on_answered(void *context, const struct http_answer *told)
{
    struct seen *seen = &bench.seen[bench.count++];
    size_t size = told->body_size < sizeof seen->body ? told->body_size : sizeof seen->body - 1;

    (void)context;
    cr_assert(!bench.sending, "answered from within http_send");
    seen->answer = *told;
    memcpy(seen->body, told->body, size);
    uv_stop(&bench.loop); /* UV_RUN_ONCE would wait for a socket behind a timer */
}

static struct http_call *send_request(struct http_request request)
{
    struct http_call *call;

    if (!request.answered)
        request.answered = on_answered;
    if (!request.url && !request.target)
        request.url = bench.url;
    if (!request.body_limit)
        request.body_limit = 1000;
    bench.sending = true;
    call = http_send(bench.http, &request);
    bench.sending = false;
    return call;
}

static struct http_call *post(const char *body)
{
    return send_request(
        (struct http_request){.method = "POST", .body = body, .body_size = strlen(body)});
}

static void await(size_t count)
{
    while (bench.count < count)
        uv_run(&bench.loop, UV_RUN_ONCE);
}

/* The next answer. */
static const struct seen *await_next(void)
{
    await(bench.count + 1);
    return &bench.seen[bench.count - 1];
}

#define OK_KEPT "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Test(http, posts_go_over_one_kept_connection)
{
    static const struct step steps[] = {{OK_KEPT, KEEP, 0}, {OK_KEPT, KEEP, 0}};
    const struct seen *seen;

    script(steps, 2);
    post("one");
    cr_expect_eq(http_in_flight(bench.http), 1);
    seen = await_next();
    cr_expect_eq(seen->answer.outcome, HTTP_ANSWERED);
    cr_expect_eq(seen->answer.status, 200);
    cr_expect_str_eq(seen->body, "ok");
    cr_expect_eq(seen->answer.retry_after_ms, -1);
    cr_expect_eq(http_in_flight(bench.http), 0);
    post("two");
    await_next();
    cr_expect_eq(bench.server.accepted, 1);
    cr_expect(strstr(bench.server.last, "\r\n\r\ntwo"), "%s", bench.server.last);
}

Test(http, a_post_is_never_sent_again_on_a_kept_connection_that_closes)
{
    static const struct step steps[] = {
        {OK_KEPT, KEEP, 0}, {NULL, FIN, 0}, {OK_KEPT, KEEP, 0}, {NULL, RST, 0}};
    const struct seen *seen;

    script(steps, 4);
    for (size_t i = 0; i < 2; i++) { /* FIN, then RST */
        post("first");
        cr_expect_eq(await_next()->answer.outcome, HTTP_ANSWERED);
        post("second");
        seen = await_next();
        cr_expect_eq(seen->answer.outcome, HTTP_UNKNOWN, "%zu", i);
        cr_expect_not(seen->answer.timed_out);
        cr_expect_eq(bench.server.requests, 2 * i + 2, "sent twice");
        cr_expect(strstr(seen->answer.reason, i ? "reset" : "without an answer") ||
                      strstr(seen->answer.reason, "without an answer"),
                  "%s", seen->answer.reason);
    }
}

Test(http, a_get_may_be_sent_again)
{
    static const struct step steps[] = {{OK_KEPT, KEEP, 0}, {NULL, FIN, 0}, {OK_KEPT, KEEP, 0}};

    script(steps, 3);
    post("first");
    await_next();
    send_request((struct http_request){.method = "GET"});
    cr_expect_eq(await_next()->answer.outcome, HTTP_ANSWERED);
    cr_expect_eq(bench.server.requests, 3);
}

static const struct {
    const char *what;
    struct step step;
} no_answers[] = {
    {"a connection closed without a byte", {NULL, FIN, 0}},
    {"a connection reset without a byte", {NULL, RST, 0}},
    {"an answer that is not HTTP", {"SSH-2.0-OpenSSH_9.2\r\n", FIN, 0}},
    {"an answer cut in its head", {"HTTP/1.1 200 OK\r\nContent-Le", FIN, 0}},
    {"an answer cut in its body", {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", FIN, 0}},
    {"a chunk of no size", {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", FIN, 0}},
    {"an answer reset in its body",
     {"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nhalf", RST, 0}},
};

Test(http, what_was_sent_and_not_answered_is_unknown)
{
    for (size_t i = 0; i < sizeof no_answers / sizeof *no_answers; i++) {
        const struct seen *seen;

        script(&no_answers[i].step, 1);
        post("value");
        seen = await_next();
        cr_expect_eq(seen->answer.outcome, HTTP_UNKNOWN, "%s", no_answers[i].what);
        cr_expect_not(seen->answer.timed_out, "%s", no_answers[i].what);
        cr_expect(seen->answer.reason && *seen->answer.reason, "%s", no_answers[i].what);
        cr_expect_eq(bench.server.requests, i + 1, "%s", no_answers[i].what);
    }
}

static int refusing_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(bind(fd, (struct sockaddr *)&address, size), 0); /* but it does not listen */
    getsockname(fd, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port); /* fd stays open: the port is nobody else's */
}

Test(http, a_refused_connection_is_not_sent)
{
    const struct seen *seen;

    snprintf(bench.url, sizeof bench.url, "http://127.0.0.1:%d/", refusing_port());
    post("value");
    seen = await_next();
    cr_expect_eq(seen->answer.outcome, HTTP_NOT_SENT);
    cr_expect_not(seen->answer.timed_out);
    cr_expect_str_eq(seen->answer.reason, "Couldn't connect to server");
}

Test(http, what_is_no_url_is_not_sent_and_told_later)
{
    static const char *const urls[] = {"", "http://", "ftp://127.0.0.1/", "http://h:999999/"};

    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        send_request((struct http_request){.method = "POST", .url = urls[i]});
        cr_expect_eq(await_next()->answer.outcome, HTTP_NOT_SENT, "%s", urls[i]);
    }
}

Test(http, tls_that_fails_is_not_sent)
{
    char *url = xasprintf("https://%s", bench.url + strlen("http://"));

    send_request((struct http_request){.method = "POST", .url = url, .timeout_ms = 300});
    free(url);
    cr_expect_eq(await_next()->answer.outcome, HTTP_NOT_SENT);
    cr_expect_eq(bench.server.accepted, 1);
    cr_expect_eq(bench.server.requests, 0);
}

Test(http, an_answer_that_does_not_come_in_time_is_unknown)
{
    static const struct step steps[] = {{NULL, KEEP, 0}};
    const struct seen *seen;

    script(steps, 1);
    send_request((struct http_request){.method = "POST", .timeout_ms = 60});
    seen = await_next();
    cr_expect_eq(seen->answer.outcome, HTTP_UNKNOWN);
    cr_expect(seen->answer.timed_out);
    cr_expect_geq(seen->answer.elapsed_us, 59000);
    cr_expect_lt(seen->answer.elapsed_us, 2000000);
}

/* A listener whose queue is full: the kernel drops what else knocks. */
static int silent_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(fd, 0), 0);
    getsockname(fd, (struct sockaddr *)&address, &size);
    for (size_t i = 0; i < 3; i++) {
        int knocking = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

        if (connect(knocking, (struct sockaddr *)&address, size))
            cr_assert_eq(errno, EINPROGRESS);
    }
    return ntohs(address.sin_port);
}

Test(http, a_connection_that_does_not_come_in_time_is_not_sent)
{
    const struct seen *seen;

    snprintf(bench.url, sizeof bench.url, "http://127.0.0.1:%d/", silent_port());
    send_request((struct http_request){.method = "POST", .timeout_ms = 80});
    seen = await_next();
    cr_expect_eq(seen->answer.outcome, HTTP_NOT_SENT);
    cr_expect_not(seen->answer.timed_out);
}

Test(http, a_timeout_comes_though_the_loop_was_held_up)
{
    static const struct step steps[] = {{NULL, KEEP, 0}, {NULL, KEEP, 0}, {NULL, KEEP, 0}};

    script(steps, 3);
    for (size_t i = 0; i < 3; i++) {
        uv_update_time(&bench.loop);
        usleep(30000); /* the loop's clock is now 30 ms behind curl's */
        send_request((struct http_request){.method = "POST", .timeout_ms = 40});
        cr_expect(await_next()->answer.timed_out);
    }
}

Test(http, a_long_body_is_cut_and_the_connection_kept_after_a_post)
{
    static const struct step steps[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n", KEEP, 300000}, {OK_KEPT, KEEP, 0}};
    const struct seen *seen;

    script(steps, 2);
    send_request((struct http_request){.method = "POST", .body_limit = 70000});
    seen = await_next();
    cr_expect_eq(seen->answer.outcome, HTTP_ANSWERED);
    cr_expect_eq(seen->answer.body_size, 70000);
    cr_expect(seen->answer.body_cut);
    post("next");
    seen = await_next();
    cr_expect_not(seen->answer.body_cut);
    cr_expect_str_eq(seen->body, "ok");
    cr_expect_eq(bench.server.accepted, 1);
}

Test(http, of_a_get_no_more_than_the_limit_is_read)
{
    static const struct step steps[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n", KEEP, 300000}};
    const struct seen *seen;

    script(steps, 1);
    send_request((struct http_request){.method = "GET", .body_limit = 1000});
    seen = await_next(); /* though the server never ends */
    cr_expect_eq(seen->answer.outcome, HTTP_ANSWERED);
    cr_expect_eq(seen->answer.status, 200);
    cr_expect_eq(seen->answer.body_size, 1000);
    cr_expect(seen->answer.body_cut);
}

static const struct {
    const char *reply;
    int64_t retry_after_least, retry_after_most;
    bool internal_error;
    long status;
} heads[] = {
    {"HTTP/1.1 429 x\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", 7000, 7000, false, 429},
    {"HTTP/1.1 503 x\r\nretry-after:0\r\nContent-Length: 0\r\n\r\n", 0, 0, false, 503},
    {"HTTP/1.1 503 x\r\nRetry-After: Fri, 01 Jan 1999 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n", 0,
     0, false, 503},
    {"HTTP/1.1 503 x\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", -1, -1, false, 503},
    {"HTTP/1.1 500 x\r\nX-OpenFaaS-Internal: gateway\r\nContent-Length: 0\r\n\r\n", -1, -1, true,
     500},
    {"HTTP/1.1 500 x\r\nx-openfaas-INTERNAL: proxy\r\nContent-Length: 0\r\n\r\n", -1, -1, true,
     500},
    {"HTTP/1.1 103 x\r\nRetry-After: 9\r\nX-OpenFaaS-Internal: a\r\n\r\n"
     "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
     -1, -1, false, 202},
    {"HTTP/1.1 301 x\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", -1, -1, false, 301},
    {"HTTP/1.1 401 x\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", -1, -1, false, 401},
};

Test(http, heads_of_answers)
{
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        const struct step step = {heads[i].reply, KEEP, 0};
        const struct seen *seen;

        script(&step, 1);
        post("value");
        seen = await_next();
        cr_expect_eq(seen->answer.outcome, HTTP_ANSWERED, "%s", heads[i].reply);
        cr_expect_eq(seen->answer.status, heads[i].status, "%s", heads[i].reply);
        cr_expect_geq(seen->answer.retry_after_ms, heads[i].retry_after_least, "%s",
                      heads[i].reply);
        cr_expect_leq(seen->answer.retry_after_ms, heads[i].retry_after_most, "%s", heads[i].reply);
        cr_expect_eq(seen->answer.internal_error, heads[i].internal_error, "%s", heads[i].reply);
    }
    cr_expect_eq(bench.server.accepted, 1);
}

Test(http, lines_and_credentials_are_those_of_each_request)
{
    static const struct step steps[] = {{OK_KEPT, KEEP, 0}, {OK_KEPT, KEEP, 0}, {OK_KEPT, KEEP, 0}};
    static char shared[] = "X-Shared: 1", own[] = "X-Own: 2";
    const struct http_line tail = {.text = shared};
    const struct http_line line = {.text = own, .next = (struct http_line *)&tail};

    script(steps, 3);
    send_request((struct http_request){
        .method = "GET", .lines = &line, .user = "user", .password = "secret"});
    await_next();
    cr_expect(strstr(bench.server.last, "Authorization: Basic dXNlcjpzZWNyZXQ="));
    cr_expect(strstr(bench.server.last, "X-Own: 2\r\nX-Shared: 1\r\n"));
    cr_expect_eq(strncmp(bench.server.last, "GET /function/f HTTP/1.1\r\n", 26), 0);
    send_request((struct http_request){.method = "POST", .lines = &tail});
    await_next();
    cr_expect_not(strstr(bench.server.last, "Authorization"));
    cr_expect_not(strstr(bench.server.last, "X-Own"));
    cr_expect(strstr(bench.server.last, "Content-Length: 0\r\n"));
    cr_expect_eq(strncmp(bench.server.last, "POST /function/f HTTP/1.1\r\n", 27), 0);
    send_request((struct http_request){.method = "GET"});
    await_next();
    cr_expect_not(strstr(bench.server.last, "X-Shared"));
    cr_expect_not(strstr(bench.server.last, "Content-Length"));
}

Test(http, a_target_serves_many_requests_and_bytes_go_as_they_are)
{
    static const struct step steps[] = {{OK_KEPT, KEEP, 0}, {OK_KEPT, KEEP, 0}};
    void *target = http_target_new(bench.url);

    script(steps, 2);
    for (size_t i = 0; i < 2; i++) {
        send_request((struct http_request){
            .method = "POST", .target = target, .body = "a\0\r\n\xff", .body_size = 5});
        await_next();
        cr_expect(strstr(bench.server.last, "Content-Length: 5\r\n"));
    }
    cr_expect_eq(memcmp(strstr(bench.server.last, "\r\n\r\n") + 4, "a\0\r\n\xff", 5), 0);
    http_target_free(target);
    cr_expect_null(http_target_new("not a url"));
    cr_expect_null(http_target_new("http://a b/"));
}

Test(http, a_kept_connection_closed_while_idle_is_not_used)
{
    static const struct step steps[] = {{OK_KEPT, FIN, 0}, {OK_KEPT, KEEP, 0}};

    script(steps, 2);
    post("one");
    await_next();
    while (bench.server.peers)
        uv_run(&bench.loop, UV_RUN_ONCE);
    post("two");
    cr_expect_eq(await_next()->answer.outcome, HTTP_ANSWERED);
    cr_expect_eq(bench.server.accepted, 2);
}

Test(http, a_name_is_resolved_off_the_loop)
{
    static const struct step steps[] = {{OK_KEPT, FIN, 0}, {OK_KEPT, KEEP, 0}};
    char *port = strdup(strrchr(bench.url, ':'));

    snprintf(bench.url, sizeof bench.url, "http://localhost%s", port);
    free(port);
    script(steps, 2);
    for (size_t i = 0; i < 2; i++) {
        post("value");
        cr_expect_eq(await_next()->answer.outcome, HTTP_ANSWERED);
    }
}

/* Sending and cancelling from within `answered`. */

static size_t chain_left;

static void on_chain(void *context, const struct http_answer *told)
{
    on_answered(context, told);
    if (chain_left) {
        chain_left--;
        send_request((struct http_request){.method = "POST", .answered = on_chain});
    }
}

Test(http, answered_may_send)
{
    struct step steps[300];

    for (size_t i = 0; i < 300; i++)
        steps[i] = (struct step){OK_KEPT, KEEP, 0};
    script(steps, 300);
    chain_left = 292;
    for (size_t i = 0; i < 8; i++)
        send_request((struct http_request){.method = "POST", .answered = on_chain});
    cr_expect_eq(http_in_flight(bench.http), 8);
    await(300);
    for (size_t i = 0; i < 300; i++)
        cr_expect_eq(bench.seen[i].answer.outcome, HTTP_ANSWERED);
    cr_expect_eq(bench.server.accepted, 8);
    cr_expect_eq(http_in_flight(bench.http), 0);
}

Test(http, more_than_connections_are_kept_for)
{
    struct step steps[200];

    for (size_t i = 0; i < 200; i++)
        steps[i] = (struct step){OK_KEPT, KEEP, 0};
    script(steps, 200);
    for (size_t i = 0; i < 200; i++)
        post("value");
    await(200);
    for (size_t i = 0; i < 200; i++)
        cr_expect_eq(bench.seen[i].answer.outcome, HTTP_ANSWERED);
}

static struct http_call *other;

static void on_answered_cancel_other(void *context, const struct http_answer *told)
{
    on_answered(context, told);
    http_cancel(other);
}

/* Runs the loop for as long as it takes that nothing more can come. */
static void expect_no_more(size_t count)
{
    static const struct step step = {OK_KEPT, KEEP, 0};

    script(&step, 1);
    post("last");
    await(count + 1);
    cr_expect_eq(bench.count, count + 1, "a cancelled request was told");
    cr_expect_eq(http_in_flight(bench.http), 0);
}

Test(http, cancel_before_anything_was_sent)
{
    http_cancel(post("value"));
    http_cancel(send_request((struct http_request){.method = "POST", .url = "no url"}));
    expect_no_more(0);
    cr_expect_eq(bench.server.requests, 1);
}

Test(http, cancel_while_connecting)
{
    struct http_call *call;

    char *url = xasprintf("http://127.0.0.1:%d/", silent_port());

    call = send_request((struct http_request){.method = "POST", .url = url});
    free(url);
    for (size_t i = 0; i < 3; i++)
        uv_run(&bench.loop, UV_RUN_NOWAIT);
    http_cancel(call);
    expect_no_more(0);
}

Test(http, cancel_while_resolving)
{
    struct http_call *call =
        send_request((struct http_request){.method = "POST", .url = "http://nowhere.invalid/"});

    uv_run(&bench.loop, UV_RUN_NOWAIT);
    http_cancel(call);
    expect_no_more(0);
}

Test(http, cancel_after_sending)
{
    static const struct step steps[] = {{NULL, KEEP, 0}};
    struct http_call *call;

    script(steps, 1);
    call = post("value");
    while (!bench.server.requests)
        uv_run(&bench.loop, UV_RUN_ONCE);
    http_cancel(call);
    cr_expect_eq(http_in_flight(bench.http), 0);
    while (bench.server.peers) /* the server sees the connection close */
        uv_run(&bench.loop, UV_RUN_ONCE);
    expect_no_more(0);
}

Test(http, cancel_a_request_on_its_way_from_within_answered)
{
    static const struct step steps[] = {{NULL, KEEP, 0}, {OK_KEPT, KEEP, 0}};

    script(steps, 2);
    other = post("unanswered");
    while (!bench.server.requests)
        uv_run(&bench.loop, UV_RUN_ONCE);
    send_request((struct http_request){.method = "POST", .answered = on_answered_cancel_other});
    await(1);
    expect_no_more(1);
}

Test(http, cancel_a_request_that_ended_too_from_within_answered)
{
    /* Both fail before they are sent, so both end in the same turn. */
    send_request((struct http_request){
        .method = "POST", .url = "no url", .answered = on_answered_cancel_other});
    other = send_request((struct http_request){.method = "POST", .url = "no url"});
    await(1);
    expect_no_more(1);
}

static void on_answered_send_bad(void *context, const struct http_answer *told)
{
    on_answered(context, told);
    if (bench.count < 3)
        send_request((struct http_request){
            .method = "POST", .url = "no url", .answered = on_answered_send_bad});
}

Test(http, a_request_that_fails_at_once_is_told_in_a_turn_of_its_own)
{
    send_request(
        (struct http_request){.method = "POST", .url = "no url", .answered = on_answered_send_bad});
    for (size_t turn = 1; turn <= 3; turn++) {
        while (bench.count < turn)
            uv_run(&bench.loop, UV_RUN_NOWAIT); /* runs timers once */
        cr_expect_eq(bench.count, turn);
    }
}

Test(http, free_with_requests_on_their_way)
{
    static const struct step steps[] = {{OK_KEPT, KEEP, 0}, {NULL, KEEP, 0}, {NULL, KEEP, 0}};
    const char *reason;

    script(steps, 3);
    post("answered, and its connection kept");
    await_next();
    post("sent");
    post("sent too");
    while (bench.server.requests < 3)
        uv_run(&bench.loop, UV_RUN_ONCE);
    post("not sent");
    send_request((struct http_request){.method = "POST", .url = "no url"});
    http_free(bench.http);
    bench.http = NULL;
    uv_run(&bench.loop, UV_RUN_NOWAIT);
    while (bench.server.peers)
        uv_run(&bench.loop, UV_RUN_ONCE);
    cr_expect_eq(bench.count, 1);
    bench.http = http_new(&bench.loop, &bench.options, 8, &reason);
}
