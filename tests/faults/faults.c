/* faults: see run.h. A row a kind: how it begins, and what it does from then on until it is over.
 */
#include "tests/faults/clock.h"
#include "tests/faults/run.h"
#include "tests/harness/fail.h"

#include <signal.h>
#include <stdlib.h>

enum {
    GUEST_US = 1500 * 1000,         /* so long a further member stays */
    RECOVERY_US = 10 * 1000 * 1000, /* leaders and coordinators move for so long */
    NODE_END_US = 25 * 1000 * 1000, /* so long a node may take for its graceful end */
    NODE_START_US = 90 * 1000 * 1000,
};

/* ---- members ---- */

/* False: each has a fault already, or is away. */
static bool take_slot(struct run *run, struct fault *fault)
{
    for (int i = 0; i < run->plan.connectors; i++) {
        int slot = (fault->plan.target + i) % run->plan.connectors;

        if (run->slots[slot].taken || !members_serves(&run->members, run->slots[slot].member))
            continue;
        run->slots[slot].taken = true;
        fault->subject = slot;
        return true;
    }
    return false;
}

static bool signal_member(struct run *run, struct fault *fault, int signal)
{
    if (!take_slot(run, fault))
        return false;
    members_signal(&run->members, run->slots[fault->subject].member, signal);
    return true;
}

static bool begin_kill(struct run *run, struct fault *fault)
{
    return signal_member(run, fault, SIGKILL);
}

static bool begin_term(struct run *run, struct fault *fault)
{
    return signal_member(run, fault, SIGTERM);
}

static bool restart_member(struct run *run, struct fault *fault, bool due)
{
    struct slot *slot = &run->slots[fault->subject];

    if (!due || members_runs(&run->members, slot->member))
        return false;
    slot->member = members_start(&run->members, fault->subject);
    slot->taken = false;
    return true;
}

static bool begin_freeze(struct run *run, struct fault *fault)
{
    return signal_member(run, fault, SIGSTOP);
}

static bool thaw_member(struct run *run, struct fault *fault, bool due)
{
    struct slot *slot = &run->slots[fault->subject];

    if (!due)
        return false;
    members_signal(&run->members, slot->member, SIGCONT);
    slot->taken = false;
    return true;
}

static bool begin_churn(struct run *run, struct fault *fault)
{
    fault->subject = members_start(&run->members, -1);
    return true;
}

static bool churn(struct run *run, struct fault *fault, bool due)
{
    struct one *guest = run->members.one[fault->subject];

    if (members_runs(&run->members, fault->subject)) {
        if (!guest->termed && clock_us() - guest->started_us > GUEST_US &&
            members_serves(&run->members, fault->subject))
            members_signal(&run->members, fault->subject, SIGTERM);
        return false;
    }
    if (!due)
        fault->subject = members_start(&run->members, -1);
    return due;
}

/* ---- brokers ---- */

static bool all_nodes_listen(const struct run *run)
{
    for (int i = 0; i < NODES; i++)
        if (!nodes_listens(run->nodes, i))
            return false;
    return true;
}

static void begin_trouble(struct run *run)
{
    run->evidence.brokers[run->evidence.broker_count++] = (struct span){clock_us(), INT64_MAX};
}

static void end_trouble(struct run *run)
{
    run->evidence.brokers[run->evidence.broker_count - 1].until_us = clock_us() + RECOVERY_US;
    run->node_taken = false;
}

/* One at a time: two must be there. */
static bool signal_node(struct run *run, struct fault *fault, int signal)
{
    if (run->node_taken || !all_nodes_listen(run))
        return false;
    run->node_taken = true;
    fault->subject = fault->plan.target % NODES;
    begin_trouble(run);
    nodes_signal(run->nodes, fault->subject, signal);
    return true;
}

static bool begin_node_stop(struct run *run, struct fault *fault)
{
    return signal_node(run, fault, SIGTERM);
}

static bool begin_node_kill(struct run *run, struct fault *fault)
{
    return signal_node(run, fault, SIGKILL);
}

static bool begin_node_freeze(struct run *run, struct fault *fault)
{
    return signal_node(run, fault, SIGSTOP);
}

static bool restart_node(struct run *run, struct fault *fault, bool due)
{
    bool runs = nodes_runs(run->nodes, fault->subject);
    int64_t elapsed = clock_us() - fault->began_us;

    if (fault->stage == 0) {
        if (runs && elapsed > NODE_END_US)
            nodes_signal(run->nodes, fault->subject, SIGKILL);
        if (!due || runs)
            return false;
        nodes_start(run->nodes, fault->subject);
        fault->stage = 1;
        return false;
    }
    if (!runs || elapsed > NODE_END_US + NODE_START_US)
        fail("a broker does not start: see %s", nodes_log(run->nodes, fault->subject));
    if (!nodes_listens(run->nodes, fault->subject))
        return false;
    end_trouble(run);
    return true;
}

static bool thaw_node(struct run *run, struct fault *fault, bool due)
{
    if (!due)
        return false;
    nodes_signal(run->nodes, fault->subject, SIGCONT);
    end_trouble(run);
    return true;
}

/* ---- the gateway ---- */

static bool take_gateway(struct run *run, enum gateway_mode mode)
{
    if (run->gateway_taken)
        return false;
    run->gateway_taken = true;
    calls_set_mode(&run->calls, mode);
    return true;
}

