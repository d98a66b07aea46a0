/*
 * functions: the round of requests that reads the gateway's functions, and the timer between two.
 *
 * A round: credentials, the namespaces, each namespace's functions, the merge. It ends in one place
 * (round_end), with a fault or without.
 */
#include "gateway/functions.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum {
    REQUEST_TIMEOUT_MS = 10000, /* not upstream_timeout: that is a function's time, maybe hours */
};

struct functions {
    struct http *http;
    const struct gateway_options *options;
    void (*changed)(void *context);
    void *context;
    uv_timer_t *timer;

    struct topic_map *map;
    int64_t confirmed_ms;
    char *fault;

    /* The round. */
    struct http_call *call;
    struct gateway_credentials credentials;
    struct option_list namespaces; /* none: the gateway has none */
    size_t next;                   /* of them */
    struct topic_map *listed;
};

static char user_agent[] = GATEWAY_USER_AGENT;
static const struct http_line request_lines = {.text = user_agent};

/* ---- the end of a round ---- */

static void round_release(struct functions *functions)
{
    if (functions->call)
        http_cancel(functions->call);
    functions->call = NULL;
    gateway_credentials_release(&functions->credentials);
    option_list_release(&functions->namespaces);
    topic_map_free(functions->listed);
    functions->listed = NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void set_fault_take(struct functions *functions, char *fault)
{
    if (!same_text(functions->fault, fault)) {
        if (fault)
            log_warning(NULL, "Cannot read the functions of gateway_url %s: %s",
                        functions->options->url, fault);
        else
            log_info(NULL, "The functions can be read again");
    }
    free(functions->fault);
    functions->fault = fault;
}

static void on_round_due(uv_timer_t *timer);

/* `fault` NULL: the round was good. */
static void round_end_take(struct functions *functions, char *fault)
{
    set_fault_take(functions, fault);
    round_release(functions);
    uv_timer_start(functions->timer, on_round_due, (uint64_t)functions->options->rebuild_interval,
                   0);
}

static void merge(struct functions *functions)
{
    struct topic_map *listed = functions->listed;
    bool is_first = !functions->map, changed;

    functions->listed = NULL;
    functions->map = topic_map_merge_take(functions->map, listed, &changed);
    functions->confirmed_ms = (int64_t)uv_now(functions->timer->loop);
    round_end_take(functions, NULL);
    if (!is_first && !changed)
        return;
    log_plain(NULL, "Syncing topic map");
    functions->changed(functions->context); /* last: it may free us */
}

/* ---- the requests ---- */

/* NULL: a whole answer with status 200. */
static char *answer_fault(const char *what, const struct http_answer *answer)
{
    if (answer->outcome != HTTP_ANSWERED)
        return xasprintf("%s: %s", what, answer->reason);
    if (answer->status == 401)
        return xasprintf("%s: status 401 (basic_auth, secret_mount_path)", what);
    if (answer->status != 200)
        return xasprintf("%s: status %ld", what, answer->status);
    if (answer->body_cut)
        return xasprintf("%s: longer than %d MiB", what, FUNCTIONS_LIST_LIMIT / 1024 / 1024);
    return NULL;
}

/* Of a 200 that is something else's, such as a login page's, or of a list we do not take. */
static char *list_fault(const char *what, const char *reason)
{
    return xasprintf("%s: not a gateway's list in JSON (%s)", what, reason);
}

static void ask(struct functions *functions, const char *path, const char *namespace_name,
                void (*answered)(void *context, const struct http_answer *answer))
{
    char *url =
        xasprintf("%s%s%s%s", functions->options->url, path, namespace_name ? "?namespace=" : "",
                  namespace_name ? namespace_name : "");

    functions->call = http_send(functions->http, &(struct http_request){
                                                     .method = "GET",
                                                     .url = url,
                                                     .lines = &request_lines,
                                                     .user = functions->credentials.user,
                                                     .password = functions->credentials.password,
                                                     .body_limit = FUNCTIONS_LIST_LIMIT,
                                                     .timeout_ms = REQUEST_TIMEOUT_MS,
                                                     .answered = answered,
                                                     .context = functions,
                                                 });
    free(url);
}

static const char *current_namespace(const struct functions *functions)
{
    return functions->namespaces.count ? functions->namespaces.items[functions->next] : NULL;
}

static void ask_functions(struct functions *functions);

static void on_functions(void *context, const struct http_answer *answer)
{
    struct functions *functions = context;
    char *fault = answer_fault("GET /system/functions", answer);
    const char *reason;

    functions->call = NULL;
    if (!fault && !functions_parse(answer->body, answer->body_size, current_namespace(functions),
                                   &functions->options->functions, functions->listed, &reason))
        fault = list_fault("GET /system/functions", reason);
    if (fault)
        round_end_take(functions, fault);
    else if (++functions->next < functions->namespaces.count)
        ask_functions(functions);
    else
        merge(functions);
}

static void ask_functions(struct functions *functions)
{
    ask(functions, "/system/functions", current_namespace(functions), on_functions);
}

static void on_namespaces(void *context, const struct http_answer *answer)
{
    struct functions *functions = context;
    bool none = answer->outcome == HTTP_ANSWERED && answer->status == 404;
    char *fault = none ? NULL : answer_fault("GET /system/namespaces", answer);
    const char *reason;

    functions->call = NULL;
    if (!none && !fault &&
        !functions_parse_namespaces(answer->body, answer->body_size, &functions->namespaces,
                                    &reason))
        fault = list_fault("GET /system/namespaces", reason);
    if (fault)
        round_end_take(functions, fault);
    else
        ask_functions(functions);
}

static void on_round_due(uv_timer_t *timer)
{
    struct functions *functions = timer->data;
    struct option_faults faults = {0};

    if (gateway_credentials_read(functions->options, &functions->credentials, &faults)) {
        functions->next = 0;
        functions->listed = topic_map_new();
        ask(functions, "/system/namespaces", NULL, on_namespaces);
    } else {
        round_end_take(functions, xstrdup(faults.items[0]));
    }
    option_faults_release(&faults);
}

/* ---- the story ---- */

struct functions *functions_new(uv_loop_t *loop, struct http *http,
                                const struct gateway_options *options,
                                void (*changed)(void *context), void *context)
{
    struct functions *functions = xcalloc(1, sizeof(*functions));

    functions->http = http;
    functions->options = options;
    functions->changed = changed;
    functions->context = context;
    functions->confirmed_ms = -1;
    functions->timer = xmalloc(sizeof(*functions->timer));
    uv_timer_init(loop, functions->timer);
    functions->timer->data = functions;
    return functions;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

void functions_free(struct functions *functions)
{
    if (!functions)
        return;
    round_release(functions);
    topic_map_free(functions->map);
    uv_close((uv_handle_t *)functions->timer, on_timer_closed);
    free(functions->fault);
    free(functions);
}

void functions_start(struct functions *functions)
{
    on_round_due(functions->timer);
}

const struct topic_map *functions_map(const struct functions *functions)
{
    return functions->map;
}

int64_t functions_confirmed_ms(const struct functions *functions)
{
    return functions->confirmed_ms;
}

const char *functions_fault(const struct functions *functions)
{
    return functions->fault;
}
