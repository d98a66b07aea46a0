/*
 * topics: which topics the consumer is subscribed to: those of the option `topics`, or those that
 * the functions' annotations name. A change of the latter is gathered for TOPICS_GATHER_MS,
 * because each is a rebalance of the whole group; the first is taken up at once. Topics for dead
 * letters are never among them: annotations that name one are passed over, and of regular
 * expressions the consumer sees to it (consumer_options.hidden).
 */
#ifndef INVOKE_TOPICS_H
#define INVOKE_TOPICS_H

#include "base/json.h"
#include "base/option.h"
#include "core/topic_map.h"
#include "kafka/consumer.h"

enum { TOPICS_GATHER_MS = 10000 };

struct topics;

/* All borrowed. `dead` is the template of dead letters' topics; NULL or "": there are none. */
struct topics *topics_new(uv_loop_t *loop, struct consumer *consumer,
                          const struct option_list *given, const char *dead);
void topics_free(struct topics *topics);

/* The map to go by; borrowed until the next. The first one subscribes. */
void topics_set_map(struct topics *topics, const struct topic_map *map);

/* From now on maps are taken note of, but nothing is subscribed to any more. */
void topics_stop(struct topics *topics);

/* Adds "topics". */
void topics_status(const struct topics *topics, json *status);

#endif
