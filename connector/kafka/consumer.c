/* consumer: see consumer.h. Here are its settings, its states, its beginning and its topics. */
#include "kafka/consumer_private.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct option_row rows[] = {
    {.name = "group",
     .type = OPTION_STRING,
     .offset = offsetof(struct consumer_options, group),
     .default_text = "faas-kafka-queue-workers",
     .text = "Consumer group. Replicas with the same group share the topics' partitions."},
    {.name = "instance_id",
     .type = OPTION_STRING,
     .offset = offsetof(struct consumer_options, instance_id),
     .text = "A name of this replica's own that outlives its restarts (group.instance.id): the "
             "partitions wait for it to come back instead of moving to others at once."},
};

const struct option_table consumer_option_table = {"Consumer group", rows,
                                                   sizeof(rows) / sizeof(*rows)};

/* What delivery depends on. */
static const struct kafka_setting fixed_settings[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"partition.assignment.strategy", "roundrobin"},
    {"auto.offset.reset", "error"}, /* what a broker says of its log is looked at first */
    {"enable.partition.eof", "true"},
    {"log.queue", "true"},
};

static const struct kafka_setting default_settings[] = {
    {"fetch.queue.backoff.ms", "5"},  /* the first: older versions lack it (consumer_fetch.c) */
    {"heartbeat.interval.ms", "250"}, /* members learn of a rebalance by it: 3 s made long pauses */
    {"session.timeout.ms", "6000"},   /* so long a killed member's partitions wait for another */
    {"fetch.max.bytes", "4194304"},
    /* Each for a partition: of small records librdkafka needs five times their size. */
    {"queued.min.messages", "100"},
    {"queued.max.messages.kbytes", "256"},
    {"fetch.message.max.bytes", "65536"}, /* a batch that is larger comes all the same */
    /* So long a fetch of partitions at their ends keeps back one of those that are not. */
    {"fetch.wait.max.ms", "50"},
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    {"topic.metadata.refresh.interval.ms", "2000"}, /* a new topic is found within it */
    {NULL, NULL},
};

/* ---- states ---- */

#define FROM(state) (1u << (state))

/* What each state may come from. FAILED and CLOSING are reached when nothing is held. */
static const struct state_row {
    const char *name;
    unsigned from;
} states[] = {
    [CONSUMER_IDLE] = {"idle", FROM(CONSUMER_JOINING) | FROM(CONSUMER_READING) |
                                   FROM(CONSUMER_ASSIGNED) | FROM(CONSUMER_REVOKING) |
                                   FROM(CONSUMER_FAILED)},
    [CONSUMER_JOINING] = {"joining", FROM(CONSUMER_IDLE) | FROM(CONSUMER_READING) |
                                         FROM(CONSUMER_ASSIGNED) | FROM(CONSUMER_REVOKING) |
                                         FROM(CONSUMER_FAILED)},
    [CONSUMER_READING] = {"reading", FROM(CONSUMER_JOINING)},
    [CONSUMER_ASSIGNED] = {"assigned", FROM(CONSUMER_READING)},
    [CONSUMER_REVOKING] = {"revoking", FROM(CONSUMER_ASSIGNED)},
    [CONSUMER_FAILED] = {"failed", FROM(CONSUMER_IDLE) | FROM(CONSUMER_JOINING) |
                                       FROM(CONSUMER_READING) | FROM(CONSUMER_ASSIGNED) |
                                       FROM(CONSUMER_REVOKING)},
    [CONSUMER_CLOSING] = {"closing", FROM(CONSUMER_IDLE) | FROM(CONSUMER_JOINING) |
                                         FROM(CONSUMER_READING) | FROM(CONSUMER_ASSIGNED) |
                                         FROM(CONSUMER_REVOKING) | FROM(CONSUMER_FAILED)},
    [CONSUMER_LEFT] = {"left", FROM(CONSUMER_CLOSING)},
    [CONSUMER_CLOSED] = {"closed", FROM(CONSUMER_LEFT)},
};

void consumer_move(struct consumer *consumer, enum consumer_state to)
{
    if (consumer->state == to)
        return;
    assert(states[to].from & FROM(consumer->state));
    log_debug(NULL, "consumer: %s -> %s", states[consumer->state].name, states[to].name);
    if (to == CONSUMER_READING) { /* it has spoken with the group's coordinator */
        free(consumer->refused);
        consumer->refused = NULL;
    }
    consumer->state = to;
}

enum consumer_state consumer_state(const struct consumer *consumer)
{
    return consumer->state;
}

const char *consumer_trouble(const struct consumer *consumer)
{
    return consumer->trouble;
}

const char *consumer_refused(const struct consumer *consumer)
{
    return consumer->refused;
}

const char *consumer_state_name(enum consumer_state state)
{
    return states[state].name;
}

/* ---- beginning ---- */

static rd_kafka_conf_t *conf_new(const struct kafka_options *kafka,
                                 const struct consumer_options *options,
                                 struct option_faults *faults)
{
    enum { FIXED = sizeof(fixed_settings) / sizeof(*fixed_settings) };
    struct kafka_setting settings[FIXED + 4] = {{"group.id", options->group}};
    bool is_static = options->instance_id && *options->instance_id;
    const char *instance = is_static ? options->instance_id : NULL; /* NULL: still not the user's */
    const struct kafka_setting *defaults = default_settings + !consumer_has_fetch_backoff();
    rd_kafka_conf_t *conf;

