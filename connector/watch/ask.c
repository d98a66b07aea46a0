/* ask: see ask.h. */
#include "watch/ask.h"

#include "base/xalloc.h"

#include <stdlib.h>

struct asking {
    const char *url;
    FILE *to;
    bool good;
};

static void on_answered(void *context, const struct http_answer *answer)
{
    struct asking *asking = context;

    asking->good = answer->outcome == HTTP_ANSWERED;
    if (asking->good)
        fprintf(asking->to, "%s: status %ld\n", asking->url, answer->status);
    else
        fprintf(asking->to, "SlimFaas__BaseUrl %s: %s\n", asking->url, answer->reason);
}

static void ask(uv_loop_t *loop, struct http *http, const struct wake_options *options,
                struct asking *asking)
{
    http_send(http, &(struct http_request){.method = "GET",
                                           .url = asking->url,
                                           .timeout_ms = options->timeout,
                                           .answered = on_answered,
                                           .context = asking});
    while (http_in_flight(http))
        uv_run(loop, UV_RUN_ONCE);
    http_free(http);
}

bool ask_wake_server(const struct wake_options *options, const struct http_options *http_options,
                     FILE *to)
{
    char *url =
        xasprintf("%s%s", options->url, options->target == WAKE_OPENFAAS ? "/healthz" : "/health");
    struct asking asking = {.url = url, .to = to};
    const char *reason;
    struct http *http;
    uv_loop_t loop;

    fprintf(to, "asking %s ...\n", url);
    fflush(to);
    uv_loop_init(&loop);
    http = http_new(&loop, http_options, 1, &reason);
    if (http)
        ask(&loop, http, options, &asking);
    else
        fprintf(to, "SlimFaas__BaseUrl %s: %s\n", url, reason);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    free(url);
    return asking.good;
}
