/* token: see token.h. */
#include "admin/token.h"

#include <string.h>
#include <strings.h>

/* All of `given` is looked at, wherever it differs; volatile, or a compiler might stop early. */
static bool same(const char *given, const char *token)
{
    size_t size = strlen(token), given_size = strlen(given);
    volatile unsigned char differ = given_size != size;

    for (size_t i = 0; i < given_size; i++)
        differ |= (unsigned char)(given[i] ^ token[i % size]);
    return !differ;
}

bool token_shown(const char *authorization, const char *token)
{
    static const char scheme[] = "Bearer ";

    if (!authorization || !*token || strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
        return false;
    authorization += sizeof(scheme) - 1;
    return same(authorization + strspn(authorization, " "), token);
}
