/*
 * option_items: numbered items: the names NAME__N__ROW, and as many items as there are numbers.
 */
#include "base/option_private.h"

#include "base/xalloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DIGITS_MAX = 9 };

/* ---- names ---- */

/* Where the number begins in a name that begins as those of the row's items, or NULL. */
static const char *behind_name(const struct option_row *row, size_t index, const char *name,
                               size_t size)
{
    size_t length;
    const char *spelling = option_spelling(row, index, &length);

    if (size < length + 2 || !option_same_name(name, spelling, length) ||
        memcmp(name + length, "__", 2) != 0)
        return NULL;
    return name + length + 2;
}

/* What stands behind the number and "__", or NULL: there is no such number. */
static const char *behind_number(const char *text, const char *end, int64_t *number)
{
    const char *at = text;

    for (*number = 0; at < end && isdigit((unsigned char)*at); at++) {
        if (at - text == DIGITS_MAX)
            return NULL;
        *number = *number * 10 + (*at - '0');
    }
    return at > text && end - at > 2 && memcmp(at, "__", 2) == 0 ? at + 2 : NULL;
}

/* In any case: it is a part of a name with "__". */
static const struct option_row *item_row(const struct option_table *table, const char *name,
                                         size_t size)
{
    for (size_t r = 0; r < table->count; r++) {
        const struct option_row *row = &table->rows[r];

        if (strlen(row->name) == size && strncasecmp(row->name, name, size) == 0)
            return row;
    }
    return NULL;
}

bool option_item_find(const struct option_row *row, size_t index, const char *name, size_t size,
                      struct option_offer *offer)
{
    const char *at = behind_name(row, index, name, size), *end = name + size;
    const struct option_row *found;
    int64_t number;

    if (!at || !(at = behind_number(at, end, &number)))
        return false;
    found = item_row(row->item_table, at, (size_t)(end - at));
    *offer = (struct option_offer){.row = found, .number = number};
    return found != NULL;
}

/* "NAME__3__Topik": "NAME__3__Topic". NULL: it is none of the row's items, or like no row of one.
 */
static char *meant_item(const struct option_row *row, const char *name)
{
    const struct option_group alone = {row->item_table, NULL};
    const char *end = name + strlen(name), *at, *nearest;
    int64_t number;
    size_t ignored;

    for (size_t i = 0; option_spelling(row, i, &ignored); i++) {
        at = behind_name(row, i, name, strlen(name));
        at = at ? behind_number(at, end, &number) : NULL;
        nearest = at ? option_nearest(&alone, 1, at) : NULL;
        if (nearest)
            return xasprintf("%.*s%s", (int)(at - name), name, nearest);
    }
    return NULL;
}

char *option_meant(const struct option_reader *reader, const char *name)
{
    for (size_t g = 0; g < reader->group_count; g++) {
        const struct option_table *table = reader->groups[g].table;

        for (size_t r = 0; r < table->count; r++) {
            bool has_items = table->rows[r].type == OPTION_ITEMS;
            char *item = has_items ? meant_item(&table->rows[r], name) : NULL;

            if (item)
                return item;
        }
    }
    return xstrdup(option_nearest(reader->groups, reader->group_count, name));
}

/* ---- the environment ---- */

/* Nobody else's variables begin so: an unknown one is a typing error. */
static void refuse_variable(struct option_reader *reader, const struct option_row *row,
                            const char *entry, size_t size)
{
    char *name = xstrndup(entry, size);
    char *meant = meant_item(row, name);

    if (meant)
        option_fault(reader->faults, "unknown %s; did you mean %s? [environment]", name, meant);
    else
        option_fault(reader->faults, "unknown %s; it must be %s__N__NAME [environment]", name,
                     row->name);
    free(meant);
    free(name);
}

static void read_variable(struct option_reader *reader, const struct option_row *row, size_t index,
                          const char *entry)
{
    size_t size = strcspn(entry, "=");
    struct option_offer offer;

    if (!entry[size] || !entry[size + 1] || !behind_name(row, index, entry, size))
        return;
    if (!option_item_find(row, index, entry, size, &offer)) {
        refuse_variable(reader, row, entry, size);
        return;
    }
    offer.origin = FROM_ENVIRONMENT;
    offer.value = xstrdup(entry + size + 1);
    option_offer_take(reader, offer);
}

/* The first spelling last, so that its variables count where others are set too. */
void option_read_items(struct option_reader *reader, const struct option_row *row)
{
    size_t spellings = 0, ignored;

    while (option_spelling(row, spellings, &ignored))
        spellings++;
    while (spellings-- > 0)
        for (char **entry = reader->input->environment; entry && *entry; entry++)
            read_variable(reader, row, spellings, *entry);
}

/* ---- items ---- */

static void add_number(struct option_items *items, int64_t number)
{
    size_t at = items->count;

    while (at > 0 && items->numbers[at - 1] > number)
        at--;
    if (at > 0 && items->numbers[at - 1] == number)
        return;
    items->numbers = xrealloc(items->numbers, (items->count + 1) * sizeof(*items->numbers));
    memmove(items->numbers + at + 1, items->numbers + at,
            (items->count - at) * sizeof(*items->numbers));
    items->numbers[at] = number;
    items->count++;
}

static bool is_row_of(const struct option_table *table, const struct option_row *row)
{
    return row >= table->rows && row < table->rows + table->count;
}

void option_items_make(const struct option_reader *reader, const struct option_row *row,
                       struct option_items *items)
{
    for (size_t i = 0; i < reader->count; i++)
        if (is_row_of(row->item_table, reader->offers[i].row))
            add_number(items, reader->offers[i].number);
    if (items->count)
        items->items = xcalloc(items->count, row->item_size);
}

void option_items_release(const struct option_row *row, struct option_items *items)
{
    for (size_t i = 0; i < items->count; i++)
        for (size_t r = 0; r < row->item_table->count; r++)
            option_field_release(&row->item_table->rows[r], option_item(row, items, i));
    free(items->items);
    free(items->numbers);
}
