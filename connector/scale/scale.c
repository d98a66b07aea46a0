/* scale: the mode, put together. See scale.h. */
#include "scale/scale.h"

#include "admin/admin.h"
#include "base/log.h"
#include "kafka/ask.h"
#include "scale/options.h"
#include "scale/rpc_health.h"
#include "scale/rpc_options.h"
#include "scale/rpc_reflection.h"
#include "scale/rpc_scaler.h"
#include "scale/rpc_server.h"
#include "scale/scaler.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS = SCALE_GROUPS + 1, TABLES_MAX = 16, SERVICES = 3, LEAVE_MS = 4500 };

static struct scale_config config;
static struct rpc_options rpc_options;
static struct option_group groups[GROUPS];
static const struct metrics_table *tables[TABLES_MAX];

struct scale {
    uv_loop_t loop;
    uv_signal_t term, interrupt;
    uv_timer_t leave;
    struct metrics *metrics;
    struct scaler *scaler;
    struct admin *admin;
    struct admin_subject subject;
    struct rpc_health *health;
    struct rpc_service services[SERVICES];
    struct rpc_server *server;
    bool stopping;
};

/* ---- before it runs ---- */

const struct option_group *scale_option_groups(size_t *count)
{
    if (!groups[0].table) {
        scale_config_init(&config, groups);
        groups[SCALE_GROUPS] = (struct option_group){&rpc_option_table, &rpc_options};
    }
    *count = GROUPS;
    return groups;
}

const struct metrics_table *const *scale_metrics_tables(size_t *count)
{
    const struct metrics_table *const *scaler = scaler_metrics_tables(count);

    assert(*count + 2 <= TABLES_MAX);
    memcpy(tables, scaler, *count * sizeof(*tables));
    tables[(*count)++] = &rpc_method_metrics;
    tables[(*count)++] = &rpc_refused_metrics;
    return tables;
}

void scale_check(struct option_faults *faults)
{
    scale_config_check(&config, faults);
    rpc_options_check(&rpc_options, faults);
}

bool scale_ask(FILE *to)
{
    return kafka_ask(&config.kafka, "bootstrapServers", to);
}

/* ---- how it ends ---- */

static void on_scaler_closed(void *context)
{
    struct scale *scale = context;

    uv_stop(&scale->loop);
}

/* A thread of librdkafka's, or a connection, does not come to its end: nothing waits for it. */
static void on_leave(uv_timer_t *timer)
{
    (void)timer;
    log_warning(NULL, "Not all has come to its end: ending now");
    _Exit(EXIT_SUCCESS);
}

/* Streams watch the scaler, so the server went first. Whatever was not opened is NULL. */
static void close_parts(void *context)
{
    struct scale *scale = context;

    rpc_health_free(scale->health);
    admin_free(scale->admin);
    if (scale->scaler)
        scaler_close(scale->scaler, on_scaler_closed, scale);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct scale *scale = signal->data;

    if (scale->stopping)
        _Exit(128 + number);
    log_info(NULL, "Stopping on %s", number == SIGTERM ? "SIGTERM" : "SIGINT");
    scale->stopping = true;
    uv_timer_start(&scale->leave, on_leave, LEAVE_MS, 0);
    rpc_server_close(scale->server, close_parts, scale);
}

static void close_rest(struct scale *scale)
{
    uv_close((uv_handle_t *)&scale->term, NULL);
    uv_close((uv_handle_t *)&scale->interrupt, NULL);
    uv_close((uv_handle_t *)&scale->leave, NULL);
    metrics_free(scale->metrics);
    uv_run(&scale->loop, UV_RUN_DEFAULT); /* lets the handles close */
    uv_loop_close(&scale->loop);
}

/* ---- how it begins ---- */

static bool open_server(struct scale *scale, struct option_faults *faults)
{
    const struct rpc_health_setup health = {.loop = &scale->loop,
                                            .service = RPC_SCALER_SERVICE,
                                            .unready = scale->subject.unready,
                                            .context = scale->subject.context};
    const struct rpc_server_setup setup = {.loop = &scale->loop,
                                           .options = &rpc_options,
                                           .metrics = scale->metrics,
                                           .services = scale->services,
                                           .count = SERVICES};

    scale->health = rpc_health_new(&health);
    scale->services[0] = rpc_scaler_service(scale->scaler);
    scale->services[1] = rpc_health_service(scale->health);
    scale->services[2] = rpc_reflection_service();
    scale->server = rpc_server_new(&setup, faults);
    return scale->server != NULL;
}

static bool open_parts(struct scale *scale, struct option_faults *faults)
{
    const struct scaler_setup setup = {&scale->loop, &config, scale->metrics};

    scale->scaler = scaler_new(&setup, faults);
    if (!scale->scaler)
        return false;
    scale->subject = scaler_subject(scale->scaler);
    scale->admin = admin_new(&scale->loop, &config.admin, scale->metrics, &scale->subject, faults);
    return scale->admin && open_server(scale, faults);
}

static void begin(struct scale *scale)
{
    scale->metrics = metrics_new();
    uv_loop_init(&scale->loop);
    uv_signal_init(&scale->loop, &scale->term);
    uv_signal_init(&scale->loop, &scale->interrupt);
    uv_timer_init(&scale->loop, &scale->leave);
    scale->term.data = scale->interrupt.data = scale;
}

int scale_run(struct option_faults *faults)
{
    struct scale scale = {0};

    signal(SIGPIPE, SIG_IGN);
    begin(&scale);
    if (open_parts(&scale, faults)) {
        uv_signal_start(&scale.term, on_signal, SIGTERM);
        uv_signal_start(&scale.interrupt, on_signal, SIGINT);
    } else {
        close_parts(&scale);
    }
    uv_run(&scale.loop, UV_RUN_DEFAULT);
    close_rest(&scale);
    if (scale.stopping)
        log_info(NULL, "Stopped");
    return EXIT_SUCCESS;
}
