/* rpc_server: see rpc_server.h. */
#include "scale/rpc_server.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "scale/rpc_log.h"
#include "scale/rpc_private.h"
#include "scale/rpc_tls.h"
#include "web/listen.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

enum {
    ASKED_AHEAD = 16,    /* calls that may arrive within one turn of the loop */
    REFUSED_MAX = 1000,  /* calls over the bounds, while their refusal is on its way */
    STEP_MS = 30 * 1000, /* how long a request, and an answer, may take */
    SWEEP_MS = 1000,
    PATIENCE_MS = 2000, /* at the end */
    AGAIN_MS = 1000,
    MESSAGE_MAX = 1 << 20,
};

static const struct metric_row method_rows[] = {
    [RPC_CALLS] = {METRIC_COUNTER, "kafka_connector_grpc_calls_total",
                   "Calls and streams that have come."},
    [RPC_FAULTS] = {METRIC_COUNTER, "kafka_connector_grpc_faults_total",
                    "Those that were answered by an error."},
    [RPC_OPEN_NOW] = {METRIC_GAUGE, "kafka_connector_grpc_open",
                      "Calls and streams that are open now."},
};

const struct metrics_table rpc_method_metrics = {{"method"}, method_rows, 3};

static const struct metric_row refused_rows[] = {
    {METRIC_COUNTER, "kafka_connector_grpc_refused_total",
     "Calls and streams refused because there were grpc_max_calls or grpc_max_streams."},
};

const struct metrics_table rpc_refused_metrics = {{NULL}, refused_rows, 1};

/* ---- the bounds ---- */

void rpc_server_ask(struct rpc_server *server)
{
    const struct rpc_options *options = server->setup.options;
    size_t most = (size_t)(options->max_calls + options->max_streams) + REFUSED_MAX;

    while (!server->shutting && server->asked < ASKED_AHEAD && server->live + server->asked < most)
        rpc_call_ask(server);
}

void rpc_server_enter(struct rpc_call *call)
{
    union metric_value *counts = call->served->counts->values;

    DL_APPEND2(call->server->calls, call, prev, next_one);
    call->server->live++;
    counts[RPC_CALLS].number++;
    counts[RPC_OPEN_NOW].number++;
}

static size_t *count_of(struct rpc_call *call, size_t *most)
{
    struct rpc_server *server = call->server;
    bool stream = call->served->method->kind == RPC_WATCH;

    *most =
        (size_t)(stream ? server->setup.options->max_streams : server->setup.options->max_calls);
    return stream ? &server->streams : &server->busy;
}

bool rpc_server_admit(struct rpc_call *call)
{
    size_t most, *count = count_of(call, &most);

    call->admitted = *count < most;
    if (call->admitted)
        ++*count;
    else
        call->server->refused->values[0].number++;
    return call->admitted;
}

static void forget_step(struct rpc_call *call)
{
    if (call->timed)
        DL_DELETE2(call->server->timed, call, older, newer);
    call->timed = false;
}

void rpc_server_step(struct rpc_call *call, bool timed)
{
    forget_step(call);
    if (!timed)
        return;
    call->timed = true;
    call->step_ms = uv_now(call->server->setup.loop);
    DL_APPEND2(call->server->timed, call, older, newer);
}

static void end_if_over(struct rpc_server *server);

void rpc_server_leave(struct rpc_call *call)
{
    struct rpc_server *server = call->server;
    size_t most;

    forget_step(call);
    DL_DELETE2(server->calls, call, prev, next_one);
    server->live--;
    call->served->counts->values[RPC_OPEN_NOW].number--;
    if (call->admitted)
        --*count_of(call, &most);
    rpc_server_ask(server);
    end_if_over(server);
}

/* Who takes too long is let go: a client that opened a call and says nothing, or does not read. */
static void on_sweep(uv_timer_t *timer)
{
    struct rpc_server *server = timer->data;
    uint64_t now = uv_now(timer->loop);

    while (server->timed && now - server->timed->step_ms >= STEP_MS) {
        struct rpc_call *call = server->timed;

        forget_step(call);
        grpc_call_cancel_with_status(call->raw, GRPC_STATUS_DEADLINE_EXCEEDED,
                                     "the client took too long", NULL);
    }
}

/* ---- how it ends ---- */

static void open_again(struct rpc_server *server);

