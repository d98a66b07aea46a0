/* sandbox_gateway_test: the gateway that the demo and the other tests lean on. */
#include "sandbox/gateway.h"

#include "base/json.h"
#include "base/xalloc.h"
#include "tests/harness/call_log.h"

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <utstring.h>

enum { PATIENCE_MS = 5000 };

static uv_loop_t loop;
static struct faas_gateway *gateway;
static struct call_log *calls;

/* A request made by libcurl on a thread, while the loop serves it. */
struct fetch {
    uv_work_t work;
    char *url;
    const char *body; /* NULL: GET */
    const char *credentials;
    struct curl_slist *headers;
    CURLcode result;
    long status;
    UT_string text;
    bool done;
};

static size_t keep_text(char *data, size_t size, size_t count, void *text)
{
    size_t bytes = size * count;
    utstring_bincpy((UT_string *)text, data, bytes);
    return bytes;
}

static void fetch_in_thread(uv_work_t *work)
{
    struct fetch *fetch = work->data;
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, fetch->url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_text);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &fetch->text);
    curl_easy_setopt(easy, CURLOPT_USERPWD, fetch->credentials);
    if (fetch->body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, fetch->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(fetch->body));
    }
    fetch->result = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &fetch->status);
    curl_easy_cleanup(easy);
}

static void fetch_done(uv_work_t *work, int status)
{
    (void)status;
    ((struct fetch *)work->data)->done = true;
}

static struct fetch *fetch_new(const char *path, const char *body)
{
    struct fetch *fetch = xcalloc(1, sizeof(*fetch));
    fetch->url = xasprintf("%s%s", faas_gateway_url(gateway), path);
    fetch->body = body;
    fetch->work.data = fetch;
    utstring_init(&fetch->text);
    return fetch;
}

static void fetch_start(struct fetch *fetch)
{
    uv_queue_work(&loop, &fetch->work, fetch_in_thread, fetch_done);
}

static void fetch_wait(struct fetch *fetch)
{
    while (!fetch->done)
        uv_run(&loop, UV_RUN_ONCE);
}

static void fetch_free(struct fetch *fetch)
{
    curl_slist_free_all(fetch->headers);
    utstring_done(&fetch->text);
    free(fetch->url);
    free(fetch);
}

static const char *fetch_text(const struct fetch *fetch)
{
    return utstring_body(&fetch->text);
}

static struct fetch *fetch_now(const char *path, const char *body)
{
    struct fetch *fetch = fetch_new(path, body);
    fetch_start(fetch);
    fetch_wait(fetch);
    return fetch;
}

/* Status 0: cut, or no connection. */
static void expect(const char *path, const char *body, long status, const char *text)
{
    struct fetch *fetch = fetch_now(path, body);
    cr_expect_eq(fetch->status, status, "%s: %ld, expected %ld", path, fetch->status, status);
    cr_expect(!text || strstr(fetch_text(fetch), text), "%s: %s", path, fetch_text(fetch));
    fetch_free(fetch);
}

static void setup(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    uv_loop_init(&loop);
    char *reason = NULL;
    gateway = faas_gateway_new(&loop, "127.0.0.1:0", &reason);
    cr_assert(gateway, "%s", reason);
    calls = call_log_new(&loop, gateway);
}

static void teardown(void)
{
    call_log_free(calls);
    faas_gateway_free(gateway);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&loop), 0, "a handle was left open");
    curl_global_cleanup();
}

TestSuite(gateway, .init = setup, .fini = teardown);

/* ---- lists ---- */

Test(gateway, lists_functions_by_namespace)
{
    faas_deploy(gateway, "figlet", NULL, "faas-request,\"quoted\"");
    faas_deploy(gateway, "wc", "staging", "words");
    expect("/system/namespaces", NULL, 200, "[\"openfaas-fn\",\"staging\"]");
    expect("/system/functions", NULL, 200, "\"name\":\"figlet\"");
    expect("/system/functions?namespace=openfaas-fn", NULL, 200, "faas-request,\\\"quoted\\\"");
    expect("/system/functions?namespace=staging", NULL, 200,
           "\"annotations\":{\"topic\":\"words\"}");
    expect("/system/functions?namespace=none", NULL, 200, "[]");
    faas_namespaces(gateway, false);
    expect("/system/namespaces", NULL, 404, NULL);
    expect("/system/functions", NULL, 200, "\"wc\"");
    cr_expect_eq(faas_list_count(gateway), 5);
}

Test(gateway, the_list_can_be_anything)
{
    faas_list_answer(gateway, 200, "<html>", 6);
    expect("/system/functions", NULL, 200, "<html>");
    faas_list_answer(gateway, -1, NULL, 0);
    expect("/system/functions", NULL, 0, NULL);
    faas_list_answer(gateway, 0, NULL, 0);
    expect("/system/functions", NULL, 200, "[]");
}

