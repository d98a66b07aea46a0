/* rpc_scaler: see rpc_scaler.h. */
#include "scale/rpc_scaler.h"

#include "base/xalloc.h"
#include "scale/externalscaler.pb-c.h"
#include "scale/rpc_pack.h"

#include <stdlib.h>

enum { REF_MAX = 64 * 1024 };

typedef Externalscaler__ScaledObjectRef ObjectRef;

struct watch {
    struct scaler_watcher *watcher;
    struct rpc_call *call;
    int told; /* what was said last; -1: nothing */
};

/* ---- requests ---- */

/* A reference unpacked, as the scaler takes it; its texts are the message's. */
struct ref {
    struct scaler_ref ref;
    struct scaler_entry entries[SCALER_ENTRIES_MAX];
};

static bool read_ref(struct ref *to, const ObjectRef *from, struct rpc_reply *reply)
{
    static const ObjectRef nobody = EXTERNALSCALER__SCALED_OBJECT_REF__INIT;

    if (!from)
        from = &nobody;
    if (from->n_scalermetadata > SCALER_ENTRIES_MAX ||
        protobuf_c_message_get_packed_size(&from->base) > REF_MAX) {
        *reply = rpc_reply_fault(GRPC_STATUS_INVALID_ARGUMENT,
                                 "scalerMetadata: more than %d entries or %d bytes",
                                 SCALER_ENTRIES_MAX, REF_MAX);
        return false;
    }
    to->ref =
        (struct scaler_ref){from->namespace_, from->name, to->entries, from->n_scalermetadata};
    for (size_t i = 0; i < from->n_scalermetadata; i++) {
        to->entries[i].key = from->scalermetadata[i]->key;
        to->entries[i].value = from->scalermetadata[i]->value;
    }
    return true;
}

/* ---- replies ---- */

static struct rpc_reply fault_of(const struct scaler_answer *answer)
{
    return rpc_reply_fault(answer->status == SCALER_INVALID ? GRPC_STATUS_INVALID_ARGUMENT
                                                            : GRPC_STATUS_UNAVAILABLE,
                           "%s", answer->reason);
}

static struct rpc_reply active_reply(const struct scaler_answer *answer)
{
    Externalscaler__IsActiveResponse response = EXTERNALSCALER__IS_ACTIVE_RESPONSE__INIT;

    response.result = answer->active;
    return rpc_pack(&response.base);
}

static struct rpc_reply spec_reply(const struct scaler_answer *answer)
{
    Externalscaler__GetMetricSpecResponse response = EXTERNALSCALER__GET_METRIC_SPEC_RESPONSE__INIT;
    Externalscaler__MetricSpec spec = EXTERNALSCALER__METRIC_SPEC__INIT, *specs = &spec;

    spec.metricname = SCALER_METRIC;
    spec.targetsize = answer->target;
    spec.targetsizefloat = (double)answer->target;
    response.metricspecs = &specs;
    response.n_metricspecs = 1;
    return rpc_pack(&response.base);
}

static struct rpc_reply value_reply(const struct scaler_answer *answer)
{
    Externalscaler__GetMetricsResponse response = EXTERNALSCALER__GET_METRICS_RESPONSE__INIT;
    Externalscaler__MetricValue value = EXTERNALSCALER__METRIC_VALUE__INIT, *values = &value;

    value.metricname = SCALER_METRIC;
    value.metricvalue = answer->value;
    value.metricvaluefloat = (double)answer->value;
    response.metricvalues = &values;
    response.n_metricvalues = 1;
    return rpc_pack(&response.base);
}

static struct rpc_reply reply_of(const struct scaler_answer *answer,
                                 struct rpc_reply (*write)(const struct scaler_answer *answer))
{
    return answer->status == SCALER_OK ? write(answer) : fault_of(answer);
}

/* ---- calls ---- */

static struct rpc_reply is_active(void *context, struct rpc_bytes request)
{
    struct rpc_reply reply;
    ObjectRef *message =
        rpc_unpack(&externalscaler__scaled_object_ref__descriptor, request, &reply);
    struct ref ref;

    if (message && read_ref(&ref, message, &reply)) {
        struct scaler_answer answer = scaler_ask(context, SCALER_IS_ACTIVE, &ref.ref);

        reply = reply_of(&answer, active_reply);
    }
    externalscaler__scaled_object_ref__free_unpacked(message, NULL);
    return reply;
}

