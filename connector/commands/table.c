/* table: see table.h. */
#include "commands/table.h"

#include "base/line.h"
#include "base/xalloc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <utarray.h>

#define BOLD  "\033[1m"
#define RESET "\033[0m"

struct cell {
    char *text;
    enum table_colour colour;
};

struct table {
    const struct table_column *columns;
    size_t count;
    UT_array *cells;
};

static void release_cell(void *item)
{
    free(((struct cell *)item)->text);
}

struct table *table_new(const struct table_column *columns, size_t count)
{
    static const UT_icd icd = {sizeof(struct cell), NULL, NULL, release_cell};
    struct table *table = xcalloc(1, sizeof(*table));

    table->columns = columns;
    table->count = count;
    utarray_new(table->cells, &icd);
    return table;
}

void table_free(struct table *table)
{
    utarray_free(table->cells);
    free(table);
}

void table_add(struct table *table, enum table_colour colour, const char *format, ...)
{
    struct cell cell = {.colour = colour};
    va_list args;
    char *text;

    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    cell.text = line_escape_dup(text, strlen(text));
    free(text);
    utarray_push_back(table->cells, &cell);
}

/* Characters, not bytes. */
static int width_of(const char *text)
{
    int width = 0;

    for (; *text; text++)
        width += (*text & 0xc0) != 0x80;
    return width;
}

static int column_width(const struct table *table, size_t column)
{
    int most = width_of(table->columns[column].title);

    for (size_t i = column; i < utarray_len(table->cells); i += table->count) {
        const struct cell *cell = utarray_eltptr(table->cells, i);
        int width = width_of(cell->text);

        most = width > most ? width : most;
    }
    return most;
}

/* Nothing is filled up behind the last column. */
static void print_aligned(const struct table *table, size_t column, int width, const char *colour,
                          const char *text, FILE *to)
{
    bool right = table->columns[column].right;
    bool last = column + 1 == table->count;
    int fill = width - width_of(text);

    fprintf(to, "%*s%s%s%s", right ? fill : 0, "", colour, text, *colour ? RESET : "");
    if (!last)
        fprintf(to, "%*s", (right ? 0 : fill) + 2, "");
}

static const char *code_of(enum table_colour colour)
{
    static const char *const codes[] = {
        [TABLE_PLAIN] = "",
        [TABLE_DIM] = "\033[2m",
        [TABLE_YELLOW] = "\033[33m",
        [TABLE_RED] = "\033[31m",
    };

    return codes[colour];
}

void table_print(const struct table *table, bool terminal, FILE *to)
{
    int *widths = xcalloc(table->count, sizeof(*widths));
    size_t cells = utarray_len(table->cells);

    assert(table->count > 0);

    for (size_t i = 0; terminal && i < table->count; i++)
        widths[i] = column_width(table, i);
    for (size_t i = 0; i < table->count + cells; i++) {
        size_t column = i % table->count;
        const struct cell *cell =
            i < table->count ? NULL : utarray_eltptr(table->cells, i - table->count);
        const char *text = cell ? cell->text : table->columns[column].title;

        if (terminal)
            print_aligned(table, column, widths[column], cell ? code_of(cell->colour) : BOLD, text,
                          to);
        else
            fprintf(to, "%s%s", column ? "\t" : "", text);
        if (column + 1 == table->count)
            fputc('\n', to);
    }
    free(widths);
}
