/*
 * http_bench: an http, and a server of raw sockets that answers it by a script: what no
 * well-behaved server does is what matters.
 */
#ifndef HARNESS_HTTP_BENCH_H
#define HARNESS_HTTP_BENCH_H

#include "gateway/http.h"

/* One step of the script for each request the server has read whole. */

enum then { KEEP, FIN, RST };

struct step {
    const char *reply; /* NULL: nothing */
    enum then then;
    size_t body_size; /* so many further bytes behind the reply */
};

struct server {
    uv_tcp_t tcp;
    const struct step *steps;
    size_t steps_left;
    size_t accepted, requests;
    char *last; /* the last request read, with its body */
    struct peer *peers;
};

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

/* One a test, which is a program of its own. */
extern struct bench bench;

void bench_open(void);
void bench_close(void);

/* The server closes all connections. */
void bench_hang_up(void);

/* What the server does next. A request without a step fails the test. Borrowed. */
void bench_script(const struct step *steps, size_t count);

/* A request to the bench's url; what it says of `answered` and `url` stands when given. */
struct http_call *bench_send(struct http_request request);
struct http_call *bench_post(const char *body);

/* Keeps an answer in bench.seen: `answered` of requests that give none. */
void bench_answered(void *context, const struct http_answer *told);

/* Runs the loop until so many answers were seen; until the next one. */
void bench_await(size_t count);
const struct seen *bench_await_next(void);

/* After `count` answers: sends one more and fails the test when any other is told. */
void bench_expect_no_more(size_t count);

/* A port that refuses; one that never answers a knock. Both stay so until the test ends. */
int bench_refusing_port(void);
int bench_silent_port(void);

#define OK_KEPT "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

#endif
