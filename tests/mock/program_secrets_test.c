/*
 * program_secrets_test: whatever the programs print and answer, with every secret set and
 * librdkafka telling all it can, on good and bad ways: none of it holds a secret.
 */
#include "base/base64.h"
#include "base/xalloc.h"
#include "gateway/http.h"
#include "sandbox/gateway.h"
#include "tests/harness/asked.h"
#include "tests/harness/await.h"
#include "tests/harness/child.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANARY "canary-in-the-coal-mine"

enum { PATIENCE_MS = 45 * 1000 };

static uv_loop_t loop;
static char folder[] = "/tmp/program_secrets_test.XXXXXX";

static void put(const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", folder, name);
    FILE *to = fopen(path, "w");

    cr_assert_not_null(to, "%s", path);
    fputs(text, to);
    fclose(to);
    free(path);
}

static void set_up(void)
{
    uv_loop_init(&loop);
    cr_assert(mkdtemp(folder));
    put("basic-auth-user", "admin\n");
    put("basic-auth-password", CANARY "\n");
    put("token", CANARY "\n");
    put("broken.json", "{\"kafka_sasl_password\": \"" CANARY "\" oops");
    put("unknown.json", "{\"sasl.password\": \"" CANARY "\"}");
    put("nested.json", "{\"kafka_sasl_password\": {\"value\": \"" CANARY "\"}}");
    put("good.json", "{\"kafka_sasl_password\": \"" CANARY "\"}");
}

static void tear_down(void)
{
    struct child *remover = child_start(&loop, (const char *[]){"rm", "-r", folder, NULL}, NULL);
    int status;

    cr_expect(child_await_end(remover, PATIENCE_MS, &status));
    child_free(remover);
    cr_expect(await_close(&loop));
}

TestSuite(program_secrets, .init = set_up, .fini = tear_down, .timeout = 300);

/* As it is, and as basic auth sends it. */
static void expect_clean(const char *what, const char *where, const char *text)
{
    static const char pair[] = "admin:" CANARY;
    char coded[BASE64_SIZE(sizeof(pair)) + 1];

    base64_encode(pair, sizeof(pair) - 1, coded);
    cr_expect_null(strstr(text, CANARY), "%s, %s:\n%s", what, where, text);
    cr_expect_null(strstr(text, coded), "%s, %s:\n%s", what, where, text);
}

/* `arguments` NULL-ended, of which the first is a program of ours; "@" begins a path in the folder.
 */
static struct child *start(const char *const *arguments, const char *gateway)
{
    char *program = child_program(arguments[0]), *url = xasprintf("gateway_url=%s", gateway);
    char *mount = xasprintf("secret_mount_path=%s", folder);
    char *token = xasprintf("admin_token_file=%s/token", folder);
    const char *command[CHILD_LIST_MAX] = {program};
    const char *const environment[] = {url,
                                       mount,
                                       token,
                                       "basic_auth=true",
                                       "wake_target=openfaas",
                                       "broker_host=127.0.0.1:1",
                                       "topics=orders",
                                       "log_level=debug",
                                       "kafka_debug=all",
                                       "kafka_security_protocol=SASL_PLAINTEXT",
                                       "kafka_sasl_mechanism=SCRAM-SHA-512",
                                       "kafka_sasl_username=alice",
                                       "kafka_sasl_password=" CANARY,
                                       "kafka_ssl_key_password=" CANARY,
                                       "SlimFaasKafka__Bindings__0__Topic=orders",
                                       "SlimFaasKafka__Bindings__0__ConsumerGroupId=workers",
                                       "SlimFaasKafka__Bindings__0__FunctionName=work",
                                       "admin_listen=127.0.0.1:0",
                                       NULL};
    char *placed = NULL;
    struct child *child;

    for (size_t i = 1; arguments[i]; i++) {
        command[i] = arguments[i];
        if (*arguments[i] == '@')
            command[i] = placed = xasprintf("--config_file=%s/%s", folder, arguments[i] + 1);
    }
    child = child_start(&loop, command, environment);
    free(placed);
    free(token);
    free(mount);
    free(url);
    free(program);
    return child;
}

/* ---- bad ways ---- */

static const char *const modes[][2] = {
    {"kafka-connector", "check"}, {"kafka-connector", "invoke"},
    {"kafka-connector", "watch"}, {"kafka-connector", "lag"},
    {"producer", NULL},
};

static const struct {
    const char *arguments[4];
    bool of_producer; /* it reads no settings file */
} bad[] = {
    {{"-X", "sasl.password", CANARY}, true},
    {{"-X", "sasl.pasword=" CANARY}, true},
    {{"-X", "sasl.oauthbearer.config=" CANARY, "-X", "sasl.mechanism=OAUTHBEARER"}, true},
    {{"-X", "ssl.key.pem=" CANARY, "-X", "security.protocol=SSL"}, true},
    {{"--sasl.password=" CANARY}, true},
    {{"--sasl_password", CANARY}, true},
    {{"-Xsasl.password=" CANARY}, true},
    {{"--gateway_url=http://admin:" CANARY "@gateway:8080"}, false},
    {{"--SlimFaas__BaseUrl=admin:" CANARY "@gateway"}, false},
    {{"@broken.json"}, false},
    {{"@unknown.json"}, false},
    {{"@nested.json"}, false},
};

