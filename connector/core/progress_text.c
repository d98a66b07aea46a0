/*
 * progress_text: progress as commit metadata. See progress.h for the form.
 */
#include "core/progress.h"

#include "base/base64.h"
#include "core/fnv.h"

#include <assert.h>
#include <string.h>

static const char prefix[] = "kc1:";

enum {
    VERSION_1 = 1,
    PREFIX_SIZE = sizeof(prefix) - 1,
    CHECKSUM_SIZE = 4,
    BYTES_MAX = (PROGRESS_TEXT_SIZE - PREFIX_SIZE) / 4 * 3,
    VARINT_MAX = 10,
};

static uint32_t checksum(const uint8_t *bytes, size_t size, int64_t offset)
{
    uint32_t hash = fnv1a(FNV1A_BASIS, bytes, size);

    for (int i = 0; i < 8; i++)
        hash = fnv1a(hash, &(uint8_t){(uint8_t)((uint64_t)offset >> (8 * i))}, 1);
    return hash;
}

/* ---- writing ---- */

struct writer {
    uint8_t bytes[BYTES_MAX + 1];
    size_t size;
    size_t room;
    bool full; /* something did not fit */
};

static void put_bytes(struct writer *to, const uint8_t *bytes, size_t size)
{
    if (to->full || size > to->room - to->size) {
        to->full = true;
        return;
    }
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
}

static void put_varint(struct writer *to, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];
    size_t n = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[n++] = (uint8_t)(value | 0x80);
    bytes[n++] = (uint8_t)value;
    put_bytes(to, bytes, n);
}

static void put_fixed32(struct writer *to, uint32_t value)
{
    const uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                             (uint8_t)(value >> 24)};

    put_bytes(to, bytes, sizeof(bytes));
}

/* What is written: runs that begin below `runs` and counts below `counts`. */
struct cut {
    int64_t runs, counts;
};

static void put_runs(struct writer *to, const struct progress_function *function, int64_t at,
                     int64_t below)
{
    size_t count = 0;

    while (count < function->run_count && function->runs[count].first < below)
        count++;
    put_varint(to, count);
    for (size_t i = 0; i < count && !to->full; i++) {
        put_varint(to, (uint64_t)(function->runs[i].first - at));
        put_varint(to, (uint64_t)(function->runs[i].last - function->runs[i].first));
        at = function->runs[i].last + 1;
    }
}

static void put_counts(struct writer *to, const struct progress_function *function, int64_t at,
                       int64_t below)
{
    size_t count = 0;

    while (count < function->count_count && function->counts[count].offset < below)
        count++;
    put_varint(to, count);
    for (size_t i = 0; i < count && !to->full; i++) {
        put_varint(to, (uint64_t)(function->counts[i].offset - at));
        put_varint(to, function->counts[i].attempts);
        put_varint(to, function->counts[i].timeouts);
        at = function->counts[i].offset + 1;
    }
}

static bool is_alone(const struct progress *progress, size_t which)
{
    for (size_t i = 0; i < progress->function_count; i++)
        if (i != which && progress->functions[i].name == progress->functions[which].name)
            return false;
    return true;
}

static void put_function(struct writer *to, const struct progress_function *function,
                         int64_t offset, struct cut cut)
{
    put_fixed32(to, function->name);
    put_runs(to, function, offset, cut.runs);
    put_counts(to, function, offset, cut.counts);
}

/* False: it does not fit. Functions of which nothing is left to say are not written. */
static bool put_progress(struct writer *to, const struct progress *progress, int64_t offset,
                         struct cut cut)
{
    const struct progress_function *functions = progress->functions;
    size_t said = 0;

    to->size = 0;
    to->full = false;
    put_bytes(to, (const uint8_t[]){VERSION_1}, 1);
    put_varint(to, (uint64_t)progress->born);
    for (int pass = 0; pass < 2; pass++) { /* counts them, then writes them */
        if (pass)
            put_varint(to, said);
        for (size_t i = 0; i < progress->function_count; i++) {
            bool runs = functions[i].run_count && functions[i].runs[0].first < cut.runs;
            bool counts = functions[i].count_count && functions[i].counts[0].offset < cut.counts;

            if ((!runs && !counts) || !is_alone(progress, i))
                continue;
            if (pass)
                put_function(to, &functions[i], offset, cut);
            else
                said++;
        }
    }
    return !to->full;
}

/* The highest cut that fits, of *at, which is one of cut's two, between offset and top + 1. */
static void lower_cut(struct writer *to, const struct progress *progress, int64_t offset,
                      struct cut *cut, int64_t *at)
{
    int64_t fits = offset, fails = progress_top(progress) + 1;

