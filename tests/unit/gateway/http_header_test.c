/* http_header: header lines as they come from outside. */
#include "gateway/http_header.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct {
    const char *line;
    const char *value; /* of "Retry-After"; NULL: another line */
} lines[] = {
    {"Retry-After: 5\r\n", "5"},
    {"retry-after:5\r\n", "5"},
    {"RETRY-AFTER: \t 5 \t\r\n", "5"},
    {"Retry-After:\r\n", ""},
    {"Retry-After:", ""},
    {"Retry-After", NULL},
    {"Retry-Afterwards: 5\r\n", NULL},
    {"X-Retry-After: 5\r\n", NULL},
    {"\r\n", NULL},
    {"", NULL},
    {"Retry-After: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
     "012345678901234567890123456789012345678901234567890123456789012"},
};

Test(http_header, names_and_values)
{
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        char value[HTTP_VALUE_SIZE] = "";
        bool is = http_header_is(lines[i].line, strlen(lines[i].line), "Retry-After", value);

        cr_expect_eq(is, lines[i].value != NULL, "%s", lines[i].line);
        if (is && lines[i].value)
            cr_expect_str_eq(value, lines[i].value);
    }
}

enum { NOW = 1700000000 }; /* Tue, 14 Nov 2023 22:13:20 GMT */

static const struct {
    const char *value;
    int64_t ms;
} retry_afters[] = {
    {"0", 0},
    {"120", 120000},
    {"99999999999999999999999", HTTP_RETRY_AFTER_LIMIT_S *INT64_C(1000)},
    {"Tue, 14 Nov 2023 22:14:20 GMT", 60000},
    {"Tue, 14 Nov 2023 22:13:19 GMT", 0},
    {"Tue Nov 14 22:13:21 2023", 1000},
    {"Tue, 14 Nov 2043 22:14:20 GMT", HTTP_RETRY_AFTER_LIMIT_S *INT64_C(1000)},
    {"", -1},
    {"-1", -1},
    {"1.5", -1},
    {"soon", -1},
    {"5 apples", -1},
};

Test(http_header, retry_after)
{
    for (size_t i = 0; i < sizeof(retry_afters) / sizeof(*retry_afters); i++)
        cr_expect_eq(http_retry_after_ms(retry_afters[i].value, NOW), retry_afters[i].ms, "%s",
                     retry_afters[i].value);
}
