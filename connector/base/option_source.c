/* option_source: what the flags, the environment and the settings file offer. */
#define _GNU_SOURCE /* memmem */
#include "base/option_private.h"

#include "base/secret.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char property_prefix[] = "kafka_";

/* ---- names ---- */

static bool has_section(const char *spelling, size_t size)
{
    return memmem(spelling, size, "__", 2) != NULL;
}

bool option_same_name(const char *name, const char *spelling, size_t size)
{
    if (has_section(spelling, size) && strncasecmp(name, spelling, size) == 0)
        return true;
    for (size_t i = 0; i < size; i++)
        if (name[i] != spelling[i] && !(strchr("-_", name[i]) && strchr("-_", spelling[i])))
            return false;
    return true;
}

/* One of the row's spellings, or one of them and "_file" where that is allowed. */
static bool row_find(const struct option_row *row, const char *name, size_t size,
                     struct option_offer *offer)
{
    size_t suffix = sizeof(OPTION_PATH_SUFFIX) - 1;
    size_t length;
    const char *spelling;

    for (size_t i = 0; (spelling = option_spelling(row, i, &length)); i++) {
        bool is_path = row->flags & OPTION_SECRET && size == length + suffix &&
                       option_same_name(name + length, OPTION_PATH_SUFFIX, suffix);
        if ((size == length || is_path) && option_same_name(name, spelling, length)) {
            *offer = (struct option_offer){.row = row, .number = -1, .is_path = is_path};
            return true;
        }
    }
    return false;
}

static bool find_in_table(const struct option_table *table, const char *name, size_t size,
                          struct option_offer *offer)
{
    size_t ignored;

    for (size_t r = 0; r < table->count; r++) {
        const struct option_row *row = &table->rows[r];
        if (row_find(row, name, size, offer))
            return true;
        for (size_t i = 0; row->type == OPTION_ITEMS && option_spelling(row, i, &ignored); i++)
            if (option_item_find(row, i, name, size, offer))
                return true;
    }
    return false;
}

bool option_find(const struct option_reader *reader, const char *name, size_t size,
                 struct option_offer *offer)
{
    for (size_t g = 0; g < reader->group_count; g++)
        if (find_in_table(reader->groups[g].table, name, size, offer))
            return true;
    for (size_t g = 0; g < reader->input->other_count; g++)
        if (find_in_table(reader->input->others[g].table, name, size, offer))
            return true;
    return false;
}

void option_offer_take(struct option_reader *reader, struct option_offer offer)
{
    reader->offers = xrealloc(reader->offers, (reader->count + 1) * sizeof(*reader->offers));
    reader->offers[reader->count++] = offer;
}

/* ---- properties: kafka_security_protocol is security.protocol ---- */

static const struct option_row *find_properties_row(const struct option_reader *reader)
{
    for (size_t g = 0; g < reader->group_count; g++) {
        const struct option_table *table = reader->groups[g].table;
        for (size_t r = 0; r < table->count; r++) {
            const struct option_row *row = &table->rows[r];
            if (row->type == OPTION_PROPERTIES && !(row->flags & OPTION_FLAG_ONLY))
                return row;
        }
    }
    return NULL;
}

/* False: the name is none of a property. */
static bool offer_property(struct option_reader *reader, const char *name, size_t size,
                           const char *value, enum option_origin origin)
{
    size_t prefix = sizeof(property_prefix) - 1;
    const struct option_row *row = find_properties_row(reader);

    if (!row || size <= prefix || memcmp(name, property_prefix, prefix) != 0)
        return false;
    char *pair = xasprintf("%.*s=%s", (int)(size - prefix), name + prefix, value);
    for (size_t i = 0; i < size - prefix; i++)
        if (pair[i] == '_')
            pair[i] = '.';
    option_offer_take(reader, (struct option_offer){row, -1, origin, false, pair});
    return true;
}

/* ---- flags ---- */

static bool is_flag(const char *argument)
{
    return argument[0] == '-' && argument[1] && strcmp(argument, "--") != 0;
}

static bool is_boolean_word(const char *text)
{
    bool value;

    return text && option_bool_parse(text, &value);
}

/* Returns whether the argument behind it is passed over too, taken for its value: told as well it
 * would be a second fault for one typing error. */
static bool unknown_flag(struct option_reader *reader, const char *argument, const char *name,
                         size_t size, const char *next)
{
    char *wrong = xstrndup(name, size);
    char *nearest = option_meant(reader, wrong);
    int dashes = (int)(name - argument);

    if (nearest) {
        option_fault(reader->faults, "unknown flag %.*s%s; did you mean %.*s%s?", dashes, argument,
                     wrong, dashes, argument, nearest);
    } else {
        option_fault(reader->faults, "unknown flag %.*s%s", dashes, argument, wrong);
    }
    free(nearest);
    free(wrong);
    return !name[size] && next && !is_flag(next);
}

/* Reads the argument and, where it is the flag's value, the next (NULL: there is none). Returns
 * whether the next was used. */