Test(gateway, asks_for_a_password_where_openfaas_does)
{
    faas_deploy(gateway, "figlet", NULL, NULL);
    faas_require_auth(gateway, "admin", "secret");
    expect("/system/functions", NULL, 401, NULL);
    expect("/system/namespaces", NULL, 401, NULL);
    expect("/function/figlet", "x", 200, NULL);
    static const char *const credentials[] = {"admin:secret", "admin:wrong"};
    for (int i = 0; i < 2; i++) {
        struct fetch *fetch = fetch_new("/system/functions", NULL);
        fetch->credentials = credentials[i];
        fetch_start(fetch);
        fetch_wait(fetch);
        cr_expect_eq(fetch->status, i ? 401 : 200);
        fetch_free(fetch);
    }
}

/* ---- scripts ---- */

Test(gateway, a_function_is_called_by_either_name)
{
    faas_script(faas_deploy(gateway, "figlet", NULL, NULL), &(struct faas_reply){.body = "drawn"});
    expect("/function/figlet", "x", 200, "drawn");
    expect("/function/figlet.openfaas-fn", "x", 200, "drawn");
    expect("/function/figlet/some/path", "x", 200, "drawn");
    expect("/function/other", "x", 404, "other");
    expect("/async-function/figlet", "x", 202, NULL);
}

static struct faas_reply odd_calls_fail(void *context, const struct faas_call *call)
{
    (void)context;
    return (struct faas_reply){.status = call->number % 2 ? 500 : 200};
}

Test(gateway, overrides_go_before_a_decision_and_that_before_the_script)
{
    struct faas_function *f = faas_deploy(gateway, "f", NULL, NULL);
    faas_script(f, &(struct faas_reply){.status = 299});
    faas_decide(f, odd_calls_fail, NULL);
    faas_next(f, 2, &(struct faas_reply){.status = 503, .header = "Retry-After: 1"});
    faas_next(f, 1, &(struct faas_reply){.status = 429});
    static const long statuses[] = {503, 503, 429, 200, 500, 200};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
        expect("/function/f", "x", statuses[i], NULL);
    faas_decide(f, NULL, NULL);
    expect("/function/f", "x", 299, NULL);
}

Test(gateway, cuts_before_and_after_the_function_ran)
{
    struct faas_function *f = faas_deploy(gateway, "f", NULL, NULL);
    faas_next(f, 1, &(struct faas_reply){.end = FAAS_CUT_BEFORE});
    expect("/function/f", "x", 0, NULL);
    cr_expect_eq(call_log_ran(calls, "f"), 0);
    faas_next(f, 1, &(struct faas_reply){.end = FAAS_CUT_AFTER, .latency_ms = 1});
    expect("/function/f", "x", 0, NULL);
    cr_expect_eq(call_log_ran(calls, "f"), 1);
    cr_expect_eq(call_log_ended(calls, "f"), 2);
}

Test(gateway, holds_calls_until_released)
{
    struct faas_function *f = faas_deploy(gateway, "f", NULL, NULL);
    faas_script(f, &(struct faas_reply){.latency_ms = FAAS_HELD});
    struct fetch *fetches[3];
    for (size_t i = 0; i < 3; i++) {
        fetches[i] = fetch_new("/function/f", "x");
        fetch_start(fetches[i]);
        while (call_log_arrived(calls, "f") == i)
            uv_run(&loop, UV_RUN_ONCE);
    }
    cr_expect_eq(call_log_in_flight(calls), 3);
    cr_expect_eq(call_log_ended(calls, NULL), 0);
    cr_expect_eq(faas_release(f, 1), 1);
    fetch_wait(fetches[0]);
    cr_expect_eq(call_log_in_flight(calls), 2);
    faas_gateway_down(gateway);
    for (int i = 0; i < 3; i++) {
        fetch_wait(fetches[i]);
        cr_expect_eq(fetches[i]->status, i ? 0 : 200);
        fetch_free(fetches[i]);
    }
    cr_expect_eq(call_log_max_in_flight(calls), 3);
    cr_expect_eq(faas_release(f, -1), 0);
}

static struct faas_reply go_down(void *context, const struct faas_call *call)
{
    (void)context, (void)call;
    faas_gateway_down(gateway);
    return (struct faas_reply){.body = "never sent"};
}

Test(gateway, goes_away_and_comes_back_on_its_port)
{
    struct faas_function *f = faas_deploy(gateway, "f", NULL, NULL);
    int port = faas_gateway_port(gateway);
    faas_decide(f, go_down, NULL);
    expect("/function/f", "x", 0, NULL);
    struct fetch *refused = fetch_now("/function/f", "x");
    cr_expect_eq(refused->result, CURLE_COULDNT_CONNECT);
    fetch_free(refused);
    char *reason = NULL;
    cr_assert(faas_gateway_up(gateway, &reason), "%s", reason);
    cr_expect_eq(faas_gateway_port(gateway), port);
    faas_decide(f, NULL, NULL);
    expect("/function/f", "x", 200, NULL);
}

