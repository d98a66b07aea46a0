/* function: what the gateway knows of a function, and which reply its next call gets. */
#include "sandbox/gateway_private.h"

#include "base/json.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

static struct faas_reply reply_copy(const struct faas_reply *reply)
{
    struct faas_reply copy = *reply;
    copy.body_size = reply->body && !reply->body_size ? strlen(reply->body) : reply->body_size;
    copy.body = reply->body ? xstrndup(reply->body, copy.body_size) : NULL;
    copy.header = xstrdup(reply->header);
    return copy;
}

void reply_release(struct faas_reply *reply)
{
    free((char *)reply->body);
    free((char *)reply->header);
    *reply = (struct faas_reply){0};
}

/* ---- deploying ---- */

struct faas_function *faas_find(const struct faas_gateway *gateway, const char *name)
{
    struct faas_function *found;
    HASH_FIND_STR(gateway->functions, name, found);
    if (found)
        return found;
    char *full = xasprintf("%s.%s", name, FAAS_NAMESPACE);
    HASH_FIND_STR(gateway->functions, full, found);
    free(full);
    return found;
}

struct faas_function *faas_deploy(struct faas_gateway *gateway, const char *name,
                                  const char *namespace_name, const char *topic)
{
    struct faas_function *function = xcalloc(1, sizeof(*function)), *before;
    function->gateway = gateway;
    function->replicas = 1;
    function->name = xstrdup(name);
    function->namespace_name = xstrdup(namespace_name ? namespace_name : FAAS_NAMESPACE);
    function->path = xasprintf("%s.%s", name, function->namespace_name);
    HASH_FIND_STR(gateway->functions, function->path, before);
    if (before)
        faas_remove(before);
    HASH_ADD_KEYPTR(hh, gateway->functions, function->path, strlen(function->path), function);
    if (topic)
        faas_annotate(function, "topic", topic);
    return function;
}

static void annotation_free(struct annotation *annotation)
{
    free(annotation->name);
    free(annotation->value);
    free(annotation);
}

void faas_annotate(struct faas_function *function, const char *name, const char *value)
{
    struct annotation *annotation, *next;
    DL_FOREACH_SAFE (function->annotations, annotation, next) {
        if (strcmp(annotation->name, name) == 0) {
            DL_DELETE(function->annotations, annotation);
            annotation_free(annotation);
        }
    }
    if (!value)
        return;
    annotation = xcalloc(1, sizeof(*annotation));
    annotation->name = xstrdup(name);
    annotation->value = xstrdup(value);
    DL_APPEND(function->annotations, annotation);
}

static void next_reply_drop(struct faas_function *function, struct next_reply *next)
{
    DL_DELETE(function->next, next);
    reply_release(&next->reply);
    free(next);
}

static void argv_free(char **argv)
{
    for (char **word = argv; word && *word; word++)
        free(*word);
    free(argv);
}

static void function_free(struct faas_function *function)
{
    if (!function)
        return;
    function_free(function->wake);
    struct annotation *annotation, *after;
    DL_FOREACH_SAFE (function->annotations, annotation, after)
        annotation_free(annotation);
    while (function->next)
        next_reply_drop(function, function->next);
    reply_release(&function->script);
    argv_free(function->argv);
    free(function->path);
    free(function->name);
    free(function->namespace_name);
    free(function);
}

void faas_remove(struct faas_function *function)
{
    struct faas_gateway *gateway = function->gateway;
    run_cut_all(gateway, function);
    if (function->wake)
        run_cut_all(gateway, function->wake);
    HASH_DEL(gateway->functions, function);
    function_free(function);
}

/* ---- sleeping ---- */

void faas_set_replicas(struct faas_function *function, int64_t replicas)
{
    function->replicas = replicas;
}

int64_t faas_replicas(const struct faas_function *function)
{
    return function->replicas;
}

struct faas_function *faas_wake(struct faas_function *function)
{
    struct faas_function *wake = function->wake;
    if (wake)
        return wake;
    wake = function->wake = xcalloc(1, sizeof(*wake));
    wake->gateway = function->gateway;
    wake->sleeper = function;
    wake->path = xasprintf("%s/wake", function->path);
    wake->script.status = 204;
    return wake;
}

void function_woken(struct faas_function *wake, const void *body, size_t size)
{
    const char *reason;
    json *asked = json_parse(body, size, &reason);
    char *replicas = json_scalar_dup(json_member(asked, "replicas"));
    if (replicas)
        wake->sleeper->replicas = strtoll(replicas, NULL, 10);
    else if (wake->sleeper->replicas == 0)
        wake->sleeper->replicas = 1;
    free(replicas);
    json_free(asked);
}

/* ---- replies ---- */

void faas_script(struct faas_function *function, const struct faas_reply *reply)
{
    reply_release(&function->script);
    function->script = reply_copy(reply);
    argv_free(function->argv);
    function->argv = NULL;
}

void faas_next(struct faas_function *function, int count, const struct faas_reply *reply)
{
    struct next_reply *next = xcalloc(1, sizeof(*next));
    next->reply = reply_copy(reply);
    next->count = count;
    DL_APPEND(function->next, next);
}

void faas_decide(struct faas_function *function,
                 struct faas_reply (*decide)(void *context, const struct faas_call *call),
                 void *context)
{
    function->decide = decide;
    function->decide_context = context;
}

void faas_program(struct faas_function *function, char *const *argv)
{
    size_t count = 0;
    while (argv[count])
        count++;
    argv_free(function->argv);
    function->argv = xcalloc(count + 1, sizeof(*function->argv));
    for (size_t i = 0; i < count; i++)
        function->argv[i] = xstrdup(argv[i]);
}

struct faas_reply function_choose(struct faas_function *function, const struct faas_call *call)
{
    struct next_reply *next = function->next;
    if (next) {
        struct faas_reply reply = reply_copy(&next->reply);
        if (--next->count <= 0)
            next_reply_drop(function, next);
        return reply;
    }
    if (function->decide) {
        struct faas_reply reply = function->decide(function->decide_context, call);
        return reply_copy(&reply);
    }
    return reply_copy(&function->script);
}

int faas_release(struct faas_function *function, int count)
{
    int released = 0;
    struct run *run, *next;
    DL_FOREACH_SAFE (function->gateway->runs, run, next) {
        if (run->function == function && run->held && released != count) {
            run_release(run);
            released++;
        }
    }
    return released;
}
