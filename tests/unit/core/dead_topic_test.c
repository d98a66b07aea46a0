/* dead_topic: names of topics for dead letters. */
#include "core/dead_topic.h"

#include <criterion/criterion.h>
#include <regex.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
    const char *template, *topic, *name;
} names[] = {
    {"dead", "orders", "dead"},
    {"{topic}.dead", "orders", "orders.dead"},
    {"dead.{topic}", "orders", "dead.orders"},
    {"a-{topic}-z", "orders", "a-orders-z"},
    {"{topic}", "orders", "orders"},
};

Test(dead_topic, makes_names)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        char *name = dead_topic_name(names[i].template, names[i].topic);

        cr_expect_str_eq(name, names[i].name);
        free(name);
    }
}

static const struct {
    const char *sentence, *template, *topic;
    bool dead;
} topics[] = {
    {"a fixed name", "dead", "dead", true},
    {"no other name", "dead", "dead.orders", false},
    {"nor one that it begins", "dead", "dea", false},
    {"what a template makes", "{topic}.dead", "orders.dead", true},
    {"and what it makes of that", "{topic}.dead", "orders.dead.dead", true},
    {"a topic that it is made for", "{topic}.dead", "orders", false},
    {"a dot is a dot", "{topic}.dead", "orders-dead", false},
    {"nothing in the hole is no topic", "{topic}.dead", ".dead", false},
    {"text in front", "dead.{topic}", "dead.orders", true},
    {"text in front that is missing", "dead.{topic}", "orders", false},
    {"text at both ends", "a{topic}a", "aba", true},
    {"text at both ends must not be the same", "a{topic}a", "aa", false},
    {"the hole alone: every topic", "{topic}", "orders", true},
};

static bool matches(const char *pattern, const char *text)
{
    regex_t compiled;
    bool found;

    cr_assert_eq(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0, "%s", pattern);
    found = regexec(&compiled, text, 0, NULL, 0) == 0;
    regfree(&compiled);
    return found;
}

Test(dead_topic, knows_such_topics_and_so_does_its_pattern)
{
    for (size_t i = 0; i < COUNT(topics); i++) {
        char *pattern = dead_topic_pattern(topics[i].template);

        cr_expect_eq(dead_topic_is(topics[i].template, topics[i].topic), topics[i].dead, "%s",
                     topics[i].sentence);
        cr_expect_eq(matches(pattern, topics[i].topic), topics[i].dead, "%s: %s",
                     topics[i].sentence, pattern);
        free(pattern);
    }
}

Test(dead_topic, without_a_template_there_are_none)
{
    cr_expect_not(dead_topic_is(NULL, "orders"));
    cr_expect_not(dead_topic_is("", "orders"));
    cr_expect_not(dead_topic_is("", ""));
    cr_expect(dead_topic_is_any("{topic}"));
    cr_expect_not(dead_topic_is_any("{topic}.dead"));
    cr_expect_not(dead_topic_is_any("dead"));
}
