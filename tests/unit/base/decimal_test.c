/* base/decimal */
#include "base/decimal.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

Test(decimal, it_is_what_printf_writes)
{
    static const int64_t numbers[] = {0,  7,   10,  99,        100,       1234567890,
                                      -1, -10, -99, INT64_MAX, INT64_MIN, INT64_MIN + 1};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        char buffer[DECIMAL_SIZE], expected[32];
        size_t length;
        const char *text = decimal(buffer, numbers[i], &length);

        snprintf(expected, sizeof(expected), "%" PRId64, numbers[i]);
        cr_expect_str_eq(text, expected);
        cr_expect_eq(length, strlen(expected));
    }
}
