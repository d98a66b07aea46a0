/* functions_file: the sandbox's functions as its file tells them. */
#include "sandbox/functions_file.h"

#include "base/file.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { FILE_LIMIT = 1024 * 1024, TOPIC_LENGTH_MAX = 249 };

#define LETTERS     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define NAME_CHARS  LETTERS "-"
#define TOPIC_CHARS LETTERS "._-"

static void line_free(struct function_line *line)
{
    if (!line)
        return;
    free(line->name);
    free(line->topics);
    free(line->program);
    free(line);
}

void functions_file_release(struct function_line **lines)
{
    struct function_line *line, *next;
    DL_FOREACH_SAFE (*lines, line, next)
        line_free(line);
    *lines = NULL;
}

const struct function_line *functions_file_find(const struct function_line *lines, const char *name)
{
    const struct function_line *line;
    DL_FOREACH (lines, line)
        if (strcmp(line->name, name) == 0)
            return line;
    return NULL;
}

/* Takes the word at *text, moves *text behind the blanks that follow it. */
static char *take_word(const char **text)
{
    size_t length = strcspn(*text, " \t");
    char *word = xstrndup(*text, length);
    *text += length;
    *text += strspn(*text, " \t");
    return word;
}

static bool topics_valid(const char *topics)
{
    for (const char *topic = topics;; topic++) {
        size_t length = strspn(topic, TOPIC_CHARS);
        if (length == 0 || length > TOPIC_LENGTH_MAX)
            return false;
        topic += length;
        if (!*topic)
            return true;
        if (*topic != ',')
            return false;
    }
}

/* What is wrong with a line, or NULL. */
static const char *line_fault(const struct function_line *line, const struct function_line *before)
{
    if (!*line->name || line->name[strspn(line->name, NAME_CHARS)])
        return "a function's name has letters, digits and \"-\"";
    if (functions_file_find(before, line->name))
        return "this name stands in a line above";
    if (!topics_valid(line->topics))
        return "behind the name come topics, separated by commas without blanks";
    if (!*line->program)
        return "behind the topics comes the program";
    return NULL;
}

static struct function_line *line_parse(const char *text)
{
    struct function_line *line = xcalloc(1, sizeof(*line));
    line->name = take_word(&text);
    line->topics = take_word(&text);
    size_t length = strlen(text);
    while (length && strchr(" \t\r", text[length - 1]))
        length--;
    line->program = xstrndup(text, length);
    return line;
}

/* One line of the file; an empty one or a comment adds nothing. */
static const char *add_line(struct function_line **lines, const char *text)
{
    text += strspn(text, " \t\r");
    if (!*text || *text == '#')
        return NULL;
    struct function_line *line = line_parse(text);
    const char *fault = line_fault(line, *lines);
    if (fault)
        line_free(line);
    else
        DL_APPEND(*lines, line);
    return fault;
}

bool functions_file_parse(const char *text, struct function_line **lines, char **reason)
{
    for (int number = 1; *text; number++) {
        size_t length = strcspn(text, "\n");
        char *line = xstrndup(text, length);
        const char *fault = add_line(lines, line);
        free(line);
        if (fault) {
            *reason = xasprintf("line %d: %s", number, fault);
            functions_file_release(lines);
            return false;
        }
        text += length + (text[length] == '\n');
    }
    return true;
}

bool functions_file_read(const char *path, struct function_line **lines, char **reason)
{
    const char *unreadable;
    char *text = file_read(path, FILE_LIMIT, NULL, &unreadable);
    if (!text) {
        *reason = xasprintf("cannot read %s: %s", path, unreadable);
        return false;
    }
    char *wrong = NULL;
    bool good = functions_file_parse(text, lines, &wrong);
    if (!good)
        *reason = xasprintf("%s, %s", path, wrong);
    free(wrong);
    free(text);
    return good;
}
