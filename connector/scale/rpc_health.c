/* rpc_health: see rpc_health.h. */
#include "scale/rpc_health.h"

#include "base/xalloc.h"
#include "scale/health.pb-c.h"
#include "scale/rpc_pack.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { LOOK_MS = 1000 };

typedef Grpc__Health__V1__HealthCheckRequest CheckRequest;
typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus Serving;

#define SERVING(status) GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__##status

/* What is asked about. */
enum whose { THE_PROCESS, OUR_SERVICE, NOBODYS };

struct watch {
    struct rpc_health *health;
    struct rpc_call *call;
    enum whose whose;
    Serving told;
    struct watch *prev, *next;
};

struct rpc_health {
    struct rpc_health_setup setup;
    uv_timer_t timer;
    struct watch *watches;
};

static enum whose whose_is(const struct rpc_health *health, const char *service)
{
    if (!*service)
        return THE_PROCESS;
    return strcmp(service, health->setup.service) == 0 ? OUR_SERVICE : NOBODYS;
}

static Serving serving(const struct rpc_health *health, enum whose whose)
{
    if (whose == NOBODYS)
        return SERVING(SERVICE_UNKNOWN);
    if (whose == OUR_SERVICE && health->setup.unready(health->setup.context))
        return SERVING(NOT_SERVING);
    return SERVING(SERVING);
}

static struct rpc_reply reply_of(Serving status)
{
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    response.status = status;
    return rpc_pack(&response.base);
}

static CheckRequest *unpack(struct rpc_bytes request, struct rpc_reply *reply)
{
    return rpc_unpack(&grpc__health__v1__health_check_request__descriptor, request, reply);
}

static struct rpc_reply check(void *context, struct rpc_bytes bytes)
{
    struct rpc_reply reply;
    CheckRequest *request = unpack(bytes, &reply);

    if (request) {
        Serving status = serving(context, whose_is(context, request->service));

        reply = status == SERVING(SERVICE_UNKNOWN)
                    ? rpc_reply_fault(GRPC_STATUS_NOT_FOUND, "there is no service \"%s\"",
                                      request->service)
                    : reply_of(status);
    }
    grpc__health__v1__health_check_request__free_unpacked(request, NULL);
    return reply;
}

/* ---- watching ---- */

static void tell(struct watch *watch, Serving status)
{
    watch->told = status;
    rpc_call_say(watch->call, reply_of(status));
}

static void on_look(uv_timer_t *timer)
{
    struct rpc_health *health = timer->data;
    struct watch *watch;

    DL_FOREACH (health->watches, watch) {
        Serving status = serving(health, watch->whose);

        if (status != watch->told)
            tell(watch, status);
    }
}

static void *begin_watch(void *context, struct rpc_bytes bytes, struct rpc_call *call)
{
    struct rpc_health *health = context;
    struct rpc_reply reply;
    CheckRequest *request = unpack(bytes, &reply);
    struct watch *watch;

    if (!request) {
        rpc_call_end(call, reply);
        return NULL;
    }
    watch = xcalloc(1, sizeof(*watch));
    watch->health = health;
    watch->call = call;
    watch->whose = whose_is(health, request->service);
    if (!health->watches)
        uv_timer_start(&health->timer, on_look, LOOK_MS, LOOK_MS);
    DL_APPEND(health->watches, watch);
    tell(watch, serving(health, watch->whose));
    grpc__health__v1__health_check_request__free_unpacked(request, NULL);
    return watch;
}

static void end_watch(void *context)
{
    struct watch *watch = context;
    struct rpc_health *health = watch->health;

    DL_DELETE(health->watches, watch);
    if (!health->watches)
        uv_timer_stop(&health->timer);
    free(watch);
}

/* ---- the service ---- */

static const struct rpc_method methods[] = {
    {"/grpc.health.v1.Health/Check", RPC_UNARY, .answer = check},
    {"/grpc.health.v1.Health/Watch", RPC_WATCH, .begin = begin_watch, .ended = end_watch},
};

struct rpc_service rpc_health_service(struct rpc_health *health)
{
    return (struct rpc_service){methods, sizeof(methods) / sizeof(*methods), health};
}

struct rpc_health *rpc_health_new(const struct rpc_health_setup *setup)
{
    struct rpc_health *health = xcalloc(1, sizeof(*health));

    health->setup = *setup;
    health->timer.data = health;
    uv_timer_init(setup->loop, &health->timer);
    return health;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void rpc_health_free(struct rpc_health *health)
{
    if (health)
        uv_close((uv_handle_t *)&health->timer, on_timer_closed);
}
