/* service: see service.h. */
#include "producer/service.h"

#include "base/json.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "producer/batches.h"
#include "producer/clock.h"
#include "web/server.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    BODY_LIMIT = 64 * 1024,
    PATIENCE_MS = 5 * 1000, /* after a signal, for acknowledgements still to come */
    LINGER_MS = 100,        /* for the last answers to leave */
};

struct service {
    const struct producer_options *options;
    uv_loop_t loop;
    uv_signal_t interrupt, terminate;
    uv_timer_t patience;
    struct web_server *server;
    struct batches *batches;
    bool ending;
};

/* ---- answers ---- */

static void answer_json(struct web_request *request, int status, json *tree)
{
    char *text = json_print(tree, false);

    web_answer(request, status, "application/json", text, strlen(text), NULL);
    free(text);
    json_free(tree);
}

static void answer_fault(struct web_request *request, int status, const char *sentence)
{
    json *tree = json_object();

    json_add_text(tree, "error", sentence);
    answer_json(request, status, tree);
}

static void answer_health(struct web_request *request, void *context)
{
    json *tree = json_object();

    (void)context;
    json_add_text(tree, "status", "ok");
    answer_json(request, 200, tree);
}

/* ---- /produce ---- */

struct produce {
    struct service *service;
    struct web_request *request;
    int64_t count, size;
};

/* 5000 records sent, 83333.3 records/sec ..., and those that failed. Caller frees. */
static char *tell(const struct report *report)
{
    struct report copy = *report;
    size_t size;
    char *text;

    copy.out = open_memstream(&text, &size);
    report_close(&copy, clock_us());
    fclose(copy.out);
    while (size > 0 && text[size - 1] == '\n')
        text[--size] = '\0';
    return text;
}

static void on_linger(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void end_if_over(struct service *service)
{
    if (service->ending && batches_idle(service->batches))
        uv_timer_start(&service->patience, on_linger, LINGER_MS, 0);
}

static void on_produced(void *context, const struct report *report)
{
    struct produce *produce = context;
    json *tree = json_object();
    char *message = tell(report);

    log_info(NULL, "Produced %" PRIu64 " of %" PRId64 " records of %" PRId64 " bytes: %s",
             report->latency.count, produce->count, produce->size, message);
    json_add_number(tree, "produced", (int64_t)report->latency.count);
    json_add_number(tree, "failed", (int64_t)report->failed);
    json_add_text(tree, "message", message);
    answer_json(produce->request, report->failed ? 502 : 200, tree);
    end_if_over(produce->service);
    free(message);
    free(produce);
}

static void begin(struct service *service, struct web_request *request, struct order *order)
{
    struct produce *produce = xcalloc(1, sizeof(*produce));

    *produce = (struct produce){service, request, order->count, order->size};
    if (batches_begin(service->batches, order, on_produced, produce))
        return;
    free(produce);
    answer_fault(request, 503,
                 service->ending ? "the producer ends" : "64 requests are under way already");
}

static void answer_produce(struct web_request *request, void *context)
{
    struct order order;
    size_t size;
    const char *body = web_body(request, &size);
    char *reason;

    if (order_read(&order, body, size, &reason)) {
        begin(context, request, &order);
        order_release(&order);
        return;
    }
    answer_fault(request, 400, reason);
    free(reason);
}

static const struct web_route routes[] = {
    {"POST", "/produce", answer_produce},
    {"GET", "/health", answer_health},
    {NULL, NULL, NULL},
};

/* ---- its life ---- */

static void on_patience(uv_timer_t *timer)
{
    struct service *service = timer->data;

    batches_stop(service->batches, true);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct service *service = signal->data;
    bool again = service->ending;

    log_info(NULL, "%s: ends", strsignal(number));
    service->ending = true;
    batches_stop(service->batches, again);
    uv_timer_start(&service->patience, on_patience, PATIENCE_MS, 0);
    end_if_over(service);
}

static void await_signals(struct service *service)
{
    uv_signal_init(&service->loop, &service->interrupt);
    uv_signal_init(&service->loop, &service->terminate);
    uv_timer_init(&service->loop, &service->patience);
    service->interrupt.data = service->terminate.data = service->patience.data = service;
    uv_signal_start(&service->interrupt, on_signal, SIGINT);
    uv_signal_start(&service->terminate, on_signal, SIGTERM);
}

static void serve(struct service *service)
{
    log_info(NULL,
             "Listening on port %d: POST /produce {\"count\": N, \"messageSize\": N} to topic %s",
             web_server_port(service->server), service->options->topic);
    uv_run(&service->loop, UV_RUN_DEFAULT);
}

static void open_parts(struct service *service, struct option_faults *faults)
{
    char *reason = NULL;

    await_signals(service);
    service->batches = batches_new(&service->loop, service->options, faults);
    service->server = web_server_new(&service->loop, service->options->listen, BODY_LIMIT, routes,
                                     service, &reason);
    if (!service->server)
        option_fault(faults, "listen: %s", reason);
    free(reason);
}

static void close_parts(struct service *service)
{
    if (service->server)
        web_server_free(service->server);
    if (service->batches)
        batches_free(service->batches);
    uv_close((uv_handle_t *)&service->interrupt, NULL);
    uv_close((uv_handle_t *)&service->terminate, NULL);
    uv_close((uv_handle_t *)&service->patience, NULL);
    uv_run(&service->loop, UV_RUN_DEFAULT);
    uv_loop_close(&service->loop);
}

int service_run(const struct producer_options *options, struct option_faults *faults)
{
    struct service service = {.options = options};

    uv_loop_init(&service.loop);
    open_parts(&service, faults);
    if (faults->count == 0)
        serve(&service);
    close_parts(&service);
    return EXIT_SUCCESS;
}
