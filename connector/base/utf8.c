/* utf8: a table of what may follow each first byte. */
#include "base/utf8.h"

#include "base/xalloc.h"

#include <string.h>

struct form {
    unsigned char first_low, first_high;   /* of the first byte */
    unsigned char second_low, second_high; /* of the second; the others are 80..BF */
    size_t size;
};

/* The ranges of the second byte keep out overlong forms, surrogates and all above U+10FFFF. */
static const struct form forms[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

static const struct form *form_of(unsigned char first)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
        if (first >= forms[i].first_low && first <= forms[i].first_high)
            return &forms[i];
    return NULL;
}

size_t utf8_step(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    const struct form *form;

    if (size == 0)
        return 0;
    if (at[0] < 0x80)
        return 1;
    form = form_of(at[0]);
    if (!form || size < form->size || at[1] < form->second_low || at[1] > form->second_high)
        return 0;
    for (size_t i = 2; i < form->size; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return form->size;
}

char *utf8_mend(const void *bytes, size_t size)
{
    const size_t replacement = sizeof(UTF8_REPLACEMENT) - 1;
    const char *at = bytes;
    char *text = xmalloc(size * replacement + 1);
    size_t used = 0;

    for (size_t i = 0; i < size;) {
        size_t step = at[i] ? utf8_step(at + i, size - i) : 0;

        memcpy(text + used, step ? at + i : UTF8_REPLACEMENT, step ? step : replacement);
        used += step ? step : replacement;
        i += step ? step : 1;
    }
    text[used] = '\0';
    return xrealloc(text, used + 1);
}
