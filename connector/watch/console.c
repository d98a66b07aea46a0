/* console: see console.h. */
#include "watch/console.h"

enum { C_BINDINGS, C_FAULT, C_CHECKS, C_SECONDS, C_LATE, C_SETTINGS };

static const struct metric_row rows[] = {
    [C_BINDINGS] = {METRIC_GAUGE, "kafka_connector_bindings", "Bindings that are watched."},
    [C_FAULT] = {METRIC_GAUGE, "kafka_connector_kafka_fault",
                 "1: nothing could be read of Kafka at the last check."},
    [C_CHECKS] = {METRIC_COUNTER, "kafka_connector_checks_total",
                  "Checks of all bindings that have ended."},
    [C_SECONDS] = {METRIC_REAL, "kafka_connector_check_seconds", "How long the last check took."},
    [C_LATE] = {METRIC_COUNTER, "kafka_connector_late_groups_total",
                "Groups whose answer did not come within Kafka__KafkaTimeoutSeconds."},
    [C_SETTINGS] = {METRIC_GAUGE, "kafka_connector_settings_fault",
                    "1: the settings that were read last have faults and were not taken up."},
};

const struct metrics_table console_metrics = {{NULL}, rows, sizeof(rows) / sizeof(*rows)};

static const struct metric_row request_rows[] = {
    {METRIC_COUNTER, "kafka_connector_kafka_requests_total", "Requests sent to the brokers."},
};

const struct metrics_table request_metrics = {{"request"}, request_rows, 1};

static const char *const request_names[] = {
    [SAMPLER_METADATA] = "Metadata",
    [SAMPLER_LIST_OFFSETS] = "ListOffsets",
    [SAMPLER_OFFSET_FETCH] = "OffsetFetch",
    [SAMPLER_FIND_COORDINATOR] = "FindCoordinator",
};

static void collect(void *context)
{
    const struct console *console = context;
    const struct sampler_counts counts = sampler_counts(console->sampler);
    union metric_value *values = console->values->values;

    values[C_BINDINGS].number = (int64_t)bindings_count(console->bindings);
    values[C_FAULT].number = sampler_fault(console->sampler) != NULL;
    values[C_CHECKS].number = counts.ticks;
    values[C_SECONDS].real = (double)counts.tick_ms / 1000;
    values[C_LATE].number = counts.late_groups;
    values[C_SETTINGS].number = console->settings_fault;
    for (size_t i = 0; i < CONSOLE_REQUEST_KINDS; i++)
        console->requests[i]->values[0].number = counts.requests[i];
    bindings_collect(console->bindings);
}

void console_begin(struct console *console, struct metrics *metrics)
{
    console->values = metrics_add(metrics, &console_metrics, NULL);
    for (size_t i = 0; i < CONSOLE_REQUEST_KINDS; i++)
        console->requests[i] = metrics_add(metrics, &request_metrics, &request_names[i]);
    metrics_on_collect(metrics, collect, console);
}

/* ---- what it answers ---- */

/* A broker that is away is no reason for a new start. */
static const char *broken(void *context)
{
    (void)context;
    return NULL;
}

static const char *unready(void *context)
{
    const struct console *console = context;

    if (console->stopping)
        return "stopping";
    if (bindings_count(console->bindings) && sampler_ticked_ms(console->sampler) < 0)
        return "Kafka was not read yet";
    return sampler_fault(console->sampler);
}

static void add_health(void *context, json *answer)
{
    const struct console *console = context;
    const char *why;
    size_t stale = bindings_stale(console->bindings, &why);

    if (!stale)
        return;
    json_add_bool(answer, "stale", true);
    json_add_number(answer, "stale_bindings", (int64_t)stale);
    json_add_text(answer, "stale_because", why);
}

static void add_bindings(void *context, json *answer)
{
    const struct console *console = context;

    bindings_describe(console->bindings, answer);
}

static void add_status(void *context, json *status)
{
    const struct console *console = context;
    const struct sampler_counts counts = sampler_counts(console->sampler);
    json *kafka;

    json_add_text(status, "mode", "watch");
    json_add_bool(status, "settings_fault", console->settings_fault);
    kafka = json_add_object(status, "kafka");
    json_add_text(kafka, "fault", sampler_fault(console->sampler));
    json_add_number(kafka, "checks", counts.ticks);
    json_add_real(kafka, "check_seconds", (double)counts.tick_ms / 1000);
    bindings_describe(console->bindings, status);
}

static int on_wake(void *context, const char *const *values, json *answer)
{
    const struct console *console = context;

    return by_hand_wake(console->by_hand, values[0], answer);
}

static const struct admin_action actions[] = {
    {"/wake/*", {"functionName"}, on_wake},
    {NULL, {NULL}, NULL},
};

static const struct admin_page pages[] = {
    {"/bindings", add_bindings},
    {NULL, NULL},
};

struct admin_subject console_subject(struct console *console)
{
    return (struct admin_subject){
        .broken = broken,
        .unready = unready,
        .status = add_status,
        .context = console,
        .actions = actions,
        .pages = pages,
        .health = add_health,
    };
}
