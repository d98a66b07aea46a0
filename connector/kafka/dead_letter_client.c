/*
 * dead_letter_client: the producer that letters are sent with: its settings, its events, its end.
 *
 * After an error that librdkafka calls fatal a handle does nothing any more (a broker that denies
 * what it has acknowledged, ...): it is destroyed, and another one made at a later tick.
 */
#include "kafka/dead_letter_private.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "kafka/destroy.h"
#include "kafka/log_line.h"
#include "kafka/refusal.h"

#include <assert.h>
#include <stdlib.h>

/* What it depends on that no letter is lost, doubled, or cut in vain. */
static const struct kafka_setting fixed_settings[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"request.required.acks", "all"}, /* its other name, and the next but one */
    {"message.timeout.ms", "0"},      /* none: what waits for a broker is not lost */
    {"delivery.timeout.ms", "0"},
    {"batch.size", LETTERS_BATCH_TEXT},
    {"transactional.id", NULL},
    {"log.queue", "true"},
    {NULL, NULL},
};

static const struct kafka_setting default_settings[] = {
    {"linger.ms", "0"},
    {"message.max.bytes", "67108864"}, /* the broker says what is too large */
    /* A topic that does not exist is told of after so long, and found within so long. */
    {"topic.metadata.propagation.max.ms", "5000"},
    {"topic.metadata.refresh.interval.ms", "2000"},
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    {NULL, NULL},
};

static rd_kafka_conf_t *conf_new(const struct kafka_options *kafka, struct option_faults *faults)
{
    rd_kafka_conf_t *conf = kafka_conf_new(kafka, fixed_settings, default_settings, faults);

    if (conf)
        rd_kafka_conf_set_events(conf,
                                 RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
    return conf;
}

void dead_letters_check(const struct kafka_options *kafka, struct option_faults *faults)
{
    rd_kafka_conf_t *conf = conf_new(kafka, faults);

    if (conf)
        rd_kafka_conf_destroy(conf);
}

/* ---- the handle ---- */

static rd_kafka_t *client_new(const rd_kafka_conf_t *settings, char reason[REASON_SIZE])
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(settings);
    rd_kafka_t *kafka = kafka_client_new(false, conf, reason, REASON_SIZE);

    if (!kafka)
        rd_kafka_conf_destroy(conf);
    return kafka;
}

bool letters_open(struct dead_letters *letters, char reason[REASON_SIZE])
{
    letters->kafka = client_new(letters->conf, reason);
    if (!letters->kafka)
        return false;
    letters->queue = rd_kafka_queue_get_main(letters->kafka);
    rd_kafka_set_log_queue(letters->kafka, letters->queue);
    kafka_wake_watch(&letters->wake, letters->queue, 0);
    return true;
}

static void finish_close(struct dead_letters *letters)
{
    void (*closed)(void *context) = letters->closed;

    if (letters->destroying || letters->freed || !closed)
        return;
    letters->closed = NULL;
    closed(letters->closed_context);
}

static void on_destroyed(void *context)
{
    struct dead_letters *letters = context;

    letters->destroying--;
    finish_close(letters);
    letters_unhold(letters);
}

/* What librdkafka still has is nobody's any more, or is sent again by the next handle. */
void letters_shut(struct dead_letters *letters)
{
    struct letter_topic *topic, *next;

    HASH_ITER (hh, letters->topics, topic, next) {
        if (topic->handle)
            rd_kafka_topic_destroy(topic->handle);
        topic->handle = NULL;
    }
    rd_kafka_purge(letters->kafka, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                       RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_queue_destroy(letters->queue);
    letters->queue = NULL;
    letters->destroying++;
    letters->holds++;
    kafka_destroy_take(letters->loop, letters->kafka, on_destroyed, letters);
    letters->kafka = NULL;
}

/* ---- events ---- */

static char *trouble_dup(rd_kafka_resp_err_t code, const char *text)
{
    char *refusal = refusal_dup(text);

    return refusal ? refusal : xstrdup(rd_kafka_err2str(code));
}

static void on_error(struct dead_letters *letters, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);

    if (rd_kafka_event_error_is_fatal(event)) {
        letters_brokers_fault(letters, rd_kafka_event_error_string(event));
        letters->broken = true;
        letters_start_tick(letters);
    } else if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) { /* follows from the others */
        free(letters->trouble);
        letters->trouble = trouble_dup(code, rd_kafka_event_error_string(event));
    }
}

