/* assignment: bytes that any member of a group may have written. */
#include "kafka/assignment.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct bounds {
    const char *begin, *end;
};

static void on_partition(void *context, const char *topic, size_t topic_size, int32_t partition)
{
    const struct bounds *bounds = context;

    (void)partition;
    if (topic < bounds->begin || topic_size > (size_t)(bounds->end - topic))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct bounds bounds = {(const char *)bytes, (const char *)bytes + size};

    assignment_read(bytes, size, on_partition, &bounds);
    return 0;
}
