/*
 * utf8: which bytes are well-formed UTF-8 (Unicode, table 3-7: no overlong forms, no surrogates,
 * nothing above U+10FFFF). Texts from outside pass here before a format that demands UTF-8.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

#define UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* The count of bytes of the character that `bytes` begin with; 0: they begin with none. */
size_t utf8_step(const void *bytes, size_t size);

/* A copy as a text in which each byte that belongs to no character, and each NUL (it would cut
 * the text), is U+FFFD. Caller frees. */
char *utf8_mend(const void *bytes, size_t size);

#endif
