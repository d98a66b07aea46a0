/* line: what is escaped, and that what is too long is cut and said. */
#include "base/line.h"
#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct line line;

Test(line, escape)
{
    static const struct {
        const char *why, *bytes;
        size_t size;
        const char *text;
    } cases[] = {
        {"nothing", "", 0, ""},
        {"quotes and backslashes stay", "'a' \"b\" \\n", 10, "'a' \"b\" \\n"},
        {"line breaks and tabs", "a\nb\rc\td", 7, "a\\nb\\rc\\td"},
        {"their neighbours", "\x08\x0b\x0c\x0e", 4, "\\x08\\x0b\\x0c\\x0e"},
        {"other controls", "\x1b[31m\x7f", 6, "\\x1b[31m\\x7f"},
        {"a NUL", "a\0b", 3, "a\\x00b"},
        {"UTF-8 stays", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9,
         "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"no-break space is no control", "\xC2\xA0", 2, "\xC2\xA0"},
        {"U+009B begins a sequence",
         "\xC2\x9B"
         "31m",
         5, "\\xc2\\x9b31m"},
        {"bad UTF-8", "a\xFF\xE2\x82", 4, "a\\xff\\xe2\\x82"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *text = line_escape_dup(cases[i].bytes, cases[i].size);

        cr_expect_str_eq(text, cases[i].text, "%s: %s", cases[i].why, text);
        line_clear(&line);
        line_escaped(&line, cases[i].bytes, cases[i].size);
        cr_expect_eq(line.size, strlen(cases[i].text), "%s", cases[i].why);
        cr_expect_eq(memcmp(line.text, cases[i].text, line.size), 0, "%s", cases[i].why);
        free(text);
    }
}

/* Adds `size` bytes of `unit` repeated, and the end; compares the line's last bytes. */
static void expect_end(const char *unit, size_t size, const char *end, const char *why)
{
    size_t step = strlen(unit);
    char *bytes = xmalloc(size);

    for (size_t i = 0; i < size; i++)
        bytes[i] = unit[i % step];
    line_clear(&line);
    line_escaped(&line, bytes, size);
    line_add(&line, line.full ? "never" : "");
    line_end(&line);
    cr_expect_leq(line.size, sizeof(line.text), "%s", why);
    cr_expect_eq(memcmp(line.text + line.size - strlen(end), end, strlen(end)), 0, "%s: %.*s", why,
                 40, line.text + line.size - 40);
    free(bytes);
}

Test(line, what_is_over_the_limit_is_counted)
{
    expect_end("x", LINE_MAX_SIZE, "xxx\n", "exactly full is not cut");
    expect_end("x", LINE_MAX_SIZE + 1, "xx…(1 bytes more)\n", "one over");
    expect_end("x", 1000000, "xx…(934464 bytes more)\n", "many over");
    expect_end("\n", LINE_MAX_SIZE / 2 + 1, "\\n…(1 bytes more)\n", "an escape counts as printed");
    expect_end("\xE2\x82\xAC", 65537, "\xE2\x82\xAC…(2 bytes more)\n",
               "no character is cut in two");
}
