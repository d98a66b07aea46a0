/* scaling: see scaling.h. */
#include "tests/harness/scaling.h"

#include "base/xalloc.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FLAGS_MOST = 16, ENTRIES_MOST = 16 };

struct scaling scaling;

static struct scaler_entry entries[ENTRIES_MOST];
static char *texts[ENTRIES_MOST];
static char *last;

/* ---- its life ---- */

static void start(void)
{
    const struct scaler_setup setup = {&scaling.loop, &scaling.config, scaling.metrics};
    struct option_faults faults = {0};

    scaling.closed = false;
    scaling.scaler = scaler_new(&setup, &faults);
    if (!scaling.scaler)
        fail("%s", faults.items[0]);
}

static void on_closed(void *context)
{
    (void)context;
    scaling.closed = true;
}

static bool is_closed(void *context)
{
    (void)context;
    return scaling.closed;
}

static void stop(void)
{
    scaler_close(scaling.scaler, on_closed, NULL);
    if (!await(&scaling.loop, is_closed, NULL, SCALING_PATIENCE_MS))
        fail("the scaler does not close");
}

static void read_flags(const char *bootstrap, const char *const *flags)
{
    char *brokers = xasprintf("--bootstrapServers=%s", bootstrap), *nothing = NULL;
    char *arguments[FLAGS_MOST] = {brokers};
    struct option_input input = {.argc = 1, .argv = arguments, .environment = &nothing};
    struct option_faults faults = {0};

    for (; flags && *flags; flags++)
        arguments[input.argc++] = (char *)*flags;
    option_read(scaling.groups, SCALE_GROUPS, &input, &faults);
    scale_config_check(&scaling.config, &faults);
    if (faults.count)
        fail("%s", faults.items[0]);
    free(brokers);
}

void scaling_open(const char *bootstrap, const char *const *flags)
{
    scale_config_init(&scaling.config, scaling.groups);
    read_flags(bootstrap, flags);
    uv_loop_init(&scaling.loop);
    scaling.metrics = metrics_new();
    start();
}

void scaling_restart(void)
{
    stop();
    start();
}

void scaling_close(void)
{
    stop();
    metrics_free(scaling.metrics);
    if (!await_close(&scaling.loop))
        fail("the scaler left a handle behind");
    option_release(scaling.groups, SCALE_GROUPS);
    scaling_ref("", NULL);
    free(last);
}

/* ---- what is asked ---- */

struct scaler_ref scaling_ref(const char *name, const char *const *metadata)
{
    struct scaler_ref ref = {.namespace = "default", .name = name, .metadata = entries};

    for (size_t i = 0; i < ENTRIES_MOST; i++) {
        free(texts[i]);
        texts[i] = NULL;
    }
    for (; metadata && metadata[ref.count]; ref.count++) {
        char *text = xstrdup(metadata[ref.count]), *equals = strchr(text, '=');

        if (!equals || ref.count == ENTRIES_MOST)
            fail("metadata %s", text);
        *equals = '\0';
        texts[ref.count] = text;
        entries[ref.count] = (struct scaler_entry){text, equals + 1};
    }
    return ref;
}

static void remember(const struct scaler_answer *answer)
{
    static const char *const statuses[] = {"OK", "INVALID_ARGUMENT", "UNAVAILABLE"};

    free(last);
    last = xasprintf("%s, %s, value %" PRId64 ": %s", statuses[answer->status],
                     answer->active ? "active" : "not active", answer->value, answer->reason);
}

struct scaler_answer scaling_ask(const char *name, const char *const *metadata)
{
    struct scaler_ref ref = scaling_ref(name, metadata);
    struct scaler_answer answer = scaler_ask(scaling.scaler, SCALER_GET_METRICS, &ref);

    remember(&answer);
    return answer;
}

struct asking {
    const char *name;
    const char *const *metadata;
    bool (*holds)(const struct scaler_answer *answer);
    bool (*never)(const struct scaler_answer *answer);
};

static bool holds_now(void *context)
{
    const struct asking *asking = context;
    struct scaler_answer answer = scaling_ask(asking->name, asking->metadata);

    if (asking->never && asking->never(&answer))
        fail("an answer that may not be: %s", last);
    return asking->holds(&answer);
}

bool scaling_await_without(const char *name, const char *const *metadata,
                           bool (*holds)(const struct scaler_answer *answer),
                           bool (*never)(const struct scaler_answer *answer))
{
    struct asking asking = {name, metadata, holds, never};

    return await(&scaling.loop, holds_now, &asking, SCALING_PATIENCE_MS);
}

bool scaling_await(const char *name, const char *const *metadata,
                   bool (*holds)(const struct scaler_answer *answer))
{
    return scaling_await_without(name, metadata, holds, NULL);
}

const char *scaling_last(void)
{
    return last;
}
