/* rpc_client: see rpc_client.h. */
#include "scale/rpc_client.h"

#include "base/file.h"
#include "base/pem.h"
#include "base/xalloc.h"
#include "scale/externalscaler.pb-c.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>
#include <stdlib.h>
#include <string.h>

#define AT(name) offsetof(struct rpc_client_options, name)

static const struct option_row rows[] = {
    {.name = "scaler",
     .type = OPTION_STRING,
     .offset = AT(address),
     .default_text = "localhost:50051",
     .value_name = "HOST:PORT",
     .text = "The scaler that is asked."},
    {.name = "name",
     .type = OPTION_STRING,
     .offset = AT(name),
     .default_text = "ask",
     .text = "Name of the scaled object.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "namespace",
     .type = OPTION_STRING,
     .offset = AT(namespace),
     .default_text = "default",
     .text = "Its namespace.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "metadata",
     .type = OPTION_PROPERTIES,
     .offset = AT(metadata),
     .text =
         "A key of the trigger's metadata: --metadata topic=orders. May be given several times.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "ca_file",
     .type = OPTION_PATH,
     .offset = AT(ca_file),
     .value_name = "FILE",
     .text = "Certificate authorities (PEM), one of which must have signed the scaler's "
             "certificate. With it TLS is used."},
    {.name = "cert_file",
     .type = OPTION_PATH,
     .offset = AT(cert_file),
     .value_name = "FILE",
     .text = "Client certificate (PEM) shown to the scaler."},
    {.name = "key_file",
     .type = OPTION_PATH,
     .offset = AT(key_file),
     .value_name = "FILE",
     .text = "Private key (PEM) of cert_file."},
    {.name = "server_name",
     .type = OPTION_STRING,
     .offset = AT(server_name),
     .text = "Whose certificate the scaler must show, where that is not the host that is asked (a "
             "forwarded port).",
     .flags = OPTION_FLAG_ONLY},
    {.name = "timeout",
     .type = OPTION_DURATION,
     .offset = AT(timeout),
     .default_text = "5s",
     .min = 1,
     .max = 10 * 60 * 1000,
     .text = "How long an answer is waited for.",
     .flags = OPTION_FLAG_ONLY},
};

const struct option_table rpc_client_option_table = {"Ask", rows, sizeof(rows) / sizeof(*rows)};

struct rpc_client {
    const struct rpc_client_options *options;
    grpc_completion_queue *queue;
    grpc_channel *channel;
    Externalscaler__ScaledObjectRef ref;
    char *metric; /* its name, once the scaler has said it */
};

/* ---- one call ---- */

struct call {
    grpc_call *raw;
    grpc_byte_buffer *sent, *received;
    grpc_metadata_array head, tail;
    grpc_status_code status;
    grpc_slice details;
};

/* Runs it to its end. */
static void run_call(struct rpc_client *client, struct call *call)
{
    grpc_op operations[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = call->sent},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA,
         .data.recv_initial_metadata.recv_initial_metadata = &call->head},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->received},
        {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
         .data.recv_status_on_client = {.trailing_metadata = &call->tail,
                                        .status = &call->status,
                                        .status_details = &call->details}},
    };
    grpc_call_error error = grpc_call_start_batch(
        call->raw, operations, sizeof(operations) / sizeof(*operations), call, NULL);

    GPR_ASSERT(error == GRPC_CALL_OK);
    grpc_completion_queue_pluck(client->queue, call, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
}

static void call_init(struct rpc_client *client, struct call *call, const char *method,
                      const ProtobufCMessage *request)
{
    char *path = xasprintf("/externalscaler.ExternalScaler/%s", method);
    grpc_slice message = grpc_slice_malloc(protobuf_c_message_get_packed_size(request));
    gpr_timespec timeout = gpr_time_from_millis(client->options->timeout, GPR_TIMESPAN);
    grpc_slice path_slice = grpc_slice_from_copied_string(path);

    *call = (struct call){.details = grpc_empty_slice()};
    protobuf_c_message_pack(request, GRPC_SLICE_START_PTR(message));
    call->sent = grpc_raw_byte_buffer_create(&message, 1);
    grpc_metadata_array_init(&call->head);
    grpc_metadata_array_init(&call->tail);
    call->raw = grpc_channel_create_call(client->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                         client->queue, path_slice, NULL,
                                         gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), timeout), NULL);
    grpc_slice_unref(path_slice);
    grpc_slice_unref(message);
    free(path);
}

static void call_release(struct call *call)
{
    grpc_byte_buffer_destroy(call->sent);
    grpc_byte_buffer_destroy(call->received);
    grpc_metadata_array_destroy(&call->head);
    grpc_metadata_array_destroy(&call->tail);
    grpc_slice_unref(call->details);
    grpc_call_unref(call->raw);
}

