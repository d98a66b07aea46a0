/*
 * functions_file: the sandbox's functions as its file tells them.
 *
 * A line each: a name, topics separated by commas, and the program, which is the rest of the line
 * as the shell reads it. "#" begins a comment line; empty lines are passed over.
 */
#ifndef SANDBOX_FUNCTIONS_FILE_H
#define SANDBOX_FUNCTIONS_FILE_H

#include <stdbool.h>

struct function_line {
    char *name;    /* letters, digits and "-" */
    char *topics;  /* "a,b": names as Kafka takes them */
    char *program; /* for sh -c */
    struct function_line *prev, *next;
};

/* Reads a text; the lines are added to an empty list (utlist DL) that functions_file_release
 * empties. False: *reason (caller frees) names the first line that is wrong; nothing was added. */
bool functions_file_parse(const char *text, struct function_line **lines, char **reason);
/* The same for a file, which may be a megabyte long. */
bool functions_file_read(const char *path, struct function_line **lines, char **reason);
void functions_file_release(struct function_line **lines);

/* The line of a name, or NULL. */
const struct function_line *functions_file_find(const struct function_line *lines,
                                                const char *name);

#endif
