/* pem: see pem.h. */
#include "base/pem.h"

#include "base/file.h"
#include "base/xalloc.h"

#include <string.h>

bool pem_check(const char *option, const char *path, const char *kind, const char *advice,
               struct option_faults *faults)
{
    const char *reason;
    char *text = file_read(path, PEM_LIMIT, NULL, &reason);
    bool holds = text && strstr(text, kind);

    if (!text)
        option_fault(faults, "%s: cannot use %s: %s", option, path, reason);
    else if (!holds)
        option_fault(faults, "%s: %s holds no %.*s in PEM%s", option, path, (int)strcspn(kind, "-"),
                     kind, advice);
    xfree_secret(text);
    return holds;
}
