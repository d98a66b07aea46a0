/*
 * functions: reads the gateway's functions and their `topic` annotations, again and again.
 *
 * GET /system/namespaces, then GET /system/functions?namespace=N for each; a gateway without
 * namespaces (404, an empty list) is asked for /system/functions alone. The list is parsed whole
 * (functions_parse, pure) into a topic_map and merged into the one in force. On any failure (no
 * connection, 401, 500, not JSON, longer than FUNCTIONS_LIST_LIMIT) the last good map stays, and
 * the fault is logged when it changes. One rebuild at a time, rebuild_interval from the end of one
 * to the start of the next.
 */
#ifndef GATEWAY_FUNCTIONS_H
#define GATEWAY_FUNCTIONS_H

#include "core/topic_map.h"
#include "gateway/gateway.h"
#include "gateway/http.h"

enum {
    FUNCTIONS_LIST_LIMIT = 16 * 1024 * 1024, /* bytes of one answer */
    FUNCTIONS_NAMESPACES_LIMIT = 1000,
};

struct functions;

/* `changed` is called on the loop after the first good list, also an empty one, and whenever the
 * map differs from the one before (functions_map). The options are borrowed. */
struct functions *functions_new(uv_loop_t *loop, struct http *http,
                                const struct gateway_options *options,
                                void (*changed)(void *context), void *context);
void functions_free(struct functions *functions);

/* Starts asking. */
void functions_start(struct functions *functions);

/* The map in force; NULL before the first good list. Borrowed until `changed` is called. */
const struct topic_map *functions_map(const struct functions *functions);

/* When the map in force was last confirmed by a good list, by uv_now's clock; -1: never. */
int64_t functions_confirmed_ms(const struct functions *functions);

/* Why the last rebuild failed, or NULL when it did not. */
const char *functions_fault(const struct functions *functions);

/* Adds the functions of one namespace's answer to the map. Entries that are not functions or have
 * no topic are passed over. False: *reason (static text): not JSON, not a list. `namespace_name`
 * NULL: a gateway without namespaces, paths are plain names. `only` as gateway_options.functions:
 * NULL or empty, all. */
bool functions_parse(const char *text, size_t size, const char *namespace_name,
                     const struct option_list *only, struct topic_map *map, const char **reason);

/* Adds the namespaces of an answer to the names, which the caller releases. False: *reason as
 * above, or more than FUNCTIONS_NAMESPACES_LIMIT. */
bool functions_parse_namespaces(const char *text, size_t size, struct option_list *names,
                                const char **reason);

#endif
