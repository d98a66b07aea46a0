/* xalloc: see xalloc.h. A size of 0 is one of 1, since malloc may answer that with NULL. */
#include "base/xalloc.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(void)
{
    fputs("out of memory\n", stderr);
    abort();
}

void xfree_secret(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

void *xcheck(void *made)
{
    if (!made)
        out_of_memory();
    return made;
}

void *xmalloc(size_t size)
{
    return xcheck(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
    return xcheck(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *block, size_t size)
{
    return xcheck(realloc(block, size ? size : 1));
}

char *xstrndup(const void *bytes, size_t size)
{
    char *copy = xmalloc(size + 1);

    if (size)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

char *xstrdup(const char *text)
{
    return text ? xstrndup(text, strlen(text)) : NULL;
}

char *xvasprintf(const char *format, va_list args)
{
    va_list again;
    char *text;
    int size;

    va_copy(again, args);
    size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    text = xmalloc((size_t)(size < 0 ? 0 : size) + 1);
    if (size < 0)
        *text = '\0';
    else
        vsnprintf(text, (size_t)size + 1, format, args);
    return text;
}

char *xasprintf(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    return text;
}

FILE *xopen_memstream(char **text, size_t *size)
{
    return xcheck(open_memstream(text, size));
}

/* Nothing but memory can be lacking, and a write that lacked it has left its mark. */
void xclose_memstream(FILE *stream)
{
    bool failed = ferror(stream) != 0;

    if (fclose(stream) != 0 || failed)
        out_of_memory();
}
