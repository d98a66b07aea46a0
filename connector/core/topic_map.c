/*
 * topic_map: see topic_map.h. Two hashes: functions by path, in the order they were added, and
 * topics by name, each with its functions.
 */
#include "core/topic_map.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct function_entry {
    struct function_spec spec; /* first: a spec's address is its entry's */
    UT_hash_handle hh;
};

struct topic_entry {
    char *name;
    const struct function_spec **functions;
    size_t count;
    UT_hash_handle hh;
};

struct topic_map {
    struct function_entry *functions;
    struct topic_entry *topics;
    const char **names; /* sorted; NULL: to be made again */
};

struct topic_map *topic_map_new(void)
{
    return xcalloc(1, sizeof(struct topic_map));
}

static void function_entry_free(struct function_entry *function)
{
    for (size_t i = 0; i < function->spec.topic_count; i++)
        free(function->spec.topics[i]);
    free(function->spec.topics);
    free(function->spec.retry.codes);
    free(function->spec.path);
    free(function);
}

void topic_map_free(struct topic_map *map)
{
    struct function_entry *function, *next_function;
    struct topic_entry *topic, *next_topic;

    if (!map)
        return;
    HASH_ITER (hh, map->functions, function, next_function) {
        HASH_DEL(map->functions, function);
        function_entry_free(function);
    }
    HASH_ITER (hh, map->topics, topic, next_topic) {
        HASH_DEL(map->topics, topic);
        free(topic->functions);
        free(topic->name);
        free(topic);
    }
    free(map->names);
    free(map);
}

static struct function_entry *find_function(const struct topic_map *map, const char *path)
{
    struct function_entry *function;

    HASH_FIND_STR(map->functions, path, function);
    return function;
}

/* Makes the function one of the topic's. False: it is already. Functions are added one after
 * another, so one that is there already is the last. */
static bool topic_bind(struct topic_map *map, const char *name,
                       const struct function_spec *function)
{
    struct topic_entry *topic;

    HASH_FIND_STR(map->topics, name, topic);
    if (!topic) {
        topic = xcalloc(1, sizeof(*topic));
        topic->name = xstrdup(name);
        HASH_ADD_KEYPTR(hh, map->topics, topic->name, strlen(topic->name), topic);
        free(map->names);
        map->names = NULL;
    } else if (topic->functions[topic->count - 1] == function) {
        return false;
    }
    topic->functions = xrealloc(topic->functions, (topic->count + 1) * sizeof(*topic->functions));
    topic->functions[topic->count++] = function;
    return true;
}

static void add_topic(struct topic_map *map, struct function_spec *function, const char *text,
                      size_t size)
{
    static const char blanks[] = " \t\r\n";
    char *name;

    while (size && strchr(blanks, text[0]))
        text++, size--;
    while (size && strchr(blanks, text[size - 1]))
        size--;
    if (!size)
        return;
    name = xstrndup(text, size);
    if (!topic_bind(map, name, function)) {
        free(name);
        return;
    }
    if ((function->topic_count & (function->topic_count - 1)) == 0) /* grows at powers of two */
        function->topics =
            xrealloc(function->topics, (function->topic_count * 2 + 1) * sizeof(*function->topics));
    function->topics[function->topic_count++] = name;
}

bool topic_map_add(struct topic_map *map, const char *path, const char *topics,
                   const struct function_retry *retry)
{
    struct function_entry *function;

    if (find_function(map, path))
        return false;
    function = xcalloc(1, sizeof(*function));
    for (const char *at = topics; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        add_topic(map, &function->spec, at, strcspn(at, ","));
    if (!function->spec.topic_count) {
        free(function);
        return false;
    }
    function->spec.path = xstrdup(path);
    function->spec.retry = *retry;
    HASH_ADD_KEYPTR(hh, map->functions, function->spec.path, strlen(function->spec.path), function);
    return true;
}

size_t topic_map_size(const struct topic_map *map)
{
    return HASH_COUNT(map->functions);
}

const struct function_spec *topic_map_find(const struct topic_map *map, const char *path)
{
    struct function_entry *function = find_function(map, path);

    return function ? &function->spec : NULL;
}

const struct function_spec *topic_map_next(const struct topic_map *map,
                                           const struct function_spec *function)
{
    const struct function_entry *at = (const struct function_entry *)function;

    at = at ? at->hh.next : map->functions;
    return at ? &at->spec : NULL;
}

const struct function_spec *const *topic_map_functions(const struct topic_map *map,
                                                       const char *topic, size_t *count)
{
    struct topic_entry *entry;

    HASH_FIND_STR(map->topics, topic, entry);
    *count = entry ? entry->count : 0;
    return entry ? entry->functions : NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *const *topic_map_topics(const struct topic_map *map, size_t *count)
{
    struct topic_map *cache = (struct topic_map *)map; /* names is made on demand */
    size_t n = 0;

    *count = HASH_COUNT(map->topics);
    if (!map->names) {
        cache->names = xcalloc(*count, sizeof(*cache->names));
        for (struct topic_entry *topic = map->topics; topic; topic = topic->hh.next)
            cache->names[n++] = topic->name;
        qsort(cache->names, n, sizeof(*cache->names), by_name);
    }
    return map->names;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_function(const struct function_spec *a, const struct function_spec *b)
{
    if (a->topic_count != b->topic_count || a->retry.attempts != b->retry.attempts ||
        a->retry.min_wait_ms != b->retry.min_wait_ms ||
        a->retry.max_wait_ms != b->retry.max_wait_ms || !same_text(a->retry.codes, b->retry.codes))
        return false;
    for (size_t i = 0; i < a->topic_count; i++)
        if (strcmp(a->topics[i], b->topics[i]) != 0)
            return false;
    return true;
}

static bool same_map(const struct topic_map *a, const struct topic_map *b)
{
    const struct function_entry *other;

    if (topic_map_size(a) != topic_map_size(b))
        return false;
    for (struct function_entry *function = a->functions; function; function = function->hh.next) {
        other = find_function(b, function->spec.path);
        if (!other || !same_function(&function->spec, &other->spec))
            return false;
    }
    return true;
}

/* A function the list lacked goes on, once more. */
static void keep_missing(struct topic_map *map, const struct function_spec *missing)
{
    struct function_entry *copy = xcalloc(1, sizeof(*copy));

    copy->spec.path = xstrdup(missing->path);
    copy->spec.retry = missing->retry;
    copy->spec.retry.codes = xstrdup(missing->retry.codes);
    copy->spec.missing = missing->missing + 1;
    for (size_t i = 0; i < missing->topic_count; i++)
        add_topic(map, &copy->spec, missing->topics[i], strlen(missing->topics[i]));
    HASH_ADD_KEYPTR(hh, map->functions, copy->spec.path, strlen(copy->spec.path), copy);
}

struct topic_map *topic_map_merge_take(struct topic_map *old, struct topic_map *listed,
                                       bool *changed)
{
    if (!old) {
        *changed = true;
        return listed;
    }
    for (struct function_entry *function = old->functions; function; function = function->hh.next)
        if (!find_function(listed, function->spec.path) &&
            function->spec.missing + 1 < TOPIC_MAP_MISSING_LIMIT)
            keep_missing(listed, &function->spec);
    *changed = !same_map(old, listed);
    if (*changed) {
        topic_map_free(old);
        return listed;
    }
    for (struct function_entry *function = old->functions; function; function = function->hh.next)
        function->spec.missing = find_function(listed, function->spec.path)->spec.missing;
    topic_map_free(listed);
    return old;
}
