/*
 * file: small files read whole: settings, secrets.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>

/* The content of a file of at most `limit` bytes, a NUL behind it, its size in *size (may be NULL).
 * Caller frees. NULL with a reason in words (static or strerror's: use it at once). */
char *file_read(const char *path, size_t limit, size_t *size, const char **reason);

/* A secret: the first line of a file, without its line break. Caller frees. NULL: as above, or it
 * is empty. */
char *file_read_secret(const char *path, const char **reason);

#endif
