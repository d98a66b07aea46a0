/* file: see file.h. Read by what arrives, not by a size asked before: pipes have none. */
#include "base/file.h"

#include "base/xalloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads to the end, or to one byte more than the limit. */
static char *read_stream(FILE *from, size_t limit, size_t *size)
{
    size_t room = 4096;
    char *text = xmalloc(room);

    *size = 0;
    while (*size <= limit) {
        size_t got = fread(text + *size, 1, room - *size - 1, from);
        *size += got;
        if (got == 0)
            break;
        if (*size + 1 == room) {
            room *= 2;
            text = xrealloc(text, room);
        }
    }
    text[*size] = '\0';
    return text;
}

char *file_read(const char *path, size_t limit, size_t *size, const char **reason)
{
    FILE *from = fopen(path, "re");
    if (!from) {
        *reason = strerror(errno);
        return NULL;
    }
    size_t got;
    errno = 0;
    char *text = read_stream(from, limit, &got);
    *reason = ferror(from) ? strerror(errno) : got > limit ? "is too large" : NULL;
    fclose(from);
    if (*reason) {
        free(text);
        return NULL;
    }
    if (size)
        *size = got;
    return text;
}

char *file_read_secret(const char *path, const char **reason)
{
    enum { SECRET_LIMIT = 4096 };
    char *text = file_read(path, SECRET_LIMIT, NULL, reason);

    if (!text)
        return NULL;
    text[strcspn(text, "\r\n")] = '\0';
    if (*text)
        return text;
    *reason = "it is empty";
    free(text);
    return NULL;
}
