/* writer: see writer.h. */
#include "tests/faults/writer.h"

#include "base/xalloc.h"
#include "tests/harness/fail.h"
#include "tests/harness/kafka_client.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POLL_MS = 10,
    SETTLE_MS = 120 * 1000, /* longest wait for the last answers */
    CALL_MS = 30 * 1000,
    TRANSACTION_MS = 250,
    ABORTED_PERCENT = 30,
};

struct session {
    struct writer *writer;
    rd_kafka_t *producer;
    uint32_t first, last; /* of this start: [first, last) */
    uint32_t since;       /* the first record of the open transaction */
    uint64_t began;
    bool transactional, open;
    uint64_t transaction_began;
};

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* ---- its producer ---- */

static void on_delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *context)
{
    struct session *session = context;
    struct record_entry *record = &session->writer->records[(uintptr_t)message->_private];

    (void)producer;
    if (message->err)
        return;
    record->offset = message->offset;
    if (record->state == RECORD_UNKNOWN && !session->transactional)
        record->state = RECORD_WRITTEN;
    atomic_fetch_add(&session->writer->written, 1);
}

static rd_kafka_t *producer_new(struct session *session)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];
    rd_kafka_t *producer;

    kafka_client_set(conf, "bootstrap.servers", session->writer->bootstrap);
    kafka_client_set(conf, "enable.idempotence", "true");
    kafka_client_set(conf, "linger.ms", "2");
    kafka_client_set(conf, "reconnect.backoff.max.ms", "500");
    kafka_client_set(conf, "log_level", "0"); /* brokers that go away are our doing */
    if (session->transactional) {
        kafka_client_set(conf, "transactional.id", session->writer->topic);
        kafka_client_set(conf, "transaction.timeout.ms", "20000");
    } else {
        kafka_client_set(conf, "message.timeout.ms", "110000");
    }
    rd_kafka_conf_set_opaque(conf, session);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
    producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (!producer)
        fail("%s", reason);
    return producer;
}

/* Waits for the answers to all that was written. */
static void settle(struct session *session)
{
    uint64_t deadline = now_ms() + SETTLE_MS;

    while (rd_kafka_outq_len(session->producer) > 0 && now_ms() < deadline)
        rd_kafka_poll(session->producer, POLL_MS);
}

/* ---- transactions ---- */

/* NULL: it succeeded, perhaps after some tries. */
static rd_kafka_error_t *persist(rd_kafka_t *producer,
                                 rd_kafka_error_t *(*call)(rd_kafka_t *producer, int timeout_ms))
{
    uint64_t deadline = now_ms() + SETTLE_MS;
    rd_kafka_error_t *error = call(producer, CALL_MS);

    while (error && rd_kafka_error_is_retriable(error) && now_ms() < deadline) {
        rd_kafka_error_destroy(error);
        error = call(producer, CALL_MS);
    }
    return error;
}

static void mark(struct session *session, enum record_state state)
{
    for (uint32_t i = session->since; i < session->writer->count; i++)
        session->writer->records[i].state = state;
}

