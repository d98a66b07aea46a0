/*
 * xalloc: memory that is there or ends the process.
 *
 * A daemon that cannot get memory cannot keep its promises either; it says so on stderr and
 * aborts, and whoever supervises it starts it again. So nobody else tests for NULL.
 * Everything returned is the caller's to free() with free().
 */
#ifndef BASE_XALLOC_H
#define BASE_XALLOC_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *block, size_t size);

/* A copy of a text; NULL gives NULL. */
char *xstrdup(const char *text);

/* A copy of `size` bytes as a text: a NUL is added behind them. */
char *xstrndup(const void *bytes, size_t size);

/* A text in printf's way. */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* Overwrites a text that may hold a secret, and frees it. NULL: nothing. */
void xfree_secret(char *text);

/* What a library made, where NULL can only mean that memory is out. Returns it. */
void *xcheck(void *made);

/* A stream that writes a text into memory. *text and *size are good once it is closed. */
FILE *xopen_memstream(char **text, size_t *size);
void xclose_memstream(FILE *stream);

#endif
