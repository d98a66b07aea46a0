/* base64: see base64.h. Three bytes are four characters of six bits each. */
#include "base/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(const void *bytes, size_t size, char *text)
{
    const uint8_t *from = bytes;
    char *to = text;

    for (size_t at = 0; at < size; at += 3) {
        size_t left = size - at;
        uint32_t three = (uint32_t)from[at] << 16;
        three |= left > 1 ? (uint32_t)from[at + 1] << 8 : 0;
        three |= left > 2 ? (uint32_t)from[at + 2] : 0;
        *to++ = alphabet[three >> 18];
        *to++ = alphabet[three >> 12 & 63];
        *to++ = left > 1 ? alphabet[three >> 6 & 63] : '=';
        *to++ = left > 2 ? alphabet[three & 63] : '=';
    }
    *to = '\0';
    return (size_t)(to - text);
}

/* The six bits of a character, or -1. Ranges, not strchr: that would find the NUL too. */
static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes four characters, `padding` of them "=", to 3 - padding bytes. */
static bool decode_four(const char *four, size_t padding, uint8_t *to)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        int six = i < 4 - padding ? sextet(four[i]) : 0;
        if (six < 0)
            return false;
        bits = bits << 6 | (uint32_t)six;
    }
    if (bits & ((1u << 8 * padding) - 1))
        return false; /* unused bits: two texts must not mean the same bytes */
    for (size_t i = 0; i < 3 - padding; i++)
        to[i] = (uint8_t)(bits >> (16 - 8 * i));
    return true;
}

bool base64_decode(const char *text, size_t text_size, void *bytes, size_t room, size_t *size)
{
    if (text_size % 4)
        return false;
    size_t padding = 0;
    while (padding < 2 && padding < text_size && text[text_size - 1 - padding] == '=')
        padding++;
    size_t decoded = text_size / 4 * 3 - padding;
    if (decoded > room)
        return false;
    for (size_t at = 0; at < text_size; at += 4) {
        bool last = at + 4 == text_size;
        if (!decode_four(text + at, last ? padding : 0, (uint8_t *)bytes + at / 4 * 3))
            return false;
    }
    *size = decoded;
    return true;
}
