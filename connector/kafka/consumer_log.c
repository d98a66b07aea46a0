/*
 * consumer_log: what the consumer says.
 *
 * The lines on rebalances and topics are in the words, and in Go's form of maps and lists, of the
 * connectors that people's searches and alerts are written for.
 */
#include "kafka/consumer_private.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "kafka/refusal.h"

#include <stdlib.h>
#include <string.h>
#include <utstring.h>

enum { SAID_AGAIN_MS = 60000 };

/* Go's map[string][]int32, sorted by topic as its fmt prints it: "a:[0 1] b:[2]". */
static void print_partitions(UT_string *to, const rd_kafka_topic_partition_list_t *sorted)
{
    for (int i = 0; i < sorted->cnt; i++) {
        const rd_kafka_topic_partition_t *it = &sorted->elems[i];

        if (i > 0 && strcmp(it->topic, sorted->elems[i - 1].topic) == 0)
            utstring_printf(to, " %d", (int)it->partition);
        else
            utstring_printf(to, "%s%s:[%d", i ? "] " : "", it->topic, (int)it->partition);
    }
    if (sorted->cnt)
        utstring_printf(to, "]");
}

void consumer_log_rebalance(enum rebalance_type type,
                            const rd_kafka_topic_partition_list_t *partitions)
{
    UT_string text;
    const char *map;

    utstring_init(&text);
    print_partitions(&text, partitions);
    map = utstring_body(&text);
    if (type == REBALANCE_OK)
        log_plain(NULL,
                  "Rebalanced: &{Type:rebalance OK Claimed:map[%s] Released:map[] "
                  "Current:map[%s]}",
                  map, map);
    else
        log_plain(NULL,
                  "Rebalanced: &{Type:rebalance start Claimed:map[] Released:map[%s] "
                  "Current:map[]}",
                  map);
    utstring_done(&text);
}

void consumer_log_topics(const rd_kafka_topic_partition_list_t *topics)
{
    UT_string text;

    utstring_init(&text);
    for (int i = 0; i < topics->cnt; i++)
        utstring_printf(&text, "%s%s", i ? " " : "", topics->elems[i].topic);
    log_plain(NULL, "Binding to topics: [%s]", utstring_body(&text));
    utstring_done(&text);
}

/* Of a broker that is away librdkafka tells again and again; once a minute for each code is
 * enough. Errors of topics it tells once a change by itself, and one code for several topics. */
static bool said_lately(struct consumer *consumer, rd_kafka_resp_err_t code)
{
    uint64_t now = uv_now(consumer->loop);

    for (size_t i = 0; i < SAID_MAX; i++) {
        struct said *said = &consumer->said[i];

        if (said->code != code)
            continue;
        if (now - said->at < SAID_AGAIN_MS)
            return true;
        said->at = now;
        return false;
    }
    consumer->said[consumer->said_next] = (struct said){code, now};
    consumer->said_next = (consumer->said_next + 1) % SAID_MAX;
    return false;
}

/* One refusal comes under several codes. With partitions there is no telling when one is over: it
 * is said, and not kept. False: it is none. */
static bool log_refusal(struct consumer *consumer, const char *text)
{
    char *refusal = refusal_dup(text);

    if (!refusal)
        return false;
    if (!said_lately(consumer, RD_KAFKA_RESP_ERR__AUTHENTICATION))
        log_warning(NULL, "Kafka: %s", refusal);
    if (consumer->assigned) {
        free(refusal);
        return true;
    }
    free(consumer->refused);
    consumer->refused = refusal;
    return true;
}

void consumer_log_error(struct consumer *consumer, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    const char *text = rd_kafka_event_error_string(event);

    switch (code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        log_warning(NULL, "%s; waiting for it to exist", text);
        break;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        log_warning(NULL, "%s", text);
        break;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN: /* follows from the others */
        log_debug(NULL, "Kafka: %s", text);
        break;
    default:
        if (!log_refusal(consumer, text) && !said_lately(consumer, code))
            log_warning(NULL, "Kafka: %s: %s", rd_kafka_err2name(code), text);
    }
}

void consumer_log_trouble(struct consumer *consumer, const char *what, const char *why)
{
    if (why && (!consumer->trouble || strcmp(consumer->trouble, why) != 0))
        log_warning(NULL, "%s (%s), trying again", what, why);
    free(consumer->trouble);
    consumer->trouble = xstrdup(why);
}
