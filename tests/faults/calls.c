/* calls: see calls.h. */
#include "tests/faults/calls.h"

#include "base/xalloc.h"
#include "tests/faults/clock.h"
#include "tests/harness/fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { SLOW_LEAST_MS = 200, SLOW_MOST_MS = 1500 };

struct open_call {
    const struct faas_call *call; /* the key: the same in all events of a call */
    size_t index;
    UT_hash_handle hh;
};

static const char *const names[PLAN_FUNCTIONS_MAX] = {"work0", "work1"};

const char *calls_function_path(int function)
{
    static const char *const paths[PLAN_FUNCTIONS_MAX] = {"work0." FAAS_NAMESPACE,
                                                          "work1." FAAS_NAMESPACE};

    return paths[function];
}

static int16_t function_of(const struct faas_call *call)
{
    return (int16_t)(strcmp(call->function, calls_function_path(0)) == 0 ? 0 : 1);
}

/* Each member is told a Content-Type of its own. */
static int16_t member_of(const struct faas_call *call)
{
    const char *type = web_header(call->request, "Content-Type");
    const char *number = type ? strstr(type, "member=") : NULL;

    return (int16_t)(number ? strtol(number + strlen("member="), NULL, 10) : -1);
}

static uint32_t record_of(const struct faas_call *call)
{
    char text[16] = "", *rest;
    size_t size = call->body_size < sizeof(text) - 1 ? call->body_size : sizeof(text) - 1;
    unsigned long number;

    memcpy(text, call->body, size);
    number = strtoul(text, &rest, 10);
    return rest > text && *rest == ' ' ? (uint32_t)number : UINT32_MAX;
}

static void arrived(struct calls *calls, const struct faas_call *call)
{
    struct open_call *open = xcalloc(1, sizeof(*open));

    if (calls->count == calls->room) {
        calls->room = calls->room ? 2 * calls->room : 4096;
        calls->list = xrealloc(calls->list, calls->room * sizeof(*calls->list));
    }
    open->call = call;
    open->index = calls->count;
    HASH_ADD_PTR(calls->open, call, open);
    calls->list[calls->count++] = (struct call){
        .arrived_us = clock_from_monotonic(call->arrived_us),
        .offset = call->offset,
        .record = record_of(call),
        .partition = call->partition,
        .function = function_of(call),
        .member = member_of(call),
    };
}

static void ended(struct calls *calls, struct open_call *open, int status)
{
    struct call *call = &calls->list[open->index];

    call->ended_us = clock_us();
    call->status = (int16_t)(call->ended_us - call->arrived_us < LATE_US ? status : 0);
    if (call->status == 200 && call->record < calls->records) {
        calls->done++;
        calls->answered[call->record] |= (uint8_t)(1u << call->function);
    }
    HASH_DEL(calls->open, open);
    free(open);
}

static void on_event(void *context, enum faas_event event, const struct faas_call *call, int status)
{
    struct calls *calls = context;
    struct open_call *open;

    if (event == FAAS_ARRIVED) {
        arrived(calls, call);
        return;
    }
    HASH_FIND_PTR(calls->open, &call, open);
    if (!open)
        fail("the gateway ends a call that never came");
    if (event == FAAS_RAN)
        calls->list[open->index].ran = status == 200;
    else
        ended(calls, open, status);
}

static struct faas_reply decide(void *context, const struct faas_call *call)
{
    struct calls *calls = context;
    struct faas_reply reply = {0};

    (void)call;
    reply.latency_ms = random_between(&calls->random, 0, 2 * calls->plan->latency_ms);
    if (calls->mode == GATEWAY_503)
        reply.status = 503;
    else if (calls->mode == GATEWAY_SLOW)
        reply.latency_ms = random_between(&calls->random, SLOW_LEAST_MS, SLOW_MOST_MS);
    else if (calls->mode == GATEWAY_HANG)
        reply.latency_ms = FAAS_HELD;
    else if (calls->mode == GATEWAY_CUT && random_percent(&calls->random, 50))
        reply.end = FAAS_CUT_AFTER;
    return reply;
}

void calls_set_mode(struct calls *calls, enum gateway_mode mode)
{
    calls->mode = mode;
    for (int i = 0; i < calls->plan->functions; i++)
        faas_release(faas_find(calls->gateway, names[i]), -1);
}

void calls_init(struct calls *calls, uv_loop_t *loop, const struct plan *plan, const char *topic,
                uint32_t records)
{
    char *reason;

    *calls =
        (struct calls){.plan = plan, .records = records, .random = {plan->seed ^ UINT64_C(0xca11)}};
    calls->answered = xcalloc(records, 1);
    calls->gateway = faas_gateway_new(loop, "127.0.0.1:0", &reason);
    if (!calls->gateway)
        fail("the gateway: %s", reason);
    faas_observe(calls->gateway, on_event, calls);
    for (int i = 0; i < plan->functions; i++)
        faas_decide(faas_deploy(calls->gateway, names[i], NULL, topic), decide, calls);
}

void calls_release(struct calls *calls)
{
    struct open_call *open, *next;

    faas_gateway_free(calls->gateway); /* tells the end of each open call */
    HASH_ITER (hh, calls->open, open, next) {
        HASH_DEL(calls->open, open);
        free(open);
    }
    free(calls->list);
    free(calls->answered);
}