static ProtobufCMessage *unpack(const ProtobufCMessageDescriptor *type, grpc_byte_buffer *bytes)
{
    grpc_byte_buffer_reader reader;
    ProtobufCMessage *message;
    grpc_slice all;

    if (!bytes || !grpc_byte_buffer_reader_init(&reader, bytes))
        return NULL;
    all = grpc_byte_buffer_reader_readall(&reader);
    message =
        protobuf_c_message_unpack(type, NULL, GRPC_SLICE_LENGTH(all), GRPC_SLICE_START_PTR(all));
    grpc_slice_unref(all);
    grpc_byte_buffer_reader_destroy(&reader);
    return message;
}

/* By its number in the protocol. */
static const char *status_name(grpc_status_code status)
{
    static const char *const names[] = {"OK",
                                        "CANCELLED",
                                        "UNKNOWN",
                                        "INVALID_ARGUMENT",
                                        "DEADLINE_EXCEEDED",
                                        "NOT_FOUND",
                                        "ALREADY_EXISTS",
                                        "PERMISSION_DENIED",
                                        "RESOURCE_EXHAUSTED",
                                        "FAILED_PRECONDITION",
                                        "ABORTED",
                                        "OUT_OF_RANGE",
                                        "UNIMPLEMENTED",
                                        "INTERNAL",
                                        "UNAVAILABLE",
                                        "DATA_LOSS",
                                        "UNAUTHENTICATED"};

    return (size_t)status < sizeof(names) / sizeof(*names) ? names[status] : "UNKNOWN";
}

static char *fault_of(const char *method, const struct call *call)
{
    char *details = grpc_slice_to_c_string(call->details);
    char *reason = call->status == GRPC_STATUS_OK
                       ? xasprintf("%s: the answer cannot be read", method)
                       : xasprintf("%s: %s: %s", method, status_name(call->status), details);

    gpr_free(details);
    return reason;
}

/* The answer, freed by protobuf_c_message_free_unpacked; NULL: *reason. */
static ProtobufCMessage *ask(struct rpc_client *client, const char *method,
                             const ProtobufCMessage *request,
                             const ProtobufCMessageDescriptor *type, char **reason)
{
    ProtobufCMessage *answer = NULL;
    struct call call;

    call_init(client, &call, method, request);
    run_call(client, &call);
    if (call.status == GRPC_STATUS_OK)
        answer = unpack(type, call.received);
    if (!answer)
        *reason = fault_of(method, &call);
    call_release(&call);
    return answer;
}

/* ---- what KEDA asks ---- */

static char *nothing_in(const char *method)
{
    return xasprintf("%s: there is nothing in the answer", method);
}

static bool ask_spec(struct rpc_client *client, struct rpc_verdict *verdict, char **reason)
{
    ProtobufCMessage *answer = ask(client, "GetMetricSpec", &client->ref.base,
                                   &externalscaler__get_metric_spec_response__descriptor, reason);
    const Externalscaler__GetMetricSpecResponse *specs = (void *)answer;
    bool good = answer && specs->n_metricspecs > 0;

    if (answer && !good)
        *reason = nothing_in("GetMetricSpec");
    if (good) {
        const Externalscaler__MetricSpec *spec = specs->metricspecs[0];

        free(client->metric);
        client->metric = xstrdup(spec->metricname);
        verdict->target =
            spec->targetsizefloat > 0 ? spec->targetsizefloat : (double)spec->targetsize;
    }
    protobuf_c_message_free_unpacked(answer, NULL);
    return good;
}

static bool ask_value(struct rpc_client *client, struct rpc_verdict *verdict, char **reason)
{
    Externalscaler__GetMetricsRequest request = EXTERNALSCALER__GET_METRICS_REQUEST__INIT;
    const Externalscaler__GetMetricsResponse *values;
    ProtobufCMessage *answer;
    bool good;

    request.scaledobjectref = &client->ref;
    request.metricname = client->metric;
    answer = ask(client, "GetMetrics", &request.base,
                 &externalscaler__get_metrics_response__descriptor, reason);
    values = (void *)answer;
    good = answer && values->n_metricvalues > 0;
    if (answer && !good)
        *reason = nothing_in("GetMetrics");
    if (good) {
        const Externalscaler__MetricValue *value = values->metricvalues[0];

        verdict->value =
            value->metricvaluefloat > 0 ? value->metricvaluefloat : (double)value->metricvalue;
    }
    protobuf_c_message_free_unpacked(answer, NULL);
    return good;
}

static bool ask_activity(struct rpc_client *client, struct rpc_verdict *verdict, char **reason)
{
    ProtobufCMessage *answer = ask(client, "IsActive", &client->ref.base,
                                   &externalscaler__is_active_response__descriptor, reason);

    if (!answer)
        return false;
    verdict->active = ((const Externalscaler__IsActiveResponse *)(void *)answer)->result;
    protobuf_c_message_free_unpacked(answer, NULL);
    return true;
}

