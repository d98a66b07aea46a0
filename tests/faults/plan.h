/*
 * plan: what a run is to be, drawn from its seed: the topic, the group, the load, and which faults
 * come when.
 */
#ifndef FAULTS_PLAN_H
#define FAULTS_PLAN_H

#include "core/lanes.h"
#include "tests/faults/random.h"

#include <stddef.h>

enum { PLAN_FAULTS_MAX = 4, PLAN_FUNCTIONS_MAX = 2, PLAN_CONNECTORS_MAX = 3 };

enum topic_kind {
    TOPIC_PLAIN,
    TOPIC_COMPACTED,     /* only the last value of a key is owed */
    TOPIC_TRANSACTIONAL, /* written in transactions, some of which are aborted */
};

enum fault_kind {
    FAULT_KILL,   /* a connector is killed and comes back */
    FAULT_TERM,   /* a connector is ended by SIGTERM and comes back */
    FAULT_FREEZE, /* a connector stands still, mostly for longer than its session lasts */
    FAULT_CHURN,  /* a further member joins, leaves, joins, ... */
    FAULT_BROKER_STOP,
    FAULT_BROKER_KILL,
    FAULT_BROKER_FREEZE,
    FAULT_GATEWAY_AWAY, /* connections are refused, calls under way cut */
    FAULT_GATEWAY_503,
    FAULT_GATEWAY_SLOW,
    FAULT_GATEWAY_HANG, /* calls are not answered */
    FAULT_GATEWAY_CUT,  /* half of the calls are cut when the function has run */
    FAULT_GROW,         /* partitions are added */
    FAULT_EXPIRE,       /* what is in the log is deleted from its beginning */
    FAULT_ANEW,         /* the topic is deleted and made anew */
    FAULT_KINDS,
};

struct planned_fault {
    enum fault_kind kind;
    int at_ms, for_ms; /* from the run's start; how long */
    int target;        /* any number: a slot or a node by its remainder */
};

struct plan {
    uint64_t seed;
    int seconds; /* how long records are produced */
    int partitions, connectors, functions;
    enum topic_kind topic;
    enum order order;
    int latency_ms; /* of a function, at the median */
    int rate;       /* records a second */
    int keys, keyed_percent;
    int value_size;
    int max_inflight, partition_window;
    bool fixed_names; /* members have an instance_id */
    int session_ms;
    bool latest; /* initial_offset: nothing is written before the members have their partitions */
    struct planned_fault faults[PLAN_FAULTS_MAX];
    size_t fault_count;
};

/* `only` >= 0: faults of that kind alone. */
struct plan plan_draw(uint64_t seed, int seconds, int only);

const char *order_name(enum order order);
const char *fault_name(enum fault_kind kind);
/* FAULT_KINDS: there is none of that name. */
enum fault_kind fault_named(const char *name);

/* "7p 2c/6s 1f key plain 5ms 400/s" (the session lasts 6 s), and "kill@1.2 broker-stop@3.4+2.0".
 * Caller frees. */
char *plan_setup_text(const struct plan *plan);
char *plan_faults_text(const struct plan *plan);

#endif
