/* watcher: see watcher.h. */
#include "tests/harness/watcher.h"

#include "base/xalloc.h"
#include "gateway/http.h"
#include "tests/harness/asked.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BODY_LIMIT = 1 << 20 };

static void write_token(const struct watcher *watcher)
{
    char *path = xasprintf("%s/token", watcher->folder);
    FILE *file = fopen(path, "w");

    if (!file)
        fail("cannot write %s", path);
    fputs(WATCHER_TOKEN "\n", file);
    fclose(file);
    free(path);
}

struct faas_function *watcher_deploy(struct watcher *watcher, const char *name)
{
    struct faas_function *function = faas_deploy(watcher->gateway, name, NULL, NULL);

    faas_set_replicas(function, 0);
    return function;
}

struct watcher *watcher_new(const char *name, const char *bootstrap)
{
    static const struct http_options plain;
    struct watcher *watcher = xcalloc(1, sizeof(*watcher));
    const char *reason;
    char *fault;

    if (!bootstrap)
        bootstrap = getenv("KAFKA_BOOTSTRAP");
    if (!bootstrap)
        fail("no KAFKA_BOOTSTRAP: run this by make test-kafka");
    uv_loop_init(&watcher->loop);
    watcher->name = xstrdup(name);
    watcher->bootstrap = xstrdup(bootstrap);
    watcher->cluster = cluster_new(bootstrap, name);
    watcher->gateway = faas_gateway_new(&watcher->loop, "127.0.0.1:0", &fault);
    watcher->http = http_new(&watcher->loop, &plain, 1, &reason);
    if (!watcher->gateway || !watcher->http)
        fail("no gateway or no client for it");
    watcher->log = call_log_new(&watcher->loop, watcher->gateway);
    watcher->function = watcher_deploy(watcher, WATCHER_FUNCTION);
    snprintf(watcher->admin, sizeof(watcher->admin), "127.0.0.1:%d",
             asked_free_port(&watcher->loop));
    snprintf(watcher->folder, sizeof(watcher->folder), "/tmp/watcher_XXXXXX");
    if (!mkdtemp(watcher->folder))
        fail("no temporary folder");
    write_token(watcher);
    return watcher;
}

static void remove_folder(struct watcher *watcher)
{
    const char *const arguments[] = {"rm", "-rf", watcher->folder, NULL};
    struct child *remover = child_start(&watcher->loop, arguments, NULL);
    int status;

    child_await_end(remover, WATCHER_PATIENCE_MS, &status);
    child_free(remover);
}

void watcher_free(struct watcher *watcher)
{
    child_free(watcher->program);
    remove_folder(watcher);
    call_log_free(watcher->log);
    faas_gateway_free(watcher->gateway);
    http_free(watcher->http);
    cluster_free(watcher->cluster);
    if (!await_close(&watcher->loop))
        fail("something is left on the loop of %s", watcher->name);
    free(watcher->name);
    free(watcher->bootstrap);
    free(watcher);
}

/* ---- the program ---- */

static void start(struct watcher *watcher, char *const *own, const char *const *settings)
{
    char *path = child_program("kafka-connector");
    const char *all[CHILD_LIST_MAX];

    child_list_merge(all, (const char *const *)own, settings);
    watcher->program = child_start(&watcher->loop, (const char *[]){path, "watch", NULL}, all);
    if (!child_await_text(watcher->program, "Watching ", WATCHER_PATIENCE_MS))
        fail("it does not watch:\n%s", child_output(watcher->program));
    free(path);
}

enum { ADDRESSES = 5, BINDING = 3 };

/* Ended by a NULL behind the first ADDRESSES. */
static void add_addresses(const struct watcher *watcher, char **own)
{
    own[0] = xasprintf("Kafka__BootstrapServers=%s", watcher->bootstrap);
    own[1] = xasprintf("SlimFaas__BaseUrl=%s", faas_gateway_url(watcher->gateway));
    own[2] = xasprintf("Kafka__CheckIntervalSeconds=%dms", WATCHER_INTERVAL_MS);
    own[3] = xasprintf("admin_listen=%s", watcher->admin);
    own[4] = xasprintf("admin_token_file=%s/token", watcher->folder);
    own[5] = NULL;
}

static void free_list(char **list)
{
    for (; *list; list++)
        free(*list);
}

void watcher_start_bare(struct watcher *watcher, const char *const *settings)
{
    char *own[ADDRESSES + 1];

    add_addresses(watcher, own);
    start(watcher, own, settings);
    free_list(own);
}

