/*
 * progress: no metadata crashes the decoder, as it is or as the bytes under a good checksum; what
 * is read is written so that it reads the same.
 */
#include "core/progress.h"

#include "base/base64.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const char *text)
{
    struct progress progress = {-7}, again;
    char written[PROGRESS_TEXT_SIZE + 1];

    if (!progress_decode(text, &progress)) {
        if (progress.born != -7)
            abort();
        return;
    }
    if (progress.born < 1 || progress_encode(&progress, written) != strlen(written))
        abort();
    if (!progress_decode(written, &again) || again.born != progress.born)
        abort();
}

/* Chance does not find a checksum: it is made. */
static void decode_sealed(const uint8_t *data, size_t size)
{
    uint8_t *sealed = xmalloc(size + 4);
    char *text = xmalloc(4 + BASE64_SIZE(size + 4) + 1);
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < size; i++) {
        sealed[i] = data[i];
        sum = (sum ^ data[i]) * 16777619u;
    }
    for (int i = 0; i < 4; i++)
        sealed[size + (size_t)i] = (uint8_t)(sum >> 8 * i);
    memcpy(text, "kc1:", 4);
    base64_encode(sealed, size + 4, text + 4);
    decode(text);
    free(text);
    free(sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xstrndup(data, size);

    decode(text);
    decode_sealed(data, size);
    free(text);
    return 0;
}
