/*
 * json: cJSON behind a contract of our own.
 *
 * Invariant: no node of a tree is a cJSON_Number. cJSON prints a number by 15 digits and takes
 * what is near for equal (9007199254740992 becomes 9.00719925474099e+15), so numbers are kept as
 * their exact text, as cJSON_Raw; nothing else is ever cJSON_Raw.
 */
#include "base/json.h"

#include "base/utf8.h"
#include "base/xalloc.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64, NUMBER_TEXT_SIZE = 32 };

#define EXACT_MAX 9007199254740992.0 /* 2^53: up to here a double holds every whole number */

/* Shortest text that reads back to the same number. Finite numbers only. */
static char *number_dup(double number)
{
    char text[NUMBER_TEXT_SIZE];
    int digits = 15;

    if (fabs(number) <= EXACT_MAX && number == trunc(number)) {
        snprintf(text, sizeof(text), "%.0f", number);
        return xstrdup(text);
    }
    do {
        snprintf(text, sizeof(text), "%.*g", digits, number);
    } while (digits++ < 17 && strtod(text, NULL) != number);
    return xstrdup(text);
}

/* Establishes the invariant below a node. 1e999 is infinite, which JSON cannot say: null. */
static void keep_numbers_as_text(json *node)
{
    for (; node; node = node->next) {
        if (cJSON_IsNumber(node)) {
            node->type = isfinite(node->valuedouble) ? cJSON_Raw : cJSON_NULL;
            if (cJSON_IsRaw(node))
                node->valuestring = number_dup(node->valuedouble);
        }
        keep_numbers_as_text(node->child);
    }
}

/* What stands behind a string, given what stands behind its opening quote. NULL with a reason:
 * cJSON would let it pass, but it would be cut as a C text, or printed as JSON that is none. */
static const char *behind_string(const char *at, const char *end, const char **reason)
{
    static const char nul[] = "\\u0000";

    while (at < end && *at != '"') {
        size_t step = utf8_step(at, (size_t)(end - at));

        if (step == 0) {
            *reason = "a text that is not UTF-8";
            return NULL;
        }
        if ((size_t)(end - at) >= sizeof(nul) - 1 && memcmp(at, nul, sizeof(nul) - 1) == 0) {
            *reason = "a text with a NUL";
            return NULL;
        }
        at += *at == '\\' && end - at > 1 ? 2 : step;
    }
    return at < end ? at + 1 : end;
}

/* What cJSON does not do: it cuts at a NUL, and its own limit of depth is 1000 calls. */
static bool is_sane(const char *text, size_t size, const char **reason)
{
    const char *end = text + size;
    int depth = 0;

    if (memchr(text, '\0', size)) {
        *reason = "a NUL";
        return false;
    }
    for (const char *at = text; at < end;) {
        char it = *at++;

        if (it == '"')
            at = behind_string(at, end, reason);
        if (!at)
            return false;
        depth += (it == '[' || it == '{') - (it == ']' || it == '}');
        if (depth > DEPTH_MAX) {
            *reason = "nested deeper than 64";
            return false;
        }
    }
    return true;
}

/* No NUL is in the text. */
static bool is_white(const char *at, const char *end)
{
    while (at < end && strchr(" \t\r\n", *at))
        at++;
    return at == end;
}

/* Through a copy with a NUL behind it: without one cJSON before 1.7.18 reads a byte too far at
 * `{"1":1,` (CVE-2023-53154). */
static json *parse_sane(const char *text, size_t size, const char **reason)
{
    char *copy = xstrndup(text, size);
    const char *end = copy;
    json *root = cJSON_ParseWithLengthOpts(copy, size + 1, &end, false);

    if (!root)
        *reason = "bad syntax";
    else if (!is_white(end, copy + size)) {
        *reason = "more behind the end";
        cJSON_Delete(root);
        root = NULL;
    }
    keep_numbers_as_text(root);
    free(copy);
    return root;
}

json *json_parse(const char *text, size_t size, const char **reason)
{
    if (size > 0 && !is_sane(text, size, reason))
        return NULL;
    if (is_white(text, text + size)) {
        *reason = "empty";
        return NULL;
    }
    return parse_sane(text, size, reason);
}

void json_free(json *node)
{
    cJSON_Delete(node);
}

bool json_is_object(const json *node)
{
    return cJSON_IsObject(node);
}

bool json_is_array(const json *node)
{
    return cJSON_IsArray(node);
}

bool json_is_null(const json *node)
{
    return cJSON_IsNull(node);
}

const json *json_member(const json *object, const char *name)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

const json *json_first(const json *parent)
{
    return parent ? parent->child : NULL;
}

const json *json_next(const json *node)
{
    return node ? node->next : NULL;
}

const char *json_name(const json *node)
{
    return node ? node->string : NULL;
}

const char *json_text(const json *node, const char *fallback)
{
    return cJSON_IsString(node) ? node->valuestring : fallback;
}

char *json_scalar_dup(const json *node)
{
    if (cJSON_IsString(node) || cJSON_IsRaw(node))
        return xstrdup(node->valuestring);
    if (cJSON_IsBool(node))
        return xstrdup(cJSON_IsTrue(node) ? "true" : "false");
    return NULL;
}

json *json_object(void)
{
    return xcheck(cJSON_CreateObject());
}

json *json_array(void)
{
    return xcheck(cJSON_CreateArray());
}

void json_add_take(json *to, const char *name, json *node)
{
    char *clean;

    assert(name ? cJSON_IsObject(to) : cJSON_IsArray(to));
    if (!name) {
        cJSON_AddItemToArray(to, node);
        return;
    }
    clean = utf8_mend(name, strlen(name));
    cJSON_AddItemToObject(to, clean, node);
    free(clean);
}

void json_add_text(json *to, const char *name, const char *text)
{
    json_add_text_sized(to, name, text, text ? strlen(text) : 0);
}

void json_add_text_sized(json *to, const char *name, const void *bytes, size_t size)
{
    char *clean;

    if (!bytes) {
        json_add_take(to, name, xcheck(cJSON_CreateNull()));
        return;
    }
    clean = utf8_mend(bytes, size);
    json_add_take(to, name, xcheck(cJSON_CreateString(clean)));
    free(clean);
}

void json_add_number(json *to, const char *name, int64_t number)
{
    char text[NUMBER_TEXT_SIZE];

    snprintf(text, sizeof(text), "%" PRId64, number);
    json_add_take(to, name, xcheck(cJSON_CreateRaw(text)));
}

void json_add_real(json *to, const char *name, double number)
{
    json *node = xcheck(cJSON_CreateNumber(number));

    keep_numbers_as_text(node);
    json_add_take(to, name, node);
}

void json_add_bool(json *to, const char *name, bool value)
{
    json_add_take(to, name, xcheck(cJSON_CreateBool(value)));
}

json *json_add_object(json *to, const char *name)
{
    json *child = json_object();

    json_add_take(to, name, child);
    return child;
}

json *json_add_array(json *to, const char *name)
{
    json *child = json_array();

    json_add_take(to, name, child);
    return child;
}

char *json_print(const json *node, bool indented)
{
    return xcheck(indented ? cJSON_Print(node) : cJSON_PrintUnformatted(node));
}
