/*
 * progress: see progress.h for the form.
 */
#include "core/progress.h"

#include "base/base64.h"

#include <assert.h>
#include <string.h>

static const char prefix[] = "kc1:";

enum {
    VERSION_1 = 1,
    PREFIX_SIZE = sizeof(prefix) - 1,
    CHECKSUM_SIZE = 4,
    BYTES_MAX = (PROGRESS_TEXT_SIZE - PREFIX_SIZE) / 4 * 3,
};

/* FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/. Every change of one byte changes
 * it, because each step is a bijection. */
static uint32_t checksum(const uint8_t *bytes, size_t size)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

/* LEB128: seven bits a byte, the lowest first. */
static size_t put_varint(uint8_t *at, uint64_t value)
{
    size_t n = 0;

    for (; value >= 0x80; value >>= 7)
        at[n++] = (uint8_t)(value | 0x80);
    at[n++] = (uint8_t)value;
    return n;
}

static bool get_varint(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; *at < end && shift < 63; shift += 7) {
        uint8_t byte = *(*at)++;

        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

size_t progress_encode(const struct progress *progress, char text[PROGRESS_TEXT_SIZE + 1])
{
    uint8_t bytes[BYTES_MAX];
    size_t size = 0;
    uint32_t sum;

    assert(progress->born >= 1);
    bytes[size++] = VERSION_1;
    size += put_varint(bytes + size, (uint64_t)progress->born);
    sum = checksum(bytes, size);
    for (int i = 0; i < CHECKSUM_SIZE; i++)
        bytes[size++] = (uint8_t)(sum >> (8 * i));
    memcpy(text, prefix, PREFIX_SIZE);
    return PREFIX_SIZE + base64_encode(bytes, size, text + PREFIX_SIZE);
}

bool progress_decode(const char *text, struct progress *progress)
{
    uint8_t bytes[BYTES_MAX];
    const uint8_t *at = bytes, *end;
    uint32_t sum = 0;
    uint64_t born;
    size_t size;

    if (!text || strncmp(text, prefix, PREFIX_SIZE) != 0)
        return false;
    text += PREFIX_SIZE;
    if (!base64_decode(text, strlen(text), bytes, sizeof(bytes), &size) || size <= CHECKSUM_SIZE)
        return false;
    end = bytes + size - CHECKSUM_SIZE;
    for (int i = 0; i < CHECKSUM_SIZE; i++)
        sum |= (uint32_t)end[i] << (8 * i);
    if (sum != checksum(bytes, size - CHECKSUM_SIZE) || *at++ != VERSION_1)
        return false;
    if (!get_varint(&at, end, &born) || born < 1 || born > INT32_MAX)
        return false;
    progress->born = (int32_t)born;
    return true;
}
