/* rig: see rig.h. */
#include "tests/harness/rig.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "core/lanes.h"
#include "core/start.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

struct rig_binding {
    char *name, *topics;
    struct function_retry retry;
    struct rig_binding *prev, *next;
};

/* ---- life ---- */

static struct invoke_options short_waits(void)
{
    return (struct invoke_options){.initial_offset = INITIAL_EARLIEST,
                                   .order = ORDER_KEY,
                                   .partition_window = 1000,
                                   .max_inflight = 64,
                                   .max_buffered_bytes = 64 * 1024 * 1024,
                                   .commit_interval = 10,
                                   .retry_attempts = 10,
                                   .retry_on_timeout = 1,
                                   .retry_min_wait = 1,
                                   .retry_max_wait = 20,
                                   .retry_codes = xstrdup("404,408,429,502,503,504"),
                                   .on_exhausted = EXHAUSTED_WAIT,
                                   .dead_letter_codes = xstrdup("400-599"),
                                   .no_function = NO_FUNCTION_SKIP,
                                   .log_calls = LOG_CALLS_ALL};
}

/* All lines are made, and nobody reads them. */
static void log_to_nowhere(void)
{
    static const struct log_options all = {LOG_FORMAT_CONSOLE, LOG_LEVEL_DEBUG};
    static FILE *nowhere;

    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    log_configure(&all, nowhere);
}

struct rig *rig_new(void)
{
    static const struct http_options plain;
    struct rig *rig = xcalloc(1, sizeof(*rig));
    const char *reason;
    char *why;

    log_to_nowhere();
    uv_loop_init(&rig->loop);
    rig->source = memory_source_new(&rig->loop);
    rig->letters = letter_box_new(&rig->loop);
    rig->gateway = faas_gateway_new(&rig->loop, "127.0.0.1:0", &why);
    if (!rig->gateway)
        fail("gateway: %s", why);
    rig->calls = call_log_new(&rig->loop, rig->gateway);
    rig->http = http_new(&rig->loop, &plain, 64, &reason);
    if (!rig->http)
        fail("http: %s", reason);
    rig->gateway_options = (struct gateway_options){.url = xstrdup(faas_gateway_url(rig->gateway)),
                                                    .upstream_timeout = RIG_PATIENCE_MS,
                                                    .content_type = xstrdup("text/plain"),
                                                    .response_limit = 64 * 1024};
    rig->caller = caller_new(rig->http, &rig->gateway_options);
    rig->metrics = metrics_new();
    rig->options = short_waits();
    rig->drain_timeout_ms = RIG_PATIENCE_MS;
    return rig;
}

static void binding_free(struct rig *rig, struct rig_binding *binding)
{
    DL_DELETE(rig->bindings, binding);
    free(binding->retry.codes);
    free(binding->name);
    free(binding->topics);
    free(binding);
}

static void check_leaks(void)
{
#ifdef __SANITIZE_ADDRESS__
    if (__lsan_do_recoverable_leak_check())
        fail("memory leaked");
#endif
}

void rig_free(struct rig *rig)
{
    struct rig_binding *binding, *next;

    if (rig->dispatcher)
        rig_kill(rig);
    DL_FOREACH_SAFE (rig->bindings, binding, next)
        binding_free(rig, binding);
    topic_map_free(rig->map);
    metrics_free(rig->metrics);
    caller_free(rig->caller);
    http_free(rig->http);
    call_log_free(rig->calls);
    faas_gateway_free(rig->gateway);
    letter_box_free(rig->letters);
    memory_source_free(rig->source);
    if (!await_close(&rig->loop))
        fail("a handle is left on the loop");
    free(rig->gateway_options.url);
    free(rig->gateway_options.content_type);
    free(rig->options.retry_codes);
    free(rig->options.dead_letter_codes);
    free(rig);
    check_leaks();
}

/* ---- functions ---- */

struct faas_function *rig_deploy(struct rig *rig, const char *name, const char *topics,
                                 const struct function_retry *retry)
{
    struct rig_binding *binding = xcalloc(1, sizeof(*binding));

    rig_unlist(rig, name);
    binding->name = xstrdup(name);
    binding->topics = xstrdup(topics);
    binding->retry = retry ? *retry : (struct function_retry){-1, -1, -1, NULL};
    binding->retry.codes = xstrdup(binding->retry.codes);
    DL_APPEND(rig->bindings, binding);
    return faas_deploy(rig->gateway, name, NULL, topics);
}

void rig_unlist(struct rig *rig, const char *name)
{
    struct rig_binding *binding, *next;

    DL_FOREACH_SAFE (rig->bindings, binding, next)
        if (strcmp(binding->name, name) == 0)
            binding_free(rig, binding);
}

static struct topic_map *list_of(const struct rig *rig)
{
    struct topic_map *list = topic_map_new();
    struct rig_binding *binding;

    DL_FOREACH (rig->bindings, binding) {
        struct function_retry retry = binding->retry;

        retry.codes = xstrdup(retry.codes);
        if (!topic_map_add(list, binding->name, binding->topics, &retry))
            fail("binding %s=%s", binding->name, binding->topics);
    }
    return list;
}

void rig_list(struct rig *rig)
{
    bool changed;

    rig->map = topic_map_merge_take(rig->map, list_of(rig), &changed);
    if (changed && rig->dispatcher)
        dispatcher_set_map(rig->dispatcher, rig->map);
}

