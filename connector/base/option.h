/*
 * option: the engine of the option tables.
 *
 * A table is the only place that knows an option: its spellings, type, bounds, default and text.
 * Each module that has options exports one table; whoever runs (a mode, the producer) lists the
 * tables with the structures they fill. The engine reads them from, in this order of strength,
 * flags, the environment, a file and the defaults, collects every fault instead of stopping at
 * the first, and prints --help and the docs' tables from the same rows.
 *
 * Spellings of a row named "upstream_timeout": environment upstream_timeout, file key
 * "upstream_timeout", flags --upstream_timeout, --upstream-timeout, -upstream_timeout (one dash
 * as Go's flags), each as "--flag=value" or "--flag value" (a boolean flag without value is true).
 * Its aliases are spelled the same ways. A row with OPTION_SECRET also has NAME_file, whose value
 * is a path: the file's content without trailing line breaks is the value; giving both is a fault.
 * Of a flag given twice the last counts; only the strongest value of a row is read at all.
 * A spelling with "__" in it (Kafka__ClientId) counts in any case, as in .NET's configuration.
 * An empty environment variable is an unset one; those nobody knows are not ours and are passed
 * over. The file is JSON; nested objects join their names by "__" ({"Kafka":{"ClientId":"x"}} is
 * Kafka__ClientId), arrays their items by ",", arrays of objects by their place in them, from 0
 * ({"Bindings":[{"Topic":"x"}]} is Bindings__0__Topic). An unknown flag or file key is a fault that
 * names the nearest known one, and so is an argument that belongs to no flag.
 *
 * A row of type OPTION_ITEMS is a table of its own, filled once for each number that a source
 * names: NAME__N__ROW. Sources are joined by number, row by row; of two spellings of NAME the first
 * counts. What begins so and ends in no row of that table is a fault, in the environment too.
 *
 * OPTION_PROPERTIES gathers instead of choosing: first kafka_KEY_NAME of the file, then those of
 * the environment (both as KEY.NAME=value, unless a row has that very name), then the flags, so
 * that whoever applies them in order ends with the strongest. The prefix is lower-case: upper-case
 * KAFKA_SERVICE_HOST and its like are Kubernetes' service links, never options.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
    OPTION_STRING,     /* char * */
    OPTION_BOOL,       /* bool: true/1, false/0, in any case */
    OPTION_INT,        /* int64_t in min..max */
    OPTION_BYTES,      /* int64_t: a whole number, alone or of KiB, MiB, GiB: "1000", "64MiB" */
    OPTION_DURATION,   /* int64_t, milliseconds; min and max too */
    OPTION_CHOICE,     /* int: the index in choices */
    OPTION_LIST,       /* struct option_list: at ",", blanks trimmed, empty entries dropped */
    OPTION_URL,        /* char *: http:// or https:// and a host, no user or password (they would be
                          logged); trailing slashes dropped */
    OPTION_PATH,       /* char *: a file or folder that must be readable when given; a default
                          is not looked at */
    OPTION_PROPERTIES, /* struct option_list of "key=value": from -X key=value and kafka_key=value
                        */
    OPTION_ITEMS,      /* struct option_items */
};

enum {
    OPTION_SECRET = 1,    /* never shown; NAME_file reads it from a file */
    OPTION_FLAG_ONLY = 2, /* not read from environment or file (the producer's) */
};

/* Zero-initialised is empty. */
struct option_list {
    char **items;
    size_t count;
};

/* Appends a copy of `size` bytes as a text. */
void option_list_add(struct option_list *list, const char *item, size_t size);
void option_list_release(struct option_list *list);

/* The items of an OPTION_ITEMS by number, the lowest first; gaps in the numbers are no items. */
struct option_items {
    void *items; /* `count` of the row's item_size, one behind the other */
    int64_t *numbers;
    size_t count;
};

struct option_row {
    const char *name;
    const char *aliases; /* further spellings, blank-separated, or NULL */
    enum option_type type;
    size_t offset;            /* of the field in the structure the table fills */
    const char *default_text; /* read as any value would be; NULL: zero, empty */
    int64_t min, max;         /* OPTION_INT, _BYTES, _DURATION; both 0: any value >= 0 */
    const char *choices;      /* OPTION_CHOICE: "latest|earliest"; a further spelling of one is
                                 written behind it: "latest/newest|earliest/oldest" */
    const char *value_name;   /* in --help: "DURATION", "URL"; NULL: from the type */
    const char *text;         /* one or two sentences for --help and the docs */
    unsigned flags;
    const struct option_table *item_table; /* OPTION_ITEMS: an item's rows, of plain types */
    size_t item_size;                      /* OPTION_ITEMS: of the structure it fills */
};

struct option_table {
    const char *title; /* "Gateway" */
    const struct option_row *rows;
    size_t count;
};

/* A table and the structure it fills: option_read first zeroes the rows' fields, option_release
 * frees and zeroes them. */
struct option_group {
    const struct option_table *table;
    void *target;
};

/* Faults in words, each naming option, value and what is allowed: `upstream_timeout: "abc" is not a
 * duration (such as 30s, 1m30s or 250ms)`, and behind it in brackets where the value came from
 * ("[environment]", "[file settings.json]", "[flag]"). Zero-initialised is empty. */
struct option_faults {
    char **items;
    size_t count;
};

/* Adds one; control characters in it are escaped, so it may be printed as it is. */
void option_fault(struct option_faults *faults, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void option_faults_release(struct option_faults *faults);

/* All of them in a line, "; " between two. Caller frees. */
char *option_faults_dup(const struct option_faults *faults);

struct option_input {
    int argc; /* without the program's name and the mode */
    char **argv;
    char **environment;    /* as environ */
    const char *file_flag; /* name of the option that holds the settings file's path, or NULL */
    /* Groups whose options are known and not read: others' in the same sources. */
    const struct option_group *others;
    size_t other_count;
    const char *foreign; /* first names of file keys that are passed over, blank-separated; NULL */
};

/* Reads all groups. Every fault is added; the structures are filled as far as they can be. */
void option_read(const struct option_group *groups, size_t count, const struct option_input *input,
                 struct option_faults *faults);
void option_release(const struct option_group *groups, size_t count);

/* Reads one value into the row's field of target: the engine's own step, for tests, fuzzing and
 * other sources of pairs. What the field held is freed; OPTION_PROPERTIES appends to it. False:
 * one fault was added, the field is as it was. */
bool option_set(const struct option_row *row, void *target, const char *value,
                struct option_faults *faults);

/* The rows as `--help` shows them, wrapped at 100 columns. */
void option_print_help(const struct option_table *table, FILE *to);

/* The rows as a Markdown table | option | default | text |. */
void option_print_markdown(const struct option_table *table, FILE *to);

/* The name of the row one of whose spellings is nearest to a wrong name (at most a third of its
 * letters changed), or NULL. */
const char *option_nearest(const struct option_group *groups, size_t count, const char *name);

/* The name of the option that a variable of the environment was likely meant to be: one with an
 * underscore that is one or two letters off, or is in capitals what an option is in small letters.
 * NULL: it is an option's, or somebody else's. */
const char *option_misspelt(const struct option_group *groups, size_t count, const char *variable);

#endif
