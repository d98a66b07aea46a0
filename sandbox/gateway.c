/* gateway: the routes of the OpenFaaS-like gateway, and its faults as a whole. */
#include "sandbox/gateway_private.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_LIMIT = 64 * 1024 * 1024 };

/* ---- /system ---- */

/* False: answered 401. */
static bool authorized(const struct faas_gateway *gateway, struct web_request *request)
{
    const char *given = web_header(request, "Authorization");
    if (!gateway->authorization || (given && strcmp(given, gateway->authorization) == 0))
        return true;
    static const char text[] = "invalid credentials\n";
    web_answer(request, 401, "text/plain", text, sizeof(text) - 1,
               "WWW-Authenticate: Basic realm=\"Restricted\"");
    return false;
}

static void answer_json(struct web_request *request, json *tree)
{
    char *text = json_print(tree, false);
    web_answer(request, 200, "application/json", text, strlen(text), NULL);
    free(text);
    json_free(tree);
}

static bool namespace_listed(const json *list, const char *name)
{
    json_each (entry, list)
        if (strcmp(json_text(entry, ""), name) == 0)
            return true;
    return false;
}

static void answer_namespaces(struct web_request *request, void *context)
{
    struct faas_gateway *gateway = context;
    if (!authorized(gateway, request))
        return;
    if (!gateway->namespaces) {
        web_answer_text(request, 404, "not found\n");
        return;
    }
    json *list = json_array();
    json_add_text(list, NULL, FAAS_NAMESPACE);
    struct faas_function *function, *next;
    HASH_ITER (hh, gateway->functions, function, next)
        if (!namespace_listed(list, function->namespace_name))
            json_add_text(list, NULL, function->namespace_name);
    answer_json(request, list);
}

static void describe(json *entry, const struct faas_function *function)
{
    json_add_text(entry, "name", function->name);
    json_add_text(entry, "image", "sandbox");
    json_add_text(entry, "namespace", function->namespace_name);
    json_add_number(entry, "invocationCount", (int64_t)function->calls);
    json_add_number(entry, "replicas", function->replicas);
    json_add_number(entry, "availableReplicas", function->replicas);
    json *annotations = json_add_object(entry, "annotations");
    const struct annotation *annotation;
    DL_FOREACH (function->annotations, annotation)
        json_add_text(annotations, annotation->name, annotation->value);
}

/* NULL: answered 404. */
static struct faas_function *find_or_refuse(struct web_request *request,
                                            const struct faas_gateway *gateway, const char *name)
{
    struct faas_function *function = faas_find(gateway, name);
    if (!function) {
        char *text = xasprintf("error finding function %s: not found\n", name);
        web_answer_text(request, 404, text);
        free(text);
    }
    return function;
}

/* Of the name behind the path's prefix, and of the namespace in the query. NULL: answered 404. */
static struct faas_function *function_of(struct web_request *request,
                                         const struct faas_gateway *gateway, const char *prefix)
{
    const char *name = web_path(request) + strlen(prefix);
    const char *namespace_name = web_query(request, "namespace");
    char *path = namespace_name ? xasprintf("%s.%s", name, namespace_name) : xstrdup(name);
    struct faas_function *function = find_or_refuse(request, gateway, path);
    free(path);
    return function;
}

static void answer_one(struct web_request *request, void *context)
{
    struct faas_gateway *gateway = context;
    if (!authorized(gateway, request))
        return;
    const struct faas_function *function = function_of(request, gateway, "/system/function/");
    if (!function)
        return;
    json *entry = json_object();
    describe(entry, function);
    answer_json(request, entry);
}

static void answer_scale(struct web_request *request, void *context)
{
    struct faas_gateway *gateway = context;
    if (!authorized(gateway, request))
        return;
    struct faas_function *function = function_of(request, gateway, "/system/scale-function/");
    if (function)
        run_start(faas_wake(function), request, false);
}

static void answer_wake(struct web_request *request, void *context)
{
    struct faas_function *function = function_of(request, context, "/wake-function/");
    if (function)
        run_start(faas_wake(function), request, false);
}

static void answer_functions(struct web_request *request, void *context)
{
    struct faas_gateway *gateway = context;
    gateway->list_count++;
    if (gateway->list_status == -1) {
        web_cut(request);
        return;
    }
    if (gateway->list_status) {
        web_answer(request, gateway->list_status, "text/html", gateway->list_body,
                   gateway->list_size, NULL);
        return;
    }
    if (!authorized(gateway, request))
        return;
    const char *asked = web_query(request, "namespace");
    const char *wanted = asked && *asked ? asked : FAAS_NAMESPACE;
    json *list = json_array();
    struct faas_function *function, *next;
    HASH_ITER (hh, gateway->functions, function, next)
        if (!gateway->namespaces || strcmp(function->namespace_name, wanted) == 0)
            describe(json_add_object(list, NULL), function);
    answer_json(request, list);
}

