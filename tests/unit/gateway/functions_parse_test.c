/* functions_parse: what the gateway may list, well and badly. */
#include "base/xalloc.h"
#include "gateway/functions.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define FIGLET "{\"name\":\"figlet\",\"annotations\":{\"topic\":\"faas-request\"}}"

static const struct {
    const char *what;
    const char *text;
    const char *namespace_name;
    const char *paths; /* in the map, blank-separated; NULL: refused */
} lists[] = {
    {"an empty list", "[]", NULL, ""},
    {"Go's other empty list", "null", NULL, ""},
    {"one function, no namespaces", "[" FIGLET "]", NULL, "figlet"},
    {"one function of a namespace", "[" FIGLET "]", "openfaas-fn", "figlet.openfaas-fn"},
    {"a name twice", "[" FIGLET "," FIGLET "]", NULL, "figlet"},
    {"a function without annotations is passed over", "[{\"name\":\"f\"}," FIGLET "]", NULL,
     "figlet"},
    {"annotations null", "[{\"name\":\"f\",\"annotations\":null}]", NULL, ""},
    {"a topic that is no text", "[{\"name\":\"f\",\"annotations\":{\"topic\":7}}]", NULL, ""},
    {"a topic of blanks and commas", "[{\"name\":\"f\",\"annotations\":{\"topic\":\" , ,\"}}]",
     NULL, ""},
    {"the topic among the labels does not count", "[{\"name\":\"f\",\"labels\":{\"topic\":\"a\"}}]",
     NULL, ""},
    {"entries that are no objects", "[1,null,\"f\",[]," FIGLET "]", NULL, "figlet"},
    {"a name that is no text", "[{\"name\":7,\"annotations\":{\"topic\":\"a\"}}]", NULL, ""},
    {"a name that leaves its folder",
     "[{\"name\":\"../system\",\"annotations\":{\"topic\":\"a\"}}]", NULL, ""},
    {"a name of dots", "[{\"name\":\"..\",\"annotations\":{\"topic\":\"a\"}}]", NULL, ""},
    {"a name with a query", "[{\"name\":\"f?x=1\",\"annotations\":{\"topic\":\"a\"}}]", NULL, ""},
    {"a name with CR LF", "[{\"name\":\"f\\r\\nHost: x\",\"annotations\":{\"topic\":\"a\"}}]", NULL,
     ""},
    {"an object", "{}", NULL, NULL},
    {"a text", "\"figlet\"", NULL, NULL},
    {"a number", "1", NULL, NULL},
    {"HTML", "<html><body>502 Bad Gateway</body></html>", NULL, NULL},
    {"nothing", "", NULL, NULL},
    {"half a list", "[" FIGLET, NULL, NULL},
    {"something behind the list", "[] x", NULL, NULL},
};

static char *paths_of(const struct topic_map *map)
{
    char *paths = xstrdup("");

    for (const struct function_spec *function = NULL; (function = topic_map_next(map, function));) {
        char *longer = xasprintf("%s%s%s", paths, *paths ? " " : "", function->path);

        free(paths);
        paths = longer;
    }
    return paths;
}

Test(functions_parse, lists)
{
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        struct topic_map *map = topic_map_new();
        const char *reason = NULL;
        bool good = functions_parse(lists[i].text, strlen(lists[i].text), lists[i].namespace_name,
                                    NULL, map, &reason);
        char *paths = paths_of(map);

        cr_expect_eq(good, lists[i].paths != NULL, "%s", lists[i].what);
        cr_expect_str_eq(paths, lists[i].paths ? lists[i].paths : "", "%s", lists[i].what);
        cr_expect(good || reason, "%s: no reason", lists[i].what);
        free(paths);
        topic_map_free(map);
    }
}

Test(functions_parse, only_those_named)
{
    static const char text[] = "[{\"name\":\"a\",\"annotations\":{\"topic\":\"t\"}},"
                               "{\"name\":\"b\",\"annotations\":{\"topic\":\"t\"}},"
                               "{\"name\":\"c\",\"annotations\":{\"topic\":\"t\"}}]";
    char *items[] = {(char *)"a", (char *)"b.dev", (char *)"c.prod"};
    const struct option_list only = {items, 3};
    struct topic_map *map = topic_map_new();
    const char *reason;
    char *paths;

    cr_assert(functions_parse(text, strlen(text), "dev", &only, map, &reason));
    paths = paths_of(map);
    cr_expect_str_eq(paths, "a.dev b.dev", "c is wanted from another namespace");
    free(paths);
    topic_map_free(map);
}

