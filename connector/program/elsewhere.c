/* elsewhere: see elsewhere.h. */
#include "program/elsewhere.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder that this executable is in, symbolic links followed; caller frees. */
static char *own_folder(void)
{
    char path[PATH_MAX] = "";
    const char *slash;

    if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
        return xstrdup(".");
    slash = strrchr(path, '/');
    return slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");
}

_Noreturn void elsewhere_run(const char *name, char **argv)
{
    char *folder = own_folder();
    char *beside = xasprintf("%s/%s", folder, name);

    argv[0] = beside;
    execv(beside, argv);
    if (errno == ENOENT)
        execvp(name, argv);
    if (errno == ENOENT)
        die("this mode is a program of its own, %s, and it is neither in %s nor in PATH", name,
            folder);
    die("this mode is a program of its own, %s, and it does not start: %s", name, strerror(errno));
}
