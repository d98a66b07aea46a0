/*
 * stub: a gateway with one function, as lean as can be, so that what calls it is what is measured.
 *
 * HTTP/1.1 on the caller's loop: GET /system/functions tells of the function "echo", bound
 * to the topic; every POST is a call of it, answered 200 after the latency with the header lines of
 * an OpenFaaS gateway; all else is 404 (there are no namespaces). Bodies have a Content-Length.
 */
#ifndef BENCH_STUB_H
#define BENCH_STUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct stub_setup {
    const char *topic;
    int64_t latency_ms;
    /* Each call as it comes in whole, before it is answered; `head` is the request up to its body.
     * Not NUL-terminated; borrowed until the return. */
    void (*called)(void *context, const char *head, size_t head_size, const char *body,
                   size_t body_size);
    void *context;
};

struct stub {
    struct stub_setup setup;
    int port;     /* of 127.0.0.1 */
    size_t bytes; /* of all calls, their heads included */
    uv_tcp_t listener;
    uv_timer_t due;
    struct client *oldest, *newest; /* calls that wait for their answer, in order of arrival */
};

/* Zero it before, keep it until the program ends. False: no port. */
bool stub_start(struct stub *stub, uv_loop_t *loop, const struct stub_setup *setup);

#endif
