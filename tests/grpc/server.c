/*
 * server: the gRPC server with a scripted scaler behind it, for the tests in Python beside it. It
 * takes the options of gRPC and of the log, says "port N" on stdout, and ends at SIGTERM; its
 * metrics are written to stdout at SIGUSR1.
 */
#include "base/log.h"
#include "scale/rpc_health.h"
#include "scale/rpc_reflection.h"
#include "scale/rpc_scaler.h"
#include "tests/grpc/scripted_scaler.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>

extern char **environ;

static struct rpc_options options;
static struct log_options log_options;
static const struct option_group groups[] = {{&rpc_option_table, &options},
                                             {&log_option_table, &log_options}};

static struct {
    uv_loop_t loop;
    uv_signal_t term, usr1;
    struct metrics *metrics;
    struct scaler *scaler;
    struct rpc_health *health;
    struct rpc_service services[3];
    struct rpc_server *server;
} parts;

static int tell(struct option_faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        fprintf(stderr, "server: %s\n", faults->items[i]);
    option_faults_release(faults);
    return 2;
}

static void on_closed(void *context)
{
    (void)context;
    rpc_health_free(parts.health);
    scripted_scaler_free(parts.scaler);
    uv_close((uv_handle_t *)&parts.term, NULL);
    uv_close((uv_handle_t *)&parts.usr1, NULL);
}

static void on_signal(uv_signal_t *signal, int number)
{
    char *text;

    if (number == SIGTERM) {
        uv_signal_stop(signal);
        rpc_server_close(parts.server, on_closed, NULL);
        return;
    }
    text = metrics_text(parts.metrics, NULL);
    printf("%s# end\n", text);
    fflush(stdout);
    free(text);
}

static bool open_server(struct option_faults *faults)
{
    const struct rpc_health_setup health = {&parts.loop, RPC_SCALER_SERVICE,
                                            scripted_scaler_unready, parts.scaler};
    const struct rpc_server_setup setup = {&parts.loop, &options, parts.metrics, parts.services,
                                           sizeof(parts.services) / sizeof(*parts.services)};

    parts.health = rpc_health_new(&health);
    parts.services[0] = rpc_scaler_service(parts.scaler);
    parts.services[1] = rpc_health_service(parts.health);
    parts.services[2] = rpc_reflection_service();
    parts.server = rpc_server_new(&setup, faults);
    return parts.server != NULL;
}

static void run(struct option_faults *faults)
{
    uv_loop_init(&parts.loop);
    uv_signal_init(&parts.loop, &parts.term);
    uv_signal_init(&parts.loop, &parts.usr1);
    parts.metrics = metrics_new();
    parts.scaler = scripted_scaler_new();
    if (open_server(faults)) {
        uv_signal_start(&parts.term, on_signal, SIGTERM);
        uv_signal_start(&parts.usr1, on_signal, SIGUSR1);
        printf("port %d\n", rpc_server_port(parts.server));
        fflush(stdout);
    } else {
        on_closed(NULL);
    }
    uv_run(&parts.loop, UV_RUN_DEFAULT);
    metrics_free(parts.metrics);
}

int main(int argc, char **argv)
{
    const struct option_input input = {.argc = argc - 1, .argv = argv + 1, .environment = environ};
    struct option_faults faults = {0};

    mallopt(M_ARENA_MAX, 1); /* as the program does */
    signal(SIGPIPE, SIG_IGN);
    option_read(groups, 2, &input, &faults);
    if (!faults.count)
        rpc_options_check(&options, &faults);
    if (!faults.count) {
        log_configure(&log_options, stderr);
        run(&faults);
    }
    option_release(groups, 2);
    if (faults.count)
        return tell(&faults);
    return uv_loop_close(&parts.loop) ? 1 : 0;
}
