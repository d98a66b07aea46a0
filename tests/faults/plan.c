/* plan: see plan.h. */
#include "tests/faults/plan.h"

#include "base/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often a kind is drawn, how long it lasts. */
static const struct kind_row {
    const char *name;
    int weight;
    int least_ms, most_ms;
    bool once; /* a run has one at most, on a plain topic */
} kinds[FAULT_KINDS] = {
    [FAULT_KILL] = {"kill", 4, 0, 1500, false},
    [FAULT_TERM] = {"term", 3, 0, 1500, false},
    [FAULT_FREEZE] = {"freeze", 2, 500, 5000, false},
    [FAULT_CHURN] = {"churn", 2, 4000, 8000, false},
    [FAULT_BROKER_STOP] = {"broker-stop", 2, 0, 2000, false},
    [FAULT_BROKER_KILL] = {"broker-kill", 2, 0, 4000, false},
    [FAULT_BROKER_FREEZE] = {"broker-freeze", 2, 1000, 8000, false},
    [FAULT_GATEWAY_AWAY] = {"gateway-away", 1, 500, 3000, false},
    [FAULT_GATEWAY_503] = {"gateway-503", 1, 500, 3000, false},
    [FAULT_GATEWAY_SLOW] = {"gateway-slow", 1, 1000, 3000, false},
    [FAULT_GATEWAY_HANG] = {"gateway-hang", 1, 1000, 5000, false},
    [FAULT_GATEWAY_CUT] = {"gateway-cut", 1, 500, 2000, false},
    [FAULT_GROW] = {"grow", 1, 0, 0, false},
    [FAULT_EXPIRE] = {"expire", 1, 0, 0, true},
    [FAULT_ANEW] = {"anew", 1, 0, 0, true},
};

const char *fault_name(enum fault_kind kind)
{
    return kinds[kind].name;
}

enum fault_kind fault_named(const char *name)
{
    int kind = 0;

    while (kind < FAULT_KINDS && strcmp(kinds[kind].name, name) != 0)
        kind++;
    return kind;
}

const char *order_name(enum order order)
{
    static const char *const names[] = {
        [ORDER_KEY] = "key", [ORDER_PARTITION] = "partition", [ORDER_NONE] = "none"};

    return names[order];
}

static const char *topic_name(enum topic_kind topic)
{
    static const char *const names[] = {[TOPIC_PLAIN] = "plain",
                                        [TOPIC_COMPACTED] = "compacted",
                                        [TOPIC_TRANSACTIONAL] = "transactions"};

    return names[topic];
}

static enum fault_kind draw_kind(struct random *random)
{
    int total = 0, at;
    int kind = 0;

    for (int i = 0; i < FAULT_KINDS; i++)
        total += kinds[i].weight;
    for (at = random_between(random, 0, total - 1); at >= kinds[kind].weight; kind++)
        at -= kinds[kind].weight;
    return kind;
}

static bool has(const struct plan *plan, enum fault_kind kind)
{
    for (size_t i = 0; i < plan->fault_count; i++)
        if (plan->faults[i].kind == kind)
            return true;
    return false;
}

static bool fits(const struct plan *plan, enum fault_kind kind)
{
    return !kinds[kind].once || (plan->topic == TOPIC_PLAIN && !has(plan, kind));
}

static void draw_fault(struct plan *plan, struct random *random, int only)
{
    struct planned_fault *fault = &plan->faults[plan->fault_count];
    enum fault_kind kind = only >= 0 ? (enum fault_kind)only : draw_kind(random);

    if (!fits(plan, kind))
        return;
    fault->kind = kind;
    fault->at_ms = random_between(random, plan->seconds * 100, plan->seconds * 800);
    if (kind == FAULT_ANEW) /* the old log must be longer than the new one */
        fault->at_ms = plan->seconds * 700;
    fault->for_ms = random_between(random, kinds[kind].least_ms, kinds[kind].most_ms);
    fault->target = random_between(random, 0, 1000);
    plan->fault_count++;
}

static enum topic_kind draw_topic(struct random *random)
{
    int at = random_between(random, 0, 9);

    return at == 0 ? TOPIC_COMPACTED : at < 3 ? TOPIC_TRANSACTIONAL : TOPIC_PLAIN;
}

static enum order draw_order(struct random *random)
{
    int at = random_between(random, 0, 5);

    return at == 0 ? ORDER_NONE : at == 1 ? ORDER_PARTITION : ORDER_KEY;
}

struct plan plan_draw(uint64_t seed, int seconds, int only)
{
    struct random random = {seed};
    struct plan plan = {
        .seed = seed,
        .seconds = seconds,
        .partitions = random_between(&random, 3, 12),
        .connectors = random_between(&random, 1, PLAN_CONNECTORS_MAX),
        .functions = random_between(&random, 1, PLAN_FUNCTIONS_MAX),
        .topic = draw_topic(&random),
        .order = draw_order(&random),
        .latency_ms = random_between(&random, 0, 20),
        .rate = random_between(&random, 200, 600),
        .keys = random_between(&random, 50, 400),
        .keyed_percent = random_between(&random, 50, 100),
        .value_size = random_between(&random, 20, 2000),
        .max_inflight = random_percent(&random, 50) ? 64 : 8,
        .partition_window = random_percent(&random, 70) ? 1000 : 50,
        .fixed_names = random_percent(&random, 25),
        .latest = random_percent(&random, 50),
        /* the default, which outlives a commit that waits for a dead broker; and one that does not
         */
        .session_ms = random_percent(&random, 30) ? 6000 : 2000,
    };
    int faults = random_between(&random, 1, PLAN_FAULTS_MAX);

    if (plan.topic == TOPIC_COMPACTED) /* takes no record without a key */
        plan.keyed_percent = 100;
    if (plan.order == ORDER_PARTITION && plan.latency_ms > 5) /* or the end is long in coming */
        plan.latency_ms = 5;
    if (only == FAULT_EXPIRE || only == FAULT_ANEW)
        plan.topic = TOPIC_PLAIN;
    for (int i = 0; i < faults; i++)
        draw_fault(&plan, &random, only);
    if (!plan.fault_count)
        draw_fault(&plan, &random, FAULT_KILL);
    return plan;
}

char *plan_setup_text(const struct plan *plan)
{
    return xasprintf("%dp %dc%s%s/%ds %df %s %s %dms %d/s", plan->partitions, plan->connectors,
                     plan->latest ? " latest" : "", plan->fixed_names ? " named" : "",
                     plan->session_ms / 1000, plan->functions, order_name(plan->order),
                     topic_name(plan->topic), plan->latency_ms, plan->rate);
}

char *plan_faults_text(const struct plan *plan)
{
    char *text;
    size_t size;
    FILE *stream = xopen_memstream(&text, &size);

    for (size_t i = 0; i < plan->fault_count; i++) {
        const struct planned_fault *fault = &plan->faults[i];

        fprintf(stream, "%s%s@%.1f", i ? " " : "", fault_name(fault->kind), fault->at_ms / 1e3);
        if (fault->for_ms)
            fprintf(stream, "+%.1f", fault->for_ms / 1e3);
    }
    xclose_memstream(stream);
    return text;
}
