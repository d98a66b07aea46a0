/*
 * name_set: a set of names, in the order they were added.
 */
#ifndef CORE_NAME_SET_H
#define CORE_NAME_SET_H

#include <stdbool.h>

struct name_in_set;

/* Zero-initialised is empty. */
struct name_set {
    struct name_in_set *names;
};

bool name_set_has(const struct name_set *set, const char *name);
void name_set_add(struct name_set *set, const char *name); /* copies it; a second time: nothing */
void name_set_drop(struct name_set *set, const char *name);
void name_set_clear(struct name_set *set); /* it is empty, and owns nothing */

/* The first name (after NULL), then the one behind another of the set; NULL behind the last.
 * Borrowed until it is dropped. */
const char *name_set_next(const struct name_set *set, const char *after);

#endif
