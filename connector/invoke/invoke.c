/*
 * invoke: the mode, put together. See invoke.h.
 */
#include "invoke/invoke.h"

#include "admin/admin.h"
#include "base/footprint.h"
#include "base/log.h"
#include "core/dead_topic.h"
#include "gateway/functions.h"
#include "invoke/answers.h"
#include "invoke/ask.h"
#include "invoke/delay.h"
#include "invoke/dispatcher.h"
#include "invoke/options.h"
#include "invoke/topics.h"
#include "kafka/ask.h"
#include "kafka/consumer.h"
#include "kafka/dead_letter.h"

#include <signal.h>
#include <stdlib.h>

enum { LEAVE_MS = 1000 };

static struct {
    struct gateway_options gateway;
    struct http_options http;
    struct kafka_options kafka;
    struct consumer_options consumer;
    struct invoke_options invoke;
    struct admin_options admin;
} config;

static const struct option_group groups[] = {
    {&gateway_option_table, &config.gateway}, {&http_option_table, &config.http},
    {&kafka_option_table, &config.kafka},     {&consumer_option_table, &config.consumer},
    {&invoke_option_table, &config.invoke},   {&admin_option_table, &config.admin},
};

struct invoke {
    uv_loop_t loop;
    uv_signal_t term, interrupt;
    struct metrics *metrics;
    struct metrics_instance *values;
    struct http *http;
    struct caller *caller;
    struct functions *functions;
    struct consumer *consumer;
    struct dead_letters *dead_letters; /* NULL: there are none */
    struct dispatcher *dispatcher;
    struct topics *topics;
    struct admin *admin;
    struct admin_subject subject;
    struct delay *hurry;
    bool stopping, hurried;
    int status;
};

enum { I_MAP_AGE, I_MAP_FAULT, I_MAP_FUNCTIONS, I_REBALANCES, I_LOST, I_RENEWALS, I_KAFKA_ERRORS };

static const struct metric_row rows[] = {
    [I_MAP_AGE] = {METRIC_REAL, "kafka_connector_map_age_seconds",
                   "How long ago a good list of functions was read; -1: never."},
    [I_MAP_FAULT] = {METRIC_GAUGE, "kafka_connector_map_fault",
                     "1: the gateway's functions could not be read the last time, or not yet."},
    [I_MAP_FUNCTIONS] = {METRIC_GAUGE, "kafka_connector_map_functions",
                         "Functions with a topic annotation."},
    [I_REBALANCES] = {METRIC_COUNTER, "kafka_connector_rebalances_total",
                      "Assignments of partitions."},
    [I_LOST] = {METRIC_COUNTER, "kafka_connector_assignments_lost_total",
                "Assignments lost before they could be given up in order."},
    [I_RENEWALS] = {METRIC_COUNTER, "kafka_connector_client_renewals_total",
                    "Kafka clients recreated, because another member had the same instance_id."},
    [I_KAFKA_ERRORS] = {METRIC_COUNTER, "kafka_connector_kafka_errors_total",
                        "Errors that the Kafka client reported."},
};

static const struct metrics_table invoke_metrics = {{NULL}, rows, sizeof(rows) / sizeof(*rows)};

static const struct metrics_table *const metrics_tables[] = {
    &invoke_metrics, &dispatcher_metrics, &function_metrics, &answer_metrics, &partition_metrics};

const struct metrics_table *const *invoke_metrics_tables(size_t *count)
{
    *count = sizeof(metrics_tables) / sizeof(*metrics_tables);
    return metrics_tables;
}

const struct option_group *invoke_options(size_t *count)
{
    *count = sizeof(groups) / sizeof(*groups);
    return groups;
}

/* Both clients are given the same properties: what the first finds, the second would repeat. */
static void check_kafka(struct option_faults *faults)
{
    size_t before = faults->count;

    if (invoke_has_dead_letters(&config.invoke))
        config.consumer.hidden = dead_topic_pattern(config.invoke.dead_letter_topic);
    consumer_options_check(&config.kafka, &config.consumer, faults);
    if (invoke_has_dead_letters(&config.invoke) && faults->count == before)
        dead_letters_check(&config.kafka, faults);
}

