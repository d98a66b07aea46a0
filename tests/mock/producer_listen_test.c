/* producer_listen: the shipped producer as a service, on mock brokers. */
#include "base/json.h"
#include "base/xalloc.h"
#include "gateway/http.h"
#include "kafka/mock.h"
#include "tests/harness/asked.h"
#include "tests/harness/await.h"
#include "tests/harness/child.h"
#include "tests/harness/cluster.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 60 * 1000, PARTITIONS = 4, LIMIT = 64 /* requests at once */ };

static uv_loop_t loop;
static struct mock *mock;
static struct http *http;
static struct cluster *cluster;
static struct child *producer;
static int port;

static void start(const char *more)
{
    char *path = child_program("producer");
    char *broker = xasprintf("-broker=%s", mock_bootstrap(mock));
    const char *at;

    producer = child_start(
        &loop, (const char *[]){path, broker, "-topic=orders", "-listen=127.0.0.1:0", more, NULL},
        NULL);
    cr_assert(child_await_text(producer, "Listening on port ", PATIENCE_MS), "%s",
              child_output(producer));
    at = strstr(child_output(producer), "Listening on port ");
    cr_assert_eq(sscanf(at, "Listening on port %d", &port), 1);
    free(broker);
    free(path);
}

static void set_up(void)
{
    static const struct http_options plain;
    const char *reason;

    uv_loop_init(&loop);
    mock = mock_new(1, &reason);
    cr_assert(mock, "%s", reason);
    mock_create_topic(mock, "orders", PARTITIONS);
    cluster = cluster_new(mock_bootstrap(mock), "none");
    http = http_new(&loop, &plain, LIMIT + 8, &reason);
    cr_assert(http, "%s", reason);
}

static void tear_down(void)
{
    child_free(producer);
    cluster_free(cluster);
    http_free(http);
    mock_free(mock);
    cr_expect(await_close(&loop));
}

TestSuite(producer_listen, .init = set_up, .fini = tear_down, .timeout = 120);

/* ---- requests ---- */

static void ask(struct asked *asked, const char *method, const char *route, const char *body)
{
    char *url = xasprintf("http://127.0.0.1:%d%s", port, route);

    asked_send(asked, http,
               (struct http_request){.method = method,
                                     .url = url,
                                     .body = body,
                                     .body_size = strlen(body),
                                     .body_limit = 64 * 1024,
                                     .timeout_ms = PATIENCE_MS});
    free(url);
}

static void await_answer(struct asked *asked)
{
    cr_assert(asked_await(asked, &loop, PATIENCE_MS), "%s", child_output(producer));
}

static void expect(const char *method, const char *route, const char *body, long status,
                   const char *part)
{
    struct asked answer;

    ask(&answer, method, route, body);
    await_answer(&answer);
    cr_expect_eq(answer.status, status, "%s %s %s: %ld %s", method, route, body, answer.status,
                 answer.body);
    cr_expect(strstr(answer.body, part), "%s %s: %s", route, body, answer.body);
    free(answer.body);
}

static long number_of(const char *body, const char *name)
{
    const char *reason;
    json *root = json_parse(body, strlen(body), &reason);
    char *text = root ? json_scalar_dup(json_member(root, name)) : NULL;
    long number = text ? strtol(text, NULL, 10) : -1;

    free(text);
    json_free(root);
    return number;
}

/* ---- what it answers ---- */

Test(producer_listen, writes_what_was_asked_for_and_tells_how_many_were_acknowledged)
{
    start("-keys=100");
    expect("POST", "/produce", "{\"count\":5000,\"messageSize\":64}", 200, "\"produced\":5000");
    cr_expect_eq(cluster_records(cluster, "orders"), 5000);
    for (int i = 0; i < PARTITIONS; i++)
        cr_expect_gt(cluster_end(cluster, "orders", i), 0, "its keys spread");
    expect("POST", "/produce", "", 200, "1 records sent, ");
    cr_expect_eq(cluster_records(cluster, "orders"), 5001);
    cr_expect(child_count(producer, "Produced 5000 of 5000 records of 64 bytes: "), "%s",
              child_output(producer));
}

Test(producer_listen, a_key_of_the_request_wins)
{
    int filled = 0;

    start("-keys=100");
    expect("POST", "/produce", "{\"count\":500,\"key\":\"k\"}", 200, "\"produced\":500");
    for (int i = 0; i < PARTITIONS; i++)
        filled += cluster_end(cluster, "orders", i) > 0;
    cr_expect_eq(filled, 1, "one key, one partition");
}