static void on_handle_closed(uv_handle_t *handle)
{
    struct rpc_server *server = handle->data;
    void (*closed)(void *context) = server->closed;
    void *context = server->context;

    if (--server->handles)
        return;
    free(server->served);
    free(server);
    closed(context);
}

static void on_queue_closed(void *context)
{
    struct rpc_server *server = context;

    assert(!server->calls && !server->asked);
    for (size_t i = 0; i < server->served_count; i++)
        metrics_remove(server->setup.metrics, server->served[i].counts);
    metrics_remove(server->setup.metrics, server->refused);
    rpc_tls_free(server->tls);
    grpc_shutdown_blocking(); /* allow: nothing of gRPC's runs on behind us */
    rpc_log_close();
    uv_close((uv_handle_t *)&server->sweep, on_handle_closed);
    uv_close((uv_handle_t *)&server->patience, on_handle_closed);
}

/* The end of its queue, when gRPC's server is gone and each call with it: a call that is there yet
 * may begin an operation, which behind the queue's end gRPC takes for a fault of ours. */
static void end_if_over(struct rpc_server *server)
{
    if (!server->closing || server->raw || server->calls || server->ended)
        return;
    server->ended = true;
    rpc_queue_close(server->queue, on_queue_closed, server);
}

static void on_down(void *owner, bool ok)
{
    struct rpc_server *server = owner;

    (void)ok;
    uv_timer_stop(&server->patience);
    grpc_server_destroy(server->raw);
    server->raw = NULL;
    if (server->closing)
        end_if_over(server);
    else
        open_again(server);
}

static void on_patience(uv_timer_t *timer)
{
    struct rpc_server *server = timer->data;

    grpc_server_cancel_all_calls(server->raw);
}

static void shut(struct rpc_server *server)
{
    struct rpc_call *call, *next;

    server->shutting = true;
    DL_FOREACH_SAFE2 (server->calls, call, next, next_one)
        rpc_call_stop(call);
    grpc_server_shutdown_and_notify(server->raw, rpc_queue_raw(server->queue), &server->on_down);
    uv_timer_start(&server->patience, on_patience, PATIENCE_MS, 0);
}

void rpc_server_close(struct rpc_server *server, void (*closed)(void *context), void *context)
{
    server->closing = true;
    server->closed = closed;
    server->context = context;
    if (server->raw && !server->shutting) {
        shut(server);
    } else if (!server->raw) {
        uv_timer_stop(&server->patience);
        end_if_over(server);
    }
}

/* ---- how it begins ---- */

#define NUMBER(name, number)                                                                       \
    {                                                                                              \
        .type = GRPC_ARG_INTEGER, .key = (name), .value.integer = (number)                         \
    }

