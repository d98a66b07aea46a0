/* admin: what operators and orchestrators are answered, over a real socket. */
#include "admin/admin.h"

#include "admin/page.h"
#include "gateway/http.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uv_loop_t loop;
static struct metrics *metrics;
static struct admin *admin;
static struct http *http;
static const char *why_broken, *why_unready;
static long status;
static char body[4096];

static const char *broken(void *context)
{
    (void)context;
    return why_broken;
}

static const char *unready(void *context)
{
    (void)context;
    return why_unready;
}

static void add_status(void *context, json *to)
{
    (void)context;
    json_add_text(to, "mode", "a test");
}

/* What the last action was given. */
static const char *acted;
static char given[128];

static int act(void *context, const char *const *values, json *answer)
{
    cr_expect_null(context);
    acted = "act";
    snprintf(given, sizeof(given), "%s,%s", values[0] ? values[0] : "-",
             values[1] ? values[1] : "-");
    json_add_text(answer, "given", given);
    return values[0] && strcmp(values[0], "nobody") == 0 ? 404 : 200;
}

static int act_plainly(void *context, const char *const *values, json *answer)
{
    (void)context, (void)values, (void)answer;
    acted = "plain";
    return 200;
}

static const struct admin_action actions[] = {
    {"/act", {"topic", "function"}, act},
    {"/plain", {NULL}, act_plainly},
    {"/star/*", {"topic", "function"}, act},
    {NULL, {NULL}, NULL},
};

static void fill_page(void *context, json *answer)
{
    cr_expect_null(context);
    json_add_text(answer, "page", "of a test");
}

static void add_health(void *context, json *answer)
{
    cr_expect_null(context);
    json_add_bool(answer, "stale", false);
}

static const struct admin_page pages[] = {{"/page", fill_page}, {NULL, NULL}};

static const struct admin_subject subject = {.broken = broken,
                                             .unready = unready,
                                             .status = add_status,
                                             .actions = actions,
                                             .pages = pages,
                                             .health = add_health};

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

static char base_url[64];

static char token_path[64];

static void write_token(const char *text)
{
    FILE *to = fopen(token_path, "w");

    cr_assert(to);
    fputs(text, to);
    fclose(to);
}

static void set_up(void)
{
    static const struct http_options none;
    struct option_faults faults = {0};
    char listen[32];
    const char *reason;
    int port;

    uv_loop_init(&loop);
    port = free_port();
    snprintf(listen, sizeof(listen), "127.0.0.1:%d", port);
    snprintf(base_url, sizeof(base_url), "http://127.0.0.1:%d", port);
    snprintf(token_path, sizeof(token_path), "/tmp/admin_test.%d", (int)getpid());
    write_token("secret\nand a second line\n");
    metrics = metrics_new();
    admin =
        admin_new(&loop, &(struct admin_options){listen, token_path}, metrics, &subject, &faults);
    cr_assert(admin);
    http = http_new(&loop, &none, 1, &reason);
    cr_assert(http);
}

static void tear_down(void)
{
    http_free(http);
    admin_free(admin);
    metrics_free(metrics);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&loop), 0);
    unlink(token_path);
}

static void on_answered(void *context, const struct http_answer *answer)
{
    (void)context;
    status = answer->outcome == HTTP_ANSWERED ? answer->status : 0;
    snprintf(body, sizeof(body), "%.*s", (int)answer->body_size, answer->body);
    uv_stop(&loop);
}

