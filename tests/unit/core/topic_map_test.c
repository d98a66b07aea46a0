/* topic_map: annotations to topics, and lists merged one after another. */
#include "core/topic_map.h"

#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct function_retry nothing = {-1, -1, -1, NULL};

/* Caller frees. */
static char *joined(const char *const *names, size_t count)
{
    char *text = xstrdup("");

    for (size_t i = 0; i < count; i++) {
        char *longer = xasprintf("%s%s%s", text, i ? "|" : "", names[i]);

        free(text);
        text = longer;
    }
    return text;
}

static void expect_topics(const struct topic_map *map, const char *expected, const char *sentence)
{
    size_t count;
    const char *const *names = topic_map_topics(map, &count);
    char *text = joined(names, count);

    cr_expect_str_eq(text, expected, "%s: all topics: %s", sentence, text);
    free(text);
}

static void expect_functions(const struct topic_map *map, const char *topic, const char *expected,
                             const char *sentence)
{
    size_t count;
    const struct function_spec *const *functions = topic_map_functions(map, topic, &count);
    const char *paths[8];
    char *text;

    cr_assert_leq(count, COUNT(paths));
    cr_expect_eq(count == 0, functions == NULL, "%s", sentence);
    for (size_t i = 0; i < count; i++)
        paths[i] = functions[i]->path;
    text = joined(paths, count);
    cr_expect_str_eq(text, expected, "%s: functions of %s: %s", sentence, topic, text);
    free(text);
}

static const struct {
    const char *sentence, *annotation;
    const char *topics; /* in the annotation's order; NULL: not added */
} annotations[] = {
    {"one topic", "orders", "orders"},
    {"several, in their order", "b,a,c", "b|a|c"},
    {"blanks around them", " \torders , \r\n payments ", "orders|payments"},
    {"empty entries", ",orders,,payments,", "orders|payments"},
    {"repeated entries", "a,b,a,b,a", "a|b"},
    {"repeated but for blanks", "a, a", "a"},
    {"a blank within a name is the name's", "a b", "a b"},
    {"more than a handful", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q",
     "a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q"},
    {"a name is not the beginning of another", "orders,orders-eu,order", "orders|orders-eu|order"},
    {"capitals are told apart", "A,a", "A|a"},
    {"other scripts and control characters pass through", "\xc3\xbc,\x01", "\xc3\xbc|\x01"},
    {"nothing", "", NULL},
    {"blanks", " \t", NULL},
    {"commas", " , ,,", NULL},
};

Test(topic_map, reads_annotations)
{
    for (size_t i = 0; i < COUNT(annotations); i++) {
        struct topic_map *map = topic_map_new();
        bool added = topic_map_add(map, "figlet", annotations[i].annotation, &nothing);
        const struct function_spec *function = topic_map_find(map, "figlet");
        char *text;

        cr_expect_eq(added, annotations[i].topics != NULL, "%s", annotations[i].sentence);
        cr_expect_eq(function != NULL, added, "%s", annotations[i].sentence);
        cr_expect_eq(topic_map_size(map), added, "%s", annotations[i].sentence);
        if (function) {
            text = joined((const char *const *)function->topics, function->topic_count);
            cr_expect_str_eq(text, annotations[i].topics, "%s: %s", annotations[i].sentence, text);
            free(text);
        } else {
            expect_topics(map, "", annotations[i].sentence);
        }
        topic_map_free(map);
    }
}

Test(topic_map, lists_functions_and_topics_in_order)
{
    struct topic_map *map = topic_map_new();
    const struct function_spec *function = NULL;

    expect_topics(map, "", "an empty map");
    expect_functions(map, "b", "", "an empty map");
    cr_expect_null(topic_map_next(map, NULL));
    topic_map_add(map, "z.fn", "b,a", &nothing);
    expect_topics(map, "a|b", "sorted");
    topic_map_add(map, "y.fn", "c,b", &nothing);
    topic_map_add(map, "x.fn", "b", &nothing);
    expect_topics(map, "a|b|c", "sorted anew");
    expect_functions(map, "a", "z.fn", "one");
    expect_functions(map, "b", "z.fn|y.fn|x.fn", "in the order they were listed");
    expect_functions(map, "d", "", "no topic");
    cr_expect_str_eq((function = topic_map_next(map, function))->path, "z.fn");
    cr_expect_str_eq((function = topic_map_next(map, function))->path, "y.fn");
    cr_expect_str_eq((function = topic_map_next(map, function))->path, "x.fn");
    cr_expect_null(topic_map_next(map, function));
    topic_map_free(map);
}

