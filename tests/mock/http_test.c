/* http: what came of a request, told as answered, not sent or unknown. */
#include "base/xalloc.h"
#include "tests/harness/http_bench.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

TestSuite(http, .init = bench_open, .fini = bench_close, .timeout = 20);

Test(http, posts_go_over_one_kept_connection)
{
    static const struct step steps[] = {{OK_KEPT, KEEP, 0}, {OK_KEPT, KEEP, 0}};
    const struct seen *seen;

    bench_script(steps, 2);
    bench_post("one");
    cr_expect_eq(http_in_flight(bench.http), 1);
    seen = bench_await_next();
    cr_expect_eq(seen->answer.outcome, HTTP_ANSWERED);
    cr_expect_eq(seen->answer.status, 200);
    cr_expect_str_eq(seen->body, "ok");
    cr_expect_eq(seen->answer.retry_after_ms, -1);
    cr_expect_eq(http_in_flight(bench.http), 0);
    bench_post("two");
    bench_await_next();
    cr_expect_eq(bench.server.accepted, 1);
    cr_expect(strstr(bench.server.last, "\r\n\r\ntwo"), "%s", bench.server.last);
}

Test(http, a_post_is_never_sent_again_on_a_kept_connection_that_closes)
{
    static const struct step steps[] = {
        {OK_KEPT, KEEP, 0}, {NULL, FIN, 0}, {OK_KEPT, KEEP, 0}, {NULL, RST, 0}};
    const struct seen *seen;

    bench_script(steps, 4);
    for (size_t i = 0; i < 2; i++) { /* FIN, then RST */
        bench_post("first");
        cr_expect_eq(bench_await_next()->answer.outcome, HTTP_ANSWERED);
        bench_post("second");
        seen = bench_await_next();
        cr_expect_eq(seen->answer.outcome, HTTP_UNKNOWN, "%zu", i);
        cr_expect_not(seen->answer.timed_out);
        cr_expect_eq(bench.server.requests, 2 * i + 2, "sent twice");
        cr_expect(strstr(seen->answer.reason, i ? "reset" : "without an answer") ||
                      strstr(seen->answer.reason, "without an answer"),
                  "%s", seen->answer.reason);
    }
}

Test(http, a_fresh_request_leaves_kept_connections_alone)
{
    static const struct step steps[] = {{OK_KEPT, KEEP, 0}, {OK_KEPT, KEEP, 0}, {OK_KEPT, KEEP, 0}};

    bench_script(steps, 3);
    bench_post("first");
    bench_await_next();
    bench_send((struct http_request){.method = "POST", .fresh = true});
    cr_expect_eq(bench_await_next()->answer.outcome, HTTP_ANSWERED);
    cr_expect_eq(bench.server.accepted, 2);
    bench_post("not fresh any more, though its handle was");
    bench_await_next();
    cr_expect_eq(bench.server.accepted, 2);
}

Test(http, a_get_may_be_sent_again)
{
    static const struct step steps[] = {{OK_KEPT, KEEP, 0}, {NULL, FIN, 0}, {OK_KEPT, KEEP, 0}};

    bench_script(steps, 3);
    bench_post("first");
    bench_await_next();
    bench_send((struct http_request){.method = "GET"});
    cr_expect_eq(bench_await_next()->answer.outcome, HTTP_ANSWERED);
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
    for (size_t i = 0; i < sizeof(no_answers) / sizeof(*no_answers); i++) {
        const struct seen *seen;

        bench_script(&no_answers[i].step, 1);
        bench_post("value");
        seen = bench_await_next();
        cr_expect_eq(seen->answer.outcome, HTTP_UNKNOWN, "%s", no_answers[i].what);
        cr_expect_not(seen->answer.timed_out, "%s", no_answers[i].what);
        cr_expect(seen->answer.reason && *seen->answer.reason, "%s", no_answers[i].what);
        cr_expect_eq(bench.server.requests, i + 1, "%s", no_answers[i].what);
    }
}

Test(http, a_refused_connection_is_not_sent)
{
    const struct seen *seen;

    snprintf(bench.url, sizeof(bench.url), "http://127.0.0.1:%d/", bench_refusing_port());
    bench_post("value");
    seen = bench_await_next();
    cr_expect_eq(seen->answer.outcome, HTTP_NOT_SENT);
    cr_expect_not(seen->answer.timed_out);
    cr_expect_str_eq(seen->answer.reason, "cannot connect to the server");
}

Test(http, what_is_no_url_is_not_sent_and_told_later)
{
    static const char *const urls[] = {"", "http://", "ftp://127.0.0.1/", "http://h:999999/"};

    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        bench_send((struct http_request){.method = "POST", .url = urls[i]});
        cr_expect_eq(bench_await_next()->answer.outcome, HTTP_NOT_SENT, "%s", urls[i]);
    }
}

