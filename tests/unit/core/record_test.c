/* record: what its print tells apart. */
#include "core/record.h"

#include <criterion/criterion.h>
#include <string.h>

/* key, value NULL: none. */
static struct record record_at(int64_t offset, int64_t ms, const char *key, const char *value)
{
    return (struct record){.offset = offset,
                           .timestamp_ms = ms,
                           .key = key,
                           .key_size = key ? strlen(key) : 0,
                           .value = value,
                           .value_size = value ? strlen(value) : 0};
}

Test(record, its_print_tells_it_from_others)
{
    static const char long_one[100] = "x", other_end[100] = "x";
    const struct record first = record_at(7, 1000, "k", "hello");
    const struct {
        struct record record;
        bool same;
        const char *sentence;
    } cases[] = {
        {record_at(9, 1000, "k", "hello"), true, "where it stands does not count"},
        {record_at(7, 1001, "k", "hello"), false, "another time"},
        {record_at(7, 1000, "l", "hello"), false, "another key"},
        {record_at(7, 1000, NULL, "hello"), false, "no key"},
        {record_at(7, 1000, "k", "hallo"), false, "another value"},
        {record_at(7, 1000, "kh", "ello"), false, "where the key ends counts"},
        {record_at(7, 1000, "k", NULL), false, "a tombstone"},
    };
    struct record a = {.value = long_one, .value_size = 100};
    struct record b = {.value = other_end, .value_size = 99};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        cr_expect_eq(record_print(&cases[i].record) == record_print(&first), cases[i].same, "%s",
                     cases[i].sentence);
    cr_expect_neq(record_print(&a), record_print(&b), "its size counts, however long");
}
