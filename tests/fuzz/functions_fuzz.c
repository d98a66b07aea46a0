/* The gateway's lists, and what an answer's head says. */
#include "gateway/functions.h"
#include "gateway/http_header.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct topic_map *map = topic_map_new();
    struct option_list names = {0};
    char value[HTTP_VALUE_SIZE];
    const char *reason;

    if (!functions_parse((const char *)bytes, size, size % 2 ? "dev" : NULL, NULL, map, &reason) &&
        !*reason)
        abort();
    if (!functions_parse_namespaces((const char *)bytes, size, &names, &reason) && !*reason)
        abort();
    option_list_release(&names);
    topic_map_free(map);
    if (http_header_is((const char *)bytes, size, "A", value) &&
        http_retry_after_ms(value, 1700000000) < -1)
        abort();
    return 0;
}
