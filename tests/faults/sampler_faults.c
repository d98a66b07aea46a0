/* sampler_faults: see sampler_faults.h. With a broker goes the lead of a third of the partitions,
 * and the coordinator of a third of the groups: both move, and move back. */
#include "tests/faults/sampler_faults.h"

#include "base/xalloc.h"
#include "tests/faults/admin.h"
#include "tests/faults/job.h"
#include "tests/faults/nodes.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"
#include "tests/harness/sampler_judge.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INTERVAL_MS = 1000, DOWN_LEAST_MS = 2000, DOWN_MOST_MS = 15000, START_MS = 120 * 1000 };
enum { SESSION_MS = 10000 }; /* and a little: broker.session.timeout.ms is 9 s */

static const char topic[] = "sampled";

struct turns {
    uv_loop_t loop;
    struct nodes *nodes;
    struct admin admin;
    struct traffic *traffic;
    struct sampler_judge *judge;
    struct random random;
    int node; /* that is away */
};

/* ---- a turn ---- */

static bool runs_no_more(void *context)
{
    const struct turns *turns = context;

    return !nodes_runs(turns->nodes, turns->node);
}

static bool listens(void *context)
{
    const struct turns *turns = context;

    return nodes_listens(turns->nodes, turns->node);
}

/* One that was frozen is given up by the controller after its session, perhaps when it is awake
 * again: only then is it back for good. */
static void bring_back(struct turns *turns, int signal)
{
    if (signal == SIGSTOP) {
        nodes_signal(turns->nodes, turns->node, SIGCONT);
        await_time(&turns->loop, SESSION_MS);
        return;
    }
    if (!await(&turns->loop, runs_no_more, turns, START_MS))
        fail("a broker does not end");
    nodes_start(turns->nodes, turns->node);
    if (!await(&turns->loop, listens, turns, START_MS))
        fail("a broker does not start: see %s", nodes_log(turns->nodes, turns->node));
}

/* One that has just come back is behind the others for a while: each is asked by a client that
 * knows no other. */
static void await_each(const struct turns *turns)
{
    static const struct plan none;
    char *list = xstrdup(nodes_bootstrap(turns->nodes));
    struct admin admin;

    for (char *rest = NULL, *broker = strtok_r(list, ",", &rest); broker;
         broker = strtok_r(NULL, ",", &rest)) {
        admin_init(&admin, broker, topic, &none);
        admin_await_health(&admin);
        admin_release(&admin);
    }
    free(list);
}

static void await_served(void *context)
{
    enum { TURNS = 100, PAUSE_MS = 200 };
    struct turns *turns = context;

    await_each(turns);
    for (int turn = 0; !traffic_is_served(turns->traffic); turn++) {
        if (turn > TURNS)
            fail("the brokers do not come to serve");
        uv_sleep(PAUSE_MS);
    }
}

static void turn(struct turns *turns)
{
    static const struct {
        int signal;
        const char *name;
    } ways[] = {{SIGKILL, "killed"}, {SIGTERM, "stopped"}, {SIGSTOP, "frozen"}};
    int way = random_between(&turns->random, 0, 2);
    int down_ms = random_between(&turns->random, DOWN_LEAST_MS, DOWN_MOST_MS);
    struct sampler_judge_counts before = sampler_judge_counts(turns->judge), now;

    turns->node = random_between(&turns->random, 0, NODES - 1);
    nodes_signal(turns->nodes, turns->node, ways[way].signal);
    await_time(&turns->loop, down_ms);
    bring_back(turns, ways[way].signal);
    job_do(&turns->loop, await_served, turns);
    sampler_judge_recovers(turns->judge);
    now = sampler_judge_counts(turns->judge);
    printf("broker %d %s for %4.1f s: %3u ticks, all read at %3u, %s at the first after\n",
           turns->node + 1, ways[way].name, (double)down_ms / 1000, now.ticks - before.ticks,
           now.good - before.good, now.at_first > before.at_first ? "and" : "not");
}

/* ---- all of them ---- */

static void open_cluster(struct turns *turns, const char *folder)
{
    const struct plan plan = {.partitions = TRAFFIC_PARTITIONS, .topic = TOPIC_PLAIN};

    uv_loop_init(&turns->loop);
    turns->nodes = nodes_new(&turns->loop, folder);
    admin_init(&turns->admin, nodes_bootstrap(turns->nodes), topic, &plan);
    job_do(&turns->loop, admin_create, &turns->admin);
    turns->traffic = traffic_new(nodes_bootstrap(turns->nodes), topic, TRAFFIC_IDEMPOTENT);
    turns->judge = sampler_judge_new(&turns->loop, nodes_bootstrap(turns->nodes), topic,
                                     turns->traffic, INTERVAL_MS);
}

static void close_cluster(struct turns *turns)
{
    sampler_judge_free(turns->judge);
    traffic_free(turns->traffic);
    admin_release(&turns->admin);
    nodes_free(turns->nodes);
    if (!await_close(&turns->loop))
        fail("something is left on the loop");
}

bool sampler_faults(const char *folder, uint64_t seed, int seconds)
{
    struct turns turns = {.random = {seed}};
    uint64_t until = uv_hrtime() + (uint64_t)seconds * 1000000000;
    const char *verdict;
    bool good;

    open_cluster(&turns, folder);
    do
        turn(&turns);
    while (uv_hrtime() < until && !sampler_judge_verdict(turns.judge));
    verdict = sampler_judge_verdict(turns.judge);
    good = !verdict;
    printf("the sampler, SEED=%" PRIu64 ": %s\n", seed, good ? "ok" : verdict);
    close_cluster(&turns);
    return good;
}