static struct rpc_reply get_metric_spec(void *context, struct rpc_bytes request)
{
    struct rpc_reply reply;
    ObjectRef *message =
        rpc_unpack(&externalscaler__scaled_object_ref__descriptor, request, &reply);
    struct ref ref;

    if (message && read_ref(&ref, message, &reply)) {
        struct scaler_answer answer = scaler_spec(context, &ref.ref);

        reply = reply_of(&answer, spec_reply);
    }
    externalscaler__scaled_object_ref__free_unpacked(message, NULL);
    return reply;
}

/* There is one metric, so its name in the request says nothing. */
static struct rpc_reply get_metrics(void *context, struct rpc_bytes request)
{
    struct rpc_reply reply;
    Externalscaler__GetMetricsRequest *message =
        rpc_unpack(&externalscaler__get_metrics_request__descriptor, request, &reply);
    struct ref ref;

    if (message && read_ref(&ref, message->scaledobjectref, &reply)) {
        struct scaler_answer answer = scaler_ask(context, SCALER_GET_METRICS, &ref.ref);

        reply = reply_of(&answer, value_reply);
    }
    externalscaler__get_metrics_request__free_unpacked(message, NULL);
    return reply;
}

/* ---- streams ---- */

static void say_active(struct watch *watch, const struct scaler_answer *answer)
{
    if (answer->status != SCALER_OK || watch->told == answer->active)
        return;
    watch->told = answer->active;
    rpc_call_say(watch->call, active_reply(answer));
}

static void unwatch(void *context)
{
    struct watch *watch = context;

    scaler_unwatch(watch->watcher);
    free(watch);
}

static void on_changed(void *context, const struct scaler_answer *answer)
{
    struct watch *watch = context;

    if (answer->status != SCALER_INVALID) {
        say_active(watch, answer);
        return;
    }
    rpc_call_end(watch->call, fault_of(answer));
    unwatch(watch);
}

static struct watch *watch_ref(struct scaler *scaler, const struct scaler_ref *ref,
                               struct rpc_call *call)
{
    struct watch *watch = xcalloc(1, sizeof(*watch));
    struct scaler_answer first;

    watch->call = call;
    watch->told = -1;
    watch->watcher = scaler_watch(scaler, ref, on_changed, watch, &first);
    if (watch->watcher) {
        say_active(watch, &first);
        return watch;
    }
    rpc_call_end(call, fault_of(&first));
    free(watch);
    return NULL;
}

static void *stream_is_active(void *context, struct rpc_bytes request, struct rpc_call *call)
{
    struct rpc_reply reply;
    ObjectRef *message =
        rpc_unpack(&externalscaler__scaled_object_ref__descriptor, request, &reply);
    struct watch *watch = NULL;
    struct ref ref;

    if (message && read_ref(&ref, message, &reply))
        watch = watch_ref(context, &ref.ref, call);
    else
        rpc_call_end(call, reply);
    externalscaler__scaled_object_ref__free_unpacked(message, NULL);
    return watch;
}

/* The target is the metadata's, or an option's: as long as the stream lives it stays. */
static void *stream_metric_spec(void *context, struct rpc_bytes request, struct rpc_call *call)
{
    struct rpc_reply reply = get_metric_spec(context, request);

    if (reply.status == GRPC_STATUS_OK)
        rpc_call_say(call, reply);
    else
        rpc_call_end(call, reply);
    return NULL;
}

#define PATH "/" RPC_SCALER_SERVICE "/"

static const struct rpc_method methods[] = {
    {PATH "IsActive", RPC_UNARY, .answer = is_active},
    {PATH "StreamIsActive", RPC_WATCH, .begin = stream_is_active, .ended = unwatch},
    {PATH "GetMetricSpec", RPC_UNARY, .answer = get_metric_spec},
    {PATH "GetMetrics", RPC_UNARY, .answer = get_metrics},
    {PATH "StreamMetricSpec", RPC_WATCH, .begin = stream_metric_spec},
};

struct rpc_service rpc_scaler_service(struct scaler *scaler)
{
    return (struct rpc_service){methods, sizeof(methods) / sizeof(*methods), scaler};
}
