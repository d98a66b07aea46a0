/* brokers: which brokers metadata may name, and which lists are the same cluster. */
#include "scale/brokers.h"

#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Blank-separated; "" is empty. */
static struct option_list list_of(const char *texts)
{
    struct option_list list = {0};
    char *copy = xstrdup(texts), *rest = copy, *item;

    while ((item = strtok_r(rest, " ", &rest)))
        option_list_add(&list, item, strlen(item));
    free(copy);
    return list;
}

static const struct {
    const char *sentence, *own, *properties, *allowed, *cluster, *named;
    const char *fault; /* NULL: it may be named */
} cases[] = {
    {"anything, where there is no secret", "kafka", "", "", NULL, "other:9092", NULL},
    {"our own", "kafka", "sasl.password=x", "", NULL, "kafka:9092", NULL},
    {"in any case, without its port", "Kafka:9092", "sasl.password=x", "", NULL, "kafka", NULL},
    {"nobody else is given our password", "kafka", "sasl.password=x", "", NULL, "evil", "\"evil\""},
    {"nor our key", "kafka", "ssl.key.location=/key", "", NULL, "evil:9092", "our own"},
    {"nor one at another port", "kafka", "sasl.password=x", "", NULL, "kafka:9093", "our own"},
    {"but who is allowed", "kafka", "sasl.password=x", "b:9092", NULL, "b", NULL},
    {"none but those, then", "kafka", "", "b:9092", NULL, "c:9092", "is none of allowed_brokers"},
    {"and our own", "kafka", "", "b:9092", NULL, "kafka", NULL},
    {"by a pattern", "kafka", "", "*.svc:9092", NULL, "kafka.team.svc", NULL},
    {"not at another port", "kafka", "", "*.svc:9092", NULL, "kafka.svc:9093", "allowed_brokers"},
    {"one of two is enough to refuse", "kafka", "", "b", NULL, "b c", "\"c\""},
    {"with a profile its own", "kafka", "", "", "payments", "kafka", NULL},
    {"and no other, allowed or not", "kafka", "", "b", "payments", "b", "its profile"},
    {"none are named", "kafka", "", "b", NULL, "", NULL},
};

Test(brokers, are_named_by_who_may)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct option_list allowed = list_of(cases[i].allowed);
        struct kafka_options own = {.brokers = list_of(cases[i].own),
                                    .properties = list_of(cases[i].properties)};
        struct trigger trigger = {.brokers = list_of(cases[i].named),
                                  .cluster = (char *)cases[i].cluster};
        struct option_faults faults = {0};

        cr_expect_eq(brokers_allowed(&allowed, &own, &trigger, &faults), !cases[i].fault, "%s",
                     cases[i].sentence);
        cr_expect_eq(faults.count, cases[i].fault ? 1 : 0, "%s", cases[i].sentence);
        if (faults.count && cases[i].fault)
            cr_expect(strstr(faults.items[0], cases[i].fault), "%s: %s", cases[i].sentence,
                      faults.items[0]);
        option_faults_release(&faults);
        option_list_release(&allowed);
        option_list_release(&own.brokers);
        option_list_release(&own.properties);
        option_list_release(&trigger.brokers);
    }
}

Test(brokers, in_any_order_are_the_same_cluster)
{
    struct kafka_options one = {.brokers = list_of("b:9092 a")};
    struct kafka_options other = {.brokers = list_of("a b")};
    char *first = brokers_key_dup(&one, NULL), *second = brokers_key_dup(&other, NULL);
    char *profiled = brokers_key_dup(&one, "payments");

    cr_expect_str_eq(first, "a:9092,b:9092");
    cr_expect_str_eq(second, first);
    cr_expect_str_eq(profiled, "payments: a:9092,b:9092");
    cr_expect_str_eq(one.brokers.items[0], "b:9092", "as it was");
    free(first);
    free(second);
    free(profiled);
    option_list_release(&one.brokers);
    option_list_release(&other.brokers);
}