bool rpc_client_ask(struct rpc_client *client, struct rpc_verdict *verdict, char **reason)
{
    *verdict = (struct rpc_verdict){0};
    return ask_spec(client, verdict, reason) && ask_value(client, verdict, reason) &&
           ask_activity(client, verdict, reason);
}

/* ---- its life ---- */

static void add_metadata(Externalscaler__ScaledObjectRef *ref, const char *pair)
{
    const char *equals = strchr(pair, '=');
    Externalscaler__ScaledObjectRef__ScalerMetadataEntry *entry = xmalloc(sizeof(*entry));

    externalscaler__scaled_object_ref__scaler_metadata_entry__init(entry);
    entry->key = xstrndup(pair, (size_t)(equals - pair));
    entry->value = xstrdup(equals + 1);
    ref->scalermetadata[ref->n_scalermetadata++] = entry;
}

static void make_ref(struct rpc_client *client)
{
    const struct option_list *metadata = &client->options->metadata;

    externalscaler__scaled_object_ref__init(&client->ref);
    client->ref.name = client->options->name;
    client->ref.namespace_ = client->options->namespace;
    client->ref.scalermetadata = xcalloc(metadata->count + 1, sizeof(*client->ref.scalermetadata));
    for (size_t i = 0; i < metadata->count; i++)
        add_metadata(&client->ref, metadata->items[i]);
}

static void release_ref(Externalscaler__ScaledObjectRef *ref)
{
    for (size_t i = 0; i < ref->n_scalermetadata; i++) {
        free(ref->scalermetadata[i]->key);
        free(ref->scalermetadata[i]->value);
        free(ref->scalermetadata[i]);
    }
    free(ref->scalermetadata);
}

/* NULL: there is no such file to read; or a fault was added. */
static char *read_pem(const char *name, const char *path, struct option_faults *faults)
{
    const char *reason;
    char *text = path ? file_read(path, PEM_LIMIT, NULL, &reason) : NULL;

    if (path && !text)
        option_fault(faults, "%s: cannot read %s: %s", name, path, reason);
    return text;
}

static grpc_channel_credentials *tls_credentials(const struct rpc_client_options *options,
                                                 struct option_faults *faults)
{
    const char *key_file = options->key_file ? options->key_file : options->cert_file;
    char *roots = read_pem("ca_file", options->ca_file, faults);
    char *cert = read_pem("cert_file", options->cert_file, faults);
    char *key = read_pem("key_file", key_file, faults);
    grpc_ssl_pem_key_cert_pair pair = {key, cert};
    grpc_channel_credentials *credentials =
        faults->count ? NULL : grpc_ssl_credentials_create(roots, cert ? &pair : NULL, NULL, NULL);

    free(roots);
    free(cert);
    xfree_secret(key);
    return credentials;
}

static grpc_channel *open_channel(const struct rpc_client_options *options,
                                  struct option_faults *faults)
{
    bool tls = options->ca_file || options->cert_file;
    grpc_channel_credentials *credentials =
        tls ? tls_credentials(options, faults) : grpc_insecure_credentials_create();
    grpc_arg arguments[] = {
        {.type = GRPC_ARG_INTEGER, .key = GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, .value.integer = 1000},
        {.type = GRPC_ARG_INTEGER, .key = GRPC_ARG_ENABLE_HTTP_PROXY, .value.integer = 0},
        {.type = GRPC_ARG_STRING,
         .key = GRPC_SSL_TARGET_NAME_OVERRIDE_ARG,
         .value.string = options->server_name},
    };
    grpc_channel_args all = {tls && options->server_name ? 3 : 2, arguments};
    grpc_channel *channel = NULL;

    if (credentials)
        channel = grpc_channel_create(options->address, credentials, &all);
    grpc_channel_credentials_release(credentials);
    return channel;
}

/* The status says what a person needs. */
static void ignore_line(gpr_log_func_args *args)
{
    (void)args;
}

struct rpc_client *rpc_client_new(const struct rpc_client_options *options,
                                  struct option_faults *faults)
{
    struct rpc_client *client = xcalloc(1, sizeof(*client));

    gpr_set_log_function(ignore_line);
    grpc_init();
    client->options = options;
    client->queue = grpc_completion_queue_create_for_pluck(NULL);
    client->channel = open_channel(options, faults);
    make_ref(client);
    if (client->channel)
        return client;
    rpc_client_free(client);
    return NULL;
}

static void close_queue(grpc_completion_queue *queue)
{
    grpc_completion_queue_shutdown(queue);
    grpc_completion_queue_destroy(queue);
}

void rpc_client_free(struct rpc_client *client)
{
    if (client->channel)
        grpc_channel_destroy(client->channel);
    close_queue(client->queue);
    grpc_shutdown_blocking(); /* allow: its threads end first */
    release_ref(&client->ref);
    free(client->metric);
    free(client);
}
