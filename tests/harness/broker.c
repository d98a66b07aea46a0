/* broker: see broker.h. tests/kafka/kafka.sh does the work; it becomes Java, so that the program
 * we signal is the broker. */
#include "tests/harness/broker.h"

#include "base/xalloc.h"
#include "tests/harness/child.h"
#include "tests/harness/fail.h"

#include <stdio.h>
#include <stdlib.h>

enum { START_MS = 90 * 1000, STOP_MS = 30 * 1000 };

struct broker {
    uv_loop_t *loop;
    struct child *program;          /* NULL: stopped */
    const char *const *environment; /* of kafka.sh; NULL: nothing */
    char folder[64];
    char bootstrap[64];
};

static int read_port(const char *folder, const char *name)
{
    char *path = xasprintf("%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    int port = 0;

    if (!file || fscanf(file, "%d", &port) != 1)
        fail("no port in %s", path);
    fclose(file);
    free(path);
    return port;
}

int broker_port(const char *folder)
{
    return read_port(folder, "port");
}

int broker_listener_port(const struct broker *broker, const char *name)
{
    char *file = xasprintf("port.%s", name);
    int port = read_port(broker->folder, file);

    free(file);
    return port;
}

void broker_restart(struct broker *broker)
{
    const char *const arguments[] = {"tests/kafka/kafka.sh", "run", broker->folder, NULL};

    broker->program = child_start(broker->loop, arguments, broker->environment);
    if (!child_await_text(broker->program, "Kafka Server started", START_MS))
        fail("the broker does not start:\n%s", child_output(broker->program));
}

struct broker *broker_new_with(uv_loop_t *loop, const char *const *environment)
{
    struct broker *broker = xcalloc(1, sizeof(*broker));

    broker->loop = loop;
    broker->environment = environment;
    snprintf(broker->folder, sizeof(broker->folder), "/tmp/kafka-test-XXXXXX");
    if (!mkdtemp(broker->folder))
        fail("no temporary folder %s", broker->folder);
    broker_restart(broker);
    snprintf(broker->bootstrap, sizeof(broker->bootstrap), "127.0.0.1:%d",
             broker_port(broker->folder));
    return broker;
}

struct broker *broker_new(uv_loop_t *loop)
{
    return broker_new_with(loop, NULL);
}

struct broker *broker_new_making_topics(uv_loop_t *loop)
{
    static const char *const making[] = {"KAFKA_SETTINGS=auto.create.topics.enable=true", NULL};

    return broker_new_with(loop, making);
}

void broker_stop(struct broker *broker, int signal)
{
    int status;

    child_signal(broker->program, signal);
    if (!child_await_end(broker->program, STOP_MS, &status))
        fail("the broker does not end");
    child_free(broker->program);
    broker->program = NULL;
}

static void remove_folder(struct broker *broker)
{
    const char *const arguments[] = {"rm", "-rf", broker->folder, NULL};
    struct child *remover = child_start(broker->loop, arguments, NULL);
    int status;

    child_await_end(remover, STOP_MS, &status);
    child_free(remover);
}

void broker_free(struct broker *broker)
{
    if (!broker)
        return;
    child_free(broker->program);
    remove_folder(broker);
    free(broker);
}

const char *broker_bootstrap(const struct broker *broker)
{
    return broker->bootstrap;
}
