/* name_set: see name_set.h. */
#include "core/name_set.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct name_in_set {
    UT_hash_handle hh;
    char name[];
};

static struct name_in_set *find(const struct name_set *set, const char *name)
{
    struct name_in_set *found;

    HASH_FIND_STR(set->names, name, found);
    return found;
}

bool name_set_has(const struct name_set *set, const char *name)
{
    return find(set, name);
}

void name_set_add(struct name_set *set, const char *name)
{
    size_t size = strlen(name) + 1;
    struct name_in_set *added;

    if (find(set, name))
        return;
    added = xcalloc(1, sizeof(*added) + size);
    memcpy(added->name, name, size);
    HASH_ADD_STR(set->names, name, added);
}

static void drop(struct name_set *set, struct name_in_set *it)
{
    HASH_DEL(set->names, it); // NOLINT(clang-analyzer-core.NullDereference)
    free(it);
}

void name_set_drop(struct name_set *set, const char *name)
{
    struct name_in_set *it = find(set, name);

    if (it)
        drop(set, it);
}

void name_set_clear(struct name_set *set)
{
    struct name_in_set *it, *next;

    HASH_ITER (hh, set->names, it, next)
        drop(set, it);
}

const char *name_set_next(const struct name_set *set, const char *after)
{
    struct name_in_set *next = after ? find(set, after)->hh.next : set->names;

    return next ? next->name : NULL;
}
