/*
 * log: an entry is put together in one bounded buffer and written by one fwrite.
 *
 * Invariant: what comes from outside reaches the file only through line_escaped (console) or the
 * JSON printer, so a line break in it is always ours.
 */
#define _GNU_SOURCE /* program_invocation_short_name */
#include "base/log.h"

#include "base/json.h"
#include "base/line.h"
#include "base/utf8.h"
#include "base/xalloc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct option_row option_rows[] = {
    {.name = "log_format",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct log_options, format),
     .default_text = "console",
     .choices = "console|json",
     .text = "Format of the log lines."},
    {.name = "log_level",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct log_options, level),
     .default_text = "info",
     .choices = "error|warning|info|debug",
     .text = "The least severe lines that are written."},
};

const struct option_table log_option_table = {"Logs", option_rows,
                                              sizeof(option_rows) / sizeof(*option_rows)};

static const struct level {
    const char *name;   /* json */
    const char *prefix; /* console */
    const char *colour; /* on a terminal */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", "ERROR: ", "\033[31m"},
    [LOG_LEVEL_WARNING] = {"warning", "WARNING: ", "\033[33m"},
    [LOG_LEVEL_INFO] = {"info", "", ""},
    [LOG_LEVEL_DEBUG] = {"debug", "", ""},
};

/* One line to be written, wherever its parts come from. */
struct entry {
    enum log_level level;
    const struct log_subject *subject; /* NULL: none */
    bool plain;                        /* no prefix on the console */
    char *text;
    const char *body; /* NULL: none */
    size_t body_size;
};

static struct {
    struct log_options options;
    FILE *to; /* NULL: stderr */
    bool coloured;
    time_t second; /* the one `clock` shows; its forms cost a tz look-up, so they are kept */
    char clock[sizeof("2026-11-21T17:04:41")];
    struct line line;
} state = {.options = {LOG_FORMAT_CONSOLE, LOG_LEVEL_INFO}, .second = -1};

void log_configure(const struct log_options *options, FILE *to)
{
    int number = fileno(to); /* -1: not a file, as memory is */

    state.options = *options;
    state.to = to;
    state.coloured = number >= 0 && isatty(number);
    state.second = -1;
}

/* The clock's present second in the format's form. */
static const char *clock_text(struct timespec *now)
{
    struct tm broken;

    clock_gettime(CLOCK_REALTIME, now);
    if (now->tv_sec == state.second)
        return state.clock;
    state.second = now->tv_sec;
    if (state.options.format == LOG_FORMAT_JSON)
        strftime(state.clock, sizeof(state.clock), "%Y-%m-%dT%H:%M:%S",
                 gmtime_r(&now->tv_sec, &broken));
    else
        strftime(state.clock, sizeof(state.clock), "%Y/%m/%d %H:%M:%S",
                 localtime_r(&now->tv_sec, &broken));
    return state.clock;
}

/* "[orders,3] offset 17, function figlet: " */
static void add_subject(struct line *line, const struct log_subject *subject)
{
    size_t before = line->size;

    if (subject->topic) {
        line_add(line, "[");
        line_escaped(line, subject->topic, strlen(subject->topic));
        if (subject->partition >= 0)
            line_format(line, ",%" PRId32, subject->partition);
        line_add(line, "]");
    }
    if (subject->offset >= 0)
        line_format(line, "%soffset %" PRId64, line->size > before ? " " : "", subject->offset);
    if (subject->function) {
        if (line->size > before)
            line_add(line, subject->offset >= 0 ? ", " : " ");
        line_add(line, "function ");
        line_escaped(line, subject->function, strlen(subject->function));
    }
    if (line->size > before)
        line_add(line, ": ");
}

static void add_body(struct line *line, const char *body, size_t size)
{
    if (size == 0)
        return;
    if (!memchr(body, '\n', size)) {
        line_add(line, " ");
        line_escaped(line, body, size);
        return;
    }
    for (size_t i = 0; i < size && !line->full;) {
        const char *end = memchr(body + i, '\n', size - i);
        size_t row = (end ? (size_t)(end - body) : size) - i;

        line_add(line, "\n  ");
        line_escaped(line, body + i, row - (row > 0 && body[i + row - 1] == '\r'));
        i += row + (end != NULL);
        line->dropped += line->full ? size - i : 0;
    }
}

static void write_out(const char *bytes, size_t size)
{
    FILE *to = state.to ? state.to : stderr;

    fwrite(bytes, 1, size, to);
    fflush(to);
}

static void write_console(const struct entry *entry)
{
    const struct level *level = &levels[entry->level];
    bool coloured = state.coloured && *level->colour;
    struct line *line = &state.line;
    struct timespec now;

    line_clear(line);
    line_add(line, clock_text(&now));
    line_add(line, " ");
    line_add(line, coloured ? level->colour : "");
    line_add(line, level->prefix);
    line_add(line, coloured ? "\033[0m" : "");
    if (entry->subject && !entry->plain)
        add_subject(line, entry->subject);
    line_escaped(line, entry->text, strlen(entry->text));
    add_body(line, entry->body, entry->body_size);
    line_end(line);
    write_out(line->text, line->size);
}

/* What JSON prints for the character of `step` bytes (0: none, replaced) at `at`. */
static size_t json_cost(const char *at, size_t step)
{
    if (step == 0)
        return sizeof(UTF8_REPLACEMENT) - 1;
    if (strchr("\"\\\b\f\n\r\t", *at))
        return 2;
    return (unsigned char)*at < 0x20 ? sizeof("\\u0000") - 1 : step;
}

/* How many of the bytes fit into *room, which they are taken from. */
static size_t fitting(const char *bytes, size_t size, size_t *room)
{
    size_t i = 0;

    while (i < size) {
        size_t step = bytes[i] ? utf8_step(bytes + i, size - i) : 0;
        size_t cost = json_cost(bytes + i, step);

        if (cost > *room)
            break;
        *room -= cost;
        i += step ? step : 1;
    }
    return i;
}

static void add_field(json *to, const char *name, const char *bytes, size_t size, size_t *room)
{
    size_t fits = fitting(bytes, size, room);
    char *cut;

    if (fits == size) {
        json_add_text_sized(to, name, bytes, size);
        return;
    }
    *room = 0;
    cut = xmalloc(fits + LINE_CUT_SIZE);
    memcpy(cut, bytes, fits);
    fits += (size_t)snprintf(cut + fits, LINE_CUT_SIZE, LINE_CUT, size - fits);
    json_add_text_sized(to, name, cut, fits);
    free(cut);
}

static void add_subject_fields(json *to, const struct log_subject *subject, size_t *room)
{
    if (subject->topic)
        add_field(to, "topic", subject->topic, strlen(subject->topic), room);
    if (subject->partition >= 0)
        json_add_number(to, "partition", subject->partition);
    if (subject->offset >= 0)
        json_add_number(to, "offset", subject->offset);
    if (subject->function)
        add_field(to, "function", subject->function, strlen(subject->function), room);
}

static void write_json(const struct entry *entry)
{
    json *root = json_object();
    size_t room = LINE_MAX_SIZE, size;
    struct timespec now;
    const char *clock = clock_text(&now);
    char *text = xasprintf("%s.%03ldZ", clock, now.tv_nsec / 1000000);

    json_add_text(root, "time", text);
    free(text);
    json_add_text(root, "level", levels[entry->level].name);
    if (entry->subject)
        add_subject_fields(root, entry->subject, &room);
    add_field(root, "text", entry->text, strlen(entry->text), &room);
    if (entry->body)
        add_field(root, "body", entry->body, entry->body_size, &room);
    text = json_print(root, false);
    json_free(root);
    size = strlen(text);
    text[size] = '\n'; /* in the NUL's place: one fwrite, line break included */
    write_out(text, size + 1);
    free(text);
}

/* Writes the entry with the text made from its format. */
static void write_entry(struct entry *entry, const char *format, va_list args)
{
    if ((int)entry->level > state.options.level)
        return;
    entry->text = xvasprintf(format, args);
    if (state.options.format == LOG_FORMAT_JSON)
        write_json(entry);
    else
        write_console(entry);
    free(entry->text);
}

void log_write(enum log_level level, const struct log_subject *subject, const char *format, ...)
{
    struct entry entry = {.level = level, .subject = subject};
    va_list args;

    va_start(args, format);
    write_entry(&entry, format, args);
    va_end(args);
}

void log_plain(const struct log_subject *subject, const char *format, ...)
{
    struct entry entry = {.level = LOG_LEVEL_INFO, .subject = subject, .plain = true};
    va_list args;

    va_start(args, format);
    write_entry(&entry, format, args);
    va_end(args);
}

void log_plain_body(const struct log_subject *subject, const void *body, size_t size,
                    const char *format, ...)
{
    const char *bytes = body ? body : "";
    struct entry entry = {.level = LOG_LEVEL_INFO, .subject = subject, .plain = true};
    va_list args;

    while (size > 0 && (bytes[size - 1] == '\n' || bytes[size - 1] == '\r'))
        size--;
    entry.body = bytes;
    entry.body_size = size;
    va_start(args, format);
    write_entry(&entry, format, args);
    va_end(args);
}

void die(const char *format, ...)
{
    va_list args;
    char *text, *escaped;

    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    escaped = line_escape_dup(text, strlen(text));
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, escaped);
    free(escaped);
    free(text);
    exit(2);
}
