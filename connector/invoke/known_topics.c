/* known_topics: see known_topics.h. */
#include "invoke/known_topics.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct known_topic {
    char *name;
    UT_hash_handle hh;
};

bool known_topics_has(const struct known_topics *known, const char *topic)
{
    struct known_topic *it;

    HASH_FIND_STR(known->topics, topic, it);
    return it;
}

void known_topics_add(struct known_topics *known, const char *topic)
{
    struct known_topic *it;

    if (known_topics_has(known, topic))
        return;
    it = xcalloc(1, sizeof(*it));
    it->name = xstrdup(topic);
    HASH_ADD_KEYPTR(hh, known->topics, it->name, strlen(it->name), it);
}

void known_topics_release(struct known_topics *known)
{
    struct known_topic *it, *next;

    HASH_ITER (hh, known->topics, it, next) {
        HASH_DEL(known->topics, it);
        free(it->name);
        free(it);
    }
}
