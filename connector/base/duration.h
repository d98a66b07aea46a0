/*
 * duration: spans of time as a user writes them, in Go's way ("1m30s", "250ms", "1.5h"), held as
 * whole milliseconds. A bare number is seconds ("30", "0.5"). Units: ns us µs ms s m h.
 * Source of the syntax: Go's time.ParseDuration, which the systems we follow read theirs with.
 */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

enum { DURATION_TEXT_SIZE = 32 };

/* Reads a whole text. False for bad syntax, a negative span, one over 100 years, or one that is no
 * whole count of milliseconds ("300us", "1.5ms"); *reason is then what the text is, static, to be
 * put behind it: "is negative". *ms is written only when true. */
bool duration_parse(const char *text, int64_t *ms, const char **reason);

/* Writes Go's form without its empty units, which duration_parse reads back to the same value:
 * "24h", "1m30s", "1.5s", "250ms", "0s". Returns its argument. ms >= 0. */
char *duration_format(int64_t ms, char text[DURATION_TEXT_SIZE]);

#endif