void watcher_start(struct watcher *watcher, const char *const *settings)
{
    char *own[ADDRESSES + BINDING + 1];

    add_addresses(watcher, own);
    own[5] = xasprintf("SlimFaasKafka__Bindings__0__Topic=%s", watcher->name);
    own[6] = xasprintf("SlimFaasKafka__Bindings__0__ConsumerGroupId=%s", watcher->name);
    own[7] = xstrdup("SlimFaasKafka__Bindings__0__FunctionName=" WATCHER_FUNCTION);
    own[8] = NULL;
    start(watcher, own, settings);
    free_list(own);
}

void watcher_stop(struct watcher *watcher)
{
    int status;

    child_signal(watcher->program, SIGTERM);
    if (!child_await_end(watcher->program, WATCHER_PATIENCE_MS, &status) || status != 0)
        fail("it does not end with status 0:\n%s", child_output(watcher->program));
    child_free(watcher->program);
    watcher->program = NULL;
}

/* ---- wake-ups ---- */

static char *wake_name(const char *function)
{
    return xasprintf("%s." FAAS_NAMESPACE "/wake", function);
}

size_t watcher_wakes(const struct watcher *watcher, const char *function)
{
    char *name = wake_name(function);
    size_t count = call_log_ended(watcher->log, name);

    free(name);
    return count;
}

bool watcher_await_wakes(struct watcher *watcher, const char *function, size_t count)
{
    char *name = wake_name(function);
    bool came = call_log_await(watcher->log, name, count, WATCHER_PATIENCE_MS);

    free(name);
    return came;
}

/* ---- the admin server ---- */

char *watcher_ask(struct watcher *watcher, const char *method, const char *path, long *status)
{
    static char token[] = "Authorization: Bearer " WATCHER_TOKEN;
    const struct http_line line = {token, NULL};
    char *url = xasprintf("http://%s%s", watcher->admin, path);
    struct asked asked;

    asked_send(&asked, watcher->http,
               (struct http_request){.method = method,
                                     .url = url,
                                     .lines = &line,
                                     .body_limit = BODY_LIMIT,
                                     .timeout_ms = WATCHER_PATIENCE_MS});
    if (!asked_await(&asked, &watcher->loop, WATCHER_PATIENCE_MS))
        fail("no answer of %s", url);
    if (status)
        *status = asked.status;
    free(url);
    return asked.body;
}

double watcher_metric(struct watcher *watcher, const char *sample)
{
    char *text = watcher_ask(watcher, "GET", "/metrics", NULL);
    char *line = xasprintf("\n%s ", sample);
    const char *at = strstr(text, line);
    double value = at ? strtod(at + strlen(line), NULL) : -1000;

    free(line);
    free(text);
    return value;
}

bool watcher_await_metric(struct watcher *watcher, const char *sample, double least)
{
    uint64_t end = uv_hrtime() + (uint64_t)WATCHER_PATIENCE_MS * 1000 * 1000;

    while (watcher_metric(watcher, sample) < least) {
        if (uv_hrtime() > end)
            return false;
        await_time(&watcher->loop, AWAIT_STEP_MS); /* the gateway goes on */
    }
    return true;
}

static char *woken_sample(const struct watcher *watcher, const char *reason)
{
    return xasprintf(
        "slimfaaskafka_wakeups_total{topic=\"%s\",group=\"%s\",function=\"" WATCHER_FUNCTION
        "\",reason=\"%s\"}",
        watcher->name, watcher->name, reason);
}

double watcher_woken(struct watcher *watcher, const char *reason)
{
    char *sample = woken_sample(watcher, reason);
    double value = watcher_metric(watcher, sample);

    free(sample);
    return value;
}

bool watcher_await_woken(struct watcher *watcher, const char *reason, double least)
{
    char *sample = woken_sample(watcher, reason);
    bool came = watcher_await_metric(watcher, sample, least);

    free(sample);
    return came;
}

double watcher_value(struct watcher *watcher, const char *metric)
{
    char *sample = xasprintf("%s{topic=\"%s\",group=\"%s\",function=\"" WATCHER_FUNCTION "\"}",
                             metric, watcher->name, watcher->name);
    double value = watcher_metric(watcher, sample);

    free(sample);
    return value;
}

bool watcher_await_value(struct watcher *watcher, const char *metric, double value)
{
    uint64_t end = uv_hrtime() + (uint64_t)WATCHER_PATIENCE_MS * 1000 * 1000;

    while (watcher_value(watcher, metric) != value) {
        if (uv_hrtime() > end)
            return false;
        await_time(&watcher->loop, AWAIT_STEP_MS);
    }
    return true;
}

void watcher_await_checks(struct watcher *watcher, int checks)
{
    static const char metric[] = "kafka_connector_checks_total";

    if (!watcher_await_metric(watcher, metric, watcher_metric(watcher, metric) + checks))
        fail("the checks do not go on:\n%s", child_output(watcher->program));
}
