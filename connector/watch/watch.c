/*
 * watch: the mode, put together. See watch.h.
 */
#include "watch/watch.h"

#include "base/log.h"
#include "kafka/ask.h"
#include "watch/ask.h"
#include "watch/console.h"
#include "watch/settings.h"

#include <signal.h>
#include <stdlib.h>

enum { IN_FLIGHT = 64, LEAVE_MS = 8000 };

static struct watch_config config;
static struct option_group groups[WATCH_GROUPS];

static struct {
    const struct option_input *input;
    const char *file;
} source;

struct watch {
    struct console console;
    struct binding_world world;
    uv_loop_t loop;
    uv_signal_t term, interrupt;
    uv_timer_t leave;
    struct settings *settings;
    struct admin *admin;
    struct admin_subject subject;
};

static const struct metrics_table *const metrics_tables[] = {&binding_metrics, &wakeup_metrics,
                                                             &console_metrics, &request_metrics};

/* ---- before it runs ---- */

const struct option_group *watch_option_groups(size_t *count)
{
    if (!groups[0].table)
        watch_config_init(&config, groups);
    *count = WATCH_GROUPS;
    return groups;
}

const struct metrics_table *const *watch_metrics_tables(size_t *count)
{
    *count = sizeof(metrics_tables) / sizeof(*metrics_tables);
    return metrics_tables;
}

bool watch_is_meant(char *const *environment)
{
    for (; *environment; environment++)
        if (watch_is_binding_variable(*environment))
            return true;
    return false;
}

void watch_check(struct option_faults *faults)
{
    watch_config_check(&config, faults);
}

void watch_keep(const struct option_input *input, const char *settings_file)
{
    source.input = input;
    source.file = settings_file;
}

bool watch_ask(FILE *to)
{
    bool bound = config.watch.bindings.count > 0, broker;

    if (!bound)
        fputs("configuration: no bindings (" WATCH_BINDINGS "__0__Topic and so on): nothing would "
              "be watched\n",
              to);
    broker = kafka_ask(&config.kafka.client, "Kafka__BootstrapServers", to);
    return ask_wake_server(&config.wake, &config.http, to) && broker && bound;
}

/* ---- settings that change ---- */

static void swap(void *a, void *b, size_t size)
{
    for (char *left = a, *right = b; size--; left++, right++) {
        char kept = *left;

        *left = *right;
        *right = kept;
    }
}

/* What is not taken up stays with the new one, which is released. */
static void take_up(struct watch *watch, struct watch_config *fresh)
{
    UT_string late;

    utstring_init(&late);
    watch_config_needs_start(&config, fresh, &late);
    if (utstring_len(&late))
        log_warning(NULL, "Changed, and taken up only at the next start: %s", utstring_body(&late));
    utstring_done(&late);
    swap(&config.wake, &fresh->wake, sizeof(config.wake));
    swap(&config.watch, &fresh->watch, sizeof(config.watch));
    if (config.kafka.interval != fresh->kafka.interval)
        sampler_set_interval(watch->world.sampler, fresh->kafka.interval);
    config.kafka.interval = fresh->kafka.interval;
    bindings_set(watch->console.bindings, &config.watch);
    log_info(NULL, "Settings read again: %zu binding%s", config.watch.bindings.count,
             config.watch.bindings.count == 1 ? "" : "s");
}

static void on_settings_changed(void *context)
{
    struct watch *watch = context;
    struct watch_config fresh;
    struct option_group fresh_groups[WATCH_GROUPS];
    struct option_faults faults = {0};

    watch_config_init(&fresh, fresh_groups);
    option_read(fresh_groups, WATCH_GROUPS, source.input, &faults);
    watch_config_check(&fresh, &faults);
    watch->console.settings_fault = faults.count > 0;
    for (size_t i = 0; i < faults.count; i++)
        log_error(NULL, "Settings: %s", faults.items[i]);
    if (faults.count)
        log_error(NULL, "Settings: %zu fault%s; all stays as it was", faults.count,
                  faults.count == 1 ? "" : "s");
    else
        take_up(watch, &fresh);
    option_faults_release(&faults);
    option_release(fresh_groups, WATCH_GROUPS);
}

static void on_ticked(void *context)
{
    struct watch *watch = context;

    bindings_tick(watch->console.bindings, sampler_ticked_ms(watch->world.sampler));
}

/* ---- how it ends ---- */

static void on_sampler_closed(void *context)
{
    struct watch *watch = context;

    uv_stop(&watch->loop);
}

