/* history: see history.h. */
#include "core/history.h"

#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_SIZE = 4, MISSED_MOST = UINT16_MAX };

/* 24 bytes: a cluster has a hundred thousand histories of thirty. 48 bits of milliseconds are 4,000
 * years. */
struct history_entry {
    int64_t at_ms : 48;
    uint64_t missed : 16;
    int64_t committed, end;
};

static struct history_entry *entry(const struct history *history, size_t i)
{
    assert(i < history->count);
    return &history->entries[(history->first + i) % history->size];
}

static struct history_entry *newest(const struct history *history)
{
    return entry(history, history->count - 1);
}

void history_init(struct history *history, size_t capacity)
{
    *history = (struct history){.start = OFFSET_UNKNOWN};
    history_reserve(history, capacity);
}

void history_release(struct history *history)
{
    free(history->entries);
    *history = (struct history){.start = OFFSET_UNKNOWN};
}

void history_reserve(struct history *history, size_t capacity)
{
    assert(capacity >= HISTORY_LEAST && capacity <= UINT32_MAX / 2);
    if (capacity > history->capacity)
        history->capacity = (uint32_t)capacity;
}

static void resize(struct history *history, uint32_t size)
{
    struct history_entry *entries = xcalloc(size, sizeof(*entries));

    for (size_t i = 0; i < history->count; i++)
        entries[i] = *entry(history, i);
    free(history->entries);
    history->entries = entries;
    history->size = size;
    history->first = 0;
}

/* Room for one more, the oldest's at last. */
static void make_room(struct history *history)
{
    uint32_t size = history->size ? history->size * 2 : FIRST_SIZE;

    if (history->count < history->size)
        return;
    if (history->size < history->capacity) {
        resize(history, size < history->capacity ? size : history->capacity);
        return;
    }
    assert(history->size > 0); /* as its capacity is */
    history->first = (history->first + 1) % history->size;
    history->count--;
}

static void forget(struct history *history)
{
    history->count = history->first = history->missed = 0;
    history->fell = false;
    history->start = OFFSET_UNKNOWN;
}

void history_miss(struct history *history, unsigned count)
{
    history->missed = count < MISSED_MOST - history->missed ? history->missed + count : MISSED_MOST;
}

/* Those that the clock has not come to yet. */
static void drop_later(struct history *history, int64_t at_ms)
{
    while (history->count && newest(history)->at_ms >= at_ms)
        history->count--;
}

enum history_result history_add(struct history *history, int64_t at_ms,
                                const struct offsets *offsets)
{
    enum history_result result = HISTORY_ADDED;

    assert(offsets->end >= 0 && offsets->committed != OFFSET_UNKNOWN);
    if (history->count && offsets->end < newest(history)->end) {
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
    make_room(history);
    history->count++;
    *newest(history) =
        (struct history_entry){at_ms, history->missed, offsets->committed, offsets->end};
    history->missed = 0;
    if (offsets->start >= 0)
        history->start = offsets->start;
    return result;
}

/* ---- what is there ---- */

size_t history_count(const struct history *history)
{
    return history->count;
}

struct history_sample history_at(const struct history *history, size_t i)
{
    const struct history_entry *it = entry(history, i);

    return (struct history_sample){it->at_ms, it->committed, it->end, it->missed};
}

struct offsets history_newest(const struct history *history)
{
    if (!history->count)
        return OFFSETS_UNKNOWN;
    return (struct offsets){newest(history)->committed, history->start, newest(history)->end};
}

unsigned history_missed(const struct history *history)
{
    return history->missed;
}

bool history_moved(const struct history *history, size_t i, int64_t *delta)
{
    const struct history_entry *it = entry(history, i);
    const struct history_entry *before = i > 0 ? entry(history, i - 1) : NULL;

    if (!before || it->committed < 0 || before->committed < 0)
        return false;
    *delta = it->committed - before->committed;
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

        if (entry(history, middle)->end > offset)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct history_age history_age_of(const struct history *history, size_t i, int64_t offset)
{
    const struct history_entry *now = entry(history, i), *before, *behind;
    size_t first;
    double part;

    if (offset >= now->end)
        return (struct history_age){0, false};
    first = first_behind(history, i, offset);
    behind = entry(history, first);
    if (first == 0)
        return (struct history_age){now->at_ms - behind->at_ms, true};
    before = entry(history, first - 1);
    part = (double)(offset - before->end) / (double)(behind->end - before->end);
    return (struct history_age){now->at_ms - before->at_ms -
                                    (int64_t)(part * (double)(behind->at_ms - before->at_ms)),
                                false};
}

struct history_age history_age(const struct history *history, size_t i)
{
    int64_t offset = entry(history, i)->committed;

    if (offset == OFFSET_NONE)
        offset = history->start;
    if (offset < 0)
        return (struct history_age){OFFSET_UNKNOWN, false};
    return history_age_of(history, i, offset);
}
