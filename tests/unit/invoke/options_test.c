/* options: faults of invoke mode that no single row shows, and the rules that come of it. */
#include "invoke/options.h"

#include <criterion/criterion.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static char long_topic[] = "t23456789012345678901234567890123456789012345678901234567890123456789"
                           "0123456789012345678901234567890123456789012345678901234567890123456789"
                           "0123456789012345678901234567890123456789012345678901234567890123456789"
                           "012345678901234567890123456789012345678";

static const struct {
    const char *sentence;
    char *dead, *topic, *dead_codes;
    const char *says; /* NULL: no fault */
} cases[] = {
    {"nothing", NULL, NULL, NULL, NULL},
    {"empty: there are none", "", "orders", "400-599", NULL},
    {"a fixed name", "dead", "orders", NULL, NULL},
    {"a template", "{topic}.dead", "orders", NULL, NULL},
    {"a regular expression may match them: they are hidden", "{topic}.dead", "^.*", NULL, NULL},
    {"no topic's name", "dead letters", NULL, NULL,
     "dead_letter_topic: \"dead letters\" is not a topic's name"},
    {"a template that makes none", "{topic}/dead", NULL, NULL,
     "dead_letter_topic: \"{topic}/dead\" is not a topic's name"},
    {"another hole", "{name}.dead", NULL, NULL, "\"{name}.dead\" is not a topic's name"},
    {"two holes", "{topic}.{topic}", NULL, NULL, "{topic} at most once"},
    {"its own topic", "{topic}", NULL, NULL, "would send a record to its own topic"},
    {"a topic that is the fixed name", "dead", "dead", NULL,
     "topics: \"dead\" is a topic for dead letters (dead_letter_topic=dead)"},
    {"a topic that the template fits", "{topic}.dead", "orders.dead", NULL,
     "topics: \"orders.dead\" is a topic for dead letters"},
    {"a topic whose dead letters' would be too long", "{topic}.dead", long_topic, NULL,
     "that is too long"},
    {"statuses", NULL, NULL, "422,5xx,400-404", NULL},
    {"no statuses", NULL, NULL, "all", "dead_letter_codes: \"all\" is not a list of statuses"},
    {"those of what was taken", NULL, NULL, "200-599",
     "dead_letter_codes: \"200-599\" is not a list of statuses from 300 to 599"},
};

Test(invoke_options, faults_of_dead_letters)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *topic = cases[i].topic;
        struct invoke_options options = {.topics = {&topic, topic != NULL},
                                         .dead_letter_topic = cases[i].dead,
                                         .dead_letter_codes = cases[i].dead_codes};
        struct option_faults faults = {0};
        size_t expected = cases[i].says ? 1 : 0;

        /* with the hole alone every topic is one for dead letters, but none is given */
        invoke_options_check(&options, &faults);
        cr_assert_eq(faults.count, expected, "%s: %zu faults, %s", cases[i].sentence, faults.count,
                     faults.count ? faults.items[0] : "");
        cr_expect(!expected || strstr(faults.items[0], cases[i].says), "%s: %s", cases[i].sentence,
                  faults.items[0]);
        option_faults_release(&faults);
    }
}

static const struct {
    const char *sentence;
    char *dead, *codes;
    int64_t age;
    const char *says[3];
} hints[] = {
    {"the defaults", NULL, "400-599", 0, {NULL}},
    {"all of it with a topic", "dead", "422", 3600000, {NULL}},
    {"an age without one", "", "400-599", 3600000, {"max_record_age=1h without dead_letter_topic"}},
    {"statuses without one", NULL, "422", 0, {"dead_letter_codes=422 without dead_letter_topic"}},
    {"both", NULL, "", 1000, {"max_record_age=1s without", "dead_letter_codes= without"}},
};

Test(invoke_options, hints_at_what_needs_a_topic_for_dead_letters)
{
    for (size_t i = 0; i < COUNT(hints); i++) {
        struct invoke_options options = {.dead_letter_topic = hints[i].dead,
                                         .dead_letter_codes = hints[i].codes,
                                         .max_record_age = hints[i].age};
        struct option_faults told = {0};
        size_t count = 0;

        invoke_options_hints(&options, &told);
        for (; hints[i].says[count]; count++)
            cr_expect(count < told.count && strstr(told.items[count], hints[i].says[count]), "%s",
                      hints[i].sentence);
        cr_expect_eq(told.count, count, "%s: %zu hints", hints[i].sentence, told.count);
        option_faults_release(&told);
    }
}

Test(invoke_options, without_a_topic_for_them_no_status_is_dead)
{
    struct invoke_options options = {.dead_letter_codes = (char[]){"400-599"}};

    cr_expect_not(invoke_retry_rules(&options, false).dead_codes[500]);
    options.dead_letter_topic = (char[]){"dead"};
    cr_expect(invoke_retry_rules(&options, false).dead_codes[500]);
    cr_expect_not(invoke_retry_rules(&options, false).dead_codes[301]);
}
