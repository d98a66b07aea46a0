/* http: sending, cancelling and freeing at every moment of a request. */
#include "base/xalloc.h"
#include "tests/harness/http_bench.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(http_cancel, .init = bench_open, .fini = bench_close, .timeout = 20);

static size_t chain_left;

static void on_chain(void *context, const struct http_answer *told)
{
    bench_answered(context, told);
    if (chain_left) {
        chain_left--;
        bench_send((struct http_request){.method = "POST", .answered = on_chain});
    }
}

Test(http_cancel, answered_may_send)
{
    struct step steps[300];

    for (size_t i = 0; i < 300; i++)
        steps[i] = (struct step){OK_KEPT, KEEP, 0};
    bench_script(steps, 300);
    chain_left = 292;
    for (size_t i = 0; i < 8; i++)
        bench_send((struct http_request){.method = "POST", .answered = on_chain});
    cr_expect_eq(http_in_flight(bench.http), 8);
    bench_await(300);
    for (size_t i = 0; i < 300; i++)
        cr_expect_eq(bench.seen[i].answer.outcome, HTTP_ANSWERED);
    cr_expect_eq(bench.server.accepted, 8);
    cr_expect_eq(http_in_flight(bench.http), 0);
}

Test(http_cancel, more_than_connections_are_kept_for)
{
    struct step steps[200];

    for (size_t i = 0; i < 200; i++)
        steps[i] = (struct step){OK_KEPT, KEEP, 0};
    bench_script(steps, 200);
    for (size_t i = 0; i < 200; i++)
        bench_post("value");
    bench_await(200);
    for (size_t i = 0; i < 200; i++)
        cr_expect_eq(bench.seen[i].answer.outcome, HTTP_ANSWERED);
}

static struct http_call *other;

static void on_answered_cancel_other(void *context, const struct http_answer *told)
{
    bench_answered(context, told);
    http_cancel(other);
}

Test(http_cancel, cancel_before_anything_was_sent)
{
    http_cancel(bench_post("value"));
    http_cancel(bench_send((struct http_request){.method = "POST", .url = "no url"}));
    bench_expect_no_more(0);
    cr_expect_eq(bench.server.requests, 1);
}

/* What curl then says of its timer is not about the one that failed. */
Test(http_cancel, one_that_failed_at_once_is_told_though_another_is_cancelled)
{
    bench_send((struct http_request){.method = "POST", .url = "no url"});
    http_cancel(bench_post("value"));
    bench_await(1);
    cr_expect_eq(bench.seen[0].answer.outcome, HTTP_NOT_SENT);
}

Test(http_cancel, cancel_while_connecting)
{
    struct http_call *call;

    char *url = xasprintf("http://127.0.0.1:%d/", bench_silent_port());

    call = bench_send((struct http_request){.method = "POST", .url = url});
    free(url);
    for (size_t i = 0; i < 3; i++)
        uv_run(&bench.loop, UV_RUN_NOWAIT);
    http_cancel(call);
    bench_expect_no_more(0);
}

Test(http_cancel, cancel_while_resolving)
{
    struct http_call *call =
        bench_send((struct http_request){.method = "POST", .url = "http://nowhere.invalid/"});

    uv_run(&bench.loop, UV_RUN_NOWAIT);
    http_cancel(call);
    bench_expect_no_more(0);
}

Test(http_cancel, cancel_after_sending)
{
    static const struct step steps[] = {{NULL, KEEP, 0}};
    struct http_call *call;

    bench_script(steps, 1);
    call = bench_post("value");
    while (!bench.server.requests)
        uv_run(&bench.loop, UV_RUN_ONCE);
    http_cancel(call);
    cr_expect_eq(http_in_flight(bench.http), 0);
    while (bench.server.peers) /* the server sees the connection close */
        uv_run(&bench.loop, UV_RUN_ONCE);
    bench_expect_no_more(0);
}

Test(http_cancel, cancel_a_request_on_its_way_from_within_answered)
{
    static const struct step steps[] = {{NULL, KEEP, 0}, {OK_KEPT, KEEP, 0}};

    bench_script(steps, 2);
    other = bench_post("unanswered");
    while (!bench.server.requests)
        uv_run(&bench.loop, UV_RUN_ONCE);
    bench_send((struct http_request){.method = "POST", .answered = on_answered_cancel_other});
    bench_await(1);
    bench_expect_no_more(1);
}

Test(http_cancel, cancel_a_request_that_ended_too_from_within_answered)
{
    /* Both fail before they are sent, so both end in the same turn. */
    bench_send((struct http_request){
        .method = "POST", .url = "no url", .answered = on_answered_cancel_other});
    other = bench_send((struct http_request){.method = "POST", .url = "no url"});
    bench_await(1);
    bench_expect_no_more(1);
}

static void on_answered_send_bad(void *context, const struct http_answer *told)
{
    bench_answered(context, told);
    if (bench.count < 9)
        bench_send((struct http_request){
            .method = "POST", .url = "no url", .answered = on_answered_send_bad});
}

/* The loop has others to serve: a turn may tell a few of them, not all. */
Test(http_cancel, requests_that_fail_at_once_and_are_sent_anew_do_not_keep_the_loop)
{
    size_t turns = 0;

    bench_send(
        (struct http_request){.method = "POST", .url = "no url", .answered = on_answered_send_bad});
    for (; bench.count < 9; turns++)
        uv_run(&bench.loop, UV_RUN_NOWAIT);
    cr_expect_geq(turns, 4);
}

Test(http_cancel, free_with_requests_on_their_way)
{
    static const struct step steps[] = {{OK_KEPT, KEEP, 0}, {NULL, KEEP, 0}, {NULL, KEEP, 0}};
    const char *reason;

    bench_script(steps, 3);
    bench_post("answered, and its connection kept");
    bench_await_next();
    bench_post("sent");
    bench_post("sent too");
    while (bench.server.requests < 3)
        uv_run(&bench.loop, UV_RUN_ONCE);
    bench_post("not sent");
    bench_send((struct http_request){.method = "POST", .url = "no url"});
    http_free(bench.http);
    bench.http = NULL;
    uv_run(&bench.loop, UV_RUN_NOWAIT);
    while (bench.server.peers)
        uv_run(&bench.loop, UV_RUN_ONCE);
    cr_expect_eq(bench.count, 1);
    bench.http = http_new(&bench.loop, &bench.options, 8, &reason);
}
