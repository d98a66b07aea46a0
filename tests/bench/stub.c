/* stub: see stub.h. */
#define _GNU_SOURCE /* strcasestr */
#include "tests/bench/stub.h"

#include "base/xalloc.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { BACKLOG = 1024, ROOM = 64 * 1024 };

/* The lines that an OpenFaaS gateway answers with: reading them is a part of what a call costs. */
#define ANSWER                                                                                     \
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Type: text/plain; charset=utf-8\r\n"          \
    "Date: Mon, 02 Jan 2006 15:04:05 GMT\r\nX-Call-Id: 01234567-89ab-cdef-0123-456789abcdef\r\n"   \
    "X-Duration-Seconds: 0.000123\r\nX-Start-Time: 1136214245000000000\r\n\r\n"
#define NOT_FOUND "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

struct client {
    uv_tcp_t tcp;
    struct stub *stub;
    size_t size;         /* of what was read and not yet served */
    int64_t due_ms;      /* its answer */
    struct client *next; /* in the stub's list of those that wait */
    bool waits, closed;
    char text[ROOM + 1];
};

/* Small answers to clients that wait for them: they always fit the socket's buffer. */
static void write_text(struct client *client, const char *text)
{
    uv_buf_t buffer = uv_buf_init((char *)text, (unsigned)strlen(text));

    if (!client->closed)
        uv_try_write((uv_stream_t *)&client->tcp, &buffer, 1);
}

static void on_closed(uv_handle_t *tcp)
{
    struct client *client = tcp->data;

    client->closed = true;
    if (!client->waits)
        free(client);
}

static void client_close(struct client *client)
{
    if (!uv_is_closing((uv_handle_t *)&client->tcp))
        uv_close((uv_handle_t *)&client->tcp, on_closed);
}

/* ---- calls and their answers ---- */

static void end_call(struct client *client)
{
    write_text(client, ANSWER);
    if (client->closed)
        free(client);
}

static void on_due(uv_timer_t *timer)
{
    struct stub *stub = timer->data;
    int64_t now = (int64_t)uv_now(timer->loop);
    struct client *client;

    while ((client = stub->oldest) && client->due_ms <= now) {
        stub->oldest = client->next;
        client->waits = false;
        end_call(client);
    }
    if (stub->oldest)
        uv_timer_start(timer, on_due, (uint64_t)(stub->oldest->due_ms - now), 0);
}

/* All wait equally long, so the list is in the order in which they are due. */
static void wait_latency(struct client *client)
{
    struct stub *stub = client->stub;

    client->due_ms = (int64_t)uv_now(stub->due.loop) + stub->setup.latency_ms;
    client->waits = true;
    client->next = NULL;
    if (stub->oldest) {
        stub->newest->next = client;
    } else {
        stub->oldest = client;
        uv_timer_start(&stub->due, on_due, (uint64_t)stub->setup.latency_ms, 0);
    }
    stub->newest = client;
}

static void serve_call(struct client *client, size_t head_size, size_t size)
{
    struct stub *stub = client->stub;

    stub->bytes += size;
    stub->setup.called(stub->setup.context, client->text, head_size, client->text + head_size,
                       size - head_size);
    if (stub->setup.latency_ms)
        wait_latency(client);
    else
        end_call(client);
}

static void serve_list(struct client *client)
{
    char *list = xasprintf("[{\"name\":\"echo\",\"annotations\":{\"topic\":\"%s\"}}]",
                           client->stub->setup.topic);
    char *answer = xasprintf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
                             "Content-Type: application/json\r\n\r\n%s",
                             strlen(list), list);

    write_text(client, answer);
    free(answer);
    free(list);
}

/* ---- requests ---- */

/* Of the request that the text begins with, its body included; 0: it is not whole. */
static size_t request_size(const char *text, size_t *head_size)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length:");

    if (!end)
        return 0;
    *head_size = (size_t)(end + 4 - text);
    if (!length || length > end)
        return *head_size;
    return *head_size + strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void serve(struct client *client)
{
    size_t head_size, size = request_size(client->text, &head_size);

    if (size > ROOM) /* nothing of ours is that long */
        client_close(client);
    if (!size || size > client->size)
        return;
    client->size = 0; /* nobody sends the next before the answer */
    if (begins(client->text, "POST "))
        serve_call(client, head_size, size);
    else if (begins(client->text, "GET /system/functions"))
        serve_list(client);
    else
        write_text(client, NOT_FOUND);
}

static void on_room(uv_handle_t *tcp, size_t size, uv_buf_t *buffer)
{
    struct client *client = tcp->data;

    (void)size;
    *buffer = uv_buf_init(client->text + client->size, (unsigned)(ROOM - client->size));
}

static void on_bytes(uv_stream_t *tcp, ssize_t size, const uv_buf_t *buffer)
{
    struct client *client = tcp->data;

    (void)buffer;
    if (size < 0) {
        client_close(client);
    } else {
        client->size += (size_t)size;
        client->text[client->size] = '\0';
        serve(client);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct client *client;

    if (status < 0)
        return;
    client = xcalloc(1, sizeof(*client));
    client->stub = listener->data;
    uv_tcp_init(listener->loop, &client->tcp);
    client->tcp.data = client;
    uv_accept(listener, (uv_stream_t *)&client->tcp);
    uv_tcp_nodelay(&client->tcp, 1);
    uv_read_start((uv_stream_t *)&client->tcp, on_room, on_bytes);
}

bool stub_start(struct stub *stub, uv_loop_t *loop, const struct stub_setup *setup)
{
    struct sockaddr_in address;
    int size = sizeof(address);

    stub->setup = *setup;
    uv_timer_init(loop, &stub->due);
    stub->due.data = stub;
    uv_tcp_init(loop, &stub->listener);
    stub->listener.data = stub;
    uv_ip4_addr("127.0.0.1", 0, &address);
    if (uv_tcp_bind(&stub->listener, (struct sockaddr *)&address, 0) ||
        uv_listen((uv_stream_t *)&stub->listener, BACKLOG, on_connection))
        return false;
    uv_tcp_getsockname(&stub->listener, (struct sockaddr *)&address, &size);
    stub->port = ntohs(address.sin_port);
    return true;
}
