/* http_header: header lines of an answer. They come from outside: no NUL, any length, any bytes. */
#include "gateway/http_header.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool http_header_is(const char *line, size_t size, const char *name, char value[HTTP_VALUE_SIZE])
{
    size_t start = strlen(name) + 1;

    if (size < start || strncasecmp(line, name, start - 1) != 0 || line[start - 1] != ':')
        return false;
    while (start < size && is_space(line[start]))
        start++;
    while (size > start && is_space(line[size - 1]))
        size--;
    size -= start;
    if (size >= HTTP_VALUE_SIZE)
        size = HTTP_VALUE_SIZE - 1;
    memcpy(value, line + start, size);
    value[size] = '\0';
    return true;
}

static int64_t within_limit(int64_t seconds)
{
    if (seconds < 0)
        return 0;
    return (seconds > HTTP_RETRY_AFTER_LIMIT_S ? HTTP_RETRY_AFTER_LIMIT_S : seconds) * 1000;
}

int64_t http_retry_after_ms(const char *value, time_t now)
{
    int64_t seconds = 0;
    const char *at = value;
    time_t date;

    for (; *at >= '0' && *at <= '9'; at++)
        if (seconds <= HTTP_RETRY_AFTER_LIMIT_S)
            seconds = seconds * 10 + (*at - '0');
    if (at > value && !*at)
        return within_limit(seconds);
    /* Every form of a date has a time of day; curl takes much else for a date. */
    date = strchr(value, ':') ? curl_getdate(value, NULL) : -1;
    return date < 0 ? -1 : within_limit((int64_t)date - (int64_t)now);
}
