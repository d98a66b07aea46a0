/*
 * line: a buffer for one line of text (or one entry of several) that is bounded and that nobody
 * forges. Our own words are added as they are; bytes from outside only escaped: control characters
 * as \n \r \t \xNN, bytes that are not UTF-8 as \xNN. So are U+0080..U+009F, since U+009B begins a
 * terminal's control sequence as ESC [ does.
 *
 * Once something found no room nothing is added behind it, and line_end says how much was left out.
 */
#ifndef BASE_LINE_H
#define BASE_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    LINE_MAX_SIZE = 64 * 1024,
    LINE_CUT_SIZE = 48, /* room for LINE_CUT and a line break */
};

#define LINE_CUT "…(%zu bytes more)"

struct line {
    char text[LINE_MAX_SIZE + LINE_CUT_SIZE]; /* no NUL behind it */
    size_t size;
    size_t dropped; /* bytes from outside that found no room */
    bool full;
};

void line_clear(struct line *line);

void line_add(struct line *line, const char *text);

/* At most 63 bytes, for numbers. */
void line_format(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

void line_escaped(struct line *line, const void *bytes, size_t size);

/* Adds LINE_CUT if something was dropped, and a line break. Once, as the last call. */
void line_end(struct line *line);

/* What line_escaped would add, unbounded. Caller frees. */
char *line_escape_dup(const void *bytes, size_t size);

#endif
