/* program_admin_test: what is done to the shipped program over its admin server, without a broker
 * or a gateway. */
#include "base/xalloc.h"
#include "gateway/http.h"
#include "tests/harness/asked.h"
#include "tests/harness/await.h"
#include "tests/harness/child.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_MS = 15 * 1000 };

#define TOKEN "Authorization: Bearer secret"

static uv_loop_t loop;
static struct http *http;
static char listen_on[32], token_path[64];
static struct child *program;

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
    snprintf(listen_on, sizeof(listen_on), "127.0.0.1:%d", asked_free_port(&loop));
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

/* Whether it answers so, with this in it. */
static void expect_answer(const char *method, const char *path, const char *authorization,
                          long status, const char *part)
{
    struct http_line line = {(char *)authorization, NULL};
    char *url = xasprintf("http://%s%s", listen_on, path);
    struct asked asked;

    asked_send(&asked, http,
               (struct http_request){.method = method,
                                     .url = url,
                                     .lines = authorization ? &line : NULL,
                                     .body_limit = 64 * 1024,
                                     .timeout_ms = PATIENCE_MS});
    cr_assert(asked_await(&asked, &loop, PATIENCE_MS), "%s", path);
    cr_expect_eq(asked.status, status, "%s %s: %ld", method, path, asked.status);
    cr_expect(strstr(asked.body, part), "%s %s: %s", method, path, asked.body);
    free(asked.body);
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

/* ---- strangers ---- */

/* A connection of the test's own, which waits; the program is another process. */
static int connect_to_it(void)
{
    struct timeval most = {.tv_sec = PATIENCE_MS / 1000};
    struct sockaddr_in to;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    uv_ip4_addr("127.0.0.1", (int)strtol(strchr(listen_on, ':') + 1, NULL, 10), &to);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0, "%s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
    return fd;
}

/* What it says to that, as far as it fits. */
static const char *say(const char *head, size_t body_size)
{
    static char heard[4096];
    char *block = xcalloc(1, body_size + 1);
    int fd = connect_to_it();
    size_t size = 0;
    ssize_t got;

    cr_assert_eq(send(fd, head, strlen(head), MSG_NOSIGNAL), (ssize_t)strlen(head));
    for (size_t sent = 0; sent < body_size; sent += (size_t)got) {
        got = send(fd, block, body_size - sent, MSG_NOSIGNAL);
        if (got <= 0) /* it had enough */
            break;
    }
    while (size + 1 < sizeof(heard) &&
           (got = recv(fd, heard + size, sizeof(heard) - size - 1, 0)) > 0)
        size += (size_t)got;
    heard[size] = '\0';
    close(fd);
    free(block);
    return heard;
}

#define CLOSE "Host: x\r\nConnection: close\r\n"

static void expect_heard(const char *head, size_t body_size, const char *begin)
{
    const char *heard = say(head, body_size);

    cr_expect_eq(strncmp(heard, begin, strlen(begin)), 0, "%.40s: %.200s", head, heard);
}

Test(program_admin, answers_whatever_strangers_do)
{
    enum { IDLE = 500 };
    char *long_header = xasprintf("GET /health HTTP/1.1\r\nX: %*s", 90 * 1000, "x");
    int idle[IDLE];

    for (int i = 0; i < IDLE; i++)
        idle[i] = connect_to_it();
    expect_heard("GET /health HTTP/1.1\r\n" CLOSE "\r\n", 0, "HTTP/1.1 200");
    expect_heard("POST /pause HTTP/1.1\r\n" CLOSE "Content-Length: 10485760\r\n\r\n", 10485760,
                 "HTTP/1.1 413");
    expect_heard("BREW /health HTTP/1.1\r\n" CLOSE "\r\n", 0, "HTTP/1.1 405");
    expect_heard("DELETE /status HTTP/1.1\r\n" CLOSE "\r\n", 0, "HTTP/1.1 405");
    expect_heard("BREW /coffee HTTP/1.1\r\n" CLOSE "\r\n", 0, "HTTP/1.1 404");
    expect_heard("no HTTP at all\r\n\r\n", 0, "HTTP/1.");
    expect_heard(long_header, 0, "HTTP/1.1 431");
    expect_heard("GET /health HTTP/1.1\r\n" CLOSE "\r\n", 0, "HTTP/1.1 200");
    cr_expect(child_runs(program));
    for (int i = 0; i < IDLE; i++)
        close(idle[i]);
    free(long_header);
}
