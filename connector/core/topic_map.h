/*
 * topic_map: which functions want which topics.
 *
 * A map is built whole from what the gateway lists (a function named in several namespaces is
 * several functions: its path is name.namespace), then merged into the one in force: functions are
 * the same when their path is. A function that a good list lacks stays until
 * TOPIC_MAP_MISSING_LIMIT good lists in a row lacked it. Values only: nothing here calls or logs.
 */
#ifndef CORE_TOPIC_MAP_H
#define CORE_TOPIC_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOPIC_MAP_MISSING_LIMIT = 3 };

/* Retry rules from a function's annotations; -1 and NULL where it says nothing. What makes no
 * sense (attempts or max_wait 0) counts as nothing. */
struct function_retry {
    int64_t attempts;    /* com.openfaas.retry.attempts */
    int64_t min_wait_ms; /* com.openfaas.retry.min_wait */
    int64_t max_wait_ms; /* com.openfaas.retry.max_wait */
    char *codes;         /* com.openfaas.retry.codes: "429,502,503"; owned */
};

struct function_spec {
    char *path;    /* "figlet" or "figlet.openfaas-fn" */
    char **topics; /* trimmed, each once, in the annotation's order */
    size_t topic_count;
    struct function_retry retry;
    unsigned missing; /* good lists in a row without it */
};

struct topic_map;

struct topic_map *topic_map_new(void);
void topic_map_free(struct topic_map *map);

/* Adds a function. `topics` is the annotation's text: split at ",", blanks trimmed, empty and
 * repeated entries dropped. Without a topic left, or with a path already there: false. The map
 * takes retry->codes over only when it returns true. */
bool topic_map_add(struct topic_map *map, const char *path, const char *topics,
                   const struct function_retry *retry);

size_t topic_map_size(const struct topic_map *map);
const struct function_spec *topic_map_find(const struct topic_map *map, const char *path);

/* The functions of a topic, in the order they were listed; *count 0 and NULL: none. Borrowed
 * until the map changes. */
const struct function_spec *const *topic_map_functions(const struct topic_map *map,
                                                       const char *topic, size_t *count);

/* All topics, each once, sorted. Borrowed until the map changes. */
const char *const *topic_map_topics(const struct topic_map *map, size_t *count);

/* The first function (after NULL), then the one after another, in order; NULL behind the last. */
const struct function_spec *topic_map_next(const struct topic_map *map,
                                           const struct function_spec *function);

/* The map to go on with, made of the one in force and a good list; both are consumed. `old` may be
 * NULL. *changed: functions or their topics or retry rules differ from old's; false: it is `old`
 * itself, so that what was borrowed from it lives on. */
struct topic_map *topic_map_merge_take(struct topic_map *old, struct topic_map *listed,
                                       bool *changed);

#endif