/* ---- the dispatcher ---- */

static void on_collect(void *context)
{
    struct rig *rig = context;

    if (rig->dispatcher)
        dispatcher_collect(rig->dispatcher);
}

void rig_start(struct rig *rig)
{
    struct dispatcher_setup setup = {
        .loop = &rig->loop,
        .source = memory_source_seam(rig->source),
        .letters = invoke_has_dead_letters(&rig->options) ? letter_box_seam(rig->letters) : NULL,
        .caller = rig->caller,
        .options = &rig->options,
        .drain_timeout_ms = rig->drain_timeout_ms,
        .call_timeout_ms = rig->gateway_options.upstream_timeout,
        .async = rig->gateway_options.async_invocation,
        .metrics = rig->metrics};

    uv_update_time(&rig->loop);
    rig->dispatcher = dispatcher_new(&setup);
    metrics_on_collect(rig->metrics, on_collect, rig);
    rig_list(rig);
    dispatcher_set_map(rig->dispatcher, rig->map);
    memory_source_assign(rig->source);
}

void rig_kill(struct rig *rig)
{
    dispatcher_free(rig->dispatcher);
    rig->dispatcher = NULL;
    memory_source_crash(rig->source);
}

static void on_stopped(void *context)
{
    struct rig *rig = context;

    if (rig->stopped)
        fail("stopped twice");
    rig->stopped = true;
}

void rig_stop(struct rig *rig, int64_t timeout_ms)
{
    uv_update_time(&rig->loop);
    dispatcher_stop(rig->dispatcher, timeout_ms, on_stopped, rig);
}

/* ---- what is seen ---- */

int64_t rig_metric(struct rig *rig, const char *sample)
{
    char *text = metrics_text(rig->metrics, NULL), *line, *at;
    size_t size = strlen(sample);
    int64_t value = -1;

    for (line = text; line && *line; line = at ? at + 1 : NULL) {
        if (strncmp(line, sample, size) == 0 && line[size] == ' ')
            value = (int64_t)strtod(line + size, NULL);
        at = strchr(line, '\n');
    }
    free(text);
    return value;
}

int64_t rig_function_metric(struct rig *rig, const char *function, const char *name)
{
    char *sample = xasprintf("kafka_connector_%s{function=\"%s\"}", name, function);
    int64_t value = rig_metric(rig, sample);

    free(sample);
    return value;
}

/* What an await looks at. */
struct look {
    struct rig *rig;
    bool (*holds)(struct rig *rig);
    const char *name; /* of a sample or a function; NULL: any */
    size_t least;
};

static bool look_asks(void *context)
{
    struct look *look = context;

    return look->holds(look->rig);
}

bool rig_await(struct rig *rig, bool (*holds)(struct rig *rig))
{
    struct look look = {.rig = rig, .holds = holds};

    return await(&rig->loop, look_asks, &look, RIG_PATIENCE_MS);
}

static bool all_committed(struct rig *rig)
{
    return memory_source_all_committed(rig->source);
}

bool rig_await_committed(struct rig *rig)
{
    return rig_await(rig, all_committed);
}

static bool is_committing(struct rig *rig)
{
    return memory_source_committing(rig->source);
}

bool rig_await_committing(struct rig *rig)
{
    return rig_await(rig, is_committing);
}

static bool is_stopped(struct rig *rig)
{
    return rig->stopped;
}

bool rig_await_stopped(struct rig *rig)
{
    return rig_await(rig, is_stopped);
}

static bool is_released(struct rig *rig)
{
    return !memory_source_assigned(rig->source);
}

bool rig_await_released(struct rig *rig)
{
    return rig_await(rig, is_released);
}

static bool look_metric(void *context)
{
    struct look *look = context;

    return rig_metric(look->rig, look->name) >= (int64_t)look->least;
}

bool rig_await_metric(struct rig *rig, const char *sample, int64_t least)
{
    struct look look = {.rig = rig, .name = sample, .least = (size_t)least};

    return await(&rig->loop, look_metric, &look, RIG_PATIENCE_MS);
}

static bool look_arrived(void *context)
{
    struct look *look = context;

    return call_log_arrived(look->rig->calls, look->name) >= look->least;
}

bool rig_await_arrived(struct rig *rig, const char *function, size_t least)
{
    struct look look = {.rig = rig, .name = function, .least = least};

    return await(&rig->loop, look_arrived, &look, RIG_PATIENCE_MS);
}

static bool look_ran(void *context)
{
    struct look *look = context;

    return call_log_ran(look->rig->calls, look->name) >= look->least;
}

bool rig_await_ran(struct rig *rig, const char *function, size_t least)
{
    struct look look = {.rig = rig, .name = function, .least = least};

    return await(&rig->loop, look_ran, &look, RIG_PATIENCE_MS);
}

void rig_settle(struct rig *rig, int64_t ms)
{
    call_log_settle(rig->calls, ms);
}

bool rig_ran_each(const struct rig *rig, const char *function, const char *topic, int count,
                  size_t times)
{
    for (int i = 0; i < count; i++)
        if (call_log_ran_on(rig->calls, function, topic, 0, i) != times)
            return false;
    return true;
}
