/* scene: see scene.h. */
#include "tests/harness/scene.h"

#include "base/xalloc.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { LATENCY_MS = 5, ASSIGNED_MS = 30 * 1000, ASK_MS = 50, STOP_MS = 30 * 1000 };

struct scene *scene_new(const char *name, const char *bootstrap, int partitions)
{
    struct scene *scene = xcalloc(1, sizeof(*scene));
    char *reason;

    if (!bootstrap)
        bootstrap = getenv("KAFKA_BOOTSTRAP");
    if (!bootstrap)
        fail("no KAFKA_BOOTSTRAP: run this by make test-kafka");
    uv_loop_init(&scene->loop);
    scene->bootstrap = xstrdup(bootstrap);
    scene->topic = xstrdup(name);
    scene->cluster = cluster_new(bootstrap, name);
    cluster_create(scene->cluster, name, partitions);
    scene->gateway = faas_gateway_new(&scene->loop, "127.0.0.1:0", &reason);
    if (!scene->gateway)
        fail("the gateway: %s", reason);
    scene->log = call_log_new(&scene->loop, scene->gateway);
    scene->function = faas_deploy(scene->gateway, SCENE_FUNCTION, NULL, name);
    faas_script(scene->function, &(struct faas_reply){.latency_ms = LATENCY_MS});
    return scene;
}

void scene_free(struct scene *scene)
{
    call_log_free(scene->log);
    faas_gateway_free(scene->gateway);
    cluster_free(scene->cluster);
    if (!await_close(&scene->loop))
        fail("something is left on the loop of %s", scene->topic);
    free(scene->topic);
    free(scene->bootstrap);
    free(scene);
}

/* `command` NULL: none. */
static struct child *start(struct scene *scene, const char *command, const char *const *settings)
{
    char *path = child_program("kafka-connector");
    char *gateway = xasprintf("gateway_url=%s", faas_gateway_url(scene->gateway));
    char *broker = xasprintf("broker_host=%s", scene->bootstrap);
    char *group = xasprintf("group=%s", scene->topic);
    const char *own[] = {gateway, broker, group, "initial_offset=earliest",
                         "admin_listen=127.0.0.1:0",
                         /* a member that was killed is missed soon */
                         "kafka_session_timeout_ms=2000", NULL};
    const char *all[CHILD_LIST_MAX];
    struct child *program;

    child_list_merge(all, own, settings);
    program = child_start(&scene->loop, (const char *[]){path, command, NULL}, all);
    free(group);
    free(broker);
    free(gateway);
    free(path);
    return program;
}

struct child *scene_connector(struct scene *scene, const char *const *settings)
{
    return start(scene, NULL, settings);
}

void scene_stop(struct child *connector)
{
    int status;

    child_signal(connector, SIGTERM);
    if (!child_await_end(connector, STOP_MS, &status) || status != 0)
        fail("the connector did not leave with status 0:\n%s", child_output(connector));
    child_free(connector);
}

struct child *scene_check(struct scene *scene, const char *const *settings)
{
    return start(scene, "check", settings);
}

void scene_await_assigned(struct child *connector, size_t times)
{
    if (!child_await_count(connector, "Rebalanced: &{Type:rebalance OK", times, ASSIGNED_MS))
        fail("the connector was not given partitions %zu times:\n%s", times,
             child_output(connector));
}

struct child *scene_load(struct scene *scene, int64_t records, int64_t throughput,
                         const char *const *arguments)
{
    char *path = child_program("producer");
    char *broker = xasprintf("-broker=%s", scene->bootstrap);
    char *topic = xasprintf("-topic=%s", scene->topic);
    char *count = xasprintf("-messages=%" PRId64, records);
    char *rate = xasprintf("-throughput=%" PRId64, throughput);
    const char *own[] = {
        path, broker, topic, count, rate, "-keys=100", "-X=message.timeout.ms=120000", NULL};
    const char *all[CHILD_LIST_MAX];
    struct child *program;

    child_list_merge(all, own, arguments);
    program = child_start(&scene->loop, all, NULL);
    free(rate);
    free(count);
    free(topic);
    free(broker);
    free(path);
    return program;
}

/* Asks the broker from libuv's worker, again and again: the gateway lives on the loop, and must
 * answer while a broker that just came back does not. */
struct question {
    uv_work_t work; /* first */
    struct scene *scene;
    bool asked, committed;
};

static void ask(uv_work_t *work)
{
    struct question *question = (struct question *)work;

    question->committed = cluster_all_committed(question->scene->cluster, question->scene->topic);
}

static void on_answer(uv_work_t *work, int status)
{
    (void)status;
    ((struct question *)work)->asked = false;
}

static bool all_committed(void *context)
{
    struct question *question = context;

    if (question->asked)
        return false;
    if (question->committed)
        return true;
    question->asked = true;
    uv_queue_work(&question->scene->loop, &question->work, ask, on_answer);
    return false;
}

static bool is_answered(void *context)
{
    return !((struct question *)context)->asked;
}

bool scene_await_done(struct scene *scene, struct child *load, int64_t timeout_ms)
{
    struct question question = {.scene = scene};
    int status;

    if (!child_await_end(load, timeout_ms, &status) || status != 0)
        fail("the producer has not done its part:\n%s", child_output(load));
    if (await(&scene->loop, all_committed, &question, timeout_ms))
        return true;
    await(&scene->loop, is_answered, &question, CLUSTER_WAIT_MS); /* it lies on our stack */
    return false;
}

struct ran {
    struct scene *scene;
    size_t count;
};

static bool has_run(void *context)
{
    struct ran *ran = context;

    return call_log_ran(ran->scene->log, SCENE_FUNCTION) >= ran->count;
}

bool scene_await_ran(struct scene *scene, size_t count, int64_t timeout_ms)
{
    return await(&scene->loop, has_run, &(struct ran){scene, count}, timeout_ms);
}

int64_t scene_uncommitted(struct scene *scene, size_t calls)
{
    return account_uncommitted(scene->log, calls, scene->cluster, SCENE_FUNCTION, scene->topic);
}

bool scene_await_covered(struct scene *scene, size_t calls, int64_t timeout_ms)
{
    uint64_t end = uv_now(&scene->loop) + (uint64_t)timeout_ms;

    while (scene_uncommitted(scene, calls) > 0) {
        if (uv_now(&scene->loop) > end)
            return false;
        await_time(&scene->loop, ASK_MS); /* the broker tells nobody of commits */
    }
    return true;
}

struct account scene_account(struct scene *scene)
{
    return account_of(scene->log, scene->cluster, SCENE_FUNCTION, scene->topic);
}
