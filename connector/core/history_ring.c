/* history_ring: see history_ring.h. */
#include "core/history_ring.h"

#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_SIZE = 32, AT_BITS = 24, MISSED_BITS = 8 };

/* What a committed offset is that is none (core/lag.h: -1 to -3). */
enum { NONE_MOST = 3, LEAST = INT32_MIN + NONE_MOST };

struct narrow {
    uint32_t at : AT_BITS, missed : MISSED_BITS; /* ms since the ring's */
    int32_t committed, end;                      /* from the ring's; committed < LEAST: none */
};

struct wide {
    int64_t at_ms : 48; /* 4,000 years */
    uint64_t missed : 16;
    int64_t committed, end;
};

/* ---- an entry ---- */

static bool is_near(int64_t offset, int64_t origin)
{
    return offset - origin > LEAST && offset - origin <= INT32_MAX;
}

static bool fits(const struct history_ring *ring, const struct history_sample *sample)
{
    int64_t at = sample->at_ms - ring->at_ms;

    return at >= 0 && at < 1 << AT_BITS && sample->missed < 1 << MISSED_BITS &&
           is_near(sample->end, ring->offset) &&
           (sample->committed < 0 || is_near(sample->committed, ring->offset));
}

static void store(struct history_ring *ring, size_t slot, const struct history_sample *sample)
{
    int64_t committed = sample->committed < 0 ? INT32_MIN - sample->committed - 1
                                              : sample->committed - ring->offset;

    if (ring->wide)
        ((struct wide *)ring->entries)[slot] =
            (struct wide){sample->at_ms, sample->missed, sample->committed, sample->end};
    else
        ((struct narrow *)ring->entries)[slot] =
            (struct narrow){(uint32_t)(sample->at_ms - ring->at_ms), sample->missed,
                            (int32_t)committed, (int32_t)(sample->end - ring->offset)};
}

static struct history_sample load_wide(const struct wide *it)
{
    return (struct history_sample){it->at_ms, it->committed, it->end, it->missed};
}

static struct history_sample load_narrow(const struct history_ring *ring, const struct narrow *it)
{
    return (struct history_sample){
        .at_ms = ring->at_ms + it->at,
        .committed = it->committed < LEAST ? (int64_t)INT32_MIN - it->committed - 1
                                           : ring->offset + it->committed,
        .end = ring->offset + it->end,
        .missed = it->missed,
    };
}

static size_t slot_of(const struct history_ring *ring, size_t i)
{
    return (ring->first + i) % ring->size;
}

struct history_sample history_ring_at(const struct history_ring *ring, size_t i)
{
    assert(i < ring->count);
    return ring->wide ? load_wide((const struct wide *)ring->entries + slot_of(ring, i))
                      : load_narrow(ring, (const struct narrow *)ring->entries + slot_of(ring, i));
}

/* ---- the ring ---- */

void history_ring_release(struct history_ring *ring)
{
    free(ring->entries);
    *ring = (struct history_ring){0};
}

void history_ring_clear(struct history_ring *ring)
{
    ring->first = ring->count = 0;
}

void history_ring_drop_newest(struct history_ring *ring)
{
    assert(ring->count > 0);
    ring->count--;
}

/* Whether it has gone round. */
static bool drop_oldest(struct history_ring *ring)
{
    ring->first = (ring->first + 1) % ring->size;
    ring->count--;
    return ring->first == 0;
}

static bool all_fit(const struct history_ring *into, const struct history_ring *ring)
{
    for (size_t i = 0; i < ring->count; i++) {
        struct history_sample sample = history_ring_at(ring, i);

        if (!fits(into, &sample))
            return false;
    }
    return true;
}

/* Of another size, or told from its oldest, so that the next may fit. */
static void remake(struct history_ring *ring, uint32_t size, const struct history_sample *next)
{
    struct history_sample oldest = ring->count ? history_ring_at(ring, 0) : *next;
    struct history_ring fresh = {.at_ms = oldest.at_ms, .offset = oldest.end, .size = size};

    fresh.wide = !all_fit(&fresh, ring) || !fits(&fresh, next);
    fresh.entries = xcalloc(size, fresh.wide ? sizeof(struct wide) : sizeof(struct narrow));
    for (; fresh.count < ring->count; fresh.count++) {
        oldest = history_ring_at(ring, fresh.count);
        store(&fresh, fresh.count, &oldest);
    }
    history_ring_release(ring);
    *ring = fresh;
}

/* Those of a usual window at once: a hundred thousand that grow step by step leave holes. */
static uint32_t grown(const struct history_ring *ring, uint32_t capacity)
{
    uint32_t size = ring->size ? ring->size * 2 : FIRST_SIZE;

    return size < capacity ? size : capacity;
}

void history_ring_add(struct history_ring *ring, uint32_t capacity,
                      const struct history_sample *sample)
{
    bool round = ring->count == capacity && drop_oldest(ring);

    if (ring->count == ring->size)
        remake(ring, grown(ring, capacity), sample);
    else if (ring->wide ? round : !fits(ring, sample))
        remake(ring, ring->size, sample);
    store(ring, slot_of(ring, ring->count), sample);
    ring->count++;
}
