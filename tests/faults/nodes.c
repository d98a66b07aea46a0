/* nodes: see nodes.h. tests/kafka/kafka.sh does the work; it becomes Java, so that the program we
 * signal is the node. */
#include "tests/faults/nodes.h"

#include "base/xalloc.h"
#include "tests/harness/await.h"
#include "tests/harness/broker.h"
#include "tests/harness/child.h"
#include "tests/harness/fail.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PREPARE_MS = 120 * 1000, START_MS = 90 * 1000, STOP_MS = 30 * 1000 };

struct node {
    char *folder, *log;
    int port;
    struct child *program; /* NULL: never started */
};

struct nodes {
    uv_loop_t *loop;
    struct node node[NODES];
    char *bootstrap;
};

static const char *const environment[] = {"KAFKA_HEAP=256m", NULL};

static void prepare(struct nodes *nodes, const char *folder)
{
    char count[8];
    const char *const arguments[] = {"tests/kafka/kafka.sh", "nodes", folder, count, NULL};
    struct child *program;
    int status;

    snprintf(count, sizeof(count), "%d", NODES);
    program = child_start(nodes->loop, arguments, NULL);
    if (!child_await_end(program, PREPARE_MS, &status) || status)
        fail("the cluster cannot be prepared:\n%s", child_output(program));
    child_free(program);
}

void nodes_start(struct nodes *nodes, int node)
{
    struct node *it = &nodes->node[node];
    const char *const arguments[] = {
        "sh", "-c",       "exec tests/kafka/kafka.sh run \"$1\" >>\"$1/server.log\" 2>&1",
        "sh", it->folder, NULL};

    child_free(it->program);
    it->program = child_start(nodes->loop, arguments, environment);
}

void nodes_signal(struct nodes *nodes, int node, int signal)
{
    child_signal(nodes->node[node].program, signal);
}

bool nodes_runs(const struct nodes *nodes, int node)
{
    return child_runs(nodes->node[node].program);
}

bool nodes_listens(const struct nodes *nodes, int node)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)nodes->node[node].port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listens = nodes_runs(nodes, node) && fd >= 0 &&
                   connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    if (fd >= 0)
        close(fd);
    return listens;
}

static bool all_listen(void *context)
{
    const struct nodes *nodes = context;

    for (int i = 0; i < NODES; i++)
        if (!nodes_listens(nodes, i))
            return false;
    return true;
}

struct nodes *nodes_new(uv_loop_t *loop, const char *folder)
{
    struct nodes *nodes = xcalloc(1, sizeof(*nodes));

    nodes->loop = loop;
    prepare(nodes, folder);
    for (int i = 0; i < NODES; i++) {
        nodes->node[i].folder = xasprintf("%s/%d", folder, i + 1);
        nodes->node[i].log = xasprintf("%s/server.log", nodes->node[i].folder);
        nodes->node[i].port = broker_port(nodes->node[i].folder);
        nodes_start(nodes, i);
    }
    nodes->bootstrap = xasprintf("127.0.0.1:%d,127.0.0.1:%d,127.0.0.1:%d", nodes->node[0].port,
                                 nodes->node[1].port, nodes->node[2].port);
    if (!await(loop, all_listen, nodes, START_MS))
        fail("the brokers do not start: see %s", folder);
    return nodes;
}

void nodes_free(struct nodes *nodes)
{
    if (!nodes)
        return;
    for (int i = 0; i < NODES; i++) {
        child_free(nodes->node[i].program);
        free(nodes->node[i].folder);
        free(nodes->node[i].log);
    }
    free(nodes->bootstrap);
    free(nodes);
}

const char *nodes_bootstrap(const struct nodes *nodes)
{
    return nodes->bootstrap;
}

const char *nodes_log(const struct nodes *nodes, int node)
{
    return nodes->node[node].log;
}