Test(program_secrets, a_fault_shows_none)
{
    for (size_t b = 0; b < sizeof(bad) / sizeof(*bad); b++) {
        for (size_t m = 0; m < sizeof(modes) / sizeof(*modes); m++) {
            bool is_producer = !modes[m][1];
            const char *arguments[8] = {modes[m][0], modes[m][1]};
            struct child *child;
            int status;

            if (is_producer && !bad[b].of_producer)
                continue;
            for (size_t i = 0; i < 4 && bad[b].arguments[i]; i++)
                arguments[i + 2 - is_producer] = bad[b].arguments[i];
            child = start(arguments, "http://127.0.0.1:1");
            cr_assert(child_await_end(child, PATIENCE_MS, &status), "%s %s", bad[b].arguments[0],
                      child_output(child));
            cr_expect_neq(status, 0, "%s %s", bad[b].arguments[0], child_output(child));
            expect_clean(bad[b].arguments[0], modes[m][1] ? modes[m][1] : "producer",
                         child_output(child));
            child_free(child);
        }
    }
}

/* ---- what ends by itself, Kafka being away ---- */

Test(program_secrets, neither_do_commands_nor_their_help)
{
    static const char *const runs[][5] = {
        {"kafka-connector", "check", NULL},
        {"kafka-connector", "lag", "--timeout=1s", NULL},
        {"kafka-connector", "lag", "--help", NULL},
        {"kafka-connector", "watch", "--help=markdown", NULL},
        {"kafka-connector", "--help", NULL},
        {"producer", "-X", "message.timeout.ms=1000", "-messages=1", NULL},
        {"producer", "-help", NULL},
    };

    for (size_t i = 0; i < sizeof(runs) / sizeof(*runs); i++) {
        struct child *child = start(runs[i], "http://127.0.0.1:1");
        int status;

        cr_assert(child_await_end(child, PATIENCE_MS, &status), "%s", child_output(child));
        expect_clean(runs[i][0], runs[i][1], child_output(child));
        child_free(child);
    }
}

/* ---- what runs ---- */

static void expect_clean_page(struct http *http, int port, const char *method, const char *path)
{
    char *url = xasprintf("http://127.0.0.1:%d%s", port, path);
    struct http_line line = {"Authorization: Bearer wrong", NULL};
    struct asked asked;

    asked_send(
        &asked, http,
        (struct http_request){.method = method, .url = url, .lines = &line, .body_limit = 1 << 20});
    cr_assert(asked_await(&asked, &loop, PATIENCE_MS));
    cr_expect_gt(asked.status, 0, "%s", path);
    expect_clean(method, path, asked.body);
    free(asked.body);
    free(url);
}

/* The kernel's view, which others of the same user have. */
static void expect_clean_file(const struct child *child, const char *name)
{
    char *path = xasprintf("/proc/%d/%s", child_pid(child), name), *text = xcalloc(1, 1 << 16);
    FILE *from = fopen(path, "r");
    size_t size;

    cr_assert_not_null(from, "%s", path);
    size = fread(text, 1, (1 << 16) - 1, from);
    fclose(from);
    cr_expect_gt(size, 30, "%s", path);
    for (size_t i = 0; i < size; i++)
        text[i] = text[i] ? text[i] : '\n';
    expect_clean(name, "/proc", text);
    free(text);
    free(path);
}

static void run_mode(const char *mode, const char *gateway, const char *ready)
{
    static const char *const pages[] = {"/status", "/metrics", "/health", "/ready", "/bindings"};
    static const struct http_options plain;
    const char *reason;
    struct http *http = http_new(&loop, &plain, 1, &reason);
    int port = asked_free_port(&loop), status;
    char *admin = xasprintf("--admin_listen=127.0.0.1:%d", port);
    struct child *child =
        start((const char *[]){"kafka-connector", mode, "-X", "sasl.password=" CANARY, admin, NULL},
              gateway);

    cr_assert(child_await_text(child, ready, PATIENCE_MS), "%s", child_output(child));
    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
        expect_clean_page(http, port, "GET", pages[i]);
    expect_clean_page(http, port, "POST", "/pause");
    expect_clean_page(http, port, "POST", "/wake/work");
    expect_clean_file(child, "environ");
    expect_clean_file(child, "cmdline");
    child_signal(child, SIGTERM);
    cr_assert(child_await_end(child, PATIENCE_MS, &status), "%s", child_output(child));
    expect_clean(mode, gateway, child_output(child));
    cr_expect_gt(child_count(child, "rdkafka"), 0, "librdkafka told nothing:\n%s",
                 child_output(child));
    child_free(child);
    http_free(http);
    free(admin);
}

Test(program_secrets, neither_does_what_runs)
{
    char *reason;
    struct faas_gateway *gateway = faas_gateway_new(&loop, "127.0.0.1:0", &reason);

    cr_assert(gateway, "%s", reason);
    faas_deploy(gateway, "work", NULL, "orders");
    run_mode("invoke", faas_gateway_url(gateway), "Syncing topic map");
    run_mode("invoke", "http://127.0.0.1:1", "Cannot read the functions");
    run_mode("watch", faas_gateway_url(gateway), "Kafka is away");
    faas_gateway_free(gateway);
}