static void give_up(struct session *session, rd_kafka_error_t *error)
{
    session->writer->trouble = xstrdup(rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
}

/* Whether it was aborted. */
static void abort_transaction(struct session *session)
{
    rd_kafka_error_t *error = persist(session->producer, rd_kafka_abort_transaction);

    mark(session, RECORD_ABORTED);
    if (error)
        give_up(session, error);
}

/* A commit that fails for good leaves its records UNKNOWN: the broker may have done it. */
static void commit_transaction(struct session *session)
{
    rd_kafka_error_t *error = persist(session->producer, rd_kafka_commit_transaction);

    if (!error) {
        mark(session, RECORD_WRITTEN);
    } else if (rd_kafka_error_txn_requires_abort(error)) {
        rd_kafka_error_destroy(error);
        abort_transaction(session);
    } else {
        give_up(session, error);
    }
}

/* What is written has an answer before the transaction ends, so that what is aborted is in the log,
 * and would be delivered to whoever does not look. */
static void end_transaction(struct session *session)
{
    if (!session->open)
        return;
    session->open = false;
    settle(session);
    if (random_percent(&session->writer->random, ABORTED_PERCENT))
        abort_transaction(session);
    else
        commit_transaction(session);
}

static void begin_transaction(struct session *session)
{
    rd_kafka_error_t *error;

    if (!session->transactional || session->open)
        return;
    error = rd_kafka_begin_transaction(session->producer);
    if (error) {
        give_up(session, error);
        return;
    }
    session->open = true;
    session->since = session->writer->count;
    session->transaction_began = now_ms();
}

static void init_transactions(struct session *session)
{
    rd_kafka_error_t *error =
        session->transactional ? persist(session->producer, rd_kafka_init_transactions) : NULL;

    if (error)
        give_up(session, error);
}

/* ---- records ---- */

/* Keys stay where they are, as with any partitioner, until partitions are added. */
static void choose(struct writer *writer, struct record_entry *record)
{
    int partitions = atomic_load(&writer->partitions);
    bool keyed = random_percent(&writer->random, writer->plan->keyed_percent);

    record->key = keyed ? random_between(&writer->random, 0, writer->plan->keys - 1) : -1;
    record->partition =
        keyed ? (record->key * 7) % partitions : random_between(&writer->random, 0, partitions - 1);
    record->era = writer->era;
    record->offset = -1;
    record->state = RECORD_UNKNOWN;
}

/* False: there is no room just now. */
static bool write_one(struct session *session)
{
    struct writer *writer = session->writer;
    struct record_entry *record = &writer->records[writer->count];
    char key[16], value[4096] = "";
    rd_kafka_resp_err_t error;
    bool keyed;
    int size;

    choose(writer, record);
    keyed = record->key >= 0;
    size = snprintf(value, sizeof(value), "%u ", writer->count);
    memset(value + size, 'x', (size_t)writer->plan->value_size);
    snprintf(key, sizeof(key), "k%d", (int)record->key);
    error = rd_kafka_producev(
        session->producer, RD_KAFKA_V_TOPIC(writer->topic), RD_KAFKA_V_PARTITION(record->partition),
        RD_KAFKA_V_KEY((const void *)(keyed ? key : NULL), keyed ? strlen(key) : 0),
        RD_KAFKA_V_VALUE(value, (size_t)(size + writer->plan->value_size)),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_OPAQUE((void *)(uintptr_t)writer->count), RD_KAFKA_V_END);
    if (error)
        return false;
    writer->count++;
    return true;
}

static void write_due(struct session *session)
{
    uint64_t elapsed = now_ms() - session->began;
    uint64_t due = session->first + elapsed * (uint64_t)session->writer->plan->rate / 1000;

    while (session->writer->count < session->last && session->writer->count < due)
        if (!write_one(session))
            return;
}

static void run(void *context)
{
    struct writer *writer = context;
    struct session session = {.writer = writer,
                              .first = writer->count,
                              .last = writer->count + writer->wanted,
                              .transactional = writer->plan->topic == TOPIC_TRANSACTIONAL};

    session.producer = producer_new(&session);
    init_transactions(&session);
    session.began = now_ms();
    while (writer->count < session.last && !writer->trouble) {
        begin_transaction(&session);
        write_due(&session);
        rd_kafka_poll(session.producer, POLL_MS);
        if (session.open && now_ms() - session.transaction_began > TRANSACTION_MS)
            end_transaction(&session);
    }
    end_transaction(&session);
    settle(&session);
    rd_kafka_destroy(session.producer);
    atomic_store(&writer->over, true);
}

void writer_init(struct writer *writer, const struct plan *plan, const char *bootstrap,
                 const char *topic, uint32_t room)
{
    *writer = (struct writer){.bootstrap = bootstrap, .topic = topic, .plan = plan, .room = room};
    writer->records = xcalloc(room, sizeof(*writer->records));
    writer->random.state = plan->seed ^ UINT64_C(0x5eed);
    atomic_init(&writer->partitions, plan->partitions);
}

void writer_release(struct writer *writer)
{
    free(writer->records);
    free(writer->trouble);
}

void writer_start(struct writer *writer, uint8_t era, uint32_t wanted)
{
    if (writer->count + wanted > writer->room)
        fail("no room for so many records");
    writer->era = era;
    writer->wanted = wanted;
    atomic_store(&writer->over, false);
    writer->started = true;
    if (uv_thread_create(&writer->thread, run, writer))
        fail("no thread to write by");
}

bool writer_is_over(const struct writer *writer)
{
    return atomic_load(&writer->over);
}

void writer_join(struct writer *writer)
{
    if (writer->started)
        uv_thread_join(&writer->thread);
    writer->started = false;
}