void invoke_check(struct option_faults *faults)
{
    gateway_options_check(&config.gateway, faults);
    http_options_check(&config.http, faults);
    check_kafka(faults);
    invoke_options_check(&config.invoke, faults);
    admin_options_check(&config.admin, faults);
}

bool invoke_ask(FILE *to)
{
    struct name_set topics = {0};
    struct option_faults hints = {0};
    bool broker, gateway, good;

    invoke_options_hints(&config.invoke, &hints);
    for (size_t i = 0; i < hints.count; i++)
        fprintf(to, "configuration: %s\n", hints.items[i]);
    option_faults_release(&hints);
    broker = kafka_ask(&config.kafka, "broker_host", to);
    gateway = ask_gateway(&config.gateway, &config.http, &topics, to);
    good = broker && gateway;
    if (broker) {
        good &= ask_topics(&config.kafka, &config.invoke, &topics, to);
        good &= ask_dead_letters(&config.kafka, &config.invoke, &topics, to);
    }
    name_set_clear(&topics);
    return good;
}

/* ---- what is told ---- */

static double map_age(const struct invoke *invoke)
{
    int64_t confirmed = functions_confirmed_ms(invoke->functions);

    return confirmed < 0 ? -1 : (double)((int64_t)uv_now(&invoke->loop) - confirmed) / 1000;
}

/* That the group has fenced us passes; a new start would only fence the other sooner. */
static const char *broken(void *context)
{
    const struct invoke *invoke = context;
    const char *stuck = consumer_stuck(invoke->consumer);

    return stuck ? stuck : dispatcher_stalled(invoke->dispatcher);
}

static const char *unready(void *context)
{
    struct invoke *invoke = context;
    const char *fault = broken(context);

    if (fault)
        return fault;
    if (consumer_fault(invoke->consumer))
        return consumer_fault(invoke->consumer);
    if (invoke->stopping)
        return "stopping";
    if (!functions_map(invoke->functions))
        return "the gateway has not told its functions yet";
    if (consumer_state(invoke->consumer) == CONSUMER_IDLE)
        return "no topic to bind to: no function has a topic annotation";
    if (consumer_state(invoke->consumer) == CONSUMER_JOINING)
        return consumer_refused(invoke->consumer) ? consumer_refused(invoke->consumer)
                                                  : "waiting for the group to assign partitions";
    if (consumer_state(invoke->consumer) == CONSUMER_READING)
        return consumer_trouble(invoke->consumer);
    return dispatcher_fault(invoke->dispatcher);
}

static void add_status(void *context, json *status)
{
    struct invoke *invoke = context;
    const struct topic_map *map = functions_map(invoke->functions);
    json *about;

    json_add_text(status, "mode", "invoke");
    about = json_add_object(status, "map");
    json_add_number(about, "functions", map ? (int64_t)topic_map_size(map) : 0);
    json_add_real(about, "age_seconds", map_age(invoke));
    json_add_text(about, "fault", functions_fault(invoke->functions));
    about = json_add_object(status, "group");
    json_add_text(about, "group", config.consumer.group);
    json_add_text(about, "state", consumer_state_name(consumer_state(invoke->consumer)));
    json_add_text(about, "fault", consumer_fault(invoke->consumer));
    json_add_text(about, "unread", consumer_trouble(invoke->consumer));
    json_add_text(about, "refused", consumer_refused(invoke->consumer));
    json_add_number(about, "rebalances", consumer_counts(invoke->consumer)->rebalances);
    json_add_number(about, "lost", consumer_counts(invoke->consumer)->lost);
    topics_status(invoke->topics, status);
    dispatcher_status(invoke->dispatcher, status);
}

static void collect(void *context)
{
    struct invoke *invoke = context;
    const struct topic_map *map = functions_map(invoke->functions);
    const struct consumer_counts *counts = consumer_counts(invoke->consumer);
    union metric_value *values = invoke->values->values;

    values[I_MAP_AGE].real = map_age(invoke);
    values[I_MAP_FAULT].number = functions_fault(invoke->functions) != NULL;
    values[I_MAP_FUNCTIONS].number = map ? (int64_t)topic_map_size(map) : 0;
    values[I_REBALANCES].number = counts->rebalances;
    values[I_LOST].number = counts->lost;
    values[I_RENEWALS].number = counts->renewals;
    values[I_KAFKA_ERRORS].number = counts->errors;
    dispatcher_collect(invoke->dispatcher);
}

