/*
 * log: lines on stderr, as a person reads them (console) or as a machine does (json).
 *
 * console: `2026/11/21 17:04:41 text`, local time, in Go's log form. A warning or error carries
 * "WARNING: " or "ERROR: " before the text, and a subject its prefix: "[orders,3] offset 17,
 * function figlet: text" (only the parts that are set). Colours only on a terminal.
 * json: one object a line: {"time":"2026-11-21T17:04:41.123Z","level":"info","topic":..,
 * "partition":..,"offset":..,"function":..,"text":..,"body":..}; subject fields only when set.
 *
 * Whatever is printed may come from outside: control characters (below 0x20, 0x7f, U+0080..U+009F)
 * in a text are escaped as \n \r \t \xNN, invalid UTF-8 as \xNN, so nobody forges a line; json
 * escapes in its own way. What is over 64 KiB in an entry is cut: "…(N bytes more)". Each entry is
 * one fwrite. Not thread-safe: the loop's thread is the only one that logs.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/option.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_CONSOLE, LOG_FORMAT_JSON };

/* What a line is about. Unset: NULL, -1, -1, NULL (LOG_SUBJECT_NONE). All borrowed. */
struct log_subject {
    const char *topic;
    int32_t partition;
    int64_t offset;
    const char *function;
};

#define LOG_SUBJECT_NONE ((struct log_subject){.partition = -1, .offset = -1})

struct log_options {
    int format; /* enum log_format */
    int level;  /* enum log_level */
};

/* Options log_format and log_level; target struct log_options. */
extern const struct option_table log_option_table;

/* Sets the format, the level and where the lines go (stderr before the first call). */
void log_configure(const struct log_options *options, FILE *to);

/* Writes one line. `subject` may be NULL. */
void log_write(enum log_level level, const struct log_subject *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As log_write at level info, but the console line goes without the subject's prefix: for lines
 * whose words are a promise and name their subject themselves ("Invoke function: figlet"). */
void log_plain(const struct log_subject *subject, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* log_plain with a body behind it. A body of one line stands behind the text and a blank; one of
 * several lines follows on lines of its own, each indented by two blanks so that it cannot pass
 * for a line of the log. Trailing line breaks are dropped. */
void log_plain_body(const struct log_subject *subject, const void *body, size_t size,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

#define log_error(subject, ...)   log_write(LOG_LEVEL_ERROR, (subject), __VA_ARGS__)
#define log_warning(subject, ...) log_write(LOG_LEVEL_WARNING, (subject), __VA_ARGS__)
#define log_info(subject, ...)    log_write(LOG_LEVEL_INFO, (subject), __VA_ARGS__)
#define log_debug(subject, ...)   log_write(LOG_LEVEL_DEBUG, (subject), __VA_ARGS__)

/* Start-up only: prints "program: sentence" on stderr and exits with status 2. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