static grpc_server *make_raw(const struct rpc_options *options)
{
    int streams = (int)(options->max_calls + options->max_streams) + REFUSED_MAX;
    grpc_arg arguments[] = {
        /* two processes would share the port, and neither know */
        NUMBER(GRPC_ARG_ALLOW_REUSEPORT, 0),
        NUMBER(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, MESSAGE_MAX),
        NUMBER(GRPC_ARG_MAX_CONCURRENT_STREAMS, streams),
        /* it bounds what comes, not what becomes of it */
        NUMBER(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
        NUMBER(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE),
        NUMBER(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 30 * 1000),
        NUMBER(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 15 * 60 * 1000),
        /* who is gone without a word is noticed within 40 s; 0: as often as that needs */
        NUMBER(GRPC_ARG_KEEPALIVE_TIME_MS, 30 * 1000),
        NUMBER(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10 * 1000),
        NUMBER(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        NUMBER(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
        /* how often clients may do the same */
        NUMBER(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10 * 1000),
        NUMBER(GRPC_ARG_ENABLE_CHANNELZ, 0),
    };
    const grpc_channel_args all = {sizeof(arguments) / sizeof(*arguments), arguments};

    return grpc_server_create(&all, NULL);
}

/* Why gRPC, which only logs it, could not listen; caller frees. */
static char *reason_of(const struct rpc_options *options, const char *address)
{
    char *reason = NULL;
    int port, fd = listen_on(address, &port, &reason);

    if (fd >= 0)
        close(fd);
    if (!reason)
        reason = xasprintf("gRPC cannot listen on %s%s", address,
                           rpc_options_tls(options) ? " with the certificate and the key that it "
                                                      "was given"
                                                    : "");
    return reason;
}

/* The port of `address`; 0: gRPC cannot listen there. */
static int add_port(struct rpc_server *server, const char *address)
{
    char *all = xasprintf("%s%s", *address == ':' ? "[::]" : "", address);
    grpc_server_credentials *credentials =
        server->tls ? rpc_tls_credentials(server->tls) : grpc_insecure_server_credentials_create();
    int port = grpc_server_add_http2_port(server->raw, all, credentials);

    grpc_server_credentials_release(credentials);
    free(all);
    return port;
}

/* False: a fault was added. */
static bool listen_at(struct rpc_server *server, struct option_faults *faults)
{
    const struct rpc_options *options = server->setup.options;
    char *address = rpc_options_address(options);
    const char *how = !server->tls ? "" : rpc_options_mutual(options) ? " (mutual TLS)" : " (TLS)";

    server->port = add_port(server, address);
    if (server->port) {
        log_info(NULL, "gRPC server listening on %s%s", address, how);
    } else {
        char *reason = reason_of(options, address);

        option_fault(faults, "grpc_listen: %s", reason);
        free(reason);
    }
    free(address);
    return server->port;
}

static void begin_calls(struct rpc_server *server)
{
    grpc_server_register_completion_queue(server->raw, rpc_queue_raw(server->queue), NULL);
    grpc_server_start(server->raw);
    server->shutting = false;
    rpc_server_ask(server);
}

/* ---- when gRPC has become deaf ---- */

static void on_again(uv_timer_t *timer)
{
    open_again(timer->data);
}

static void open_again(struct rpc_server *server)
{
    struct option_faults faults = {0};

    server->raw = make_raw(server->setup.options);
    if (listen_at(server, &faults)) {
        begin_calls(server);
        return;
    }
    log_error(NULL, "%s; trying again", faults.items[0]);
    option_faults_release(&faults);
    grpc_server_destroy(server->raw);
    server->raw = NULL;
    uv_timer_start(&server->patience, on_again, AGAIN_MS, 0);
}

/* Nothing makes it listen again but a new server. What used up the descriptors, connections most
 * likely, ends with the old one. */
static void on_deaf(void *context)
{
    struct rpc_server *server = context;

    if (!server->raw || server->shutting)
        return;
    log_error(NULL, "gRPC takes no more connections: all are closed, and it is opened again");
    shut(server);
}

/* ---- its methods ---- */

static void add_served(struct rpc_server *server, const struct rpc_method *method, void *context)
{
    struct rpc_served *served = &server->served[server->served_count++];
    const char *label = method ? method->path + 1 : "other";

    served->method = method;
    served->context = context;
    served->counts = metrics_add(server->setup.metrics, &rpc_method_metrics, &label);
}

static void add_methods(struct rpc_server *server)
{
    size_t count = 1;

    for (size_t i = 0; i < server->setup.count; i++)
        count += server->setup.services[i].count;
    server->served = xcalloc(count, sizeof(*server->served));
    for (size_t i = 0; i < server->setup.count; i++) {
        const struct rpc_service *service = &server->setup.services[i];

        for (size_t m = 0; m < service->count; m++)
            add_served(server, &service->methods[m], service->context);
    }
    add_served(server, NULL, NULL);
    server->refused = metrics_add(server->setup.metrics, &rpc_refused_metrics, NULL);
}

static void begin(struct rpc_server *server)
{
    uv_loop_t *loop = server->setup.loop;

    server->on_down = (struct rpc_tag){on_down, server};
    server->handles = 2;
    server->sweep.data = server->patience.data = server;
    uv_timer_init(loop, &server->sweep);
    uv_timer_init(loop, &server->patience);
    uv_timer_start(&server->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    add_methods(server);
    server->queue = rpc_queue_new(loop);
    begin_calls(server);
}

struct rpc_server *rpc_server_new(const struct rpc_server_setup *setup,
                                  struct option_faults *faults)
{
    struct rpc_server *server = xcalloc(1, sizeof(*server));

    server->setup = *setup;
    rpc_log_open(setup->loop, on_deaf, server);
    grpc_init();
    server->tls = rpc_options_tls(setup->options) ? rpc_tls_new(setup->options) : NULL;
    server->raw = make_raw(setup->options);
    if (listen_at(server, faults)) {
        begin(server);
        return server;
    }
    grpc_server_destroy(server->raw);
    rpc_tls_free(server->tls);
    grpc_shutdown_blocking();
    rpc_log_close();
    free(server);
    return NULL;
}

int rpc_server_port(const struct rpc_server *server)
{
    return server->port;
}