/* ---- what is done by hand ---- */

static int on_pause(void *context, const char *const *values, json *answer)
{
    const struct invoke *invoke = context;

    return dispatcher_pause(invoke->dispatcher, values[0], values[1], answer);
}

static int on_resume(void *context, const char *const *values, json *answer)
{
    const struct invoke *invoke = context;

    return dispatcher_resume(invoke->dispatcher, values[0], values[1], answer);
}

static const struct admin_action actions[] = {
    {"/pause", {"topic", "function"}, on_pause},
    {"/resume", {"topic", "function"}, on_resume},
    {NULL, {NULL}, NULL},
};

/* ---- how it ends ---- */

static void on_closed(void *context)
{
    struct invoke *invoke = context;

    delay_cancel(&invoke->hurry);
    uv_stop(&invoke->loop);
}

static void on_left(void *context)
{
    struct invoke *invoke = context;

    if (invoke->dead_letters)
        dead_letters_close(invoke->dead_letters, on_closed, invoke);
    else
        on_closed(invoke);
}

static void on_drained(void *context)
{
    struct invoke *invoke = context;

    consumer_close(invoke->consumer, on_left, invoke);
}

static void on_hurry(void *context)
{
    struct invoke *invoke = context;
    enum consumer_state state = consumer_state(invoke->consumer);

    invoke->hurry = NULL;
    if (state == CONSUMER_LEFT || state == CONSUMER_CLOSED) { /* the dead letters' may be left */
        log_warning(NULL,
                    "the group was left, but librdkafka does not come to its end: ending now");
    } else {
        log_error(NULL, "shutdown_timeout passed before the group was left: ending now");
        invoke->status = EXIT_FAILURE;
    }
    invoke->hurried = true;
    uv_stop(&invoke->loop);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct invoke *invoke = signal->data;
    int64_t timeout = config.invoke.shutdown_timeout;

    if (invoke->stopping)
        _Exit(128 + number);
    log_info(NULL,
             "Stopping on %s: what runs is waited for, at most shutdown_timeout; a second "
             "signal ends at once",
             number == SIGTERM ? "SIGTERM" : "SIGINT");
    invoke->stopping = true;
    topics_stop(invoke->topics);
    invoke->hurry = delay_start(&invoke->loop, timeout, on_hurry, invoke);
    /* The last commit and leaving the group need a part of the time. */
    dispatcher_stop(invoke->dispatcher, timeout > 2 * LEAVE_MS ? timeout - LEAVE_MS : timeout / 2,
                    on_drained, invoke);
}

/* ---- how it begins ---- */

static void on_map_changed(void *context)
{
    struct invoke *invoke = context;
    const struct topic_map *map = functions_map(invoke->functions);

    dispatcher_set_map(invoke->dispatcher, map);
    topics_set_map(invoke->topics, map);
}

static int64_t drain_timeout(const struct consumer *consumer)
{
    int64_t most = consumer_max_poll_interval_ms(consumer) / 2;
    int64_t timeout =
        config.invoke.drain_timeout ? config.invoke.drain_timeout : config.gateway.upstream_timeout;

    return timeout < most ? timeout : most;
}

static bool open_dead_letters(struct invoke *invoke, struct option_faults *faults)
{
    const char *topic = config.invoke.dead_letter_topic;

    if (!invoke_has_dead_letters(&config.invoke))
        return true;
    invoke->dead_letters = dead_letters_new(&invoke->loop, &config.kafka, topic, faults);
    return invoke->dead_letters != NULL;
}

static bool open_kafka(struct invoke *invoke, struct option_faults *faults)
{
    if (!open_dead_letters(invoke, faults))
        return false;
    invoke->consumer = consumer_new(&invoke->loop, &config.kafka, &config.consumer, faults);
    if (!invoke->consumer)
        return false;
    invoke->topics = topics_new(&invoke->loop, invoke->consumer, &config.invoke.topics,
                                config.invoke.dead_letter_topic);
    return true;
}

static bool open_gateway(struct invoke *invoke, struct option_faults *faults)
{
    const char *reason;

    invoke->http =
        http_new(&invoke->loop, &config.http, (size_t)config.invoke.max_inflight, &reason);
    if (!invoke->http) {
        option_fault(faults, "gateway: %s", reason);
        return false;
    }
    invoke->caller = caller_new(invoke->http, &config.gateway);
    invoke->functions =
        functions_new(&invoke->loop, invoke->http, &config.gateway, on_map_changed, invoke);
    return true;
}