/* A thread of librdkafka's does not come to its end: nothing of ours waits for it. */
static void on_leave(uv_timer_t *timer)
{
    (void)timer;
    log_warning(NULL, "librdkafka does not come to its end: ending now");
    _Exit(EXIT_SUCCESS);
}

/* Whatever was not opened is NULL. The loop runs on until the sampler is closed. */
static void close_parts(struct watch *watch)
{
    settings_free(watch->settings);
    admin_free(watch->admin);
    by_hand_free(watch->console.by_hand);
    bindings_free(watch->console.bindings);
    if (watch->world.sampler)
        sampler_close(watch->world.sampler, on_sampler_closed, watch);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct watch *watch = signal->data;

    if (watch->console.stopping)
        _Exit(128 + number);
    log_info(NULL, "Stopping on %s", number == SIGTERM ? "SIGTERM" : "SIGINT");
    watch->console.stopping = true;
    uv_timer_start(&watch->leave, on_leave, LEAVE_MS, 0);
    close_parts(watch);
}

static void close_rest(struct watch *watch)
{
    uv_close((uv_handle_t *)&watch->term, NULL);
    uv_close((uv_handle_t *)&watch->interrupt, NULL);
    uv_close((uv_handle_t *)&watch->leave, NULL);
    http_free(watch->world.http);
    metrics_free(watch->world.metrics);
    uv_run(&watch->loop, UV_RUN_DEFAULT); /* lets the handles close */
    uv_loop_close(&watch->loop);
}

/* ---- how it begins ---- */

static bool open_world(struct watch *watch, struct option_faults *faults)
{
    const struct sampler_setup setup = {
        .loop = &watch->loop,
        .kafka = &config.kafka.client,
        .interval_ms = config.kafka.interval,
        .timeout_ms = config.kafka.timeout,
        .create_topics = config.kafka.create_topics,
        .ticked = on_ticked,
        .context = watch,
    };
    const char *reason;

    watch->world.metrics = metrics_new();
    watch->world.wake = &config.wake;
    watch->world.http = http_new(&watch->loop, &config.http, IN_FLIGHT, &reason);
    if (!watch->world.http) {
        option_fault(faults, "SlimFaas__BaseUrl: %s", reason);
        return false;
    }
    watch->world.sampler = sampler_new(&setup, faults);
    return watch->world.sampler != NULL;
}

static bool open_parts(struct watch *watch, struct option_faults *faults)
{
    struct console *console = &watch->console;

    if (!open_world(watch, faults))
        return false;
    console->sampler = watch->world.sampler;
    console->bindings = bindings_new(&watch->world);
    console->by_hand = by_hand_new(watch->world.http, &config.wake);
    console_begin(console, watch->world.metrics);
    watch->subject = console_subject(console);
    watch->admin =
        admin_new(&watch->loop, &config.admin, watch->world.metrics, &watch->subject, faults);
    return watch->admin != NULL;
}

static void init_handles(struct watch *watch)
{
    uv_loop_init(&watch->loop);
    uv_signal_init(&watch->loop, &watch->term);
    uv_signal_init(&watch->loop, &watch->interrupt);
    uv_timer_init(&watch->loop, &watch->leave);
    watch->term.data = watch->interrupt.data = watch;
}

static void start(struct watch *watch)
{
    size_t count = config.watch.bindings.count;

    log_info(NULL, "Watching %zu binding%s on %s; wake-ups go to %s", count, count == 1 ? "" : "s",
             config.kafka.client.brokers.items[0], config.wake.url);
    if (!count)
        log_warning(NULL, "There are no bindings (" WATCH_BINDINGS "__0__Topic and so on): nothing "
                          "is watched");
    bindings_set(watch->console.bindings, &config.watch);
    watch->settings = settings_new(&watch->loop, source.file, on_settings_changed, watch);
    uv_signal_start(&watch->term, on_signal, SIGTERM);
    uv_signal_start(&watch->interrupt, on_signal, SIGINT);
}

int watch_run(struct option_faults *faults)
{
    struct watch watch = {0};

    signal(SIGPIPE, SIG_IGN);
    init_handles(&watch);
    if (open_parts(&watch, faults))
        start(&watch);
    else
        close_parts(&watch);
    uv_run(&watch.loop, UV_RUN_DEFAULT);
    close_rest(&watch);
    if (watch.console.stopping)
        log_info(NULL, "Stopped");
    return EXIT_SUCCESS;
}