Test(topic_map, takes_codes_over_only_when_it_adds)
{
    struct topic_map *map = topic_map_new();
    struct function_retry retry = {3, 100, 1000, xstrdup("429")};
    struct function_retry refused = {5, -1, -1, xstrdup("503")};

    cr_expect(topic_map_add(map, "figlet", "a", &retry));
    cr_expect_not(topic_map_add(map, "figlet", "b", &refused), "the path is there already");
    cr_expect_not(topic_map_add(map, "other", " ", &refused), "no topic");
    cr_expect_str_eq(topic_map_find(map, "figlet")->retry.codes, "429");
    cr_expect_eq(topic_map_find(map, "figlet")->retry.attempts, 3);
    expect_topics(map, "a", "the refused left nothing behind");
    free(refused.codes);
    topic_map_free(map);
    topic_map_free(NULL);
}

/* A list as text: "path=topics" and "path=topics@codes", set apart by blanks. */
static struct topic_map *listed(const char *text)
{
    struct topic_map *map = topic_map_new();
    char *copy = xstrdup(text), *rest = copy, *entry;

    while ((entry = strsep(&rest, " "))) {
        char *path = strsep(&entry, "="), *topics = strsep(&entry, "@");
        struct function_retry retry = nothing;

        retry.codes = xstrdup(entry);
        if (!*path || !topic_map_add(map, path, topics, &retry))
            free(retry.codes);
    }
    free(copy);
    return map;
}

enum { LISTS = 6 };

static const struct {
    const char *sentence;
    const char *lists[LISTS]; /* merged one after another; NULL: no more */
    bool changed;             /* by the last */
    const char *topics;       /* then */
    const char *of_t;         /* the functions of topic t then */
} merges[] = {
    {"the first list", {"f=t"}, true, "t", "f"},
    {"the same again", {"f=t", "f=t"}, false, "t", "f"},
    {"the same in another order", {"f=t g=t", "g=t f=t"}, false, "t", "f|g"},
    {"one more", {"f=t", "f=t g=t"}, true, "t", "f|g"},
    {"a topic more", {"f=t", "f=t,u"}, true, "t|u", "f"},
    {"a topic less goes at once", {"f=t,u", "f=t"}, true, "t", "f"},
    {"another topic", {"f=t", "f=u"}, true, "u", ""},
    {"other retry rules", {"f=t@503", "f=t@429"}, true, "t", "f"},
    {"retry rules where none were", {"f=t", "f=t@429"}, true, "t", "f"},
    {"the same retry rules", {"f=t@429", "f=t@429"}, false, "t", "f"},
    {"one that is missing stays", {"f=t g=t", "f=t"}, false, "t", "f|g"},
    {"with its topics and rules", {"f=t g=u,v,w,t@429", "f=t"}, false, "t|u|v|w", "f|g"},
    {"a second time", {"f=t g=t", "f=t", "f=t"}, false, "t", "f|g"},
    {"the third time it goes", {"f=t g=t", "f=t", "f=t", "f=t"}, true, "t", "f"},
    {"and is gone", {"f=t g=t", "f=t", "f=t", "f=t", "f=t"}, false, "t", "f"},
    {"one that comes back is counted from the beginning",
     {"f=t g=t", "f=t", "f=t", "g=t f=t", "f=t", "f=t"},
     false,
     "t",
     "f|g"},
    {"one that comes back with another topic", {"f=t g=t", "f=t", "f=t g=u"}, true, "t|u", "f"},
    {"an empty list empties the map only at its third", {"f=t", "", ""}, false, "t", "f"},
    {"then it does", {"f=t", "", "", ""}, true, "", ""},
    {"two that go at different times", {"f=t g=t", "g=t", "", ""}, true, "t", "g"},
};

Test(topic_map, keeps_the_map_itself_when_nothing_changed)
{
    struct topic_map *old = listed("f=t,u g=t"), *map;
    const struct function_spec *f = topic_map_find(old, "f");
    bool changed = true;

    map = topic_map_merge_take(old, listed("f=t,u"), &changed);
    cr_expect_not(changed);
    cr_expect_eq(topic_map_find(map, "f"), f, "what was borrowed lives on");
    map = topic_map_merge_take(map, listed("f=t,u"), &changed);
    map = topic_map_merge_take(map, listed("f=t,u"), &changed);
    cr_expect(changed, "what is missing is counted all the same");
    topic_map_free(map);
}

Test(topic_map, merges_lists)
{
    for (size_t i = 0; i < COUNT(merges); i++) {
        struct topic_map *map = NULL;
        bool changed = false;

        for (size_t n = 0; n < LISTS && merges[i].lists[n]; n++)
            map = topic_map_merge_take(map, listed(merges[i].lists[n]), &changed);
        cr_expect_eq(changed, merges[i].changed, "%s", merges[i].sentence);
        expect_topics(map, merges[i].topics, merges[i].sentence);
        expect_functions(map, "t", merges[i].of_t, merges[i].sentence);
        topic_map_free(map);
    }
}
