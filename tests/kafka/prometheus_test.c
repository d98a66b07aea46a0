/* The metrics of watch mode as Prometheus takes them: promtool has no objection to the page, and a
 * real Prometheus that scrapes it answers the queries that SlimFaas Kafka's documents show.
 * Skipped, and said so, where there is no Prometheus; an error with REQUIRE_KAFKA=1. */
#include "base/xalloc.h"
#include "tests/harness/asked.h"
#include "tests/harness/await.h"
#include "tests/harness/watcher.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTINGS (const char *[])

TestSuite(prometheus, .timeout = 240);

static bool ends_well(uv_loop_t *loop, const char *const *arguments)
{
    struct child *child = child_start(loop, arguments, NULL);
    int status;
    bool good = child_await_end(child, WATCHER_PATIENCE_MS, &status) && status == 0;

    if (!good)
        cr_log_info("%s", child_output(child));
    child_free(child);
    return good;
}

static bool is_there(uv_loop_t *loop)
{
    const char *required = getenv("REQUIRE_KAFKA");

    if (ends_well(loop, SETTINGS{"sh", "-c", "command -v promtool && command -v prometheus", NULL}))
        return true;
    cr_expect(!required || strcmp(required, "1") != 0, "there is no Prometheus; ./build.sh install "
                                                       "prometheus");
    fprintf(stderr, "SKIPPED: the Prometheus test (no promtool, prometheus)\n");
    return false;
}

static struct watcher *watcher;

static struct watcher *open_watcher(const char *name)
{
    watcher = watcher_new(name, NULL);
    cluster_create(watcher->cluster, name, 2);
    cluster_write(watcher->cluster, name, 0, 3);
    cluster_write(watcher->cluster, name, 1, 4);
    watcher_start(watcher, SETTINGS{"SlimFaasKafka__Bindings__0__CooldownSeconds=1", NULL});
    cr_expect(watcher_await_wakes(watcher, WATCHER_FUNCTION, 1));
    return watcher;
}

static char *write_file(const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", watcher->folder, name);
    FILE *file = fopen(path, "w");

    cr_assert(file);
    fputs(text, file);
    fclose(file);
    return path;
}

Test(prometheus, promtool_has_no_objection)
{
    uv_loop_t loop;
    bool there;
    char *page, *path, *command;

    uv_loop_init(&loop);
    there = is_there(&loop);
    await_close(&loop);
    if (!there)
        return;
    open_watcher("promtool");
    page = watcher_ask(watcher, "GET", "/metrics", NULL);
    path = write_file("metrics", page);
    command = xasprintf("promtool check metrics <%s", path);
    cr_expect(ends_well(&watcher->loop, SETTINGS{"sh", "-c", command, NULL}));
    free(command), free(path), free(page);
    watcher_free(watcher);
}

/* ---- queries ---- */

static struct child *start_prometheus(int port)
{
    char *text = xasprintf("global:\n  scrape_interval: 500ms\nscrape_configs:\n"
                           "  - job_name: watch\n    static_configs:\n      - targets: ['%s']\n",
                           watcher->admin);
    char *path = write_file("prometheus.yml", text);
    char *config = xasprintf("--config.file=%s", path);
    char *data = xasprintf("--storage.tsdb.path=%s/data", watcher->folder);
    char *listen = xasprintf("--web.listen-address=127.0.0.1:%d", port);
    struct child *child =
        child_start(&watcher->loop, SETTINGS{"prometheus", config, data, listen, NULL}, NULL);

    cr_assert(child_await_text(child, "Server is ready", WATCHER_PATIENCE_MS), "%s",
              child_output(child));
    free(listen), free(data), free(config), free(path), free(text);
    return child;
}

/* The one value of `{} => 7 @[...]`; -1: there is none yet. */
static double ask(int port, const char *query)
{
    char *url = xasprintf("http://127.0.0.1:%d", port);
    struct child *child = child_start(
        &watcher->loop, SETTINGS{"promtool", "query", "instant", url, query, NULL}, NULL);
    const char *arrow;
    double value = -1;
    int status;

    cr_assert(child_await_end(child, WATCHER_PATIENCE_MS, &status));
    cr_assert_eq(status, 0, "%s: %s", query, child_output(child));
    arrow = strstr(child_output(child), "=> ");
    if (arrow)
        value = strtod(arrow + 3, NULL);
    child_free(child);
    free(url);
    return value;
}

static double await_above(int port, const char *query, double least)
{
    uint64_t end = uv_hrtime() + (uint64_t)WATCHER_PATIENCE_MS * 1000 * 1000;
    double value = ask(port, query);

    while (value < least && uv_hrtime() < end) {
        await_time(&watcher->loop, 200);
        value = ask(port, query);
    }
    return value;
}

/* SlimFaas Kafka's documents, ${app} being the function. */
static const struct {
    const char *sentence, *query;
    double least, most;
} queries[] = {
    {"queue length, its highest of 30 s",
     "max_over_time(slimfaaskafka_pending_messages{function=\"" WATCHER_FUNCTION "\"}[30s])", 7, 7},
    {"queue length, over the bindings",
     "sum(slimfaaskafka_pending_messages{function=\"" WATCHER_FUNCTION "\"})", 7, 7},
    {"wake-ups a second",
     "sum(rate(slimfaaskafka_wakeups_total{function=\"" WATCHER_FUNCTION "\"}[1m]))", 0.01, 10},
    {"how long Kafka has not been read",
     "max(slimfaaskafka_stale_seconds{function=\"" WATCHER_FUNCTION "\"})", 0, 0},
};

Test(prometheus, answers_the_queries_of_the_documents)
{
    uv_loop_t loop;
    struct child *prometheus;
    bool there;
    int port;

    uv_loop_init(&loop);
    there = is_there(&loop);
    await_close(&loop);
    if (!there)
        return;
    open_watcher("queries");
    port = asked_free_port(&watcher->loop);
    prometheus = start_prometheus(port);
    for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
        double value = await_above(port, queries[i].query, queries[i].least);

        cr_expect(value >= queries[i].least && value <= queries[i].most, "%s: %g",
                  queries[i].sentence, value);
    }
    child_free(prometheus);
    watcher_free(watcher);
}
