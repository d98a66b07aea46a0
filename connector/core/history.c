/* history: see history.h. */
#include "core/history.h"

#include <assert.h>

enum { MISSED_MOST = UINT16_MAX };

static struct history_sample newest(const struct history *history)
{
    return history_ring_at(&history->ring, history->ring.count - 1);
}

void history_init(struct history *history, size_t capacity)
{
    *history = (struct history){.start = OFFSET_UNKNOWN};
    history_reserve(history, capacity);
}

void history_release(struct history *history)
{
    history_ring_release(&history->ring);
    *history = (struct history){.start = OFFSET_UNKNOWN};
}

void history_reserve(struct history *history, size_t capacity)
{
    assert(capacity >= HISTORY_LEAST && capacity <= UINT32_MAX / 2);
    if (capacity > history->capacity)
        history->capacity = (uint32_t)capacity;
}

static void forget(struct history *history)
{
    history_ring_clear(&history->ring);
    history->missed = 0;
    history->fell = false;
    history->start = OFFSET_UNKNOWN;
}

void history_miss(struct history *history, unsigned count)
{
    bool most = count >= (unsigned)(MISSED_MOST - history->missed);

    history->missed = most ? MISSED_MOST : (uint16_t)(history->missed + count);
}

/* Those that the clock has not come to yet. */
static void drop_later(struct history *history, int64_t at_ms)
{
    while (history->ring.count && newest(history).at_ms >= at_ms)
        history_ring_drop_newest(&history->ring);
}

enum history_result history_add(struct history *history, int64_t at_ms,
                                const struct offsets *offsets)
{
    enum history_result result = HISTORY_ADDED;

    assert(offsets->end >= 0 && offsets->committed != OFFSET_UNKNOWN);
    if (history->ring.count && offsets->end < newest(history).end) {
        if (!history->fell) {
            history->fell = true;
            history_miss(history, 1);
            return HISTORY_MISSED;
        }
        forget(history);
        result = HISTORY_ANEW;
    }
    history->fell = false;
    drop_later(history, at_ms);
    history_ring_add(
        &history->ring, history->capacity,
        &(struct history_sample){at_ms, offsets->committed, offsets->end, history->missed});
    history->missed = 0;
    if (offsets->start >= 0)
        history->start = offsets->start;
    return result;
}

/* ---- what is there ---- */

size_t history_count(const struct history *history)
{
    return history->ring.count;
}

struct history_sample history_at(const struct history *history, size_t i)
{
    return history_ring_at(&history->ring, i);
}

struct offsets history_newest(const struct history *history)
{
    if (!history->ring.count)
        return OFFSETS_UNKNOWN;
    return (struct offsets){newest(history).committed, history->start, newest(history).end};
}

unsigned history_missed(const struct history *history)
{
    return history->missed;
}

bool history_moved(const struct history *history, size_t i, int64_t *delta)
{
    int64_t now = history_at(history, i).committed;
    int64_t before = i > 0 ? history_at(history, i - 1).committed : OFFSET_UNKNOWN;

    if (now < 0 || before < 0)
        return false;
    *delta = now - before;
    return true;
}

/* ---- time ---- */

/* Of the samples up to the i-th the first whose end lies behind an offset: the record was there
 * then. One does. */
static size_t first_behind(const struct history *history, size_t i, int64_t offset)
{
    size_t low = 0, high = i;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (history_at(history, middle).end > offset)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct history_age history_age_of(const struct history *history, size_t i, int64_t offset)
{
    struct history_sample now = history_at(history, i), before, behind;
    size_t first;
    double part;

    if (offset >= now.end)
        return (struct history_age){0, false};
    first = first_behind(history, i, offset);
    behind = history_at(history, first);
    if (first == 0)
        return (struct history_age){now.at_ms - behind.at_ms, true};
    before = history_at(history, first - 1);
    part = (double)(offset - before.end) / (double)(behind.end - before.end);
    return (struct history_age){
        now.at_ms - before.at_ms - (int64_t)(part * (double)(behind.at_ms - before.at_ms)), false};
}

struct history_age history_age(const struct history *history, size_t i)
{
    int64_t offset = history_at(history, i).committed;

    if (offset == OFFSET_NONE)
        offset = history->start;
    if (offset < 0)
        return (struct history_age){OFFSET_UNKNOWN, false};
    return history_age_of(history, i, offset);
}
