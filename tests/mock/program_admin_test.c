/* program_admin_test: what is done to the shipped program over its admin server, without a broker
 * or a gateway. */
#include "base/xalloc.h"
#include "gateway/http.h"
#include "tests/harness/await.h"
#include "tests/harness/child.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 15 * 1000 };

#define TOKEN "Authorization: Bearer secret"

static uv_loop_t loop;
static struct http *http;
static char listen_on[32], token_path[64];
static struct child *program;

/* A port that was free a moment ago. */
static int free_port(void)
{
    struct sockaddr_in any;
    struct sockaddr_storage bound;
    int size = sizeof(bound);
    uv_tcp_t tcp;

    uv_ip4_addr("127.0.0.1", 0, &any);
    uv_tcp_init(&loop, &tcp);
    uv_tcp_bind(&tcp, (struct sockaddr *)&any, 0);
    uv_tcp_getsockname(&tcp, (struct sockaddr *)&bound, &size);
    uv_close((uv_handle_t *)&tcp, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    return ntohs(((struct sockaddr_in *)&bound)->sin_port);
}

static void start(void)
{
    char *path = child_program("kafka-connector");
    char *admin = xasprintf("--admin_listen=%s", listen_on);
    char *token = xasprintf("--admin_token_file=%s", token_path);

    program = child_start(&loop,
                          (const char *const[]){path, "--gateway_url=http://127.0.0.1:1",
                                                "--broker_host=127.0.0.1:1", "--topics=orders",
                                                admin, token, NULL},
                          (const char *const[]){NULL});
    cr_assert(child_await_text(program, "Cannot read the functions", PATIENCE_MS), "%s",
              child_output(program));
    free(token);
    free(admin);
    free(path);
}

static void set_up(void)
{
    static const struct http_options plain;
    const char *reason;
    FILE *token;

    uv_loop_init(&loop);
    snprintf(listen_on, sizeof(listen_on), "127.0.0.1:%d", free_port());
    snprintf(token_path, sizeof(token_path), "/tmp/program_admin_test.%d", (int)getpid());
    token = fopen(token_path, "w");
    cr_assert(token);
    fputs("secret\n", token);
    fclose(token);
    http = http_new(&loop, &plain, 1, &reason);
    cr_assert(http, "%s", reason);
    start();
}

static void tear_down(void)
{
    child_free(program);
    http_free(http);
    unlink(token_path);
    cr_expect(await_close(&loop));
}

TestSuite(program_admin, .init = set_up, .fini = tear_down, .timeout = 60);

struct answer {
    long status;
    char *body;
};

static void on_answered(void *context, const struct http_answer *answer)
{
    struct answer *kept = context;

    kept->status = answer->outcome == HTTP_ANSWERED ? answer->status : -1;
    kept->body = xstrndup(answer->body ? answer->body : "", answer->body_size);
}

static bool is_answered(void *context)
{
    return ((struct answer *)context)->status != 0;
}

/* Whether it answers so, with this in it. */
static void expect_answer(const char *method, const char *path, const char *authorization,
                          long status, const char *part)
{
    struct http_line line = {(char *)authorization, NULL};
    char *url = xasprintf("http://%s%s", listen_on, path);
    struct answer answer = {0};

    http_send(http, &(struct http_request){.method = method,
                                           .url = url,
                                           .lines = authorization ? &line : NULL,
                                           .body_limit = 64 * 1024,
                                           .timeout_ms = PATIENCE_MS,
                                           .answered = on_answered,
                                           .context = &answer});
    cr_assert(await(&loop, is_answered, &answer, PATIENCE_MS), "%s", path);
    cr_expect_eq(answer.status, status, "%s %s: %ld", method, path, answer.status);
    cr_expect(strstr(answer.body, part), "%s %s: %s", method, path, answer.body);
    free(answer.body);
    free(url);
}

Test(program_admin, pauses_and_resumes_for_who_shows_the_token)
{
    int status;

    expect_answer("GET", "/status", NULL, 200, "\"everything\":\tfalse");
    expect_answer("POST", "/pause", NULL, 401, "admin_token_file");
    expect_answer("POST", "/pause?topic=returns", TOKEN, 404, "returns");
    expect_answer("POST", "/pause?topic=orders", TOKEN, 200, "\"orders\"");
    expect_answer("POST", "/pause", TOKEN, 200, "\"everything\":\ttrue");
    expect_answer("GET", "/status", NULL, 200, "\"everything\":\ttrue");
    expect_answer("GET", "/health", NULL, 200, "ok");
    expect_answer("POST", "/resume", TOKEN, 200, "\"everything\":\tfalse");
    cr_expect_eq(child_count(program, "Paused by hand: topic orders"), 1);
    cr_expect_eq(child_count(program, "Paused by hand: everything"), 1);
    cr_expect_eq(child_count(program, "Resumed by hand: everything"), 1);
    cr_expect_eq(child_count(program, "secret"), 0, "%s", child_output(program));
    child_signal(program, SIGTERM);
    cr_assert(child_await_end(program, PATIENCE_MS, &status));
    cr_expect_eq(status, 0);
}
