/* brokers: see brokers.h. */
#include "scale/brokers.h"

#include "base/xalloc.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "kafka:9092" of "kafka". Caller frees. */
static char *address_dup(char *broker)
{
    const struct kafka_options one = {.brokers = {&broker, 1}};

    return kafka_bootstrap(&one);
}

static bool is_among(const char *address, const struct option_list *list)
{
    bool found = false;

    for (size_t i = 0; i < list->count && !found; i++) {
        char *other = address_dup(list->items[i]);

        found = strcasecmp(address, other) == 0;
        free(other);
    }
    return found;
}

static bool fits_one(const char *address, const struct option_list *patterns)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (fnmatch(patterns->items[i], address, FNM_NOESCAPE) == 0)
            return true;
    return is_among(address, patterns);
}

static bool has_credentials(const struct kafka_options *options)
{
    for (size_t i = 0; i < options->properties.count; i++)
        if (strncmp(options->properties.items[i], "sasl", 4) == 0 ||
            strncmp(options->properties.items[i], "ssl.key", 7) == 0)
            return true;
    return false;
}

static const char *why_not(const char *address, const struct option_list *allowed,
                           const struct kafka_options *own, const struct trigger *trigger)
{
    if (is_among(address, &own->brokers))
        return NULL;
    if (trigger->cluster)
        return "is no broker of its profile";
    if (allowed->count)
        return fits_one(address, allowed) ? NULL : "is none of allowed_brokers";
    return has_credentials(own) ? "is none of our own brokers, and no other is given our "
                                  "credentials unless allowed_brokers names it"
                                : NULL;
}

bool brokers_allowed(const struct option_list *allowed, const struct kafka_options *own,
                     const struct trigger *trigger, struct option_faults *faults)
{
    for (size_t i = 0; i < trigger->brokers.count; i++) {
        char *address = address_dup(trigger->brokers.items[i]);
        const char *why = why_not(address, allowed, own, trigger);

        free(address);
        if (!why)
            continue;
        option_fault(faults, "bootstrapServers: \"%s\" %s", trigger->brokers.items[i], why);
        return false;
    }
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *brokers_key_dup(const struct kafka_options *kafka, const char *profile)
{
    struct kafka_options sorted = {.brokers.count = kafka->brokers.count};
    char *addresses, *key;

    sorted.brokers.items = xcalloc(kafka->brokers.count, sizeof(char *));
    memcpy(sorted.brokers.items, kafka->brokers.items, kafka->brokers.count * sizeof(char *));
    qsort(sorted.brokers.items, sorted.brokers.count, sizeof(char *), by_text);
    addresses = kafka_bootstrap(&sorted);
    key = xasprintf("%s%s%s", profile ? profile : "", profile ? ": " : "", addresses);
    free(addresses);
    free(sorted.brokers.items);
    return key;
}
