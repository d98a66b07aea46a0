/* topics: see topics.h. */
#include "invoke/topics.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "core/dead_topic.h"
#include "invoke/delay.h"

#include <stdlib.h>

struct topics {
    uv_loop_t *loop;
    struct consumer *consumer;
    const struct option_list *given;
    const char *dead;
    const struct topic_map *map;
    struct delay *gather;
    bool subscribed, stopped;
};

struct topics *topics_new(uv_loop_t *loop, struct consumer *consumer,
                          const struct option_list *given, const char *dead)
{
    struct topics *topics = xcalloc(1, sizeof(*topics));

    topics->loop = loop;
    topics->consumer = consumer;
    topics->given = given;
    topics->dead = dead;
    return topics;
}

void topics_free(struct topics *topics)
{
    if (!topics)
        return;
    delay_cancel(&topics->gather);
    free(topics);
}

/* Whether it is a name that Kafka takes, and no topic for dead letters. */
static bool may_bind(const struct topics *topics, const char *name)
{
    if (!kafka_topic_name_valid(name))
        log_warning(NULL,
                    "annotation topic=%s: Kafka has no topic of such a name; it is passed over",
                    name);
    else if (dead_topic_is(topics->dead, name))
        log_warning(NULL,
                    "annotation topic=%s: it is a topic for dead letters (dead_letter_topic=%s); "
                    "it is passed over",
                    name, topics->dead);
    else
        return true;
    return false;
}

static void subscribe_annotated(struct topics *topics)
{
    size_t count, valid = 0;
    const char *const *names = topic_map_topics(topics->map, &count);
    const char **kept = xcalloc(count, sizeof(*kept));

    for (size_t i = 0; i < count; i++)
        if (may_bind(topics, names[i]))
            kept[valid++] = names[i];
    if (!valid)
        log_warning(NULL, "no function has a topic annotation: waiting for one");
    consumer_subscribe(topics->consumer, kept, valid);
    free(kept);
}

static void on_gathered(void *context)
{
    struct topics *topics = context;

    topics->gather = NULL;
    subscribe_annotated(topics);
}

void topics_set_map(struct topics *topics, const struct topic_map *map)
{
    bool first = !topics->subscribed;

    topics->map = map; /* even when stopped: the one before is freed */
    if (topics->stopped)
        return;
    topics->subscribed = true;
    if (topics->given->count) {
        if (first)
            consumer_subscribe(topics->consumer, (const char *const *)topics->given->items,
                               topics->given->count);
    } else if (first) {
        subscribe_annotated(topics);
    } else if (!topics->gather) {
        log_info(NULL, "The functions changed: topics that came or went are bound to in %d s",
                 TOPICS_GATHER_MS / 1000);
        topics->gather = delay_start(topics->loop, TOPICS_GATHER_MS, on_gathered, topics);
    }
}

void topics_stop(struct topics *topics)
{
    topics->stopped = true;
    delay_cancel(&topics->gather);
}

void topics_status(const struct topics *topics, json *status)
{
    json *list = json_add_array(status, "topics");
    size_t count = topics->given->count;
    const char *const *names = (const char *const *)topics->given->items;

    if (!count && topics->map)
        names = topic_map_topics(topics->map, &count);
    for (size_t i = 0; i < count; i++)
        json_add_text(list, NULL, names[i]);
}
