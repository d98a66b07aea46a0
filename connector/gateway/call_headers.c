/*
 * call_headers: a record as header lines.
 *
 * The text is measured first, generously, and filled without looking. Numbers are written by hand
 * because this runs once a call and printf costs as much as all the rest.
 */
#include "gateway/call_headers.h"

#include "base/base64.h"
#include "base/decimal.h"
#include "base/xalloc.h"
#include "gateway/call.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PREFIX       "X-Kafka-"
#define OWN_PREFIX   "X-Kafka-Header-" /* for names that are ours */
#define ENCODED_MARK "-Enc: b64"
#define LINE_END     "\r\n"

enum {
    CLEAN_LIMIT = 4096,
    HEADER_OVERHEAD = 32, /* of a record header, towards CALL_HEADERS_LIMIT */
    FIXED_LINES = 9,      /* topic and key with their marks, four numbers, the tombstone */
    FIXED_SIZE = FIXED_LINES * (sizeof(PREFIX "Headers-Dropped: " LINE_END) + DECIMAL_SIZE),
};

struct bytes {
    const void *start;
    size_t size;
};

/* ---- names ---- */

static bool is_token(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_trace(const char *name)
{
    return strcasecmp(name, "traceparent") == 0 || strcasecmp(name, "tracestate") == 0;
}

/* Whether a name, as it will be written, reads as another in any case. */
static bool reads_as(const char *name, const char *other)
{
    for (; *name && *other; name++, other++) {
        char c = is_token((unsigned char)*name) ? *name : '-';

        if (strncasecmp(&c, other, 1) != 0)
            return false;
    }
    return *name == *other;
}

/* Without this a producer's header "offset" would pass for the record's, or "Key Enc" for the mark
 * of its key. */
static bool is_own(const char *name)
{
    static const char *const own[] = {"Partition", "Offset",  "Timestamp",   "Tombstone",
                                      "Key",       "Key-Enc", "Key-Dropped", "Headers-Dropped",
                                      NULL};

    for (const char *const *it = own; *it; it++)
        if (reads_as(name, *it))
            return true;
    return false;
}

bool call_value_clean(const void *bytes, size_t size)
{
    const unsigned char *text = bytes;

    if (!size || size > CLEAN_LIMIT || text[0] == ' ' || text[size - 1] == ' ')
        return false;
    for (size_t i = 0; i < size; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

/* ---- measuring ---- */

/* How many record headers are passed on. */
static size_t passed_headers(const struct record *record)
{
    size_t sum = 0;

    for (size_t i = 0; i < record->header_count; i++) {
        const struct record_header *header = &record->headers[i];

        sum += strlen(header->name) + header->size + HEADER_OVERHEAD;
        if (sum > CALL_HEADERS_LIMIT)
            return i;
    }
    return record->header_count;
}

/* Of a value's line and its mark's. */
static size_t most_bytes(size_t name_size, size_t value_size)
{
    return 2 * (sizeof(OWN_PREFIX ": " LINE_END) + name_size) + sizeof(ENCODED_MARK) +
           BASE64_SIZE(value_size);
}

static void reserve(struct call_lines *lines, size_t head_size, const struct record *record,
                    size_t passed)
{
    size_t size = head_size + FIXED_SIZE + most_bytes(0, strlen(record->topic));

    if (record->key_size <= CALL_KEY_LIMIT)
        size += most_bytes(0, record->key_size);
    for (size_t i = 0; i < passed; i++)
        size += most_bytes(strlen(record->headers[i].name), record->headers[i].size);
    if (size > lines->size) {
        free(lines->line.text);
        lines->line.text = xmalloc(size);
        lines->size = size;
    }
    lines->at = lines->line.text;
}

/* ---- writing ---- */

static void put(struct call_lines *lines, const void *bytes, size_t size)
{
    if (size) /* a null value has no bytes to copy from */
        memcpy(lines->at, bytes, size);
    lines->at += size;
}

#define put_literal(lines, text) put((lines), (text), sizeof(text) - 1)

static void end_line(struct call_lines *lines)
{
    put_literal(lines, LINE_END);
}

static void put_number(struct call_lines *lines, int64_t number)
{
    char buffer[DECIMAL_SIZE];
    size_t length;
    const char *text = decimal(buffer, number, &length);

    put(lines, text, length);
}

static void put_name(struct call_lines *lines, const char *name)
{
    for (; *name; name++)
        *lines->at++ = is_token((unsigned char)*name) ? *name : '-';
}

#define number_line(lines, name, number)                                                           \
    do {                                                                                           \
        put_literal(lines, name ": ");                                                             \
        put_number(lines, number);                                                                 \
        end_line(lines);                                                                           \
    } while (0)

/* Behind a name that begins at `name`: the value and, when it is not clean, a second line that
 * marks it. */
static void put_value(struct call_lines *lines, const char *name, struct bytes value)
{
    size_t name_size = (size_t)(lines->at - name);

    if (value.start && call_value_clean(value.start, value.size)) {
        put_literal(lines, ": ");
        put(lines, value.start, value.size);
        end_line(lines);
        return;
    }
    put_literal(lines, ":");
    if (value.size) {
        put_literal(lines, " ");
        lines->at += base64_encode(value.start, value.size, lines->at);
    }
    end_line(lines);
    put(lines, name, name_size);
    put_literal(lines, ENCODED_MARK);
    end_line(lines);
}

static void put_header(struct call_lines *lines, const struct record_header *header)
{
    struct bytes value = {header->value, header->value ? header->size : 0};
    const char *name = lines->at;

    if (is_own(header->name))
        put_literal(lines, OWN_PREFIX);
    else if (!is_trace(header->name) || !call_value_clean(value.start, value.size))
        put_literal(lines, PREFIX);
    put_name(lines, header->name);
    put_value(lines, name, value);
}

static void put_key(struct call_lines *lines, const struct record *record)
{
    const char *name = lines->at;

    if (record->key_size > CALL_KEY_LIMIT) {
        number_line(lines, PREFIX "Key-Dropped", (int64_t)record->key_size);
        return;
    }
    put_literal(lines, PREFIX "Key");
    put_value(lines, name, (struct bytes){record->key, record->key_size});
}

static void put_coordinates(struct call_lines *lines, const struct record *record)
{
    const char *name = lines->at;

    put_literal(lines, "X-Topic");
    put_value(lines, name, (struct bytes){record->topic, strlen(record->topic)});
    number_line(lines, PREFIX "Partition", record->partition);
    number_line(lines, PREFIX "Offset", record->offset);
    if (record->timestamp_ms >= 0)
        number_line(lines, PREFIX "Timestamp", record->timestamp_ms);
    if (!record->value)
        put_literal(lines, PREFIX "Tombstone: true" LINE_END);
}

/* ---- the story ---- */

struct http_line *call_lines_fill(struct call_lines *lines, const struct call_head *head,
                                  const struct record *record)
{
    size_t passed = passed_headers(record);

    reserve(lines, head->size, record, passed);
    put(lines, head->text, head->size);
    put_coordinates(lines, record);
    if (record->key)
        put_key(lines, record);
    for (size_t i = 0; i < passed; i++)
        put_header(lines, &record->headers[i]);
    if (passed < record->header_count)
        number_line(lines, PREFIX "Headers-Dropped", (int64_t)(record->header_count - passed));
    lines->at[-(ptrdiff_t)strlen(LINE_END)] = '\0'; /* curl ends the last line itself */
    return &lines->line;
}

void call_lines_release(struct call_lines *lines)
{
    free(lines->line.text);
    *lines = (struct call_lines){0};
}
