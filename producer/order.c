/* order: see order.h. The members are options whose source is the request. */
#include "producer/order.h"

#include "base/json.h"
#include "base/option.h"

#include <stdlib.h>
#include <string.h>

#define FIELD(name) offsetof(struct order, name)

static const struct option_row rows[] = {
    {.name = "count",
     .type = OPTION_INT,
     .offset = FIELD(count),
     .default_text = "1",
     .min = 1,
     .max = ORDER_COUNT_MAX},
    {.name = "messageSize",
     .type = OPTION_INT,
     .offset = FIELD(size),
     .default_text = "64",
     .min = 1,
     .max = ORDER_SIZE_MAX},
    {.name = "key", .type = OPTION_STRING, .offset = FIELD(key)},
};

static const struct option_table table = {"Order", rows, sizeof(rows) / sizeof(*rows)};

static const struct option_row *find(const char *name)
{
    for (size_t i = 0; i < table.count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static void read_member(struct order *order, const json *member, struct option_faults *faults)
{
    const struct option_row *row = find(json_name(member));
    char *value = json_scalar_dup(member);

    if (!row)
        option_fault(faults, "%s: there are only count, messageSize and key", json_name(member));
    else if (!value)
        option_fault(faults, "%s: must be a number or a text", row->name);
    else
        option_set(row, order, value, faults);
    free(value);
}

static void read_members(struct order *order, const char *body, size_t size,
                         struct option_faults *faults)
{
    const char *reason = "no object";
    json *root = json_parse(body, size, &reason);

    if (!json_is_object(root))
        option_fault(faults,
                     "the body must be JSON, such as {\"count\": 5000, \"messageSize\": 64}"
                     " (%s)",
                     root ? "it is no object" : reason);
    else
        json_each (member, root)
            read_member(order, member, faults);
    json_free(root);
}

bool order_read(struct order *order, const char *body, size_t size, char **reason)
{
    struct option_group group = {&table, order};
    struct option_faults faults = {0};

    *reason = NULL;
    option_read(&group, 1, &(struct option_input){0}, &faults); /* the defaults */
    if (size)
        read_members(order, body, size, &faults);
    if (faults.count) {
        *reason = option_faults_dup(&faults);
        order_release(order);
    }
    option_faults_release(&faults);
    return *reason == NULL;
}

void order_release(struct order *order)
{
    option_release(&(struct option_group){&table, order}, 1);
}