static bool read_flag(struct option_reader *reader, const char *argument, const char *next)
{
    const char *name = argument + (argument[1] == '-' ? 2 : 1);
    size_t size = strcspn(name, "=");
    struct option_offer offer;

    if (!option_find(reader, name, size, &offer))
        return unknown_flag(reader, argument, name, size, next);
    const char *value = name[size] ? name + size + 1 : next;
    bool implied = !name[size] && offer.row->type == OPTION_BOOL && !is_boolean_word(next);
    value = implied ? "true" : value;
    if (!value) {
        option_fault(reader->faults, "flag %s needs a value", argument);
        return false;
    }
    offer.origin = FROM_FLAG;
    offer.value = xstrdup(value);
    option_offer_take(reader, offer);
    return value == next;
}

/* "-X sasl.password canary": what was meant for a secret's value is not shown. */
static void unexpected_argument(struct option_reader *reader, int index)
{
    const char *argument = reader->input->argv[index];
    const char *before = index > 0 ? reader->input->argv[index - 1] : "";

    if (secret_is_name(before, strlen(before)))
        option_fault(reader->faults, "unexpected argument behind a secret's name, not shown here; "
                                     "a property is given as name=value");
    else
        option_fault(reader->faults, "unexpected argument \"%s\"", argument);
}

void option_read_flags(struct option_reader *reader)
{
    const struct option_input *input = reader->input;

    for (int i = 0; i < input->argc; i++) {
        const char *next = i + 1 < input->argc ? input->argv[i + 1] : NULL;
        if (!is_flag(input->argv[i]))
            unexpected_argument(reader, i);
        else if (read_flag(reader, input->argv[i], next))
            i++;
    }
}

/* ---- environment ---- */

/* The value of a variable that is set and not empty, or NULL. */
static const char *variable(const struct option_reader *reader, const char *name, size_t size,
                            const char *suffix)
{
    size_t suffix_size = strlen(suffix);

    for (char **entry = reader->input->environment; entry && *entry; entry++) {
        const char *at = *entry;
        bool is_named = strncmp(at, name, size) == 0 ||
                        (has_section(name, size) && strncasecmp(at, name, size) == 0);
        if (is_named && strncmp(at + size, suffix, suffix_size) == 0 &&
            at[size + suffix_size] == '=') {
            const char *value = at + size + suffix_size + 1;
            return *value ? value : NULL;
        }
    }
    return NULL;
}

/* The first of the row's spellings that is set counts. */
static void read_variable(struct option_reader *reader, const struct option_row *row,
                          const char *suffix)
{
    size_t size;
    const char *spelling;

    for (size_t i = 0; (spelling = option_spelling(row, i, &size)); i++) {
        const char *value = variable(reader, spelling, size, suffix);
        if (value) {
            struct option_offer offer = {row, -1, FROM_ENVIRONMENT, *suffix, xstrdup(value)};
            option_offer_take(reader, offer);
            return;
        }
    }
}

static void read_property_variables(struct option_reader *reader)
{
    for (char **entry = reader->input->environment; entry && *entry; entry++) {
        size_t size = strcspn(*entry, "=");
        struct option_offer offer;
        if ((*entry)[size] && (*entry)[size + 1] && !option_find(reader, *entry, size, &offer))
            offer_property(reader, *entry, size, *entry + size + 1, FROM_ENVIRONMENT);
    }
}

static void read_table_variables(struct option_reader *reader, const struct option_table *table)
{
    for (size_t r = 0; r < table->count; r++) {
        const struct option_row *row = &table->rows[r];
        if (row->flags & OPTION_FLAG_ONLY || row->type == OPTION_PROPERTIES)
            continue; /* a variable X is anybody's; properties come as kafka_* */
        read_variable(reader, row, "");
        if (row->type == OPTION_ITEMS)
            option_read_items(reader, row);
        if (row->flags & OPTION_SECRET)
            read_variable(reader, row, OPTION_PATH_SUFFIX);
    }
}

void option_read_environment(struct option_reader *reader)
{
    for (size_t g = 0; g < reader->group_count; g++)
        read_table_variables(reader, reader->groups[g].table);
    for (size_t g = 0; g < reader->input->other_count; g++) /* they name the settings file */
        read_table_variables(reader, reader->input->others[g].table);
    read_property_variables(reader);
}

/* ---- settings file ---- */

/* Whether the key's first name is one of those that others' settings begin with. */
static bool is_foreign(const char *names, const char *key)
{
    const char *end = strstr(key, "__");
    size_t size = end ? (size_t)(end - key) : strlen(key);

    for (const char *at = names ? names : ""; *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == size && strncasecmp(at, key, size) == 0)
            return true;
    return false;
}

static void take_setting(void *context, const char *key, const char *value)
{
    struct option_reader *reader = context;
    size_t size = strlen(key);
    struct option_offer offer;
    bool is_found = option_find(reader, key, size, &offer);

    if (is_found && !(offer.row->flags & OPTION_FLAG_ONLY)) {
        offer.origin = FROM_FILE;
        offer.value = xstrdup(value);
        option_offer_take(reader, offer);
        return;
    }
    if (!is_found && offer_property(reader, key, size, value, FROM_FILE))
        return;
    if (!is_found && is_foreign(reader->input->foreign, key))
        return;
    char *nearest = is_found ? NULL : option_meant(reader, key);
    option_fault(reader->faults, "file %s: unknown key \"%s\"%s%s%s", reader->settings, key,
                 nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    free(nearest);
}

void option_read_settings(struct option_reader *reader)
{
    option_settings_each(reader->settings, reader->faults, take_setting, reader);
}
