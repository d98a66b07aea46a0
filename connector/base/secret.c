/* secret: see secret.h. */
#define _GNU_SOURCE /* strcasestr */
#include "base/secret.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

bool secret_is_name(const char *text, size_t size)
{
    static const char *const parts[] = {"password", "secret", "pem", "oauthbearer", "kinit"};
    char *name = xstrndup(text, size);
    bool found = false;

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        found |= strcasestr(name, parts[i]) != NULL;
    free(name);
    return found;
}

/* The value of "NAME=VALUE", also of "-X=NAME=VALUE"; NULL: it is no secret. */
static char *value_of(char *text)
{
    for (char *equals = strchr(text, '='); equals; equals = strchr(equals + 1, '='))
        if (secret_is_name(text, (size_t)(equals - text)))
            return equals + 1;
    return NULL;
}

void secret_hide(char **list)
{
    for (; *list; list++) {
        char *value = value_of(*list), *copy;

        if (!value || !*value)
            continue;
        copy = xstrdup(*list);
        explicit_bzero(value, strlen(value));
        *list = copy;
    }
}
