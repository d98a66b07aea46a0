/* utf8: the borders of Unicode's table 3-7. */
#include "base/utf8.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(utf8, step)
{
    static const struct {
        const char *why, *bytes;
        size_t step;
    } cases[] = {
        {"nothing begins with nothing", "", 0},
        {"ASCII", "a", 1},
        {"two bytes, lowest", "\xC2\x80", 2},
        {"two bytes, highest", "\xDF\xBF", 2},
        {"three bytes, lowest", "\xE0\xA0\x80", 3},
        {"the last before the surrogates", "\xED\x9F\xBF", 3},
        {"the first behind the surrogates", "\xEE\x80\x80", 3},
        {"four bytes, lowest", "\xF0\x90\x80\x80", 4},
        {"U+10FFFF", "\xF4\x8F\xBF\xBF", 4},
        {"a byte that only continues", "\x80", 0},
        {"overlong slash", "\xC0\xAF", 0},
        {"overlong in two bytes", "\xC1\xBF", 0},
        {"overlong in three bytes", "\xE0\x9F\xBF", 0},
        {"overlong in four bytes", "\xF0\x8F\xBF\xBF", 0},
        {"a surrogate", "\xED\xA0\x80", 0},
        {"above U+10FFFF", "\xF4\x90\x80\x80", 0},
        {"no first byte is F5", "\xF5\x80\x80\x80", 0},
        {"cut after the first", "\xE2", 0},
        {"cut before the last", "\xE2\x82", 0},
        {"the third does not continue", "\xE2\x82x", 0},
        {"the last does not continue", "\xF0\x9F\x98x", 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        cr_expect_eq(utf8_step(cases[i].bytes, strlen(cases[i].bytes)), cases[i].step, "%s",
                     cases[i].why);
}

Test(utf8, mend)
{
    static const struct {
        const char *why, *bytes;
        size_t size;
        const char *text;
    } cases[] = {
        {"nothing", "", 0, ""},
        {"well-formed text stays", "h\xC3\xA9 \xF0\x9F\x98\x80", 8, "h\xC3\xA9 \xF0\x9F\x98\x80"},
        {"each bad byte is replaced",
         "a\xFF\xFE"
         "b",
         4,
         "a\xEF\xBF\xBD\xEF\xBF\xBD"
         "b"},
        {"a NUL does not cut", "a\0b", 3,
         "a\xEF\xBF\xBD"
         "b"},
        {"a character cut by the end", "a\xE2\x82", 3, "a\xEF\xBF\xBD\xEF\xBF\xBD"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *text = utf8_mend(cases[i].bytes, cases[i].size);

        cr_expect_str_eq(text, cases[i].text, "%s", cases[i].why);
        free(text);
    }
}
