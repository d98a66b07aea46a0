/*
 * table: rows of text in columns, for a person at a terminal (aligned, with colours) or for another
 * program (tabs between, nothing else).
 */
#ifndef COMMANDS_TABLE_H
#define COMMANDS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum table_colour { TABLE_PLAIN, TABLE_DIM, TABLE_YELLOW, TABLE_RED };

struct table_column {
    const char *title;
    bool right; /* aligned: of numbers */
};

struct table;

/* The columns are borrowed. */
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *table);

/* The next cell, row by row. Control characters in it are escaped. */
void table_add(struct table *table, enum table_colour colour, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The titles and all rows. */
void table_print(const struct table *table, bool terminal, FILE *to);

#endif
