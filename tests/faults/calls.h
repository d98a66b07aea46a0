/*
 * calls: every call that a run's gateway got, small and in order of arrival, and how the gateway
 * answers just now.
 */
#ifndef FAULTS_CALLS_H
#define FAULTS_CALLS_H

#include "sandbox/gateway.h"
#include "tests/faults/plan.h"

#include <stdint.h>

/* The connectors' upstream_timeout; and when an answer may have come too late for it, or did. */
enum { UPSTREAM_TIMEOUT_MS = 3000, MAYBE_LATE_US = 2700 * 1000, LATE_US = 3300 * 1000 };

struct call {
    int64_t arrived_us, ended_us; /* clock_us; ended 0: not yet */
    int64_t offset;
    uint32_t record; /* UINT32_MAX: its body has no number */
    int32_t partition;
    int16_t function, member; /* by index */
    int16_t status;           /* once ended; 0: cut, or certainly too late */
    bool ran;                 /* to its end, and not to say 503 */
};

enum gateway_mode { GATEWAY_WELL, GATEWAY_503, GATEWAY_SLOW, GATEWAY_HANG, GATEWAY_CUT };

struct open_call;

struct calls {
    struct faas_gateway *gateway;
    const struct plan *plan;
    struct call *list;
    size_t count, room;
    size_t done;       /* calls that were answered 200 */
    uint8_t *answered; /* by record: a bit for each function that was answered 200 */
    uint32_t records;  /* room in it */
    struct open_call *open;
    enum gateway_mode mode; /* by calls_set_mode */
    struct random random;
};

/* Deploys the plan's functions, bound to the topic, to be run on so many records. Initialised in
 * place: it must not move. */
void calls_init(struct calls *calls, uv_loop_t *loop, const struct plan *plan, const char *topic,
                uint32_t records);
void calls_release(struct calls *calls);

/* Calls that hang are answered now, whoever still listens. */
void calls_set_mode(struct calls *calls, enum gateway_mode mode);

/* "work1.openfaas-fn": what the connector calls a function in its progress. */
const char *calls_function_path(int function);

#endif
