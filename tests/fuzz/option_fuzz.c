/*
 * option: any value into a row of each type, and any lines as flags and as environment. A value is
 * refused with one fault, or none is added.
 */
#include "base/option.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES = 32 };

struct settings {
    char *text, *url, *path, *secret;
    bool yes;
    int64_t number, bytes, span;
    int choice;
    struct option_list list, properties;
    struct option_items items;
};

struct item {
    char *text;
    int64_t number;
};

static const struct option_row item_rows[] = {
    {.name = "Text", .type = OPTION_STRING, .offset = offsetof(struct item, text)},
    {.name = "Number", .type = OPTION_INT, .offset = offsetof(struct item, number), .max = 9},
};
static const struct option_table item_table = {"Item", item_rows, 2};

#define ROW(row_name, row_type, field)                                                             \
    .name = (row_name), .type = (row_type), .offset = offsetof(struct settings, field)

static const struct option_row rows[] = {
    {ROW("text", OPTION_STRING, text), .aliases = "t  Section__Text", .default_text = "x"},
    {ROW("url", OPTION_URL, url)},
    {ROW("path", OPTION_PATH, path)},
    {ROW("secret", OPTION_STRING, secret), .flags = OPTION_SECRET},
    {ROW("yes", OPTION_BOOL, yes)},
    {ROW("number", OPTION_INT, number), .min = -5, .max = 1000},
    {ROW("bytes", OPTION_BYTES, bytes)},
    {ROW("span", OPTION_DURATION, span), .min = 1, .max = 3600000},
    {ROW("choice", OPTION_CHOICE, choice), .choices = "latest/newest|earliest/oldest"},
    {ROW("list", OPTION_LIST, list)},
    {ROW("X", OPTION_PROPERTIES, properties)},
    {ROW("I", OPTION_ITEMS, items), .aliases = "Items", .item_table = &item_table,
     .item_size = sizeof(struct item)},
};
static const struct option_table table = {"Fuzz", rows, sizeof(rows) / sizeof(*rows)};

static void set_each_row(const char *value)
{
    struct settings settings = {0};
    struct option_group group = {&table, &settings};

    for (size_t i = 0; i < table.count; i++) {
        struct option_faults faults = {0};
        bool good = option_set(&rows[i], &settings, value, &faults);
        if (faults.count != !good)
            abort();
        option_faults_release(&faults);
    }
    option_release(&group, 1);
}

/* Cuts at line breaks; ends the list with NULL. */
static int split(char *text, char *lines[LINES + 1])
{
    char *rest = NULL;
    int count = 0;
    for (char *line = strtok_r(text, "\n", &rest); line && count < LINES;
         line = strtok_r(NULL, "\n", &rest))
        lines[count++] = line;
    lines[count] = NULL;
    return count;
}

static void read_lines(char *text)
{
    char *lines[LINES + 1];
    int count = split(text, lines);
    struct settings settings;
    struct option_group group = {&table, &settings};
    struct option_faults faults = {0};
    struct option_input input = {.argc = count, .argv = lines, .environment = lines};

    option_read(&group, 1, &input, &faults);
    option_release(&group, 1);
    option_faults_release(&faults);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xstrndup(data, size);
    set_each_row(text);
    read_lines(text);
    free(text);
    return 0;
}
