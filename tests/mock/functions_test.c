/*
 * functions and call against a gateway whose answers a test sets: what is asked, which map is in
 * force, what is said.
 */
#include "gateway/functions.h"

#include "base/xalloc.h"
#include "gateway/call.h"
#include "web/server.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ---- the gateway: each route's answer, and the last request ---- */

struct route_answer {
    int status;
    const char *body;
    size_t spaces; /* so many blanks before the body */
};

static struct {
    uv_loop_t loop;
    struct web_server *server;
    struct http_options http_options;
    struct http *http;
    struct gateway_options options;
    struct functions *functions;
    struct route_answer namespaces, list;
    char asked[200]; /* the namespaces asked for, each with a blank behind it; "-": none named */
    char *seen;      /* of the last invocation: path, headers and body */
    size_t changes;
} bench;

static void answer_with(struct web_request *request, const struct route_answer *answer)
{
    size_t size = answer->spaces + strlen(answer->body);
    char *body = xmalloc(size + 1);

    memset(body, ' ', answer->spaces);
    memcpy(body + answer->spaces, answer->body, strlen(answer->body));
    web_answer(request, answer->status, "application/json", body, size, NULL);
    free(body);
}

static void answer_namespaces(struct web_request *request, void *context)
{
    (void)context;
    bench.asked[0] = '\0';
    answer_with(request, &bench.namespaces);
}

static void answer_list(struct web_request *request, void *context)
{
    const char *name = web_query(request, "namespace");
    size_t size = strlen(bench.asked);

    (void)context;
    snprintf(bench.asked + size, sizeof(bench.asked) - size, "%s ", name ? name : "-");
    answer_with(request, &bench.list);
}

static void answer_call(struct web_request *request, void *context)
{
    static const char *const names[] = {
        "Content-Type", "User-Agent",          "X-Connector", "X-Topic", "X-Kafka-Key",
        "X-Kafka-a",    "X-Kafka-Headers-Enc", "Expect",      NULL};
    size_t size;
    const char *body = web_body(request, &size);
    char *seen = xstrdup(web_path(request));

    (void)context;
    for (const char *const *name = names; *name; name++)
        if (web_header(request, *name)) {
            char *longer = xasprintf("%s|%s: %s", seen, *name, web_header(request, *name));

            free(seen);
            seen = longer;
        }
    free(bench.seen);
    bench.seen = xasprintf("%s|%.*s", seen, (int)size, body);
    free(seen);
    web_answer_text(request, 200, "done");
}

static const struct web_route routes[] = {
    {"GET", "/system/namespaces", answer_namespaces},
    {"GET", "/system/functions", answer_list},
    {"POST", "/function/*", answer_call},
    {"POST", "/async-function/*", answer_call},
    {NULL, NULL, NULL},
};

static void on_changed(void *context)
{
    (void)context;
    bench.changes++;
}

static void open_bench(void)
{
    const char *why;
    char *reason;

    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&bench.loop);
    bench.server = web_server_new(&bench.loop, "127.0.0.1:0", 1 << 21, routes, NULL, &reason);
    cr_assert(bench.server);
    bench.options.url = xasprintf("http://127.0.0.1:%d", web_server_port(bench.server));
    bench.options.rebuild_interval = 1;
    bench.options.upstream_timeout = 10000;
    bench.options.content_type = (char *)"text/plain";
    bench.options.response_limit = 1000;
    bench.http = http_new(&bench.loop, &bench.http_options, 4, &why);
    bench.functions = functions_new(&bench.loop, bench.http, &bench.options, on_changed, NULL);
}

static void close_bench(void)
{
    functions_free(bench.functions);
    http_free(bench.http);
    web_server_free(bench.server);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&bench.loop), 0, "a handle was left in the loop");
    free(bench.options.url);
    free(bench.seen);
}

TestSuite(functions, .init = open_bench, .fini = close_bench, .timeout = 30);

#define FIGLET   "{\"name\":\"figlet\",\"annotations\":{\"topic\":\"faas-request\"}}"
#define NODEINFO "{\"name\":\"nodeinfo\",\"annotations\":{\"topic\":\"faas-request\"}}"

