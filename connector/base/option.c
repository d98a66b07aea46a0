/*
 * option: the sources and which of them wins.
 *
 * Every source offers what it has; nothing is read into a field before all have spoken, so the
 * order in which they are asked does not matter (the flags and the environment come first because
 * they may name the settings file).
 */
#include "base/option_private.h"

#include "base/file.h"
#include "base/line.h"
#include "base/xalloc.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utstring.h>

enum { SECRET_LIMIT = 64 * 1024 };

/* ---- faults ---- */

void option_fault(struct option_faults *faults, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *raw = xvasprintf(format, args);
    va_end(args);
    faults->items = xrealloc(faults->items, (faults->count + 1) * sizeof(*faults->items));
    faults->items[faults->count++] = line_escape_dup(raw, strlen(raw));
    free(raw);
}

void option_faults_release(struct option_faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        free(faults->items[i]);
    free(faults->items);
    *faults = (struct option_faults){0};
}

char *option_faults_dup(const struct option_faults *faults)
{
    UT_string text;

    utstring_init(&text);
    for (size_t i = 0; i < faults->count; i++)
        utstring_printf(&text, "%s%s", i ? "; " : "", faults->items[i]);
    return utstring_body(&text); /* its memory is taken */
}

static char *origin_text(const struct option_reader *reader, enum option_origin origin)
{
    switch (origin) {
    case FROM_FILE:
        return xasprintf("file %s", reader->settings);
    case FROM_ENVIRONMENT:
        return xstrdup("environment");
    default:
        return xstrdup("flag");
    }
}

/* Says behind the newest fault where the value came from. */
static void mark_fault(const struct option_reader *reader, enum option_origin origin)
{
    char **newest = &reader->faults->items[reader->faults->count - 1];
    char *raw = origin_text(reader, origin);
    char *from = line_escape_dup(raw, strlen(raw));
    char *marked = xasprintf("%s [%s]", *newest, from);

    free(raw);
    free(from);
    free(*newest);
    *newest = marked;
}

/* ---- names ---- */

const char *option_spelling(const struct option_row *row, size_t index, size_t *size)
{
    const char *at = row->name;
    *size = strlen(at);
    if (index > 0) {
        at = row->aliases ? row->aliases : "";
        at += strspn(at, " ");
        while (--index > 0) {
            at += strcspn(at, " ");
            at += strspn(at, " ");
        }
        *size = strcspn(at, " ");
    }
    return *size ? at : NULL;
}

/* ---- from offers to fields ---- */

/* The last of the strongest source. */
static const struct option_offer *strongest(const struct option_reader *reader,
                                            const struct option_row *row, int64_t number)
{
    const struct option_offer *best = NULL;
    for (size_t i = 0; i < reader->count; i++) {
        const struct option_offer *offer = &reader->offers[i];
        if (offer->row == row && offer->number == number &&
            (!best || offer->origin >= best->origin))
            best = offer;
    }
    return best;
}

static void apply_value(struct option_reader *reader, const struct option_offer *offer,
                        void *target, const char *value)
{
    if (!option_set(offer->row, target, value, reader->faults))
        mark_fault(reader, offer->origin);
}

/* A secret is either given or in a file; both is a fault. */
static bool has_value_and_path(const struct option_reader *reader, const struct option_row *row,
                               int64_t number)
{
    bool has[2] = {false, false};
    for (size_t i = 0; i < reader->count; i++)
        if (reader->offers[i].row == row && reader->offers[i].number == number)
            has[reader->offers[i].is_path] = true;
    return has[0] && has[1];
}

static void apply_secret_file(struct option_reader *reader, const struct option_offer *offer,
                              void *target)
{
    const char *name = offer->row->name;
    const char *reason;
    size_t size;
    char *secret = file_read(offer->value, SECRET_LIMIT, &size, &reason);

    if (!secret) {
        option_fault(reader->faults, "%s%s: %s cannot be read: %s", name, OPTION_PATH_SUFFIX,
                     offer->value, reason);
        mark_fault(reader, offer->origin);
        return;
    }
    if (memchr(secret, '\0', size)) {
        option_fault(reader->faults, "%s%s: %s holds a NUL", name, OPTION_PATH_SUFFIX,
                     offer->value);
        mark_fault(reader, offer->origin);
    } else {
        while (size > 0 && strchr("\r\n", secret[size - 1]))
            secret[--size] = '\0';
        apply_value(reader, offer, target, secret);
    }
    xfree_secret(secret);
}

