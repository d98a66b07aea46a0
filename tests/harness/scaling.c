/* scaling: see scaling.h. */
#include "tests/harness/scaling.h"

#include "base/xalloc.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A port that was free a moment ago. */
static int free_port(uv_loop_t *loop)
{
    struct sockaddr_in any;
    struct sockaddr_storage bound;
    int size = sizeof(bound);
    uv_tcp_t tcp;

    uv_ip4_addr("127.0.0.1", 0, &any);
    uv_tcp_init(loop, &tcp);
    uv_tcp_bind(&tcp, (struct sockaddr *)&any, 0);
    uv_tcp_getsockname(&tcp, (struct sockaddr *)&bound, &size);
    uv_close((uv_handle_t *)&tcp, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
    return ntohs(((struct sockaddr_in *)&bound)->sin_port);
}

struct scaling *scaling_new(const char *name, const char *bootstrap)
{
    struct scaling *scaling = xcalloc(1, sizeof(*scaling));

    if (!bootstrap)
        bootstrap = getenv("KAFKA_BOOTSTRAP");
    if (!bootstrap)
        fail("no KAFKA_BOOTSTRAP: run this by make test-kafka");
    uv_loop_init(&scaling->loop);
    scaling->name = xstrdup(name);
    scaling->bootstrap = xstrdup(bootstrap);
    scaling->cluster = cluster_new(bootstrap, name);
    snprintf(scaling->address, sizeof(scaling->address), "127.0.0.1:%d", free_port(&scaling->loop));
    snprintf(scaling->admin, sizeof(scaling->admin), "127.0.0.1:%d", free_port(&scaling->loop));
    return scaling;
}

void scaling_free(struct scaling *scaling)
{
    child_free(scaling->scaler);
    cluster_free(scaling->cluster);
    if (!await_close(&scaling->loop))
        fail("something is left on the loop of %s", scaling->name);
    free(scaling->name);
    free(scaling->bootstrap);
    free(scaling);
}

/* ---- the scaler ---- */

void scaling_start(struct scaling *scaling, const char *const *settings)
{
    char *path = child_program("kafka-connector");
    char *brokers = xasprintf("KAFKA_BROKERS=%s", scaling->bootstrap);
    char *listen = xasprintf("grpc_listen=%s", scaling->address);
    char *admin = xasprintf("admin_listen=%s", scaling->admin);
    const char *own[] = {brokers, listen, admin, "SAMPLING_INTERVAL=1", "log_level=debug", NULL};
    const char *all[CHILD_LIST_MAX];

    child_list_merge(all, own, settings);
    scaling->scaler = child_start(&scaling->loop, (const char *[]){path, "scale", NULL}, all);
    if (!child_await_text(scaling->scaler, "gRPC server listening on", SCALING_PATIENCE_MS))
        fail("the scaler does not listen:\n%s", child_output(scaling->scaler));
    free(admin);
    free(listen);
    free(brokers);
    free(path);
}

void scaling_stop(struct scaling *scaling, int signal)
{
    int status;

    child_signal(scaling->scaler, signal);
    if (!child_await_end(scaling->scaler, SCALING_PATIENCE_MS, &status) ||
        (signal == SIGTERM && status != 0))
        fail("the scaler does not end as it should:\n%s", child_output(scaling->scaler));
    child_free(scaling->scaler);
    scaling->scaler = NULL;
}

/* ---- KEDA ---- */

/* Appends "--metadata", and the pair as it stands. */
static size_t add_metadata(const char **arguments, size_t count, const char *pair)
{
    arguments[count++] = "--metadata";
    arguments[count++] = pair;
    return count;
}

struct child *scaling_keda(struct scaling *scaling, const char *const *metadata)
{
    char *path = child_program("kafka-connector");
    char *scaler = xasprintf("--scaler=%s", scaling->address);
    char *interval = xasprintf("--interval=%dms", SCALING_ASK_MS);
    char *topic = xasprintf("topic=%s", scaling->name);
    char *group = xasprintf("consumerGroup=%s", scaling->name);
    const char *own[] = {topic, group, NULL};
    const char *all[CHILD_LIST_MAX], *arguments[4 + 2 * CHILD_LIST_MAX] = {path, "ask", scaler,
                                                                          interval};
    size_t count = 4;
    struct child *keda;

    child_list_merge(all, own, metadata);
    for (size_t i = 0; all[i]; i++)
        count = add_metadata(arguments, count, all[i]);
    keda = child_start(&scaling->loop, arguments, NULL);
    free(group);
    free(topic);
    free(interval);
    free(scaler);
    free(path);
    return keda;
}

bool scaling_await(struct child *keda, const char *part)
{
    return child_await_text(keda, part, SCALING_PATIENCE_MS);
}

bool scaling_await_next(struct child *keda, const char *part)
{
    return child_await_count(keda, part, child_count(keda, part) + 1, SCALING_PATIENCE_MS);
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

void scaling_await_answers(struct scaling *scaling, struct child *keda, size_t count)
{
    struct lines lines = {keda, count_lines(keda) + count};

    if (!await(&scaling->loop, are_written, &lines, SCALING_PATIENCE_MS))
        fail("it is asked no more:\n%s", child_output(keda));
}