static bool begin_away(struct run *run, struct fault *fault)
{
    (void)fault;
    if (!take_gateway(run, GATEWAY_WELL))
        return false;
    faas_gateway_down(run->calls.gateway);
    return true;
}

static bool begin_503(struct run *run, struct fault *fault)
{
    (void)fault;
    return take_gateway(run, GATEWAY_503);
}

static bool begin_slow(struct run *run, struct fault *fault)
{
    (void)fault;
    return take_gateway(run, GATEWAY_SLOW);
}

static bool begin_hang(struct run *run, struct fault *fault)
{
    (void)fault;
    return take_gateway(run, GATEWAY_HANG);
}

static bool begin_cut(struct run *run, struct fault *fault)
{
    (void)fault;
    return take_gateway(run, GATEWAY_CUT);
}

static bool mend_gateway(struct run *run, struct fault *fault, bool due)
{
    char *reason;

    (void)fault;
    if (!due)
        return false;
    if (!faas_gateway_up(run->calls.gateway, &reason))
        fail("the gateway does not come back: %s", reason);
    calls_set_mode(&run->calls, GATEWAY_WELL);
    run->gateway_taken = false;
    return true;
}

/* ---- the topic ---- */

static bool take_topic(struct run *run)
{
    if (run->topic_taken)
        return false;
    return run->topic_taken = true;
}

static bool begin_grow(struct run *run, struct fault *fault)
{
    if (!take_topic(run))
        return false;
    run->admin.partitions += 1 + fault->plan.target % 4;
    job_start(&fault->job, run->loop, admin_grow, &run->admin);
    return true;
}

static bool grow(struct run *run, struct fault *fault, bool due)
{
    (void)due;
    if (fault->job.running)
        return false;
    atomic_store(&run->writer.partitions, run->admin.partitions);
    run->topic_taken = false;
    return true;
}

static bool begin_expire(struct run *run, struct fault *fault)
{
    if (!take_topic(run))
        return false;
    job_start(&fault->job, run->loop, admin_expire, &run->admin);
    return true;
}

static bool expire(struct run *run, struct fault *fault, bool due)
{
    (void)due;
    if (fault->job.running)
        return false;
    run->topic_taken = false;
    return true;
}

/* When all of the old topic is delivered: what is not would be lost with it, and by its committed
 * end, which the new log is shorter than, a connector knows that it is another. */
static bool begin_anew(struct run *run, struct fault *fault)
{
    if (!writer_is_over(&run->writer) || !run_is_settled(run) || !take_topic(run))
        return false;
    writer_join(&run->writer);
    job_start(&fault->job, run->loop, admin_make_anew, &run->admin);
    return true;
}

static bool make_anew(struct run *run, struct fault *fault, bool due)
{
    (void)due;
    if (fault->job.running)
        return false;
    writer_start(&run->writer, 1, run->writer.count / 3);
    run->topic_taken = false;
    return true;
}

/* ---- all of them ---- */

static const struct {
    bool (*begin)(struct run *run, struct fault *fault); /* false: it cannot yet */
    /* Called again and again; `due`: its time is up. True: it is over. */
    bool (*go_on)(struct run *run, struct fault *fault, bool due);
} kinds[FAULT_KINDS] = {
    [FAULT_KILL] = {begin_kill, restart_member},
    [FAULT_TERM] = {begin_term, restart_member},
    [FAULT_FREEZE] = {begin_freeze, thaw_member},
    [FAULT_CHURN] = {begin_churn, churn},
    [FAULT_BROKER_STOP] = {begin_node_stop, restart_node},
    [FAULT_BROKER_KILL] = {begin_node_kill, restart_node},
    [FAULT_BROKER_FREEZE] = {begin_node_freeze, thaw_node},
    [FAULT_GATEWAY_AWAY] = {begin_away, mend_gateway},
    [FAULT_GATEWAY_503] = {begin_503, mend_gateway},
    [FAULT_GATEWAY_SLOW] = {begin_slow, mend_gateway},
    [FAULT_GATEWAY_HANG] = {begin_hang, mend_gateway},
    [FAULT_GATEWAY_CUT] = {begin_cut, mend_gateway},
    [FAULT_GROW] = {begin_grow, grow},
    [FAULT_EXPIRE] = {begin_expire, expire},
    [FAULT_ANEW] = {begin_anew, make_anew},
};

static void step(struct run *run, struct fault *fault)
{
    int64_t now = clock_us();

    if (fault->phase == FAULT_WAITING && now - run->began_us >= fault->plan.at_ms * INT64_C(1000) &&
        kinds[fault->plan.kind].begin(run, fault)) {
        fault->phase = FAULT_ACTIVE;
        fault->began_us = now;
    }
    if (fault->phase == FAULT_ACTIVE &&
        kinds[fault->plan.kind].go_on(run, fault,
                                      now - fault->began_us >= fault->plan.for_ms * INT64_C(1000)))
        fault->phase = FAULT_OVER;
}

void faults_step(struct run *run)
{
    for (size_t i = 0; i < run->plan.fault_count; i++)
        step(run, &run->faults[i]);
}

bool faults_are_over(const struct run *run)
{
    for (size_t i = 0; i < run->plan.fault_count; i++)
        if (run->faults[i].phase != FAULT_OVER)
            return false;
    return true;
}