    memcpy(settings + 1, fixed_settings, sizeof(fixed_settings));
    settings[FIXED + 1] = (struct kafka_setting){"group.instance.id", instance};
    if (options->hidden)
        settings[FIXED + 2] = (struct kafka_setting){"topic.blacklist", options->hidden};
    if (!options->group || !*options->group)
        option_fault(faults, "group must not be empty");
    conf = kafka_conf_new(kafka, settings, defaults, faults);
    if (conf)
        rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT |
                                           RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_FETCH |
                                           RD_KAFKA_EVENT_LOG);
    return conf;
}

void consumer_options_check(const struct kafka_options *kafka,
                            const struct consumer_options *options, struct option_faults *faults)
{
    rd_kafka_conf_t *conf = conf_new(kafka, options, faults);

    if (conf)
        rd_kafka_conf_destroy(conf);
}

bool consumer_open(struct consumer *consumer, char reason[REASON_SIZE])
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(consumer->conf);

    consumer->kafka = kafka_client_new(true, conf, reason, REASON_SIZE);
    if (!consumer->kafka) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    rd_kafka_poll_set_consumer(consumer->kafka);
    consumer->wakes_fetchers = consumer_may_wake_fetchers(consumer->kafka);
    consumer->queue = rd_kafka_queue_get_consumer(consumer->kafka);
    rd_kafka_set_log_queue(consumer->kafka, consumer->queue);
    kafka_wake_watch(&consumer->wake, consumer->queue, CONSUMER_EVENTS);
    return true;
}

static void open_handles(struct consumer *consumer)
{
    kafka_wake_open(&consumer->wake, consumer->loop, consumer_on_woken, consumer);
    uv_timer_init(consumer->loop, &consumer->tick);
    uv_idle_init(consumer->loop, &consumer->soon);
    consumer->tick.data = consumer->soon.data = consumer;
    consumer->holds = HANDLES;
    uv_timer_start(&consumer->tick, consumer_on_tick, TICK_MS, TICK_MS);
}

struct consumer *consumer_new(uv_loop_t *loop, const struct kafka_options *kafka,
                              const struct consumer_options *options, struct option_faults *faults)
{
    static const struct source_calls calls = {
        .take = consumer_take,
        .done = consumer_done,
        .release = consumer_release,
        .log_end = consumer_log_end,
        .has_records = consumer_has_records,
    };
    rd_kafka_conf_t *conf = conf_new(kafka, options, faults);
    struct consumer *consumer;
    char reason[REASON_SIZE];

    if (!conf)
        return NULL;
    consumer = xcalloc(1, sizeof(*consumer));
    consumer->source.calls = &calls;
    consumer->loop = loop;
    consumer->conf = conf;
    credentials_init(&consumer->credentials, kafka);
    consumer->topics = rd_kafka_topic_partition_list_new(0);
    utarray_new(consumer->names, &ut_str_icd);
    open_handles(consumer);
    if (consumer_open(consumer, reason))
        return consumer;
    option_fault(faults, "Kafka client: %s", reason);
    consumer_free(consumer);
    return NULL;
}

struct source *consumer_source(struct consumer *consumer)
{
    return &consumer->source;
}

int64_t consumer_max_poll_interval_ms(const struct consumer *consumer)
{
    char *text = kafka_conf_value_dup(consumer->conf, "max.poll.interval.ms");
    int64_t value = strtoll(text, NULL, 10);

    free(text);
    return value;
}

static bool same_topics(const rd_kafka_topic_partition_list_t *a,
                        const rd_kafka_topic_partition_list_t *b)
{
    if (a->cnt != b->cnt)
        return false;
    for (int i = 0; i < a->cnt; i++)
        if (strcmp(a->elems[i].topic, b->elems[i].topic) != 0)
            return false;
    return true;
}

void consumer_subscribe(struct consumer *consumer, const char *const *topics, size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    rd_kafka_resp_err_t error;

    for (size_t i = 0; i < count; i++)
        if (!rd_kafka_topic_partition_list_find(list, topics[i], RD_KAFKA_PARTITION_UA))
            rd_kafka_topic_partition_list_add(list, topics[i], RD_KAFKA_PARTITION_UA);
    rd_kafka_topic_partition_list_sort(list, NULL, NULL);
    if (consumer->closing || same_topics(list, consumer->topics)) {
        rd_kafka_topic_partition_list_destroy(list);
        return;
    }
    rd_kafka_topic_partition_list_destroy(consumer->topics);
    consumer->topics = list;
    consumer_log_topics(list);
    if (consumer->fatal) /* the next client subscribes to them */
        return;
    error =
        count ? rd_kafka_subscribe(consumer->kafka, list) : rd_kafka_unsubscribe(consumer->kafka);
    if (error)
        log_error(NULL, "Cannot subscribe: %s", rd_kafka_err2str(error));
    if (!consumer->assigned)
        consumer_move(consumer, count ? CONSUMER_JOINING : CONSUMER_IDLE);
}

const struct consumer_counts *consumer_counts(const struct consumer *consumer)
{
    return &consumer->counts;
}