/* `authorization` is a whole header line; NULL: none. */
static void ask(const char *method, const char *path, const char *authorization)
{
    struct http_line line = {(char *)authorization, NULL};
    char url[128];

    snprintf(url, sizeof(url), "%s%s", base_url, path);
    http_send(http, &(struct http_request){.method = method,
                                           .url = url,
                                           .lines = authorization ? &line : NULL,
                                           .body_limit = sizeof(body) - 1,
                                           .timeout_ms = 5000,
                                           .answered = on_answered});
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void get(const char *path)
{
    ask("GET", path, NULL);
}

TestSuite(admin, .init = set_up, .fini = tear_down, .timeout = 20);

Test(admin, tells_what_it_is_asked)
{
    static const struct {
        const char *sentence, *path, *broken, *unready, *contains;
        long status;
    } cases[] = {
        {"all is well", "/health", NULL, NULL, "\"ok\"", 200},
        {"not ready is no reason for a restart", "/health", NULL, "joining", "\"ok\"", 200},
        {"what the mode adds to it", "/health", NULL, NULL, "\"stale\":\tfalse", 200},
        {"broken is", "/health", "fenced", "fenced", "fenced", 503},
        {"ready", "/ready", NULL, NULL, "\"ok\"", 200},
        {"not ready, and why", "/ready", NULL, "joining", "joining", 503},
        {"a page of the mode", "/page", NULL, "joining", "of a test", 200},
        {"what the mode adds", "/status", NULL, NULL, "a test", 200},
        {"why it is not ready", "/status", NULL, "joining", "joining", 200},
        {"metrics, though there are none", "/metrics", NULL, NULL, "", 200},
        {"what is not there", "/pages", NULL, NULL, "", 404},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        why_broken = cases[i].broken;
        why_unready = cases[i].unready;
        get(cases[i].path);
        cr_expect_eq(status, cases[i].status, "%s: %ld", cases[i].sentence, status);
        cr_expect(strstr(body, cases[i].contains), "%s: %s", cases[i].sentence, body);
    }
}

Test(admin, an_address_in_use_is_a_fault_that_names_the_option)
{
    struct option_faults faults = {0};
    struct admin_options same = {base_url + strlen("http://"), NULL};

    cr_expect_null(admin_new(&loop, &same, metrics, &subject, &faults));
    cr_assert_eq(faults.count, 1);
    cr_expect(strstr(faults.items[0], "admin_listen"), "%s", faults.items[0]);
    option_faults_release(&faults);
}

Test(admin, what_is_no_address_is_a_fault_before_anything_listens)
{
    static const struct {
        char *listen;
        size_t faults;
    } cases[] = {{":8081", 0}, {"[::1]:8081", 0}, {"none", 0}, {"foo", 1}, {":99999", 1}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct option_faults faults = {0};

        admin_options_check(&(struct admin_options){cases[i].listen, NULL}, &faults);
        cr_expect_eq(faults.count, cases[i].faults, "%s", cases[i].listen);
        cr_expect(!faults.count || strstr(faults.items[0], "admin_listen"), "%s", cases[i].listen);
        option_faults_release(&faults);
    }
}

Test(admin, none_listens_nowhere)
{
    struct option_faults faults = {0};
    struct admin *deaf =
        admin_new(&loop, &(struct admin_options){"none", NULL}, metrics, &subject, &faults);

    cr_expect_eq(faults.count, 0);
    admin_free(deaf);
}

/* ---- the status page ---- */

/* A whole answer as it comes over the wire, which http's client does not show. */
static struct {
    uv_tcp_t tcp;
    uv_write_t write;
    char text[128 * 1024];
    size_t size;
} wire;

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    (void)handle, (void)size;
    *buffer = uv_buf_init(wire.text + wire.size, (unsigned)(sizeof(wire.text) - 1 - wire.size));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    (void)buffer;
    if (size < 0)
        uv_close((uv_handle_t *)stream, NULL);
    else
        wire.size += (size_t)size;
    wire.text[wire.size] = '\0';
    if (size < 0)
        uv_stop(&loop);
}

static void on_connected(uv_connect_t *connect, int result)
{
    uv_buf_t *question = connect->data;

    cr_assert_eq(result, 0);
    uv_write(&wire.write, connect->handle, question, 1, NULL);
    uv_read_start(connect->handle, on_room, on_read);
}

