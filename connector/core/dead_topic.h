/*
 * dead_topic: the name of the topic that dead letters go to, and which topics are such.
 *
 * A template is a topic's name, perhaps with DEAD_TOPIC_HOLE in it once, for the name of the topic
 * that the record came from: "{topic}.dead". With a hole, every name that begins and ends as the
 * template does and has something in between is a dead-letter topic's ("orders.dead",
 * "orders.dead.dead"), whether or not a topic of the name in between exists; without one, it is
 * that name alone. Records of dead-letter topics are never read by whoever writes to them, or a
 * letter that fails would make another for ever.
 */
#ifndef CORE_DEAD_TOPIC_H
#define CORE_DEAD_TOPIC_H

#include <stdbool.h>

#define DEAD_TOPIC_HOLE "{topic}"

/* The topic for the dead letters of a topic's records. Caller frees. */
char *dead_topic_name(const char *template, const char *topic);

/* Whether a topic is one for dead letters. NULL or "" as template: none is. */
bool dead_topic_is(const char *template, const char *topic);

/* Whether it is another name for each topic: there is a hole in it. */
bool dead_topic_varies(const char *template);

/* Whether the template makes each topic its own: it is the hole alone. */
bool dead_topic_is_any(const char *template);

/* What is meant by a dead-letter topic as an extended regular expression: "^.+[.]dead$". Caller
 * frees. */
char *dead_topic_pattern(const char *template);

#endif
