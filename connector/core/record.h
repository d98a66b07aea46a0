/*
 * record: one record of a topic as the rest of the program sees it, wherever it came from.
 *
 * The source that made a record owns its memory: `release` gives it back. All pointers are
 * borrowed from it until then. A record is shared by the invocations of several functions, so it
 * is counted: record_ref, record_unref.
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include <stddef.h>
#include <stdint.h>

struct record_header {
    const char *name;  /* NUL-terminated, may hold anything else */
    const void *value; /* NULL: a null value */
    size_t size;
};

struct record {
    const char *topic;
    int32_t partition;
    unsigned refs;
    int64_t offset;
    int64_t timestamp_ms; /* since 1970; -1: none */
    const void *key;      /* NULL: none */
    size_t key_size;
    const void *value; /* NULL: none (a tombstone) */
    size_t value_size;
    const struct record_header *headers;
    size_t header_count;

    size_t memory; /* bytes it holds, for the byte budget */
    void (*release)(struct record *);
};

/* Tells a record from another at the same offset of another log: a hash of its time, its sizes
 * and the beginnings of key and value. */
uint32_t record_print(const struct record *record);

static inline struct record *record_ref(struct record *record)
{
    record->refs++;
    return record;
}

static inline void record_unref(struct record **record)
{
    struct record *it = *record;

    *record = NULL;
    if (it && --it->refs == 0)
        it->release(it);
}

#endif
