/* ask: see ask.h. */
#include "invoke/ask.h"

#include "base/log.h"
#include "core/dead_topic.h"
#include "gateway/functions.h"
#include "kafka/ask.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct asking {
    const struct gateway_options *gateway;
    uv_loop_t loop;
    uv_timer_t patience;
    struct http *http;
    struct functions *functions;
};

static void on_asked(void *context)
{
    struct asking *asking = context;

    uv_stop(&asking->loop);
}

static void on_patience(uv_timer_t *timer)
{
    struct asking *asking = timer->data;

    if (functions_map(asking->functions) || functions_fault(asking->functions))
        uv_stop(timer->loop);
}

static bool tell(const struct asking *asking, struct name_set *topics, FILE *to)
{
    const struct topic_map *map = functions_map(asking->functions);
    const char *const *names;
    size_t count = 0;

    if (!map) {
        fprintf(to, "gateway_url %s: %s\n", asking->gateway->url,
                functions_fault(asking->functions));
        return false;
    }
    names = topic_map_topics(map, &count);
    for (size_t i = 0; i < count; i++)
        name_set_add(topics, names[i]);
    fprintf(to, "gateway %s: functions with topics: %zu, topics: %zu\n", asking->gateway->url,
            topic_map_size(map), count);
    return true;
}

bool ask_gateway(const struct gateway_options *gateway, const struct http_options *options,
                 struct name_set *topics, FILE *to)
{
    enum { LOOK_MS = 20 };
    struct asking asking = {.gateway = gateway};
    const char *reason;
    bool good = false;

    fprintf(to, "asking gateway %s ...\n", gateway->url);
    fflush(to);
    /* The answer says what the log would say a second time. */
    log_configure(&(struct log_options){.level = LOG_LEVEL_ERROR}, stderr);
    uv_loop_init(&asking.loop);
    asking.http = http_new(&asking.loop, options, 1, &reason);
    if (!asking.http) {
        fprintf(to, "gateway_url %s: %s\n", gateway->url, reason);
    } else {
        asking.functions = functions_new(&asking.loop, asking.http, gateway, on_asked, &asking);
        uv_timer_init(&asking.loop, &asking.patience);
        asking.patience.data = &asking;
        uv_timer_start(&asking.patience, on_patience, LOOK_MS, LOOK_MS);
        functions_start(asking.functions);
        uv_run(&asking.loop, UV_RUN_DEFAULT);
        good = tell(&asking, topics, to);
        uv_close((uv_handle_t *)&asking.patience, NULL);
        functions_free(asking.functions);
        http_free(asking.http);
    }
    uv_run(&asking.loop, UV_RUN_DEFAULT);
    uv_loop_close(&asking.loop);
    return good;
}

/* ---- topics ---- */

static bool fits(const char *wanted, const char *topic)
{
    regex_t pattern;
    bool good;

    if (wanted[0] != '^')
        return strcmp(wanted, topic) == 0;
    if (regcomp(&pattern, wanted, REG_EXTENDED | REG_NOSUB))
        return false;
    good = regexec(&pattern, topic, 0, NULL, 0) == 0;
    regfree(&pattern);
    return good;
}

/* Whether we would bind to a topic that is annotated. */
static bool is_wanted(const struct option_list *topics, const char *topic)
{
    bool good = topics->count == 0;

    for (size_t i = 0; i < topics->count; i++)
        good |= fits(topics->items[i], topic);
    return good;
}

bool ask_topics(const struct kafka_options *kafka, const struct invoke_options *options,
                const struct name_set *annotated, FILE *to)
{
    const char *topic = NULL;
    struct name_set names = {0};
    bool good;

    for (size_t i = 0; i < options->topics.count; i++)
        if (options->topics.items[i][0] != '^')
            name_set_add(&names, options->topics.items[i]);
    while ((topic = name_set_next(annotated, topic)))
        if (is_wanted(&options->topics, topic))
            name_set_add(&names, topic);
    good = kafka_ask_topics(kafka, &names, to);
    name_set_clear(&names);
    return good;
}

/* ---- topics for dead letters ---- */

static void add_dead_topic(const char *template, const char *topic, struct name_set *to)
{
    char *name = dead_topic_name(template, topic);

    if (topic[0] != '^' && kafka_topic_name_valid(name) && !dead_topic_is(template, topic))
        name_set_add(to, name);
    free(name);
}

bool ask_dead_letters(const struct kafka_options *kafka, const struct invoke_options *options,
                      const struct name_set *annotated, FILE *to)
{
    const char *template = options->dead_letter_topic, *topic = NULL;
    struct name_set names = {0};
    bool good;

    if (!invoke_has_dead_letters(options))
        return true;
    if (!dead_topic_varies(template))
        name_set_add(&names, template);
    for (size_t i = 0; i < options->topics.count; i++)
        add_dead_topic(template, options->topics.items[i], &names);
    while ((topic = name_set_next(annotated, topic)))
        if (is_wanted(&options->topics, topic))
            add_dead_topic(template, topic, &names);
    good = kafka_ask_dead_topics(kafka, &names, to);
    name_set_clear(&names);
    return good;
}
