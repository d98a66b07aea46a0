/* ask: see ask.h. */
#include "invoke/ask.h"

#include "base/log.h"
#include "gateway/functions.h"

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

static bool tell(const struct asking *asking, FILE *to)
{
    const struct topic_map *map = functions_map(asking->functions);
    size_t count = 0;

    if (!map) {
        fprintf(to, "gateway %s: %s\n", asking->gateway->url, functions_fault(asking->functions));
        return false;
    }
    topic_map_topics(map, &count);
    fprintf(to, "gateway %s: functions with topics: %zu, topics: %zu\n", asking->gateway->url,
            topic_map_size(map), count);
    return true;
}

bool ask_gateway(const struct gateway_options *gateway, const struct http_options *options,
                 FILE *to)
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
        fprintf(to, "gateway %s: %s\n", gateway->url, reason);
    } else {
        asking.functions = functions_new(&asking.loop, asking.http, gateway, on_asked, &asking);
        uv_timer_init(&asking.loop, &asking.patience);
        asking.patience.data = &asking;
        uv_timer_start(&asking.patience, on_patience, LOOK_MS, LOOK_MS);
        functions_start(asking.functions);
        uv_run(&asking.loop, UV_RUN_DEFAULT);
        good = tell(&asking, to);
        uv_close((uv_handle_t *)&asking.patience, NULL);
        functions_free(asking.functions);
        http_free(asking.http);
    }
    uv_run(&asking.loop, UV_RUN_DEFAULT);
    uv_loop_close(&asking.loop);
    return good;
}