Test(gateway, a_removed_function_is_gone_and_its_calls_are_cut)
{
    struct faas_function *f = faas_deploy(gateway, "f", NULL, NULL);
    faas_script(f, &(struct faas_reply){.latency_ms = FAAS_HELD});
    struct fetch *fetch = fetch_new("/function/f", "x");
    fetch_start(fetch);
    while (!call_log_arrived(calls, "f"))
        uv_run(&loop, UV_RUN_ONCE);
    faas_remove(f);
    fetch_wait(fetch);
    cr_expect_eq(fetch->status, 0);
    fetch_free(fetch);
    expect("/function/f", "x", 404, NULL);
}

/* ---- programs ---- */

static const struct {
    const char *sentence;
    char *argv[4];
    const char *body;
    long status;
    const char *text;
} programs[] = {
    {"stdin goes to stdout", {"tr", "a-z", "A-Z", NULL}, "shout", 200, "SHOUT"},
    {"an empty body is the end of stdin", {"wc", "-c", NULL}, "", 200, "0"},
    {"a program need not read", {"echo", "done", NULL}, "unread", 200, "done"},
    {"exit status 1 is 500", {"sh", "-c", "echo oh no; exit 1", NULL}, "x", 500, "oh no"},
    {"a signal is 500", {"sh", "-c", "kill -9 $$", NULL}, "x", 500, NULL},
    {"no such program", {"/nonexistent/program", NULL}, "x", 500, "no such file"},
    {"too much output", {"yes", NULL}, "x", 500, "y\ny\n"},
};

Test(gateway, runs_programs)
{
    for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
        struct faas_function *f = faas_deploy(gateway, "p", NULL, NULL);
        faas_program(f, programs[i].argv);
        struct fetch *fetch = fetch_now("/function/p", programs[i].body);
        cr_expect_eq(fetch->status, programs[i].status, "%s: %ld", programs[i].sentence,
                     fetch->status);
        cr_expect(!programs[i].text || strstr(fetch_text(fetch), programs[i].text), "%s: %.80s",
                  programs[i].sentence, fetch_text(fetch));
        fetch_free(fetch);
    }
}

Test(gateway, runs_programs_of_async_calls_behind_their_answer)
{
    struct faas_function *f = faas_deploy(gateway, "p", NULL, NULL);
    faas_program(f, (char *[]){"cat", NULL});
    expect("/async-function/p", "x", 202, NULL);
    while (!call_log_ran(calls, "p"))
        uv_run(&loop, UV_RUN_ONCE);
    cr_expect_eq(call_log_ended(calls, "p"), 1);
}

/* teardown then finds the loop empty: the program, and the one it started, are gone. */
Test(gateway, kills_the_programs_of_calls_it_cuts)
{
    struct faas_function *f = faas_deploy(gateway, "p", NULL, NULL);
    faas_program(f, (char *[]){"sh", "-c", "sleep 1000 | sleep 1000", NULL});
    struct fetch *fetch = fetch_new("/function/p", "x");
    fetch_start(fetch);
    while (!call_log_arrived(calls, "p"))
        uv_run(&loop, UV_RUN_ONCE);
    faas_gateway_down(gateway);
    fetch_wait(fetch);
    cr_expect_eq(fetch->status, 0);
    cr_expect_eq(call_log_ran(calls, "p"), 0);
    fetch_free(fetch);
}

/* ---- the call log ---- */

Test(gateway, the_call_log_keeps_what_was_asked)
{
    faas_deploy(gateway, "f", NULL, NULL);
    struct fetch *fetch = fetch_new("/function/f", "value");
    static const char *const headers[] = {"X-Topic: orders", "X-Kafka-Partition: 3",
                                          "X-Kafka-Offset: 17", "X-Kafka-Key: k", "X-Odd:"};
    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
        fetch->headers = curl_slist_append(fetch->headers, headers[i]);
    fetch_start(fetch);
    cr_assert(call_log_await(calls, "f", 1, PATIENCE_MS));
    fetch_wait(fetch);
    const struct call_entry *entry = call_log_at(calls, 0);
    cr_expect_str_eq(entry->function, "f.openfaas-fn");
    cr_expect_str_eq(entry->topic, "orders");
    cr_expect_str_eq(entry->key, "k");
    cr_expect_eq(entry->partition, 3);
    cr_expect_eq(entry->offset, 17);
    cr_expect_str_eq(entry->body, "value");
    cr_expect_eq(entry->status, 200);
    cr_expect_str_eq(call_entry_header(entry, "x-kafka-offset"), "17");
    cr_expect_null(call_entry_header(entry, "X-Kafka"));
    cr_expect_geq(entry->ended_us, entry->arrived_us);
    cr_expect_eq(call_log_ran_on(calls, "f", "orders", 3, 17), 1);
    cr_expect_eq(call_log_ran_on(calls, "f", "orders", 3, 18), 0);
    cr_expect_not(call_log_await(calls, "f", 2, 10));
    call_log_clear(calls);
    cr_expect_eq(call_log_arrived(calls, NULL), 0);
    fetch_free(fetch);
}
