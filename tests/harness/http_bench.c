/* http_bench: see http_bench.h. Its server runs on the loop of what it serves. */
#include "tests/harness/http_bench.h"

#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct bench bench;

struct peer {
    uv_tcp_t tcp;
    struct server *server;
    char *text; /* the request as far as it was read */
    size_t size;
    struct peer *next;
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
    reply = xcalloc(1, sizeof(*reply));
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
    struct peer *peer = xcalloc(1, sizeof(*peer));

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

/* ---- the bench ---- */

static int start_server(void)
{
    struct sockaddr_in address;
    int size = sizeof(address);

    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(&bench.loop, &bench.server.tcp);
    bench.server.tcp.data = &bench.server;
    cr_assert_eq(uv_tcp_bind(&bench.server.tcp, (struct sockaddr *)&address, 0), 0);
    cr_assert_eq(uv_listen((uv_stream_t *)&bench.server.tcp, 64, on_connection), 0);
    uv_tcp_getsockname(&bench.server.tcp, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

void bench_open(void)
{
    const char *reason = NULL;

    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&bench.loop);
    snprintf(bench.url, sizeof(bench.url), "http://127.0.0.1:%d/function/f", start_server());
    bench.http = http_new(&bench.loop, &bench.options, 8, &reason);
    cr_assert(bench.http, "%s", reason);
}

void bench_hang_up(void)
{
    while (bench.server.peers)
        peer_close(bench.server.peers, FIN);
}

void bench_close(void)
{
    http_free(bench.http);
    bench_hang_up();
    uv_close((uv_handle_t *)&bench.server.tcp, NULL);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&bench.loop), 0, "a handle was left in the loop");
    free(bench.server.last);
}

void bench_script(const struct step *steps, size_t count)
{
    bench.server.steps = steps;
    bench.server.steps_left = count;
}

void bench_answered(void *context, const struct http_answer *told)
{
    struct seen *seen = &bench.seen[bench.count++];
    size_t size = told->body_size < sizeof(seen->body) ? told->body_size : sizeof(seen->body) - 1;

    (void)context;
    cr_assert(!bench.sending, "answered from within http_send");
    seen->answer = *told;
    memcpy(seen->body, told->body, size);
    uv_stop(&bench.loop); /* UV_RUN_ONCE would wait for a socket behind a timer */
}

struct http_call *bench_send(struct http_request request)
{
    struct http_call *call;

    if (!request.answered)
        request.answered = bench_answered;
    if (!request.url && !request.target)
        request.url = bench.url;
    if (!request.body_limit)
        request.body_limit = 1000;
    bench.sending = true;
    call = http_send(bench.http, &request);
    bench.sending = false;
    return call;
}

struct http_call *bench_post(const char *body)
{
    return bench_send(
        (struct http_request){.method = "POST", .body = body, .body_size = strlen(body)});
}

void bench_await(size_t count)
{
    while (bench.count < count)
        uv_run(&bench.loop, UV_RUN_ONCE);
}

/* The next answer. */
const struct seen *bench_await_next(void)
{
    bench_await(bench.count + 1);
    return &bench.seen[bench.count - 1];
}

/* Runs the loop for as long as it takes that nothing more can come. */
void bench_expect_no_more(size_t count)
{
    static const struct step step = {OK_KEPT, KEEP, 0};

    bench_script(&step, 1);
    bench_post("last");
    bench_await(count + 1);
    cr_expect_eq(bench.count, count + 1, "a cancelled request was told");
    cr_expect_eq(http_in_flight(bench.http), 0);
}

int bench_refusing_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(bind(fd, (struct sockaddr *)&address, size), 0); /* but it does not listen */
    getsockname(fd, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port); /* fd stays open: the port is nobody else's */
}

/* A listener whose queue is full: the kernel drops what else knocks. */
int bench_silent_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
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
