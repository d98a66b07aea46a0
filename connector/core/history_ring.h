/*
 * history_ring: samples, the oldest first, in little memory: a cluster has a hundred thousand rings
 * of thirty.
 *
 * A sample takes 12 bytes while a ring's lie within four hours and its offsets within two thousand
 * million of each other; all of them take 24 when one is farther off, until those that are there
 * fit again. What is read is what was added, whichever. Zero-initialised is empty.
 */
#ifndef CORE_HISTORY_RING_H
#define CORE_HISTORY_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history_sample {
    int64_t at_ms;     /* of the wall clock */
    int64_t committed; /* or OFFSET_NONE, OFFSET_HIDDEN */
    int64_t end;
    unsigned missed; /* samples missed between the one before and this one; UINT16_MAX at most */
};

struct history_ring {
    void *entries;
    int64_t at_ms, offset; /* what those of 12 bytes are told from */
    uint32_t size, first, count;
    bool wide; /* they have 24 */
};

void history_ring_release(struct history_ring *ring);

/* The i-th, 0 the oldest; i < count. */
struct history_sample history_ring_at(const struct history_ring *ring, size_t i);

/* Where there are `capacity` (> 0, never less than before) already the oldest gives way. */
void history_ring_add(struct history_ring *ring, uint32_t capacity,
                      const struct history_sample *sample);

void history_ring_drop_newest(struct history_ring *ring);
void history_ring_clear(struct history_ring *ring); /* keeps the memory */

#endif
