/*
 * decimal: a number's decimal digits, where snprintf would be a good part of what a record costs.
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

enum { DECIMAL_SIZE = 21 }; /* of INT64_MIN, with its sign and a NUL */

/* The number's text, which ends, with a NUL, at the end of `buffer`; its length into *length. */
const char *decimal(char buffer[DECIMAL_SIZE], int64_t number, size_t *length);

#endif
