/* A record as header lines: none may hold what ends or splits one. */
#include "gateway/call_headers.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool begins_as(const char *line, const char *name)
{
    return strncasecmp(line, name, strlen(name)) == 0;
}

static void check_line(const char *line, size_t size)
{
    size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "!#$%&'*+-.^_`|~");

    if (!begins_as(line, "X-Kafka-") && !begins_as(line, "X-Topic: t") &&
        !begins_as(line, "traceparent: ") && !begins_as(line, "tracestate: "))
        abort();
    if (name >= size || line[name] != ':' || (size > name + 1 && line[name + 1] != ' '))
        abort();
    for (size_t i = name; i < size; i++)
        if (line[i] < ' ' || line[i] > '~')
            abort();
}

static void check_lines(const char *text)
{
    const char *end;

    for (; (end = strstr(text, "\r\n")); text = end + 2)
        check_line(text, (size_t)(end - text));
    check_line(text, strlen(text));
}

/* The bytes are cut at each 0xff into name, value, name, value, ..., the last being the key. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct record_header headers[64];
    struct call_lines lines = {0};
    struct record record = {.topic = "t", .headers = headers, .timestamp_ms = 1};
    char *names[64];
    const uint8_t *end = bytes + size, *mark;

    while (record.header_count < 64 && (mark = memchr(bytes, 0xff, (size_t)(end - bytes)))) {
        const uint8_t *value_end = memchr(mark + 1, 0xff, (size_t)(end - mark - 1));

        if (!value_end)
            break;
        names[record.header_count] = xstrndup(bytes, (size_t)(mark - bytes));
        headers[record.header_count] = (struct record_header){names[record.header_count], mark + 1,
                                                              (size_t)(value_end - mark - 1)};
        record.header_count++;
        bytes = value_end + 1;
    }
    record.key = bytes;
    record.key_size = (size_t)(end - bytes);
    check_lines(call_lines_fill(&lines, &(struct call_head){0}, &record)->text);
    call_lines_release(&lines);
    for (size_t i = 0; i < record.header_count; i++)
        free(names[i]);
    return 0;
}