static const char *answer_to(const char *path)
{
    char text[256];
    uv_buf_t question = uv_buf_init(text, 0);
    uv_connect_t connect = {.data = &question};
    struct sockaddr_in address;

    question.len = (size_t)snprintf(
        text, sizeof(text), "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path);
    wire.size = 0;
    uv_ip4_addr("127.0.0.1", (int)strtol(strrchr(base_url, ':') + 1, NULL, 10), &address);
    uv_tcp_init(&loop, &wire.tcp);
    uv_tcp_connect(&connect, &wire.tcp, (struct sockaddr *)&address, on_connected);
    uv_run(&loop, UV_RUN_DEFAULT);
    return wire.text;
}

static size_t body_size(const char *answer)
{
    return wire.size - (size_t)(strstr(answer, "\r\n\r\n") + 4 - answer);
}

Test(admin, serves_the_page_to_be_run_and_asked_by_nobody_else)
{
    static const char *const headers[] = {
        "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'\r\n",
        "X-Content-Type-Options: nosniff\r\n",
        "Cache-Control: no-store\r\n",
        "Referrer-Policy: no-referrer\r\n",
    };

    for (size_t i = 0; i < PAGE_FILES; i++) {
        const struct page_file *file = &page_files[i];
        const char *answer = answer_to(file->path);

        cr_expect(strncmp(answer, "HTTP/1.1 200 ", 13) == 0, "%s: %.20s", file->path, answer);
        cr_expect(strstr(answer, file->type), "%s", file->path);
        for (size_t j = 0; j < sizeof(headers) / sizeof(*headers); j++)
            cr_expect(strstr(answer, headers[j]), "%s: no %s", file->path, headers[j]);
        cr_expect_eq(body_size(answer), (size_t)(file->end - file->text), "%s", file->path);
    }
    cr_expect(strstr(answer_to("/"), "<!doctype html>"));
}

Test(admin, what_it_tells_is_neither_guessed_at_nor_kept)
{
    static const char *const paths[] = {"/status", "/health", "/ready", "/metrics", "/page"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        const char *answer = answer_to(paths[i]);

        cr_expect(strstr(answer, "X-Content-Type-Options: nosniff\r\n"), "%s", paths[i]);
        cr_expect(strstr(answer, "Cache-Control: no-store\r\n"), "%s", paths[i]);
    }
}

/* ---- actions ---- */

#define TOKEN "Authorization: Bearer secret"

Test(admin, does_what_who_shows_the_token_asks)
{
    static const struct {
        const char *sentence, *method, *path, *authorization, *acted, *contains;
        long status;
    } cases[] = {
        {"with a parameter", "POST", "/act?topic=orders", TOKEN, "act", "orders,-", 200},
        {"with another", "POST", "/act?function=figlet", TOKEN, "act", "-,figlet", 200},
        {"with both", "POST", "/act?topic=a&function=b", TOKEN, "act", "a,b", 200},
        {"with none", "POST", "/act", TOKEN, "act", "-,-", 200},
        {"decoded", "POST", "/act?topic=a%2Cb", TOKEN, "act", "a,b,-", 200},
        {"one that has none", "POST", "/plain", TOKEN, "plain", "\"ok\"", 200},
        {"what stands for a star", "POST", "/star/figlet", TOKEN, "act", "figlet,-", 200},
        {"decoded too", "POST", "/star/a%2Fb?function=c", TOKEN, "act", "a/b,c", 200},
        {"nothing stands for it", "POST", "/star/", TOKEN, NULL, "topic is empty", 400},
        {"the star's is none of the query", "POST", "/star/a?topic=b", TOKEN, NULL,
         "is no parameter", 400},
        {"what it refuses itself", "POST", "/act?topic=nobody", TOKEN, "act", "\"refused\"", 404},
        {"a misspelt parameter does not mean all", "POST", "/act?topc=orders", TOKEN, NULL,
         "\\\"topc\\\" is no parameter", 400},
        {"nor does an empty one", "POST", "/act?topic=", TOKEN, NULL, "topic is empty", 400},
        {"nor one without a value", "POST", "/act?topic", TOKEN, NULL, "topic is empty", 400},
        {"two of a kind", "POST", "/act?topic=a&topic=b", TOKEN, NULL, "given twice", 400},
        {"without the token", "POST", "/act", NULL, NULL, "admin_token_file", 401},
        {"with another token", "POST", "/act", TOKEN "s", NULL, "admin_token_file", 401},
        {"another way", "GET", "/act", TOKEN, NULL, "", 405},
        {"what is no action", "POST", "/acts", TOKEN, NULL, "", 404},
        {"what can only be read", "POST", "/status", TOKEN, NULL, "", 405},
        {"a page too", "POST", "/page", TOKEN, NULL, "", 405},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        acted = NULL;
        ask(cases[i].method, cases[i].path, cases[i].authorization);
        cr_expect_eq(status, cases[i].status, "%s: %ld", cases[i].sentence, status);
        cr_expect(strstr(body, cases[i].contains), "%s: %s", cases[i].sentence, body);
        cr_expect(!strstr(body, "secret"), "%s: %s", cases[i].sentence, body);
        cr_expect_eq(!acted, !cases[i].acted, "%s", cases[i].sentence);
        cr_expect(!acted || strcmp(acted, cases[i].acted) == 0, "%s", cases[i].sentence);
    }
}

Test(admin, takes_up_a_token_that_was_changed)
{
    write_token("another");
    ask("POST", "/act", TOKEN);
    cr_expect_eq(status, 401);
    ask("POST", "/act", "Authorization: Bearer another");
    cr_expect_eq(status, 200);
    write_token("\n");
    ask("POST", "/act", "Authorization: Bearer another");
    cr_expect_eq(status, 503);
    cr_expect(strstr(body, "it is empty"), "%s", body);
    unlink(token_path);
    ask("POST", "/act", "Authorization: Bearer ");
    cr_expect_eq(status, 503);
}

Test(admin, without_a_token_file_nothing_is_done)
{
    struct option_faults faults = {0};
    struct admin_options same = {base_url + strlen("http://"), ""};

    admin_free(admin);
    admin = admin_new(&loop, &same, metrics, &subject, &faults);
    cr_assert(admin);
    acted = NULL;
    ask("POST", "/act", TOKEN);
    cr_expect_eq(status, 403);
    cr_expect(strstr(body, "admin_token_file is not set"), "%s", body);
    cr_expect_null(acted);
    get("/health");
    cr_expect_eq(status, 200);
}

Test(admin, a_token_that_cannot_be_read_is_a_fault_at_the_start)
{
    static const struct {
        const char *sentence, *content;
        size_t faults;
    } cases[] = {
        {"a token", "secret", 0}, {"with a line break", "secret\n", 0},
        {"an empty file", "", 1}, {"an empty first line", "\nsecret\n", 1},
        {"no file", NULL, 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct option_faults faults = {0};

        unlink(token_path);
        if (cases[i].content)
            write_token(cases[i].content);
        admin_options_check(&(struct admin_options){"none", token_path}, &faults);
        cr_expect_eq(faults.count, cases[i].faults, "%s", cases[i].sentence);
        cr_expect(!faults.count || strstr(faults.items[0], "admin_token_file"), "%s",
                  cases[i].sentence);
        option_faults_release(&faults);
    }
}
