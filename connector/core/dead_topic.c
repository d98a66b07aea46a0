/* dead_topic: see dead_topic.h. */
#include "core/dead_topic.h"

#include "base/xalloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { HOLE_SIZE = sizeof(DEAD_TOPIC_HOLE) - 1 };

char *dead_topic_name(const char *template, const char *topic)
{
    const char *hole = strstr(template, DEAD_TOPIC_HOLE);

    if (!hole)
        return xstrdup(template);
    return xasprintf("%.*s%s%s", (int)(hole - template), template, topic, hole + HOLE_SIZE);
}

bool dead_topic_is(const char *template, const char *topic)
{
    const char *hole = template ? strstr(template, DEAD_TOPIC_HOLE) : NULL;
    size_t size = strlen(topic), before, behind;

    if (!template || !*template)
        return false;
    if (!hole)
        return strcmp(template, topic) == 0;
    before = (size_t)(hole - template);
    behind = strlen(hole + HOLE_SIZE);
    return size > before + behind && strncmp(topic, template, before) == 0 &&
           strcmp(topic + size - behind, hole + HOLE_SIZE) == 0;
}

bool dead_topic_varies(const char *template)
{
    return strstr(template, DEAD_TOPIC_HOLE);
}

bool dead_topic_is_any(const char *template)
{
    return strcmp(template, DEAD_TOPIC_HOLE) == 0;
}

/* Everything but letters and digits stands for itself in brackets too. */
static void print_escaped(FILE *to, const char *text, size_t size)
{
    for (; size; text++, size--)
        fprintf(to, isalnum((unsigned char)*text) ? "%c" : "[%c]", *text);
}

char *dead_topic_pattern(const char *template)
{
    const char *hole = strstr(template, DEAD_TOPIC_HOLE);
    char *pattern;
    size_t size;
    FILE *to = xopen_memstream(&pattern, &size);

    fputc('^', to);
    print_escaped(to, template, hole ? (size_t)(hole - template) : strlen(template));
    if (hole) {
        fputs(".+", to);
        print_escaped(to, hole + HOLE_SIZE, strlen(hole + HOLE_SIZE));
    }
    fputc('$', to);
    xclose_memstream(to);
    return pattern;
}
