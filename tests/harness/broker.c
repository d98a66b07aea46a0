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
    struct child *program; /* NULL: stopped */
    bool makes_topics;
    char folder[64];
    char bootstrap[64];
};

int broker_port(const char *folder)
{
    char *path = xasprintf("%s/port", folder);
    FILE *file = fopen(path, "r");
    int port = 0;

    if (!file || fscanf(file, "%d", &port) != 1)
        fail("no port in %s", path);
    fclose(file);
    free(path);
    return port;
}

void broker_restart(struct broker *broker)
{
    const char *const arguments[] = {"tests/kafka/kafka.sh", "run", broker->folder, NULL};

    const char *const making[] = {"KAFKA_SETTINGS=auto.create.topics.enable=true", NULL};

    broker->program = child_start(broker->loop, arguments, broker->makes_topics ? making : NULL);
    if (!child_await_text(broker->program, "Kafka Server started", START_MS))
        fail("the broker does not start:\n%s", child_output(broker->program));
}

static struct broker *start(uv_loop_t *loop, bool makes_topics)
{
    struct broker *broker = xcalloc(1, sizeof(*broker));

    broker->loop = loop;
    broker->makes_topics = makes_topics;
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
    return start(loop, false);
}

struct broker *broker_new_making_topics(uv_loop_t *loop)
{
    return start(loop, true);
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
