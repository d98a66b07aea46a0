/* meant: see meant.h. */
#include "scale/meant.h"

#include <stddef.h>
#include <string.h>

/* NULL: the entry is another's, or empty. */
static const char *value_of(const char *entry, const char *name)
{
    size_t length = strlen(name);

    if (strncmp(entry, name, length) || entry[length] != '=' || !entry[length + 1])
        return NULL;
    return entry + length + 1;
}

bool scale_is_service_link(const char *port)
{
    return strstr(port, "://") != NULL;
}

bool scale_is_meant(char *const *environment)
{
    for (; *environment; environment++) {
        const char *port = value_of(*environment, "GRPC_PORT");

        if (value_of(*environment, "KAFKA_GROUP_ID") || (port && !scale_is_service_link(port)))
            return true;
    }
    return false;
}
