/* duration: any text is read or refused, and what is read is written so that it reads the same. */
#include "base/duration.h"
#include "base/xalloc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(int64_t ms)
{
    char text[DURATION_TEXT_SIZE];
    int64_t again;
    const char *reason;

    if (ms < 0 || !duration_parse(duration_format(ms, text), &again, &reason) || again != ms)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xstrndup(data, size);
    int64_t ms = -1;
    const char *reason = NULL;

    if (duration_parse(text, &ms, &reason))
        check_round_trip(ms);
    else if (!reason || ms != -1)
        abort();
    free(text);
    return 0;
}
