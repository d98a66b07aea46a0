/* line: escaping one character at a time, so that a cut never falls inside one. */
#include "base/line.h"

#include "base/utf8.h"
#include "base/xalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ESCAPE_SIZE = 4 }; /* \xNN */

/* What is printed for one character: its own bytes, or `room`. */
struct piece {
    const char *text;
    size_t size;
    char room[ESCAPE_SIZE + 1];
};

/* Returns the count of bytes that the piece stands for. */
static size_t escape(const char *bytes, size_t size, struct piece *piece)
{
    static const char letters[] = "tn--r"; /* of 09..0D */
    unsigned char first = (unsigned char)*bytes;
    size_t step = utf8_step(bytes, size);
    bool is_c1 = step == 2 && first == 0xC2 && (unsigned char)bytes[1] < 0xA0;

    if (step > 0 && first >= 0x20 && first != 0x7F && !is_c1) {
        piece->text = bytes;
        piece->size = step;
        return step;
    }
    if (first >= '\t' && first <= '\r' && letters[first - '\t'] != '-')
        snprintf(piece->room, sizeof(piece->room), "\\%c", letters[first - '\t']);
    else
        snprintf(piece->room, sizeof(piece->room), "\\x%02x", first);
    piece->text = piece->room;
    piece->size = strlen(piece->room);
    return 1; /* the second byte of a C1 character is no character, so it is escaped next */
}

static void add(struct line *line, const char *bytes, size_t size)
{
    line->full = line->full || size > LINE_MAX_SIZE - line->size;
    if (line->full)
        return;
    memcpy(line->text + line->size, bytes, size);
    line->size += size;
}

void line_clear(struct line *line)
{
    line->size = line->dropped = 0;
    line->full = false;
}

void line_add(struct line *line, const char *text)
{
    add(line, text, strlen(text));
}

void line_format(struct line *line, const char *format, ...)
{
    char text[64];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    line_add(line, text);
}

void line_escaped(struct line *line, const void *bytes, size_t size)
{
    const char *at = bytes;
    struct piece piece;
    size_t step;

    for (size_t i = 0; i < size; i += step) {
        step = escape(at + i, size - i, &piece);
        add(line, piece.text, piece.size);
        if (line->full) {
            line->dropped += size - i;
            return;
        }
    }
}

void line_end(struct line *line)
{
    char *end = line->text + line->size;

    if (line->dropped > 0)
        line->size += (size_t)snprintf(end, LINE_CUT_SIZE, LINE_CUT, line->dropped);
    line->text[line->size++] = '\n';
}

char *line_escape_dup(const void *bytes, size_t size)
{
    char *text = xmalloc(size * ESCAPE_SIZE + 1);
    const char *at = bytes;
    struct piece piece;
    size_t used = 0;

    for (size_t i = 0; i < size;) {
        i += escape(at + i, size - i, &piece);
        memcpy(text + used, piece.text, piece.size);
        used += piece.size;
    }
    text[used] = '\0';
    return xrealloc(text, used + 1);
}