static void await_confirmed(void)
{
    int64_t before = functions_confirmed_ms(bench.functions);

    while (functions_confirmed_ms(bench.functions) == before)
        uv_run(&bench.loop, UV_RUN_ONCE);
}

static void await_fault(const char *part)
{
    const char *fault;

    while (!(fault = functions_fault(bench.functions)) || !strstr(fault, part))
        uv_run(&bench.loop, UV_RUN_ONCE);
}

Test(functions, each_namespace_is_asked)
{
    bench.namespaces = (struct route_answer){200, "[\"prod\",\"dev\"]", 0};
    bench.list = (struct route_answer){200, "[" FIGLET "]", 0};
    cr_expect_null(functions_map(bench.functions));
    cr_expect_eq(functions_confirmed_ms(bench.functions), -1);
    functions_start(bench.functions);
    await_confirmed();
    cr_expect_str_eq(bench.asked, "prod dev ");
    cr_expect(topic_map_find(functions_map(bench.functions), "figlet.prod"));
    cr_expect(topic_map_find(functions_map(bench.functions), "figlet.dev"));
    cr_expect_eq(bench.changes, 1);
    cr_expect_null(functions_fault(bench.functions));
}

Test(functions, a_gateway_without_namespaces)
{
    bench.namespaces = (struct route_answer){404, "404 page not found", 0};
    bench.list = (struct route_answer){200, "[" FIGLET "]", 0};
    functions_start(bench.functions);
    await_confirmed();
    cr_expect_str_eq(bench.asked, "- ");
    cr_expect(topic_map_find(functions_map(bench.functions), "figlet"));
}

Test(functions, the_first_list_is_a_change_even_when_empty_and_the_like_of_it_is_none)
{
    bench.namespaces = (struct route_answer){200, "null", 0};
    bench.list = (struct route_answer){200, "[]", 0};
    functions_start(bench.functions);
    await_confirmed();
    cr_expect_eq(bench.changes, 1);
    await_confirmed();
    await_confirmed();
    cr_expect_eq(bench.changes, 1);
    bench.list.body = "[" FIGLET "]";
    while (bench.changes == 1)
        uv_run(&bench.loop, UV_RUN_ONCE);
    cr_expect_eq(topic_map_size(functions_map(bench.functions)), 1);
    bench.list.body = "[" FIGLET "," NODEINFO "]";
    while (bench.changes == 2)
        uv_run(&bench.loop, UV_RUN_ONCE);
    cr_expect_eq(topic_map_size(functions_map(bench.functions)), 2);
}

static const struct {
    struct route_answer namespaces, list;
    const char *fault;
} faults[] = {
    {{500, "[]", 0}, {200, "[]", 0}, "/system/namespaces: status 500"},
    {{401, "[]", 0}, {200, "[]", 0}, "status 401 (basic_auth"},
    {{200, "<html>", 0}, {200, "[]", 0}, "/system/namespaces: not a gateway's list in JSON (bad"},
    {{200, "[]", 0}, {502, "", 0}, "/system/functions: status 502"},
    {{200, "[]", 0}, {404, "", 0}, "/system/functions: status 404"},
    {{200, "[]", 0},
     {200, "<html>502</html>", 0},
     "functions: not a gateway's list in JSON (bad syntax)"},
    {{200, "[]", 0}, {200, "{}", 0}, "JSON (not a list)"},
    {{200, "[]", 0}, {200, "[]", 50 << 20}, "longer than 16 MiB"},
};

Test(functions, on_any_fault_the_last_good_map_stays)
{
    bench.namespaces = (struct route_answer){200, "[]", 0};
    bench.list = (struct route_answer){200, "[" FIGLET "]", 0};
    functions_start(bench.functions);
    await_confirmed();
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        bench.namespaces = faults[i].namespaces;
        bench.list = faults[i].list;
        await_fault(faults[i].fault);
        cr_expect(topic_map_find(functions_map(bench.functions), "figlet"), "%s", faults[i].fault);
    }
    bench.namespaces = (struct route_answer){200, "[]", 0};
    bench.list = (struct route_answer){200, "[" FIGLET "]", 0};
    while (functions_fault(bench.functions))
        uv_run(&bench.loop, UV_RUN_ONCE);
    cr_expect_eq(bench.changes, 1);
}