static void open_dispatcher(struct invoke *invoke)
{
    const struct dispatcher_setup setup = {
        .loop = &invoke->loop,
        .source = consumer_source(invoke->consumer),
        .letters = invoke->dead_letters ? dead_letters_seam(invoke->dead_letters) : NULL,
        .caller = invoke->caller,
        .options = &config.invoke,
        .drain_timeout_ms = drain_timeout(invoke->consumer),
        .call_timeout_ms = config.gateway.upstream_timeout,
        .async = config.gateway.async_invocation,
        .metrics = invoke->metrics,
    };

    invoke->dispatcher = dispatcher_new(&setup);
}

static void watch_signal(struct invoke *invoke, uv_signal_t *signal, int number)
{
    uv_signal_init(&invoke->loop, signal);
    signal->data = invoke;
    uv_signal_start(signal, on_signal, number);
}

static bool open_all(struct invoke *invoke, struct option_faults *faults)
{
    invoke->metrics = metrics_new();
    invoke->values = metrics_add(invoke->metrics, &invoke_metrics, NULL);
    invoke->subject = (struct admin_subject){.broken = broken,
                                             .unready = unready,
                                             .status = add_status,
                                             .context = invoke,
                                             .actions = actions};
    if (!open_kafka(invoke, faults) || !open_gateway(invoke, faults))
        return false;
    open_dispatcher(invoke);
    metrics_on_collect(invoke->metrics, collect, invoke);
    invoke->admin =
        admin_new(&invoke->loop, &config.admin, invoke->metrics, &invoke->subject, faults);
    if (!invoke->admin)
        return false;
    watch_signal(invoke, &invoke->term, SIGTERM);
    watch_signal(invoke, &invoke->interrupt, SIGINT);
    return true;
}

/* In the reverse order; whatever was not opened is NULL. */
static void close_all(struct invoke *invoke)
{
    admin_free(invoke->admin);
    functions_free(invoke->functions);
    dispatcher_free(invoke->dispatcher);
    topics_free(invoke->topics);
    consumer_free(invoke->consumer);
    dead_letters_free(invoke->dead_letters);
    free(config.consumer.hidden);
    config.consumer.hidden = NULL;
    caller_free(invoke->caller);
    http_free(invoke->http);
    if (uv_is_active((uv_handle_t *)&invoke->term)) {
        uv_close((uv_handle_t *)&invoke->term, NULL);
        uv_close((uv_handle_t *)&invoke->interrupt, NULL);
    }
    metrics_free(invoke->metrics);
    uv_run(&invoke->loop, UV_RUN_DEFAULT); /* lets the handles close */
    uv_loop_close(&invoke->loop);
}

static void log_settings(void)
{
    struct option_faults hints = {0};

    log_info(NULL, "Gateway %s, broker %s, group %s", config.gateway.url,
             config.kafka.brokers.count ? config.kafka.brokers.items[0] : "",
             config.consumer.group);
    if (config.invoke.delivery == DELIVERY_AT_MOST_ONCE)
        log_info(NULL, "delivery=at-most-once: records are committed before they are called, and "
                       "what is not done then is lost");
    if (invoke_has_dead_letters(&config.invoke))
        log_info(NULL, "Dead letters go to %s", config.invoke.dead_letter_topic);
    invoke_options_hints(&config.invoke, &hints);
    for (size_t i = 0; i < hints.count; i++)
        log_warning(NULL, "%s", hints.items[i]);
    option_faults_release(&hints);
}

int invoke_run(struct option_faults *faults)
{
    struct invoke invoke = {.status = EXIT_SUCCESS};

    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&invoke.loop);
    if (open_all(&invoke, faults)) {
        log_settings();
        functions_start(invoke.functions);
        footprint_trim();
        uv_run(&invoke.loop, UV_RUN_DEFAULT);
        if (invoke.hurried)
            _Exit(invoke.status); /* a thread may still wait for a broker */
    }
    close_all(&invoke);
    if (invoke.stopping)
        log_info(NULL, "Stopped");
    return invoke.status;
}
