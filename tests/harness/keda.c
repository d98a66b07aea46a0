/* keda: see keda.h. */
#include "tests/harness/keda.h"

#include "base/xalloc.h"
#include "tests/harness/asked.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct keda *keda_new(const char *name, const char *bootstrap)
{
    struct keda *keda = xcalloc(1, sizeof(*keda));

    if (!bootstrap)
        bootstrap = getenv("KAFKA_BOOTSTRAP");
    if (!bootstrap)
        fail("no KAFKA_BOOTSTRAP: run this by make test-kafka");
    uv_loop_init(&keda->loop);
    keda->name = xstrdup(name);
    keda->bootstrap = xstrdup(bootstrap);
    keda->cluster = cluster_new(bootstrap, name);
    snprintf(keda->address, sizeof(keda->address), "127.0.0.1:%d", asked_free_port(&keda->loop));
    snprintf(keda->admin, sizeof(keda->admin), "127.0.0.1:%d", asked_free_port(&keda->loop));
    return keda;
}

void keda_free(struct keda *keda)
{
    child_free(keda->scaler);
    cluster_free(keda->cluster);
    if (!await_close(&keda->loop))
        fail("something is left on the loop of %s", keda->name);
    free(keda->name);
    free(keda->bootstrap);
    free(keda);
}

/* ---- the scaler ---- */

void keda_start(struct keda *keda, const char *const *settings)
{
    char *path = child_program("kafka-connector");
    char *brokers = xasprintf("KAFKA_BROKERS=%s", keda->bootstrap);
    char *listen = xasprintf("grpc_listen=%s", keda->address);
    char *admin = xasprintf("admin_listen=%s", keda->admin);
    const char *own[] = {brokers, listen, admin, "SAMPLING_INTERVAL=1", "log_level=debug", NULL};
    const char *all[CHILD_LIST_MAX];

    child_list_merge(all, own, settings);
    keda->scaler = child_start(&keda->loop, (const char *[]){path, "scale", NULL}, all);
    if (!child_await_text(keda->scaler, "gRPC server listening on", KEDA_PATIENCE_MS))
        fail("the scaler does not listen:\n%s", child_output(keda->scaler));
    free(admin);
    free(listen);
    free(brokers);
    free(path);
}

void keda_stop(struct keda *keda, int signal)
{
    int status;

    child_signal(keda->scaler, signal);
    if (!child_await_end(keda->scaler, KEDA_PATIENCE_MS, &status) ||
        (signal == SIGTERM && status != 0))
        fail("the scaler does not end as it should:\n%s", child_output(keda->scaler));
    child_free(keda->scaler);
    keda->scaler = NULL;
}

/* ---- KEDA ---- */

/* Appends "--metadata", and the pair as it stands. */
static size_t add_metadata(const char **arguments, size_t count, const char *pair)
{
    arguments[count++] = "--metadata";
    arguments[count++] = pair;
    return count;
}

struct child *keda_ask(struct keda *keda, const char *const *metadata)
{
    char *path = child_program("kafka-connector");
    char *scaler = xasprintf("--scaler=%s", keda->address);
    char *interval = xasprintf("--interval=%dms", KEDA_ASK_MS);
    char *topic = xasprintf("topic=%s", keda->name);
    char *group = xasprintf("consumerGroup=%s", keda->name);
    const char *own[] = {topic, group, NULL};
    const char *all[CHILD_LIST_MAX],
        *arguments[4 + 2 * CHILD_LIST_MAX] = {path, "ask", scaler, interval};
    size_t count = 4;
    struct child *asked;

    child_list_merge(all, own, metadata);
    for (size_t i = 0; all[i]; i++)
        count = add_metadata(arguments, count, all[i]);
    asked = child_start(&keda->loop, arguments, NULL);
    free(group);
    free(topic);
    free(interval);
    free(scaler);
    free(path);
    return asked;
}

bool keda_await(struct child *asked, const char *part)
{
    return child_await_text(asked, part, KEDA_PATIENCE_MS);
}

bool keda_await_next(struct child *asked, const char *part)
{
    return child_await_count(asked, part, child_count(asked, part) + 1, KEDA_PATIENCE_MS);
}

static size_t count_lines(const struct child *child)
{
    size_t count = 0;

    for (const char *at = child_output(child); (at = strchr(at, '\n')); at++)
        count++;
    return count;
}

struct lines {
    struct child *child;
    size_t wanted;
};

static bool are_written(void *context)
{
    struct lines *lines = context;

    return count_lines(lines->child) >= lines->wanted;
}

void keda_await_answers(struct keda *keda, struct child *asked, size_t count)
{
    struct lines lines = {asked, count_lines(asked) + count};

    if (!await(&keda->loop, are_written, &lines, KEDA_PATIENCE_MS))
        fail("it is asked no more:\n%s", child_output(asked));
}