Test(functions, a_gateway_that_is_gone_or_secrets_that_are_missing)
{
    functions_free(bench.functions);
    free(bench.options.url);
    bench.options.url = xstrdup("http://127.0.0.1:1");
    bench.functions = functions_new(&bench.loop, bench.http, &bench.options, on_changed, NULL);
    functions_start(bench.functions);
    await_fault("cannot connect");
    cr_expect_null(functions_map(bench.functions));
    bench.options.basic_auth = true;
    await_fault("secret_mount_path");
    cr_expect_eq(bench.changes, 0);
}

/* ---- calls ---- */

static struct http_answer told;
static char told_body[100];

static void on_answered(void *context, const struct http_answer *answer)
{
    told = *answer;
    snprintf(told_body, sizeof(told_body), "%.*s", (int)answer->body_size, answer->body);
    *(bool *)context = true;
    uv_stop(&bench.loop);
}

static void run_call_on(struct caller *caller, const char *path, const struct record *record)
{
    struct callee *callee = callee_new(caller, path);
    bool done = false;

    cr_assert(callee);
    call_start(callee, record, false, on_answered, &done);
    while (!done)
        uv_run(&bench.loop, UV_RUN_ONCE);
    callee_free(callee);
}

static void run_call(struct caller *caller, const char *path)
{
    const struct record_header header = {"a", "b\r\nc", 4};

    run_call_on(caller, path,
                &(struct record){.topic = "orders",
                                 .key = "k",
                                 .key_size = 1,
                                 .value = "the value",
                                 .value_size = 9,
                                 .headers = &header,
                                 .header_count = 1});
}

#define SEEN                                                                                       \
    "|Content-Type: text/plain|User-Agent: " USER_AGENT                                            \
    "|X-Connector: kafka-connector|X-Topic: orders|X-Kafka-Key: k|X-Kafka-a: Yg0KYw==|the value"
#define USER_AGENT "kafka-connector"

Test(functions, a_call_carries_the_record_and_brings_the_answer)
{
    struct caller *caller = caller_new(bench.http, &bench.options);

    run_call(caller, "figlet.dev");
    cr_expect_str_eq(bench.seen, "/function/figlet.dev" SEEN);
    cr_expect_eq(told.outcome, HTTP_ANSWERED);
    cr_expect_eq(told.status, 200);
    cr_expect_eq(strncmp(told_body, "done", 4), 0);
    bench.options.async_invocation = true;
    run_call(caller, "figlet");
    cr_expect_str_eq(bench.seen, "/async-function/figlet" SEEN);
    cr_expect_null(callee_new(caller, "../system/functions"));
    cr_expect_null(callee_new(caller, ""));
    caller_free(caller);
}

/* curl asks for one from 1 MiB on, and waits a second for it. */
Test(functions, a_large_record_does_not_wait_for_a_100)
{
    static const size_t sizes[] = {(1 << 20) - 1, 1 << 20, (1 << 20) + 1};
    struct caller *caller = caller_new(bench.http, &bench.options);
    struct record record = {.topic = "orders", .value = xcalloc(1, 1 << 21)};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        record.value_size = sizes[i];
        run_call_on(caller, "figlet", &record);
        cr_expect_eq(told.status, 200);
        cr_expect_not(strstr(bench.seen, "Expect"), "%zu bytes", sizes[i]);
    }
    free((void *)record.value);
    caller_free(caller);
}

Test(functions, a_cancelled_call_is_not_told)
{
    const struct record record = {.topic = "orders", .value = "v", .value_size = 1};
    struct caller *caller = caller_new(bench.http, &bench.options);
    struct callee *callee = callee_new(caller, "figlet");
    bool done = false, cancelled = false;

    call_cancel(call_start(callee, &record, false, on_answered, &cancelled));
    call_start(callee, &record, false, on_answered, &done);
    while (!done)
        uv_run(&bench.loop, UV_RUN_ONCE);
    cr_expect_not(cancelled);
    callee_free(callee);
    caller_free(caller);
}
