/*
 * fnv: FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/). Every change of one byte
 * changes it, because each step is a bijection.
 */
#ifndef CORE_FNV_H
#define CORE_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV1A_BASIS 2166136261u

/* Goes on from the hash of what comes before; FNV1A_BASIS where that is nothing. */
static inline uint32_t fnv1a(uint32_t hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 16777619u;
    return hash;
}

#endif
