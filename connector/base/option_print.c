/* option_print: the rows for people, as --help and as Markdown. */
#include "base/option_private.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 100, TEXT_COLUMN = 34 };

static const struct type_words {
    const char *value_name; /* in --help; NULL: none is needed */
    const char *word;       /* in Markdown, opens a sentence */
} type_words[] = {
    [OPTION_STRING] = {"TEXT", "Text"},
    [OPTION_BOOL] = {NULL, "true or false"},
    [OPTION_INT] = {"N", "Number"},
    [OPTION_BYTES] = {"SIZE", "Size"},
    [OPTION_DURATION] = {"DURATION", "Duration"},
    [OPTION_CHOICE] = {NULL, "One of"},
    [OPTION_LIST] = {"A,B,..", "List"},
    [OPTION_URL] = {"URL", "URL"},
    [OPTION_PATH] = {"PATH", "Path"},
    [OPTION_PROPERTIES] = {"KEY=VALUE", "KEY=VALUE, repeatable"},
    [OPTION_ITEMS] = {NULL, "Numbered items"},
};

/* "--upstream_timeout DURATION", "--order key|partition|none", "-X KEY=VALUE". Caller frees. */
static char *help_head(const struct option_row *row)
{
    const char *dashes = row->name[1] ? "--" : "-";
    const char *value = row->value_name ? row->value_name : type_words[row->type].value_name;

    if (!row->value_name && row->type == OPTION_CHOICE) {
        char *choices = option_choices(row, "|");
        char *head = xasprintf("%s%s %s", dashes, row->name, choices);
        free(choices);
        return head;
    }
    return xasprintf("%s%s%s%s", dashes, row->name, value ? " " : "", value ? value : "");
}

/* " Also broker_hosts.", " Also -h." and what else a row's spellings are. */
static void put_spellings(const struct option_row *row, FILE *to)
{
    size_t size;
    const char *alias;

    for (size_t i = 1; (alias = option_spelling(row, i, &size)); i++)
        fprintf(to, "%s%s%.*s", i == 1 ? " Also " : ", ", size == 1 ? "-" : "", (int)size, alias);
    fputs(row->aliases ? "." : "", to);
    if (row->flags & OPTION_SECRET)
        fprintf(to, " Or %s" OPTION_PATH_SUFFIX ", a file that holds it.", row->name);
}

/* What --help says about a row. Caller frees. */
static char *help_text(const struct option_row *row)
{
    char *text;
    size_t size;
    FILE *to = xopen_memstream(&text, &size);

    fputs(row->text, to);
    if (option_is_bounded(row)) {
        char *bounds = option_bounds(row);
        fprintf(to, " Must be %s.", bounds);
        free(bounds);
    }
    if (row->type == OPTION_PROPERTIES)
        fputs(" May be repeated.", to);
    put_spellings(row, to);
    if (row->default_text && *row->default_text)
        fprintf(to, " Default: %s", row->default_text);
    xclose_memstream(to);
    return text;
}

/* Columns of UTF-8: bytes that continue a character take none. */
static int columns(const char *text, size_t size)
{
    int count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* Writes words from `column` on, further lines indented to TEXT_COLUMN. A longer word than a line
 * stands alone on its own. */
static void put_wrapped(const char *text, int column, FILE *to)
{
    while (*(text += strspn(text, " \n"))) {
        size_t size = strcspn(text, " \n");
        int width = columns(text, size);
        if (column > TEXT_COLUMN && column + 1 + width > WIDTH) {
            fputc('\n', to);
            column = 0;
        }
        int gap = column < TEXT_COLUMN ? TEXT_COLUMN - column : column > TEXT_COLUMN;
        fprintf(to, "%*s%.*s", gap, "", (int)size, text);
        column += gap + width;
        text += size;
    }
    fputc('\n', to);
}

static void put_help(const struct option_row *row, FILE *to)
{
    char *head = help_head(row);
    char *text = help_text(row);
    int column = 2 + columns(head, strlen(head));

    fprintf(to, "  %s", head);
    if (column + 2 > TEXT_COLUMN) {
        fputc('\n', to);
        column = 0;
    }
    put_wrapped(text, column, to);
    free(text);
    free(head);
}

/* The rows in turn, behind one of items those of an item by their whole names. */
static void each_row(const struct option_table *table,
                     void (*put)(const struct option_row *row, FILE *to), FILE *to)
{
    for (size_t r = 0; r < table->count; r++) {
        const struct option_row *row = &table->rows[r];

        put(row, to);
        for (size_t i = 0; row->type == OPTION_ITEMS && i < row->item_table->count; i++) {
            struct option_row item = row->item_table->rows[i];
            char *name = xasprintf("%s__N__%s", row->name, item.name);

            item.name = name;
            put(&item, to);
            free(name);
        }
    }
}

void option_print_help(const struct option_table *table, FILE *to)
{
    fprintf(to, "%s:\n", table->title);
    each_row(table, put_help, to);
}

/* A cell's text: "|" would end the cell, a line break the table. */
static void put_cell(const char *text, FILE *to)
{
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', to);
        fputc(*text == '\n' ? ' ' : *text, to);
    }
}

/* " Duration from 1ms to 24h." Caller frees. */
static char *type_sentence(const struct option_row *row)
{
    bool choice = row->type == OPTION_CHOICE;
    char *detail = choice                   ? option_choices(row, ", ")
                   : option_is_bounded(row) ? option_bounds(row)
                                            : NULL;
    char *sentence =
        xasprintf(" %s%s%s.", type_words[row->type].word, detail ? " " : "", detail ? detail : "");
    free(detail);
    return sentence;
}

static void put_markdown(const struct option_row *row, FILE *to)
{
    const char *quote = row->default_text && *row->default_text ? "`" : "";
    char *sentence = type_sentence(row);

    fprintf(to, "| `%s` | %s", row->name, quote);
    put_cell(row->default_text ? row->default_text : "", to);
    fprintf(to, "%s | ", quote);
    put_cell(row->text, to);
    put_cell(sentence, to);
    put_spellings(row, to);
    fputs(" |\n", to);
    free(sentence);
}

void option_print_markdown(const struct option_table *table, FILE *to)
{
    fputs("| option | default | text |\n|---|---|---|\n", to);
    each_row(table, put_markdown, to);
}