/* ---- /function ---- */

/* What stands behind the function's name in the path is the function's business. */
static void call_function(struct web_request *request, struct faas_gateway *gateway,
                          const char *prefix, bool async)
{
    const char *rest = web_path(request) + strlen(prefix);
    char *name = xstrndup(rest, strcspn(rest, "/"));
    struct faas_function *function = find_or_refuse(request, gateway, name);
    if (function)
        run_start(function, request, async);
    free(name);
}

static void answer_function(struct web_request *request, void *context)
{
    call_function(request, context, "/function/", false);
}

static void answer_async_function(struct web_request *request, void *context)
{
    call_function(request, context, "/async-function/", true);
}

static const struct web_route routes[] = {
    {"GET", "/system/namespaces", answer_namespaces},
    {"GET", "/system/functions", answer_functions},
    {"GET", "/system/function/*", answer_one},
    {"POST", "/system/scale-function/*", answer_scale},
    {"POST", "/wake-function/*", answer_wake},
    {"POST", "/function/*", answer_function},
    {"POST", "/async-function/*", answer_async_function},
    {NULL, NULL, NULL},
};

/* ---- its life ---- */

struct faas_gateway *faas_gateway_new(uv_loop_t *loop, const char *listen, char **reason)
{
    struct faas_gateway *gateway = xcalloc(1, sizeof(*gateway));
    gateway->server = web_server_new(loop, listen, BODY_LIMIT, routes, gateway, reason);
    if (!gateway->server) {
        free(gateway);
        return NULL;
    }
    gateway->loop = loop;
    gateway->namespaces = true;
    gateway->port = web_server_port(gateway->server);
    gateway->url = xasprintf("http://127.0.0.1:%d", gateway->port);
    return gateway;
}

void faas_gateway_free(struct faas_gateway *gateway)
{
    if (!gateway)
        return;
    struct faas_function *function, *next;
    HASH_ITER (hh, gateway->functions, function, next)
        faas_remove(function);
    web_server_free(gateway->server);
    free(gateway->list_body);
    free(gateway->authorization);
    free(gateway->url);
    free(gateway);
}

int faas_gateway_port(const struct faas_gateway *gateway)
{
    return gateway->port;
}

const char *faas_gateway_url(const struct faas_gateway *gateway)
{
    return gateway->url;
}

void faas_observe(struct faas_gateway *gateway,
                  void (*seen)(void *context, enum faas_event event, const struct faas_call *call,
                               int status),
                  void *context)
{
    gateway->seen = seen;
    gateway->seen_context = context;
}

uint64_t faas_list_count(const struct faas_gateway *gateway)
{
    return gateway->list_count;
}

/* ---- faults ---- */

void faas_list_answer(struct faas_gateway *gateway, int status, const void *body, size_t size)
{
    free(gateway->list_body);
    gateway->list_status = status;
    gateway->list_body = size ? xstrndup(body, size) : NULL;
    gateway->list_size = size;
}

void faas_namespaces(struct faas_gateway *gateway, bool on)
{
    gateway->namespaces = on;
}

void faas_require_auth(struct faas_gateway *gateway, const char *user, const char *password)
{
    free(gateway->authorization);
    gateway->authorization = NULL;
    if (!user)
        return;
    char *plain = xasprintf("%s:%s", user, password);
    size_t size = strlen(plain);
    char *encoded = xmalloc(BASE64_SIZE(size) + 1);
    base64_encode(plain, size, encoded);
    gateway->authorization = xasprintf("Basic %s", encoded);
    free(encoded);
    free(plain);
}

void faas_gateway_down(struct faas_gateway *gateway)
{
    run_cut_all(gateway, NULL);
    web_server_free(gateway->server);
    gateway->server = NULL;
}

bool faas_gateway_up(struct faas_gateway *gateway, char **reason)
{
    if (gateway->server)
        return true;
    char *listen = xasprintf("127.0.0.1:%d", gateway->port);
    gateway->server = web_server_new(gateway->loop, listen, BODY_LIMIT, routes, gateway, reason);
    free(listen);
    return gateway->server != NULL;
}
