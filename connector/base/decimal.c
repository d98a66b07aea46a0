/* decimal: see decimal.h. */
#include "base/decimal.h"

const char *decimal(char buffer[DECIMAL_SIZE], int64_t number, size_t *length)
{
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    char *end = buffer + DECIMAL_SIZE - 1, *at = end;

    *end = '\0';
    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        *--at = '-';
    *length = (size_t)(end - at);
    return at;
}
