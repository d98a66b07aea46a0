/* record: see record.h. */
#include "core/record.h"

#include "core/fnv.h"

enum {
    PRINT_BYTES = 64
}; /* of key and value: what differs, differs early, and its time does too */

static uint32_t add(uint32_t hash, const void *bytes, size_t size)
{
    hash = fnv1a(hash, &size, sizeof(size));
    return fnv1a(hash, bytes, size < PRINT_BYTES ? size : PRINT_BYTES);
}

uint32_t record_print(const struct record *record)
{
    uint32_t hash = fnv1a(FNV1A_BASIS, &record->timestamp_ms, sizeof(record->timestamp_ms));

    hash = add(hash, record->key, record->key_size);
    return add(hash, record->value, record->value_size);
}