Test(http, tls_that_fails_is_not_sent)
{
    char *url = xasprintf("https://%s", bench.url + strlen("http://"));

    bench_send((struct http_request){.method = "POST", .url = url, .timeout_ms = 300});
    free(url);
    cr_expect_eq(bench_await_next()->answer.outcome, HTTP_NOT_SENT);
    cr_expect_eq(bench.server.accepted, 1);
    cr_expect_eq(bench.server.requests, 0);
}

Test(http, an_answer_that_does_not_come_in_time_is_unknown)
{
    static const struct step steps[] = {{NULL, KEEP, 0}};
    const struct seen *seen;

    bench_script(steps, 1);
    bench_send((struct http_request){.method = "POST", .timeout_ms = 60});
    seen = bench_await_next();
    cr_expect_eq(seen->answer.outcome, HTTP_UNKNOWN);
    cr_expect(seen->answer.timed_out);
    cr_expect_geq(seen->answer.elapsed_us, 59000);
    cr_expect_lt(seen->answer.elapsed_us, 2000000);
}

Test(http, a_connection_that_does_not_come_in_time_is_not_sent)
{
    const struct seen *seen;

    snprintf(bench.url, sizeof(bench.url), "http://127.0.0.1:%d/", bench_silent_port());
    bench_send((struct http_request){.method = "POST", .timeout_ms = 80});
    seen = bench_await_next();
    cr_expect_eq(seen->answer.outcome, HTTP_NOT_SENT);
    cr_expect_not(seen->answer.timed_out);
}

Test(http, a_timeout_comes_though_the_loop_was_held_up)
{
    static const struct step steps[] = {{NULL, KEEP, 0}, {NULL, KEEP, 0}, {NULL, KEEP, 0}};

    bench_script(steps, 3);
    for (size_t i = 0; i < 3; i++) {
        uv_update_time(&bench.loop);
        uv_sleep(30); /* the loop's clock is now 30 ms behind curl's */
        bench_send((struct http_request){.method = "POST", .timeout_ms = 40});
        cr_expect(bench_await_next()->answer.timed_out);
    }
}

/* As in a process that was frozen: libuv looks at its timers first, and curl at the time. The
 * others of the same time have no answer. */
Test(http, an_answer_that_lies_in_the_socket_when_the_time_is_over_counts)
{
    static const struct step steps[] = {{NULL, KEEP, 0}, {OK_KEPT, KEEP, 0}};
    enum { TIMEOUT_MS = 2000 };

    bench_script(steps, 2);
    for (size_t i = 0; i < 2; i++)
        bench_send((struct http_request){.method = "POST", .timeout_ms = TIMEOUT_MS});
    while (bench.server.requests < 2) /* the answer has left; nobody has read it yet */
        uv_run(&bench.loop, UV_RUN_ONCE);
    cr_assert_eq(bench.count, 0);
    uv_sleep(TIMEOUT_MS + 10);
    bench_await(2);
    cr_expect_eq(bench.seen[0].answer.outcome, HTTP_ANSWERED);
    cr_expect_eq(bench.seen[1].answer.outcome, HTTP_UNKNOWN);
    cr_expect(bench.seen[1].answer.timed_out);
}