static const struct {
    const char *annotations;
    struct function_retry retry;
} retries[] = {
    {"\"x\":\"y\"", {-1, -1, -1, NULL}},
    {"\"com.openfaas.retry.attempts\":\"5\",\"com.openfaas.retry.codes\":\"429,503\","
     "\"com.openfaas.retry.min_wait\":\"500ms\",\"com.openfaas.retry.max_wait\":\"1m\"",
     {5, 500, 60000, (char *)"429,503"}},
    {"\"com.openfaas.retry.attempts\":3", {3, -1, -1, NULL}},
    {"\"com.openfaas.retry.attempts\":\"-1\"", {-1, -1, -1, NULL}},
    {"\"com.openfaas.retry.attempts\":\"\"", {-1, -1, -1, NULL}},
    {"\"com.openfaas.retry.attempts\":\"5x\"", {-1, -1, -1, NULL}},
    {"\"com.openfaas.retry.attempts\":\"99999999999999999999\"", {-1, -1, -1, NULL}},
    {"\"com.openfaas.retry.min_wait\":\"soon\",\"com.openfaas.retry.max_wait\":null",
     {-1, -1, -1, NULL}},
    {"\"com.openfaas.retry.codes\":503", {-1, -1, -1, NULL}},
};

Test(functions_parse, retry_annotations)
{
    for (size_t i = 0; i < sizeof(retries) / sizeof(*retries); i++) {
        char *text = xasprintf("[{\"name\":\"f\",\"annotations\":{\"topic\":\"t\",%s}}]",
                               retries[i].annotations);
        struct topic_map *map = topic_map_new();
        const struct function_retry *wanted = &retries[i].retry, *got;
        const char *reason;

        cr_assert(functions_parse(text, strlen(text), NULL, NULL, map, &reason), "%s", reason);
        got = &topic_map_next(map, NULL)->retry;
        cr_expect_eq(got->attempts, wanted->attempts, "%s", text);
        cr_expect_eq(got->min_wait_ms, wanted->min_wait_ms, "%s", text);
        cr_expect_eq(got->max_wait_ms, wanted->max_wait_ms, "%s", text);
        cr_expect_eq(!got->codes, !wanted->codes, "%s", text);
        if (got->codes && wanted->codes)
            cr_expect_str_eq(got->codes, wanted->codes);
        topic_map_free(map);
        free(text);
    }
}

Test(functions_parse, an_annotation_with_10000_topics, .timeout = 20)
{
    enum { TOPICS = 10000, ROOM = TOPICS * 12 + 100 };
    char *text = xmalloc(ROOM);
    struct topic_map *map = topic_map_new();
    const char *reason;
    size_t size = (size_t)snprintf(text, ROOM, "[{\"name\":\"f\",\"annotations\":{\"topic\":\"");

    for (size_t i = 0; i < TOPICS; i++)
        size += (size_t)snprintf(text + size, ROOM - size, "topic%zu,", i);
    size += (size_t)snprintf(text + size, ROOM - size, "\"}}]");
    cr_assert(functions_parse(text, size, NULL, NULL, map, &reason), "%s", reason);
    cr_expect_eq(topic_map_next(map, NULL)->topic_count, TOPICS);
    topic_map_free(map);
    free(text);
}

static const struct {
    const char *text;
    const char *names; /* NULL: refused */
} namespaces[] = {
    {"[]", ""},
    {"null", ""},
    {"[\"\"]", ""},
    {"[\"openfaas-fn\",\"dev\"]", "openfaas-fn dev "},
    {"[\"a&b=c\",7,null,\"dev\"]", "dev "},
    {"{}", NULL},
    {"<html>", NULL},
};

Test(functions_parse, namespaces)
{
    for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++) {
        struct option_list names = {0};
        const char *reason = NULL;
        char joined[100] = "";
        size_t length = 0;
        bool good = functions_parse_namespaces(namespaces[i].text, strlen(namespaces[i].text),
                                               &names, &reason);

        for (size_t j = 0; j < names.count; j++)
            length +=
                (size_t)snprintf(joined + length, sizeof(joined) - length, "%s ", names.items[j]);
        option_list_release(&names);
        cr_expect_eq(good, namespaces[i].names != NULL, "%s", namespaces[i].text);
        cr_expect_str_eq(joined, namespaces[i].names ? namespaces[i].names : "");
        cr_expect(good || reason);
    }
}

Test(functions_parse, too_many_namespaces)
{
    enum { ROOM = FUNCTIONS_NAMESPACES_LIMIT * 4 + 10 };
    char *text = xmalloc(ROOM);
    struct option_list names = {0};
    const char *reason;
    size_t size = (size_t)snprintf(text, ROOM, "[\"a\"");

    for (size_t i = 0; i < FUNCTIONS_NAMESPACES_LIMIT; i++)
        size += (size_t)snprintf(text + size, ROOM - size, ",\"a\"");
    size += (size_t)snprintf(text + size, ROOM - size, "]");
    cr_expect_not(functions_parse_namespaces(text, size, &names, &reason));
    cr_expect_eq(names.count, FUNCTIONS_NAMESPACES_LIMIT);
    option_list_release(&names);
    free(text);
}
