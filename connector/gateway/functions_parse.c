/* functions_parse: what the gateway lists: namespaces, and the functions of one. Pure. */
#include "base/duration.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "gateway/functions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOPIC_ANNOTATION "topic"
#define RETRY_ANNOTATION "com.openfaas.retry."

static bool lists(const struct option_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static bool is_wanted(const struct option_list *only, const char *name, const char *path)
{
    return !only || !only->count || lists(only, name) || lists(only, path);
}

/* ---- retry rules: what is not well written says nothing, -1 ---- */

static int64_t parse_count(const char *text)
{
    char *end;
    long long count;

    errno = 0;
    count = strtoll(text, &end, 10);
    return errno || end == text || *end || count < 0 || count > INT32_MAX ? -1 : count;
}

static int64_t retry_count(const json *annotations, const char *name)
{
    char *text = json_scalar_dup(json_member(annotations, name));
    int64_t count = text ? parse_count(text) : -1;

    free(text);
    return count;
}

static int64_t retry_wait(const json *annotations, const char *name)
{
    char *text = json_scalar_dup(json_member(annotations, name));
    const char *reason;
    int64_t wait_ms;

    if (!text || !duration_parse(text, &wait_ms, &reason))
        wait_ms = -1;
    free(text);
    return wait_ms;
}

static struct function_retry read_retry(const json *annotations)
{
    const char *codes = json_text(json_member(annotations, RETRY_ANNOTATION "codes"), "");

    return (struct function_retry){
        .attempts = retry_count(annotations, RETRY_ANNOTATION "attempts"),
        .min_wait_ms = retry_wait(annotations, RETRY_ANNOTATION "min_wait"),
        .max_wait_ms = retry_wait(annotations, RETRY_ANNOTATION "max_wait"),
        .codes = *codes ? xstrdup(codes) : NULL,
    };
}

static void add_function(const json *entry, const char *namespace_name,
                         const struct option_list *only, struct topic_map *map)
{
    const json *annotations = json_member(entry, "annotations");
    const char *name = json_text(json_member(entry, "name"), "");
    const char *topics = json_text(json_member(annotations, TOPIC_ANNOTATION), "");
    struct function_retry retry;
    char *path;

    if (!gateway_path_clean(name) || !*topics)
        return;
    path = namespace_name ? xasprintf("%s.%s", name, namespace_name) : xstrdup(name);
    if (is_wanted(only, name, path)) {
        retry = read_retry(annotations);
        if (!topic_map_add(map, path, topics, &retry))
            free(retry.codes);
    }
    free(path);
}

/* NULL: *reason. The gateway is written in Go, whose empty list may be written null. */
static json *parse_list(const char *text, size_t size, const char **reason)
{
    json *list = json_parse(text, size, reason);

    if (!list || json_is_array(list) || json_is_null(list))
        return list;
    *reason = "not a list";
    json_free(list);
    return NULL;
}

bool functions_parse(const char *text, size_t size, const char *namespace_name,
                     const struct option_list *only, struct topic_map *map, const char **reason)
{
    json *list = parse_list(text, size, reason);

    if (!list)
        return false;
    json_each (entry, list)
        add_function(entry, namespace_name, only, map);
    json_free(list);
    return true;
}

bool functions_parse_namespaces(const char *text, size_t size, struct option_list *names,
                                const char **reason)
{
    json *list = parse_list(text, size, reason);
    bool fits = true;

    if (!list)
        return false;
    json_each (entry, list) {
        const char *name = json_text(entry, "");

        fits = names->count < FUNCTIONS_NAMESPACES_LIMIT;
        if (!fits)
            break;
        if (gateway_path_clean(name))
            option_list_add(names, name, strlen(name));
    }
    if (!fits)
        *reason = "too many namespaces";
    json_free(list);
    return fits;
}