    while (fails - fits > 1) {
        *at = fits + (fails - fits) / 2;
        *(put_progress(to, progress, offset, *cut) ? &fits : &fails) = *at;
    }
    *at = fits;
}

size_t progress_encode(const struct progress *progress, int64_t offset, size_t limit,
                       char text[PROGRESS_TEXT_SIZE + 1])
{
    struct writer to = {.room = (limit - PREFIX_SIZE) / 4 * 3 - CHECKSUM_SIZE};
    struct cut cut = {INT64_MAX, INT64_MAX};

    assert(progress->born >= 1);
    assert(limit >= PROGRESS_TEXT_LEAST && limit <= PROGRESS_TEXT_SIZE);
    if (!put_progress(&to, progress, offset, cut)) {
        lower_cut(&to, progress, offset, &cut, &cut.counts);
        if (!put_progress(&to, progress, offset, cut))
            lower_cut(&to, progress, offset, &cut, &cut.runs);
        put_progress(&to, progress, offset, cut);
    }
    to.room += CHECKSUM_SIZE;
    put_fixed32(&to, checksum(to.bytes, to.size, offset));
    assert(!to.full);
    memcpy(text, prefix, PREFIX_SIZE);
    return PREFIX_SIZE + base64_encode(to.bytes, to.size, text + PREFIX_SIZE);
}

/* ---- reading ---- */

struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static uint64_t get_varint(struct reader *from)
{
    uint64_t value = 0;

    for (int shift = 0; from->at < from->end && shift < 63; shift += 7) {
        uint8_t byte = *from->at++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    from->bad = true;
    return 0;
}

/* A number that is at most `most`. */
static uint64_t get_bounded(struct reader *from, uint64_t most)
{
    uint64_t value = get_varint(from);

    from->bad |= value > most;
    return from->bad ? 0 : value;
}

static uint32_t get_fixed32(struct reader *from)
{
    uint32_t value = 0;

    if (from->end - from->at < 4) {
        from->bad = true;
        return 0;
    }
    for (int i = 0; i < 4; i++)
        value |= (uint32_t)*from->at++ << (8 * i);
    return value;
}

/* An offset a gap above `at`; room is left for one more above it. */
static int64_t get_offset(struct reader *from, int64_t at)
{
    uint64_t gap = get_varint(from);

    from->bad |= at == INT64_MAX || gap > (uint64_t)(INT64_MAX - 1 - at);
    return from->bad ? 0 : at + (int64_t)gap;
}

/* Counts of items are not believed: each item must be there to be read. */
static void get_function(struct reader *from, int64_t offset, struct progress *progress)
{
    struct progress_function *function = progress_add(progress, get_fixed32(from));
    int64_t at = offset;

    for (uint64_t left = get_varint(from); left && !from->bad; left--) {
        int64_t first = get_offset(from, at), last = get_offset(from, first);

        if (!from->bad)
            progress_add_run(function, first, last);
        at = last + 1;
    }
    at = offset;
    for (uint64_t left = get_varint(from); left && !from->bad; left--) {
        struct progress_count count = {.offset = get_offset(from, at)};

        count.attempts = (uint32_t)get_bounded(from, UINT32_MAX);
        count.timeouts = (uint32_t)get_bounded(from, UINT32_MAX);
        if (!from->bad)
            progress_add_count(function, count);
        at = count.offset + 1;
    }
}

static bool get_progress(struct reader *from, int64_t offset, struct progress *progress)
{
    if (get_bounded(from, VERSION_1) != VERSION_1)
        return false;
    progress->born = (int32_t)get_bounded(from, INT32_MAX);
    for (uint64_t left = get_varint(from); left && !from->bad; left--)
        get_function(from, offset, progress);
    return !from->bad && progress->born >= 1;
}

bool progress_decode(const char *text, int64_t offset, struct progress *progress)
{
    struct progress read = {0};
    uint8_t bytes[BYTES_MAX];
    struct reader from;
    size_t size;

    if (!text || strncmp(text, prefix, PREFIX_SIZE) != 0 || offset < 0)
        return false;
    text += PREFIX_SIZE;
    if (!base64_decode(text, strlen(text), bytes, sizeof(bytes), &size) || size <= CHECKSUM_SIZE)
        return false;
    from = (struct reader){bytes + size - CHECKSUM_SIZE, bytes + size, false};
    if (get_fixed32(&from) != checksum(bytes, size - CHECKSUM_SIZE, offset))
        return false;
    from = (struct reader){bytes, bytes + size - CHECKSUM_SIZE, false};
    if (!get_progress(&from, offset, &read)) {
        progress_clear(&read);
        return false;
    }
    *progress = read;
    return true;
}