static void on_reports(struct dead_letters *letters, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *message;

    while ((message = rd_kafka_event_message_next(event)))
        letters_reported(letters, message);
}

void letters_serve(struct dead_letters *letters)
{
    rd_kafka_event_t *event;

    /* A letter that is settled may be the last, and lead to the end. */
    while (letters->queue && (event = rd_kafka_queue_poll(letters->queue, 0))) {
        switch (rd_kafka_event_type(event)) {
        case RD_KAFKA_EVENT_DR:
            on_reports(letters, event);
            break;
        case RD_KAFKA_EVENT_ERROR:
            on_error(letters, event);
            break;
        case RD_KAFKA_EVENT_LOG:
            kafka_log_line(event);
            break;
        default:
            break;
        }
        rd_kafka_event_destroy(event);
    }
}

static void on_woken(void *context, uint64_t mark)
{
    (void)mark; /* there is one queue */
    letters_serve(context);
}

/* ---- life ---- */

static void open_handles(struct dead_letters *letters)
{
    kafka_wake_open(&letters->wake, letters->loop, on_woken, letters);
    uv_timer_init(letters->loop, &letters->tick);
    letters->tick.data = letters;
    letters->holds = HANDLES;
}

void letters_unhold(struct dead_letters *letters)
{
    if (--letters->holds > 0)
        return;
    kafka_wake_release(&letters->wake);
    free(letters->trouble);
    credentials_release(&letters->credentials);
    free(letters);
}

static void on_wake_closed(void *context)
{
    letters_unhold(context);
}

static void on_handle_closed(uv_handle_t *handle)
{
    letters_unhold(handle->data);
}

struct dead_letters *dead_letters_new(uv_loop_t *loop, const struct kafka_options *kafka,
                                      const char *template, struct option_faults *faults)
{
    rd_kafka_conf_t *conf = conf_new(kafka, faults);
    struct dead_letters *letters;
    char reason[REASON_SIZE];

    if (!conf)
        return NULL;
    letters = xcalloc(1, sizeof(*letters));
    letters->seam.calls = &letters_calls;
    letters->loop = loop;
    letters->template = template;
    letters->conf = conf;
    credentials_init(&letters->credentials, kafka);
    open_handles(letters);
    if (letters_open(letters, reason))
        return letters;
    option_fault(faults, "Kafka client for dead letters: %s", reason);
    dead_letters_free(letters);
    return NULL;
}

struct letters *dead_letters_seam(struct dead_letters *letters)
{
    return &letters->seam;
}

static void on_closing(uv_timer_t *tick)
{
    finish_close(tick->data);
}

void dead_letters_close(struct dead_letters *letters, void (*closed)(void *context), void *context)
{
    assert(!letters->closed && !letters->seam.under_way);
    letters->closed = closed;
    letters->closed_context = context;
    if (letters->kafka)
        letters_shut(letters);
    uv_timer_start(&letters->tick, on_closing, 0, 0);
}

void dead_letters_free(struct dead_letters *letters)
{
    if (!letters)
        return;
    letters->freed = true;
    if (letters->kafka)
        letters_shut(letters);
    letters_forget(letters);
    rd_kafka_conf_destroy(letters->conf);
    kafka_wake_close(&letters->wake, on_wake_closed);
    uv_close((uv_handle_t *)&letters->tick, on_handle_closed);
}
