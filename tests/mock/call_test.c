/* call: what a gateway reads, to the byte; curl adds nothing that was not asked for. */
#include "base/xalloc.h"
#include "gateway/call.h"
#include "tests/harness/http_bench.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct caller *caller;
static struct callee *callee;

static void open_call(void)
{
    static struct gateway_options options = {
        .content_type = "text/plain", .response_limit = 1024, .upstream_timeout = 20000};

    bench_open();
    options.url = bench.url;
    bench.url[strlen("http://") + strcspn(bench.url + strlen("http://"), "/")] = '\0';
    caller = caller_new(bench.http, &options);
    callee = callee_new(caller, "f");
}

static void close_call(void)
{
    callee_free(callee);
    caller_free(caller);
    bench_close();
}

TestSuite(call, .init = open_call, .fini = close_call, .timeout = 20);

static const struct step answer = {OK_KEPT, KEEP, 0};

static void call_and_await(const struct record *record)
{
    bench_script(&answer, 1);
    call_start(callee, record, false, bench_answered, NULL);
    bench_await_next();
}

Test(call, is_these_bytes)
{
    struct record record = {.topic = "orders",
                            .partition = 3,
                            .offset = 17,
                            .timestamp_ms = 1700000000123,
                            .key = "",
                            .value = "value",
                            .value_size = 5};
    char *wanted = xasprintf("POST /function/f HTTP/1.1\r\n"
                             "Content-Type: text/plain\r\n"
                             "Host: %s\r\n"
                             "User-Agent: kafka-connector\r\n"
                             "X-Connector: kafka-connector\r\n"
                             "X-Topic: orders\r\n"
                             "X-Kafka-Partition: 3\r\n"
                             "X-Kafka-Offset: 17\r\n"
                             "X-Kafka-Timestamp: 1700000000123\r\n"
                             "X-Kafka-Key:\r\n"
                             "X-Kafka-Key-Enc: b64\r\n"
                             "Content-Length: 5\r\n\r\n"
                             "value",
                             bench.url + strlen("http://"));

    for (size_t i = 0; i < 2; i++) { /* a handle and a block that are used again */
        call_and_await(&record);
        cr_expect_str_eq(bench.server.last, wanted);
    }
    cr_expect_eq(bench.server.accepted, 1);
    free(wanted);
}

Test(call, waits_for_no_leave_to_send_a_large_body)
{
    enum { SIZE = 3 * 1024 * 1024 };
    struct record record = {.topic = "orders", .value = xcalloc(1, SIZE), .value_size = SIZE};

    memset((char *)record.value, 'a', SIZE);
    call_and_await(&record);
    cr_expect_not(strstr(bench.server.last, "Expect"));
    cr_expect_eq(strlen(strstr(bench.server.last, "\r\n\r\n") + 4), SIZE);
    free((char *)record.value);
}

Test(call, names_the_host_as_the_scheme_has_it)
{
    static const struct {
        const char *url, *host;
    } cases[] = {
        {"http://gateway:8080/function/f", "gateway:8080"},
        {"http://gateway/", "gateway"},
        {"http://gateway:80/", "gateway"},
        {"https://gateway:443/", "gateway"},
        {"https://gateway:80/", "gateway:80"},
        {"http://[::1]:8080/", "[::1]:8080"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        http_target *target = http_target_new(cases[i].url);
        char *host = http_target_host(target);

        cr_expect_str_eq(host, cases[i].host);
        free(host);
        http_target_free(target);
    }
}