Test(producer_listen, what_cannot_be_is_refused_in_words)
{
    start(NULL);
    expect("POST", "/produce", "{\"count\":0}", 400, "count: ");
    expect("POST", "/produce", "{\"messageSize\":1000001}", 400, "messageSize: ");
    expect("POST", "/produce", "five", 400, "must be JSON");
    expect("GET", "/produce", "", 405, "");
    expect("GET", "/nothing", "", 404, "");
    expect("GET", "/health", "", 200, "ok");
    cr_expect_eq(cluster_records(cluster, "orders"), 0);
}

Test(producer_listen, what_failed_is_counted_with_its_reason)
{
    start("-X=message.max.bytes=1000");
    expect("POST", "/produce", "{\"count\":3,\"messageSize\":5000}", 502,
           "3 records failed: Broker: Message size too large (3)");
    expect("POST", "/produce", "{\"count\":3}", 200, "\"failed\":0");
}

/* ---- several at once ---- */

static struct asked answers[LIMIT + 1];

static bool is_one_answered(void *context)
{
    (void)context;
    for (int i = 0; i < LIMIT + 1; i++)
        if (answers[i].status != 0)
            return true;
    return false;
}

/* With the broker away none ends, so all are under way at once, and one more is one too many. */
Test(producer_listen, so_many_at_once_and_no_more)
{
    int64_t produced = 0, refused = 0;

    start("-X=message.timeout.ms=120000");
    mock_broker_down(mock, 1);
    for (int i = 0; i < LIMIT + 1; i++)
        ask(&answers[i], "POST", "/produce", i ? "{\"count\":10}" : "{\"count\":200000}");
    cr_assert(await(&loop, is_one_answered, NULL, PATIENCE_MS));
    mock_broker_up(mock, 1);
    for (int i = 0; i < LIMIT + 1; i++) {
        await_answer(&answers[i]);
        if (answers[i].status == 503 && strstr(answers[i].body, "64 requests are under way"))
            refused++;
        else if (answers[i].status == 200)
            produced += number_of(answers[i].body, "produced");
        free(answers[i].body);
    }
    cr_expect_eq(refused, 1, "%ld", (long)refused);
    cr_expect_gt(produced, 0);
    cluster_free(cluster); /* its connection is the one that went away */
    cluster = cluster_new(mock_bootstrap(mock), "none");
    cr_expect_eq(produced, cluster_records(cluster, "orders"));
}

/* ---- its end ---- */

Test(producer_listen, a_signal_ends_it_when_what_was_sent_is_acknowledged)
{
    struct asked answer;
    int status;

    start(NULL);
    ask(&answer, "POST", "/produce", "{\"count\":10000000}");
    while (cluster_records(cluster, "orders") == 0)
        await_time(&loop, AWAIT_STEP_MS);
    child_signal(producer, SIGTERM);
    await_answer(&answer);
    cr_expect_eq(answer.status, 502, "%ld %s", answer.status, answer.body);
    cr_expect(strstr(answer.body, "the producer ends"), "%s", answer.body);
    cr_expect_eq(number_of(answer.body, "produced"), cluster_records(cluster, "orders"));
    cr_expect_eq(number_of(answer.body, "produced") + number_of(answer.body, "failed"), 10000000);
    cr_assert(child_await_end(producer, PATIENCE_MS, &status));
    cr_expect_eq(status, 0);
    free(answer.body);
}

Test(producer_listen, a_second_signal_gives_up_what_is_on_its_way)
{
    struct asked answer;
    int status;

    start("-X=linger.ms=0");
    mock_broker_down(mock, 1);
    ask(&answer, "POST", "/produce", "{\"count\":100}");
    expect("GET", "/health", "", 200, "ok");
    child_signal(producer, SIGTERM);
    cr_assert(child_await_count(producer, ": ends", 1, PATIENCE_MS));
    child_signal(producer, SIGTERM);
    await_answer(&answer);
    cr_expect_eq(answer.status, 502, "%ld %s", answer.status, answer.body);
    cr_expect_eq(number_of(answer.body, "failed"), 100, "%s", answer.body);
    cr_assert(child_await_end(producer, PATIENCE_MS, &status));
    cr_expect_eq(status, 0);
    free(answer.body);
}

Test(producer_listen, wrong_options_are_told_at_once)
{
    char *path = child_program("producer");
    int status;

    producer = child_start(
        &loop,
        (const char *[]){path, "-listen=here", "-messages=3", "-throughput=5", "-topic=a b", NULL},
        NULL);
    cr_assert(child_await_end(producer, PATIENCE_MS, &status), "%s", child_output(producer));
    cr_expect_eq(status, 2);
    cr_expect(child_count(producer, "listen: "), "%s", child_output(producer));
    cr_expect(child_count(producer, "messages: cannot be given together with listen"));
    cr_expect(child_count(producer, "throughput: cannot be given together with listen"));
    cr_expect(child_count(producer, "topic: \"a b\" is no topic's name"));
    free(path);
}