Test(http, a_long_body_is_cut_and_the_connection_kept_after_a_post)
{
    static const struct step steps[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n", KEEP, 300000}, {OK_KEPT, KEEP, 0}};
    const struct seen *seen;

    bench_script(steps, 2);
    bench_send((struct http_request){.method = "POST", .body_limit = 70000});
    seen = bench_await_next();
    cr_expect_eq(seen->answer.outcome, HTTP_ANSWERED);
    cr_expect_eq(seen->answer.body_size, 70000);
    cr_expect(seen->answer.body_cut);
    bench_post("next");
    seen = bench_await_next();
    cr_expect_not(seen->answer.body_cut);
    cr_expect_str_eq(seen->body, "ok");
    cr_expect_eq(bench.server.accepted, 1);
}

Test(http, of_a_get_no_more_than_the_limit_is_read)
{
    static const struct step steps[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n", KEEP, 300000}};
    const struct seen *seen;

    bench_script(steps, 1);
    bench_send((struct http_request){.method = "GET", .body_limit = 1000});
    seen = bench_await_next(); /* though the server never ends */
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
    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
        const struct step step = {heads[i].reply, KEEP, 0};
        const struct seen *seen;

        bench_script(&step, 1);
        bench_post("value");
        seen = bench_await_next();
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

    bench_script(steps, 3);
    bench_send((struct http_request){
        .method = "GET", .lines = &line, .user = "user", .password = "secret"});
    bench_await_next();
    cr_expect(strstr(bench.server.last, "Authorization: Basic dXNlcjpzZWNyZXQ="));
    cr_expect(strstr(bench.server.last, "X-Own: 2\r\nX-Shared: 1\r\n"));
    cr_expect_eq(strncmp(bench.server.last, "GET /function/f HTTP/1.1\r\n", 26), 0);
    bench_send((struct http_request){.method = "POST", .lines = &tail});
    bench_await_next();
    cr_expect_not(strstr(bench.server.last, "Authorization"));
    cr_expect_not(strstr(bench.server.last, "X-Own"));
    cr_expect(strstr(bench.server.last, "Content-Length: 0\r\n"));
    cr_expect_eq(strncmp(bench.server.last, "POST /function/f HTTP/1.1\r\n", 27), 0);
    bench_send((struct http_request){.method = "GET"});
    bench_await_next();
    cr_expect_not(strstr(bench.server.last, "X-Shared"));
    cr_expect_not(strstr(bench.server.last, "Content-Length"));
}

Test(http, a_target_serves_many_requests_and_bytes_go_as_they_are)
{
    static const struct step steps[] = {{OK_KEPT, KEEP, 0}, {OK_KEPT, KEEP, 0}};
    http_target *target = http_target_new(bench.url);

    bench_script(steps, 2);
    for (size_t i = 0; i < 2; i++) {
        bench_send((struct http_request){
            .method = "POST", .target = target, .body = "a\0\r\n\xff", .body_size = 5});
        bench_await_next();
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

    bench_script(steps, 2);
    bench_post("one");
    bench_await_next();
    while (bench.server.peers)
        uv_run(&bench.loop, UV_RUN_ONCE);
    bench_post("two");
    cr_expect_eq(bench_await_next()->answer.outcome, HTTP_ANSWERED);
    cr_expect_eq(bench.server.accepted, 2);
}

Test(http, a_name_is_resolved_off_the_loop)
{
    static const struct step steps[] = {{OK_KEPT, FIN, 0}, {OK_KEPT, KEEP, 0}};
    char *port = xstrdup(strrchr(bench.url, ':'));

    snprintf(bench.url, sizeof(bench.url), "http://localhost%s", port);
    free(port);
    bench_script(steps, 2);
    for (size_t i = 0; i < 2; i++) {
        bench_post("value");
        cr_expect_eq(bench_await_next()->answer.outcome, HTTP_ANSWERED);
    }
}

/* A multi handle of curl's carries 64 of them. */
Test(http, hundreds_at_once_keep_their_connections)
{
    enum { COUNT = 200 };
    static struct step steps[2 * COUNT];
    const char *reason;

    for (size_t i = 0; i < 2 * COUNT; i++)
        steps[i] = (struct step){OK_KEPT, KEEP, 0};
    http_free(bench.http);
    bench.http = http_new(&bench.loop, &bench.options, COUNT, &reason);
    bench_script(steps, 2 * COUNT);
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT; i++)
            bench_post("value");
        cr_expect_eq(http_in_flight(bench.http), COUNT);
        bench_await(COUNT * (round + 1));
        cr_expect_eq(http_in_flight(bench.http), 0);
        cr_expect_eq(bench.server.accepted, COUNT);
    }
    for (size_t i = 0; i < 2 * COUNT; i++)
        cr_expect_eq(bench.seen[i].answer.outcome, HTTP_ANSWERED);
    for (size_t i = 0; i < COUNT; i++) /* left to http_free, in every multi handle */
        bench_post("value");
}

/* Of this process: sockets whose peer has closed them, and we have not. */
static size_t count_half_closed(void)
{
    enum { DESCRIPTORS = 1024 };
    struct tcp_info info;
    size_t count = 0;

    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        socklen_t size = sizeof(info);

        count += getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
                 info.tcpi_state == TCP_CLOSE_WAIT;
    }
    return count;
}

/* Those of the later multi handles kept their sockets until there was as much to do again. */
Test(http, connections_that_the_server_closed_are_closed)
{
    enum { COUNT = 200 };
    static struct step steps[COUNT + 1];
    const char *reason;

    for (size_t i = 0; i < COUNT + 1; i++)
        steps[i] = (struct step){OK_KEPT, KEEP, 0};
    http_free(bench.http);
    bench.http = http_new(&bench.loop, &bench.options, COUNT, &reason);
    bench_script(steps, COUNT + 1);
    for (size_t i = 0; i < COUNT; i++)
        bench_post("value");
    bench_await(COUNT);
    bench_hang_up();
    uv_run(&bench.loop, UV_RUN_NOWAIT); /* the server's sockets are closed in it */
    while (count_half_closed())
        uv_run(&bench.loop, UV_RUN_NOWAIT);
    bench_post("value");
    cr_expect_eq(bench_await_next()->answer.outcome, HTTP_ANSWERED);
    cr_expect_eq(bench.server.accepted, COUNT + 1);
}
