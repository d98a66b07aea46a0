/* wake: wake-ups of a scripted gateway, as SlimFaas answers them and as OpenFaaS does. */
#include "gateway/wake.h"

#include "base/xalloc.h"
#include "sandbox/gateway.h"
#include "tests/harness/await.h"
#include "tests/harness/call_log.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 10 * 1000 };

static uv_loop_t loop;
static struct http *http;
static struct faas_gateway *gateway;
static struct faas_function *figlet;
static struct call_log *calls;
static struct wake_options options;

/* What came of a wake-up. */
static struct told {
    bool told;
    struct wake_answer answer;
    char reason[200];
} told;

static void set_up(void)
{
    static const struct http_options plain;
    char *fault;
    const char *reason;

    uv_loop_init(&loop);
    http = http_new(&loop, &plain, 4, &reason);
    gateway = faas_gateway_new(&loop, "127.0.0.1:0", &fault);
    cr_assert(http && gateway);
    calls = call_log_new(&loop, gateway);
    figlet = faas_deploy(gateway, "figlet", NULL, NULL);
    faas_set_replicas(figlet, 0);
    options = (struct wake_options){
        .url = (char *)faas_gateway_url(gateway),
        .path_template = "/wake-function/{functionName}",
        .timeout = PATIENCE_MS,
    };
    told = (struct told){0};
}

static void tear_down(void)
{
    call_log_free(calls);
    faas_gateway_free(gateway);
    http_free(http);
    cr_expect(await_close(&loop));
}

TestSuite(wake, .init = set_up, .fini = tear_down, .timeout = 60);

static void on_answered(void *context, const struct wake_answer *answer)
{
    (void)context;
    cr_expect_not(told.told, "told twice");
    told.told = true;
    told.answer = *answer;
    snprintf(told.reason, sizeof(told.reason), "%s", answer->reason ? answer->reason : "");
}

static bool is_told(void *context)
{
    (void)context;
    return told.told;
}

static void wake_up(const char *function)
{
    told = (struct told){0};
    wake_start(http, &options, function, on_answered, NULL);
    cr_expect_not(told.told, "told from within wake_start");
    cr_assert(await(&loop, is_told, NULL, PATIENCE_MS));
}

static void expect(enum wake_outcome outcome, const char *reason)
{
    cr_expect_eq(told.answer.outcome, outcome, "%s", told.reason);
    cr_expect(strstr(told.reason, reason), "%s, not %s", told.reason, reason);
}

Test(wake, slimfaas_accepts_with_204_and_knows_its_functions)
{
    wake_up("figlet");
    expect(WAKE_ACCEPTED, "");
    cr_expect_eq(faas_replicas(figlet), 1);
    wake_up("nobody");
    expect(WAKE_UNKNOWN, "status 404");
}

Test(wake, what_is_no_2xx_is_not_accepted)
{
    static const int statuses[] = {500, 503, 401, 302};

    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
        char reason[20];

        snprintf(reason, sizeof(reason), "status %d", statuses[i]);
        faas_next(faas_wake(figlet), 1, &(struct faas_reply){.status = statuses[i]});
        wake_up("figlet");
        expect(WAKE_FAILED, reason);
    }
    cr_expect_eq(faas_replicas(figlet), 0);
}

Test(wake, no_answer_is_a_failure)
{
    options.timeout = 50;
    faas_next(faas_wake(figlet), 1, &(struct faas_reply){.latency_ms = FAAS_HELD});
    wake_up("figlet");
    expect(WAKE_FAILED, "");
    options.timeout = PATIENCE_MS;
    faas_next(faas_wake(figlet), 1, &(struct faas_reply){.end = FAAS_CUT_BEFORE});
    wake_up("figlet");
    expect(WAKE_FAILED, "");
    faas_gateway_down(gateway);
    wake_up("figlet");
    expect(WAKE_FAILED, "connect");
}

Test(wake, a_cancelled_one_is_not_told)
{
    struct wake *wake = wake_start(http, &options, "figlet", on_answered, NULL);

    wake_cancel(wake);
    call_log_settle(calls, 50);
    cr_expect_not(told.told);
}

Test(wake, openfaas_scales_what_sleeps_from_0_to_1)
{
    options.target = WAKE_OPENFAAS;
    wake_up("figlet.openfaas-fn");
    expect(WAKE_ACCEPTED, "");
    cr_expect_not(told.answer.was_awake);
    cr_expect_eq(faas_replicas(figlet), 1);
    cr_expect_str_eq(call_log_at(calls, 0)->body, "{\"replicas\":1}");
    cr_expect_str_eq(call_entry_header(call_log_at(calls, 0), "Content-Type"), "application/json");
}

Test(wake, openfaas_leaves_what_is_awake_as_it_is)
{
    options.target = WAKE_OPENFAAS;
    faas_set_replicas(figlet, 5);
    wake_up("figlet");
    expect(WAKE_ACCEPTED, "");
    cr_expect(told.answer.was_awake);
    cr_expect_eq(faas_replicas(figlet), 5, "it was cut down to %d", (int)faas_replicas(figlet));
    cr_expect_eq(call_log_arrived(calls, NULL), 0);
}

Test(wake, openfaas_refuses_who_is_unknown_and_what_fails)
{
    options.target = WAKE_OPENFAAS;
    wake_up("nobody");
    expect(WAKE_UNKNOWN, "status 404");
    faas_next(faas_wake(figlet), 1, &(struct faas_reply){.status = 500});
    wake_up("figlet");
    expect(WAKE_FAILED, "status 500");
}

static void write_secret(const char *folder, const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", folder, name);
    FILE *file = fopen(path, "w");

    cr_assert(file);
    fputs(text, file);
    fclose(file);
    free(path);
}

static void remove_secret(const char *folder, const char *name)
{
    char *path = xasprintf("%s/%s", folder, name);

    unlink(path);
    free(path);
}

Test(wake, openfaas_is_shown_the_password)
{
    char folder[] = "/tmp/wake_test_XXXXXX";

    cr_assert(mkdtemp(folder));
    write_secret(folder, "basic-auth-user", "admin\n");
    write_secret(folder, "basic-auth-password", "secret\n");
    faas_require_auth(gateway, "admin", "secret");
    options.target = WAKE_OPENFAAS;
    wake_up("figlet");
    expect(WAKE_FAILED, "status 401 (basic_auth");
    options.basic_auth = true;
    options.secret_mount_path = folder;
    wake_up("figlet");
    expect(WAKE_ACCEPTED, "");
    cr_expect_eq(faas_replicas(figlet), 1);
    remove_secret(folder, "basic-auth-user");
    remove_secret(folder, "basic-auth-password");
    rmdir(folder);
}
