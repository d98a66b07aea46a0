/*
 * json: reading and writing JSON; the only place that knows cJSON.
 *
 * A `json` is a node of a tree. The root is freed with json_free, and everything read from it is
 * borrowed until then. Reading never fails hard: a NULL node, a missing member or one of another
 * type gives the fallback, so hostile input needs no ladder of checks.
 *
 * Not thread-safe (cJSON keeps its last error in a global): one thread parses.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cJSON json;

/* Reads a whole text; nothing but white space may follow it. NULL with a reason in words (static
 * text) for bad syntax, nesting deeper than 64, or a string that is not UTF-8 or holds a NUL. */
json *json_parse(const char *text, size_t size, const char **reason);
void json_free(json *node);

bool json_is_object(const json *node);
bool json_is_array(const json *node);
bool json_is_null(const json *node);                           /* the word null, not a NULL node */
const json *json_member(const json *object, const char *name); /* case-sensitive; NULL if none */
const json *json_first(const json *parent);                    /* child of an array or object */
const json *json_next(const json *node);
const char *json_name(const json *node);                       /* of a member; NULL in arrays */
const char *json_text(const json *node, const char *fallback); /* a string's text */
/* A string, number or boolean as a text ("12", "true"), for settings; NULL for all else. Caller
 * frees. */
char *json_scalar_dup(const json *node);

#define json_each(child, parent)                                                                   \
    for (const json *child = json_first(parent); child; child = json_next(child))

json *json_object(void);
json *json_array(void);
/* Append to an object (name) or to an array (name NULL). Texts are copied; invalid UTF-8 and NULs
 * in them and in names are replaced by U+FFFD, so that what is printed is always valid JSON. NULL
 * for a text or its bytes is null, as is a real that is infinite or not a number. */
void json_add_text(json *to, const char *name, const char *text);
void json_add_text_sized(json *to, const char *name, const void *bytes, size_t size);
void json_add_number(json *to, const char *name, int64_t number); /* printed exactly */
void json_add_real(json *to, const char *name, double number);
void json_add_bool(json *to, const char *name, bool value);
void json_add_take(json *to, const char *name, json *node); /* the tree takes node over */
json *json_add_object(json *to, const char *name);          /* returns the new child, borrowed */
json *json_add_array(json *to, const char *name);

/* The text of a tree, on one line or indented. Caller frees. */
char *json_print(const json *node, bool indented);

#endif
