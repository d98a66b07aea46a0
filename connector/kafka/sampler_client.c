/*
 * sampler_client: the sampler's handle of librdkafka.
 *
 * It is a consumer with a group.id that never joins: librdkafka (2.0.2) asks its own group for the
 * coordinator when one of another's has moved, and a handle without a group crashes there. Its
 * requests for groups must never time out (sampler_groups.c), so a connection that is dead has to
 * be found dead by the system: TCP_USER_TIMEOUT.
 */
#include "kafka/sampler_private.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "kafka/destroy.h"
#include "kafka/log_line.h"
#include "kafka/refusal.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { DEAD_CONNECTION_MS = 10000 };

static const struct kafka_setting fixed_settings[] = {
    {"isolation.level", "read_uncommitted"}, /* ends are high watermarks */
    {"enable.auto.commit", "false"},
    {"log.queue", "true"},
};

static const struct kafka_setting default_settings[] = {
    {"socket.keepalive.enable", "true"},
    {"socket.nagle.disable", "true"},
    {"reconnect.backoff.max.ms", "2000"}, /* a broker that is back is found within a tick or two */
    {NULL, NULL},
};

/* ---- its settings ---- */

static int open_socket(int domain, int type, int protocol, void *opaque)
{
    const unsigned timeout = DEAD_CONNECTION_MS;
    int fd = socket(domain, type | SOCK_CLOEXEC, protocol);

    (void)opaque;
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
    return fd;
}

rd_kafka_conf_t *sampler_conf_new(const struct kafka_options *kafka, const char *group,
                                  bool create_topics, struct option_faults *faults)
{
    enum { FIXED = sizeof(fixed_settings) / sizeof(*fixed_settings) };
    struct kafka_setting settings[FIXED + 3] = {
        {"group.id", group && *group ? group : "kafka-connector"},
        {"allow.auto.create.topics", create_topics ? "true" : "false"},
    };
    rd_kafka_conf_t *conf;

    memcpy(settings + 2, fixed_settings, sizeof(fixed_settings));
    conf = kafka_conf_new(kafka, settings, default_settings, faults);
    if (!conf)
        return NULL;
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
    rd_kafka_conf_set_socket_cb(conf, open_socket);
    return conf;
}

void sampler_check(const struct kafka_options *kafka, struct option_faults *faults)
{
    rd_kafka_conf_t *conf = sampler_conf_new(kafka, NULL, false, faults);

    if (conf)
        rd_kafka_conf_destroy(conf);
}

/* ---- what it sends ---- */

static int kind_of(int16_t api_key)
{
    static const int16_t keys[SAMPLER_REQUEST_KINDS] = {
        [SAMPLER_METADATA] = 3,
        [SAMPLER_LIST_OFFSETS] = 2,
        [SAMPLER_OFFSET_FETCH] = 9,
        [SAMPLER_FIND_COORDINATOR] = 10,
    };

    for (int kind = 0; kind < SAMPLER_REQUEST_KINDS; kind++)
        if (keys[kind] == api_key)
            return kind;
    return -1; /* of the connection itself */
}

/* Called by the client's own threads. */
static rd_kafka_resp_err_t on_sent(rd_kafka_t *kafka, int fd, const char *name, int32_t broker,
                                   int16_t api_key, int16_t version, int32_t id, size_t size,
                                   void *opaque)
{
    struct sampler *sampler = opaque;
    int kind = kind_of(api_key);

    (void)kafka, (void)fd, (void)name, (void)broker, (void)version, (void)id, (void)size;
    if (kind >= 0)
        atomic_fetch_add(&sampler->sent[kind], 1);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *kafka, const rd_kafka_conf_t *conf, void *opaque,
                                  char *reason, size_t size)
{
    (void)conf, (void)reason, (void)size;
    return rd_kafka_interceptor_add_on_request_sent(kafka, "count", on_sent, opaque);
}

struct sampler_counts sampler_counts(const struct sampler *sampler)
{
    struct sampler_counts counts = sampler->counts;

    for (int kind = 0; kind < SAMPLER_REQUEST_KINDS; kind++)
        counts.requests[kind] = atomic_load(&sampler->sent[kind]);
    return counts;
}

/* ---- what it tells ---- */

/* Why no broker answers is known from here only: the calls that wait say no more than that. */
static void on_error(struct sampler *sampler, rd_kafka_event_t *event)
{
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        return; /* follows from the others */
    free(sampler->refused);
    sampler->refused = refusal_dup(rd_kafka_event_error_string(event));
    free(sampler->newest_error);
    sampler->newest_error = refusal_or_text_dup(rd_kafka_event_error_string(event));
    log_debug(NULL, "Kafka: %s", sampler->newest_error);
}

static void on_event(struct sampler *sampler, rd_kafka_event_t *event)
{
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT:
        sampler_on_answer(sampler, event);
        break;
    case RD_KAFKA_EVENT_ERROR:
        on_error(sampler, event);
        break;
    case RD_KAFKA_EVENT_LOG:
        kafka_log_line(event);
        break;
    default:
        break;
    }
    rd_kafka_event_destroy(event);
}

void sampler_on_woken(void *context, uint64_t mark)
{
    struct sampler *sampler = context;
    rd_kafka_event_t *event;

    (void)mark; /* there is one queue */
    while (sampler->queue && (event = rd_kafka_queue_poll(sampler->queue, 0)))
        on_event(sampler, event);
}

/* ---- its life ---- */

/* A configuration with interceptors that no client could be made of has lost them to the attempt
 * (2.0.2): to destroy it would free them twice. It is kept instead. */
static rd_kafka_conf_t *volatile lost_conf; /* volatile: so that it is kept indeed */

static void on_destroyed(void *context)
{
    sampler_unhold(context);
}

void sampler_client_close(struct sampler *sampler)
{
    kafka_wake_ignore(sampler->queue);
    rd_kafka_queue_destroy(sampler->queue);
    sampler->queue = NULL;
    sampler->holds++;
    kafka_destroy_take(sampler->setup.loop, sampler->kafka, on_destroyed, sampler);
    sampler->kafka = NULL;
}

bool sampler_client_open(struct sampler *sampler, char *reason, size_t size)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(sampler->conf);
    rd_kafka_t *kafka;

    /* Not part of the copy. */
    rd_kafka_conf_interceptor_add_on_new(conf, "count", on_new, sampler);
    kafka = kafka_client_new(true, conf, reason, size);
    if (!kafka) {
        lost_conf = conf;
        return false;
    }
    if (sampler->kafka)
        sampler_client_close(sampler);
    sampler->kafka = kafka;
    rd_kafka_poll_set_consumer(kafka);
    sampler->queue = rd_kafka_queue_get_consumer(kafka);
    rd_kafka_set_log_queue(kafka, sampler->queue);
    kafka_wake_watch(&sampler->wake, sampler->queue, 0);
    return true;
}
