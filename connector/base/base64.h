/*
 * base64: RFC 4648, standard alphabet, with padding.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#define BASE64_SIZE(bytes) (((bytes) + 2) / 3 * 4) /* characters for so many bytes */

/* Writes BASE64_SIZE(size) characters and a NUL to `text`. Returns the count without the NUL. */
size_t base64_encode(const void *bytes, size_t size, char *text);

/* Decodes strictly (no white space, padding required, unused bits zero) into `bytes`, which holds
 * `room`. False: not base64, or longer than room. *size gets the count of bytes. */
bool base64_decode(const char *text, size_t text_size, void *bytes, size_t room, size_t *size);

#endif
