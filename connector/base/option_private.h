/*
 * option_private: what the files of the option engine share; included by nobody else.
 *
 *   option.c          which source wins: from offers to fields
 *   option_source.c   what the sources offer: flags, environment, settings file
 *   option_items.c    numbered items
 *   option_settings.c the settings file as pairs
 *   option_value.c    one value into its field
 *   option_url.c      whether a text is an URL we can call
 *   option_nearest.c  what a wrong name was meant to be
 *   option_print.c    --help and Markdown
 */
#ifndef BASE_OPTION_PRIVATE_H
#define BASE_OPTION_PRIVATE_H

#include "base/option.h"

enum option_origin { FROM_FILE, FROM_ENVIRONMENT, FROM_FLAG, ORIGINS }; /* from weak to strong */

/* What one source says about one row. */
struct option_offer {
    const struct option_row *row;
    int64_t number; /* of the item that the row is of; -1: of none */
    enum option_origin origin;
    bool is_path; /* NAME_file: the value is the path of a file that holds the value */
    char *value;  /* owned by the reader */
};

/* One option_read. */
struct option_reader {
    const struct option_group *groups;
    size_t group_count;
    const struct option_input *input;
    struct option_faults *faults;
    const char *settings;        /* path of the settings file, borrowed; NULL: none */
    struct option_offer *offers; /* in the order they came */
    size_t count;
};

#define OPTION_PATH_SUFFIX "_file"

/* Each adds its offers. option_read_settings needs reader->settings. */
void option_read_flags(struct option_reader *reader);
void option_read_environment(struct option_reader *reader);
void option_read_settings(struct option_reader *reader);

/* Whose spelling this is: sets the offer's row, number, and is_path (it was NAME_file of a secret).
 * False: nobody's. */
bool option_find(const struct option_reader *reader, const char *name, size_t size,
                 struct option_offer *offer);

/* The same of one row of type OPTION_ITEMS, by its spelling number `index`. */
bool option_item_find(const struct option_row *row, size_t index, const char *name, size_t size,
                      struct option_offer *offer);

/* Whether a name is a spelling, as far as its bytes go. */
bool option_same_name(const char *name, const char *spelling, size_t size);

/* Takes offer.value over. */
void option_offer_take(struct option_reader *reader, struct option_offer offer);

/* The environment's offers to the items of a row, and its faults. */
void option_read_items(struct option_reader *reader, const struct option_row *row);

/* What a wrong name was meant to be, an item's whole (NAME__N__ROW). Caller frees; NULL: nothing
 * known is near. */
char *option_meant(const struct option_reader *reader, const char *name);

/* Makes the items that the offers name, each zeroed; option_field_release ends them. */
void option_items_make(const struct option_reader *reader, const struct option_row *row,
                       struct option_items *items);
void option_items_release(const struct option_row *row, struct option_items *items);

static inline void *option_item(const struct option_row *row, const struct option_items *items,
                                size_t index)
{
    return (char *)items->items + index * row->item_size;
}

/* The row's spelling number `index` (0: its name) and its length; NULL behind the last. It is not
 * ended by a NUL. */
const char *option_spelling(const struct option_row *row, size_t index, size_t *size);

static inline void *option_field(const struct option_row *row, void *target)
{
    return (char *)target + row->offset;
}

/* Reads true/1 and false/0, in any case. False: it is neither, and *value is as it was. */
bool option_bool_parse(const char *text, bool *value);

/* Sets a field to zero without looking at it; frees what it holds and zeroes it. */
void option_field_zero(const struct option_row *row, void *target);
void option_field_release(const struct option_row *row, void *target);

/* The bounds in the option's own unit: "from 1ms to 24h", "at least 0". Caller frees. */
char *option_bounds(const struct option_row *row);
bool option_is_bounded(const struct option_row *row);

/* The choices, each by its first spelling: "latest, earliest". Caller frees. */
char *option_choices(const struct option_row *row, const char *separator);

/* NULL, or why it is no http:// or https:// URL without user and password: "has no scheme; ...",
 * static. */
const char *option_url_fault(const char *url);

/* Calls `take` for each setting of a JSON file, nested names joined by "__". The value is
 * borrowed. What cannot be read is a fault that names the file. */
void option_settings_each(const char *path, struct option_faults *faults,
                          void (*take)(void *context, const char *key, const char *value),
                          void *context);

#endif