static void apply_default(const struct option_row *row, void *target)
{
    struct option_faults faults = {0};

    if (!row->default_text)
        return;
    if (row->type == OPTION_PATH) { /* a default need not be there */
        *(char **)option_field(row, target) = xstrdup(row->default_text);
        return;
    }
    bool good = option_set(row, target, row->default_text, &faults);
    assert(good);
    (void)good;
    option_faults_release(&faults);
}

static void apply_properties(struct option_reader *reader, const struct option_row *row,
                             void *target)
{
    for (enum option_origin origin = FROM_FILE; origin < ORIGINS; origin++) {
        for (size_t i = 0; i < reader->count; i++) {
            const struct option_offer *offer = &reader->offers[i];
            if (offer->row == row && offer->origin == origin)
                apply_value(reader, offer, target, offer->value);
        }
    }
}

/* Says in front of the faults from `first` on whose they are. */
static void number_faults(const struct option_reader *reader, size_t first, const char *name,
                          int64_t number)
{
    for (size_t i = first; i < reader->faults->count; i++) {
        char **fault = &reader->faults->items[i];
        char *numbered = xasprintf("%s__%" PRId64 "__%s", name, number, *fault);

        free(*fault);
        *fault = numbered;
    }
}

static void apply(struct option_reader *reader, const struct option_row *row, int64_t number,
                  void *target);

static void apply_items(struct option_reader *reader, const struct option_row *row, void *target)
{
    struct option_items *items = option_field(row, target);

    option_items_make(reader, row, items);
    for (size_t i = 0; i < items->count; i++) {
        size_t first = reader->faults->count;

        for (size_t r = 0; r < row->item_table->count; r++)
            apply(reader, &row->item_table->rows[r], items->numbers[i], option_item(row, items, i));
        number_faults(reader, first, row->name, items->numbers[i]);
    }
}

static void apply(struct option_reader *reader, const struct option_row *row, int64_t number,
                  void *target)
{
    const struct option_offer *offer = strongest(reader, row, number);

    if (row->type == OPTION_ITEMS)
        apply_items(reader, row, target);
    if (!offer) {
        apply_default(row, target);
    } else if (row->type == OPTION_PROPERTIES) {
        apply_properties(reader, row, target);
    } else if (has_value_and_path(reader, row, number)) {
        option_fault(reader->faults, "%s: is given, and %s%s too; give one of them", row->name,
                     row->name, OPTION_PATH_SUFFIX);
    } else if (offer->is_path) {
        apply_secret_file(reader, offer, target);
    } else {
        apply_value(reader, offer, target, offer->value);
    }
}

/* ---- the story ---- */

/* The settings file's path. An OPTION_PATH that cannot be read is told by the row itself, and its
 * default need not be there: both are no file here. */
static const char *settings_path(const struct option_reader *reader)
{
    const char *name = reader->input->file_flag;
    struct option_offer found;

    if (!name || !option_find(reader, name, strlen(name), &found))
        return NULL;
    const struct option_offer *offer = strongest(reader, found.row, found.number);
    const char *path = offer ? offer->value : found.row->default_text;
    return path && found.row->type == OPTION_PATH && access(path, R_OK) != 0 ? NULL : path;
}

static void each_row(const struct option_group *group,
                     void (*visit)(const struct option_row *row, void *target))
{
    for (size_t r = 0; r < group->table->count; r++)
        visit(&group->table->rows[r], group->target);
}

static void apply_group(struct option_reader *reader, const struct option_group *group)
{
    each_row(group, option_field_zero);
    for (size_t r = 0; r < group->table->count; r++)
        apply(reader, &group->table->rows[r], -1, group->target);
}

void option_read(const struct option_group *groups, size_t count, const struct option_input *input,
                 struct option_faults *faults)
{
    struct option_reader reader = {
        .groups = groups, .group_count = count, .input = input, .faults = faults};

    option_read_flags(&reader);
    option_read_environment(&reader);
    reader.settings = settings_path(&reader);
    if (reader.settings)
        option_read_settings(&reader);
    for (size_t g = 0; g < count; g++)
        apply_group(&reader, &groups[g]);
    for (size_t i = 0; i < reader.count; i++)
        xfree_secret(reader.offers[i].value);
    free(reader.offers);
}

void option_release(const struct option_group *groups, size_t count)
{
    for (size_t g = 0; g < count; g++)
        each_row(&groups[g], option_field_release);
}
