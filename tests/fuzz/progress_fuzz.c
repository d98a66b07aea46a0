/*
 * progress: no metadata crashes the decoder, as it is or as the bytes under a good checksum; what
 * is read is written so that it reads the same, and into little room so that it says no more.
 */
#include "core/progress.h"

#include "base/base64.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
    if (!holds)
        abort();
}

/* Whether all that is said of a function was given; of one that shares its name nothing is. */
static void expect_subset(const struct progress_function *said, const struct progress *given)
{
    for (size_t i = 0; i < said->run_count; i++)
        for (int64_t at = said->runs[i].first;; at = said->runs[i].last) {
            expect(progress_finished(given, said->name, at));
            if (at == said->runs[i].last)
                break;
        }
    for (size_t i = 0; i < said->count_count; i++) {
        struct progress_count used = progress_used(given, said->name, said->counts[i].offset);

        expect(used.attempts == said->counts[i].attempts);
        expect(used.timeouts == said->counts[i].timeouts);
    }
}

static struct progress rewritten(const struct progress *progress, int64_t offset, size_t limit)
{
    struct progress again = {0};
    char text[PROGRESS_TEXT_SIZE + 1];
    size_t size = progress_encode(progress, offset, limit, text);

    expect(size == strlen(text) && size <= limit);
    expect(progress_decode(text, offset, &again));
    expect(again.born == progress->born && again.function_count <= progress->function_count);
    for (size_t i = 0; i < again.function_count; i++)
        expect_subset(&again.functions[i], progress);
    return again;
}

static void decode(const char *text, int64_t offset, size_t limit)
{
    struct progress progress = {.born = -7}, small, whole, again;

    if (!progress_decode(text, offset, &progress)) {
        expect(progress.born == -7 && !progress.functions);
        return;
    }
    expect(progress.born >= 1);
    small = rewritten(&progress, offset, limit);
    whole = rewritten(&progress, offset, PROGRESS_TEXT_SIZE);
    again = rewritten(&whole, offset, PROGRESS_TEXT_SIZE);
    expect(progress_top(&again) == progress_top(&whole));
    expect(progress_top(&small) <= progress_top(&whole));
    progress_clear(&progress);
    progress_clear(&small);
    progress_clear(&whole);
    progress_clear(&again);
}

/* Chance does not find a checksum: it is made. */
static void decode_sealed(const uint8_t *data, size_t size, int64_t offset, size_t limit)
{
    uint8_t *sealed = xmalloc(size + 4);
    char *text = xmalloc(4 + BASE64_SIZE(size + 4) + 1);
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < size; i++) {
        sealed[i] = data[i];
        sum = (sum ^ data[i]) * 16777619u;
    }
    for (int i = 0; i < 8; i++)
        sum = (sum ^ (uint8_t)((uint64_t)offset >> 8 * i)) * 16777619u;
    for (int i = 0; i < 4; i++)
        sealed[size + (size_t)i] = (uint8_t)(sum >> 8 * i);
    memcpy(text, "kc1:", 4);
    base64_encode(sealed, size + 4, text + 4);
    decode(text, offset, limit);
    free(text);
    free(sealed);
}

/* The first byte chooses the committed offset, the second the room. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t offsets[] = {0, 1, 100, INT64_C(1) << 62, INT64_MAX - 1, INT64_MAX, -1};
    char *text = xstrndup((const char *)data, size);
    int64_t offset;
    size_t limit;

    decode(text, 0, PROGRESS_TEXT_LEAST);
    free(text);
    if (size < 2)
        return 0;
    offset = offsets[data[0] % (sizeof(offsets) / sizeof(*offsets))];
    limit = PROGRESS_TEXT_LEAST + data[1];
    decode_sealed(data + 2, size - 2, offset, limit);
    return 0;
}
