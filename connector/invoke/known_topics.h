/*
 * known_topics: topics of which partitions had commits while we had them. When none has any more,
 * the commits went with the topic: it was deleted and made anew (core/start).
 *
 * Kept for as long as the process lives, a name each.
 */
#ifndef INVOKE_KNOWN_TOPICS_H
#define INVOKE_KNOWN_TOPICS_H

#include <stdbool.h>

struct known_topic;

/* Zero-initialised is empty. */
struct known_topics {
    struct known_topic *topics; /* by name */
};

void known_topics_add(struct known_topics *known, const char *topic);
bool known_topics_has(const struct known_topics *known, const char *topic);
void known_topics_release(struct known_topics *known);

#endif
