/* dead_letter: the letters, and what becomes of them. See dead_letter.h. */
#include "kafka/dead_letter_private.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "core/dead_topic.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    TICK_MS = 250,
    AGAIN_MS = 250, /* until a letter that failed is sent again; doubled each time */
    AGAIN_MOST_MS = 5000,
    LATE_MS = 2000,     /* so long without a report, and a broker's trouble is the letters' */
    SILENCE_MS = 10000, /* longer than a topic that does not exist takes to be told of */
};

/* ---- faults: said once a change ---- */

static const char *refusal_text(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return "it does not exist, and the brokers do not make it by themselves";
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return "a letter is too large even without its value (max.message.bytes)";
    default:
        return rd_kafka_err2str(code);
    }
}

static void set_fault(struct dead_letters *letters, struct letter_topic *of, char *fault)
{
    free(letters->seam.fault);
    letters->seam.fault = fault;
    letters->faulty = of;
}

static void note_refused(struct dead_letters *letters, struct letter_topic *topic,
                         rd_kafka_resp_err_t code)
{
    bool changed = strcmp(refusal_text(topic->refused), refusal_text(code)) != 0;

    letters->seam.failures++;
    topic->refused = code;
    if (!changed && letters->seam.fault)
        return;
    set_fault(letters, topic, xasprintf("topic %s: %s", topic->name, refusal_text(code)));
    if (changed)
        log_warning(NULL, "dead letters wait: %s", letters->seam.fault);
}

void letters_brokers_fault(struct dead_letters *letters, const char *why)
{
    if (!letters->seam.under_way || letters->seam.fault)
        return;
    set_fault(letters, NULL, xasprintf("brokers: %s", why));
    log_warning(NULL, "dead letters wait: %s", letters->seam.fault);
}

static void note_kept(struct dead_letters *letters, struct letter_topic *topic)
{
    bool over = letters->seam.fault && (!letters->faulty || letters->faulty == topic);

    topic->refused = RD_KAFKA_RESP_ERR_NO_ERROR;
    free(letters->trouble);
    letters->trouble = NULL;
    letters->breaks = 0;
    if (!over)
        return;
    log_info(NULL, "dead letters are kept again");
    set_fault(letters, NULL, NULL);
}

/* ---- a letter ---- */

#define FROM(state) (1u << LETTER_##state)

static const unsigned may_come_from[] = {
    [LETTER_WAITING] = FROM(SENT) | FROM(FAILED),
    [LETTER_SENT] = FROM(WAITING),
    [LETTER_FAILED] = FROM(WAITING) | FROM(SENT),
    [LETTER_GONE] = FROM(WAITING) | FROM(SENT) | FROM(FAILED),
};

/* Into its state's list: those that wait stand in the order in which they came to us, so that one
 * that is sent again is not behind those that come after it. */
static void enlist(struct dead_letters *letters, struct letter *letter)
{
    struct letter **list = &letters->in_state[letter->state], *before = NULL;

    if (letter->state == LETTER_WAITING && *list && (*list)->prev->number > letter->number)
        for (before = *list; before->number < letter->number; before = before->next)
            ;
    if (before)
        DL_PREPEND_ELEM(*list, before, letter);
    else
        DL_APPEND(*list, letter);
}

static void set_state(struct dead_letters *letters, struct letter *letter, enum letter_state to)
{
    assert(may_come_from[to] & 1u << letter->state);
    DL_DELETE(letters->in_state[letter->state], letter);
    if (letter->state == LETTER_SENT) {
        letters->sent--;
        letters->sent_bytes -= letter->value_size;
    }
    letter->state = to;
    letter->since = uv_now(letters->loop);
    if (to != LETTER_GONE)
        enlist(letters, letter);
    if (to == LETTER_SENT) {
        letters->sent++;
        letters->sent_bytes += letter->value_size;
    }
}

static void letter_free(struct dead_letters *letters, struct letter *letter)
{
    set_state(letters, letter, LETTER_GONE);
    record_unref(&letter->record);
    free(letter);
}

/* Its owner does not wait for it any more. */
static void leave(struct dead_letters *letters, struct letter *letter)
{
    record_unref(&letter->record);
    letters->seam.refused -= letter->failures > 0;
    if (--letters->seam.under_way == 0)
        set_fault(letters, NULL, NULL);
}

static void fail(struct dead_letters *letters, struct letter *letter, rd_kafka_resp_err_t code)
{
    letters->seam.refused += letter->failures++ == 0;
    note_refused(letters, letter->to, code);
    set_state(letters, letter, LETTER_FAILED);
}

/* Half of its value less. False: nothing is left of it. */
static bool cut(struct dead_letters *letters, struct letter *letter)
{
    if (!letter->value_size)
        return false;
    if (letter->value_size == letter->record->value_size)
        letters->seam.truncated++;
    letter->value_size /= 2;
    return true;
}

/* What went with others is sent alone before it is cut. */
static void shrink_sent(struct dead_letters *letters, struct letter *letter)
{
    bool was_alone = letter->alone || letter->value_size >= LETTERS_BATCH;

    letter->alone = true;
    set_state(letters, letter, LETTER_WAITING);
    if (was_alone && !cut(letters, letter))
        fail(letters, letter, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
}

/* Whether it is the client that gave up, and says nothing of the letter. */
static bool is_clients_end(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__FATAL || code == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
           code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

/* Sends one that waits. False: librdkafka takes none just now. */
static bool post(struct dead_letters *letters, struct letter *letter)
{
    rd_kafka_resp_err_t error;

    do
        error = letter_produce(letters, letter);
    while (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && cut(letters, letter));
    letters->broken |= is_clients_end(error);
    if (letters->broken || (error == RD_KAFKA_RESP_ERR__QUEUE_FULL && letters->sent))
        return false;
    if (error)
        fail(letters, letter, error);
    else
        set_state(letters, letter, LETTER_SENT);
    return true;
}

static bool has_room(const struct dead_letters *letters)
{
    return letters->sent < LETTERS_SENT &&
           (letters->sent_bytes < LETTERS_SENT_BYTES || !letters->sent);
}

/* The next one that waits, if it may be sent now. */
static struct letter *next_to_post(const struct dead_letters *letters)
{
    struct letter *next = letters->in_state[LETTER_WAITING];
    const struct letter *sent = letters->in_state[LETTER_SENT];

    if (!letters->kafka || letters->broken || !next || !has_room(letters))
        return NULL;
    return sent && (sent->alone || next->alone) ? NULL : next;
}

static void post_waiting(struct dead_letters *letters)
{
    struct letter *letter;

    while ((letter = next_to_post(letters)) && post(letters, letter))
        ;
}

/* ---- what librdkafka reports ---- */

static void settle(struct dead_letters *letters, struct letter *letter)
{
    void (*settled)(void *context) = letter->settled;
    void *context = letter->context;

    note_kept(letters, letter->to);
    leave(letters, letter);
    letter_free(letters, letter);
    settled(context);
}

void letters_reported(struct dead_letters *letters, const rd_kafka_message_t *message)
{
    struct letter *letter = message->_private;

    assert(letter->state == LETTER_SENT);
    if (!letter->record)
        letter_free(letters, letter);
    else if (!message->err)
        settle(letters, letter);
    else if (is_clients_end(message->err))
        set_state(letters, letter, LETTER_WAITING);
    else if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        shrink_sent(letters, letter);
    else
        fail(letters, letter, message->err);
    post_waiting(letters);
}

/* The handle is given up, and with it the reports of what it has. */
static void lose_sent(struct dead_letters *letters)
{
    struct letter *letter, *next;

    DL_FOREACH_SAFE (letters->in_state[LETTER_SENT], letter, next)
        if (letter->record)
            set_state(letters, letter, LETTER_WAITING);
        else
            letter_free(letters, letter);
}

static bool is_due(const struct dead_letters *letters, uint64_t since, unsigned failures)
{
    uint64_t wait = AGAIN_MS;

    for (unsigned i = 1; i < failures && wait < AGAIN_MOST_MS; i++)
        wait *= 2;
    return uv_now(letters->loop) - since >= (wait < AGAIN_MOST_MS ? wait : AGAIN_MOST_MS);
}

/* The old handle goes at once, another comes later. */
static void mend(struct dead_letters *letters)
{
    char reason[REASON_SIZE];

    if (letters->kafka) {
        letters_shut(letters);
        lose_sent(letters);
        letters->shut_at = uv_now(letters->loop);
        letters->breaks++;
    } else if (!is_due(letters, letters->shut_at, letters->breaks)) {
        return;
    } else if (letters_open(letters, reason)) {
        letters->broken = false;
    } else {
        letters_brokers_fault(letters, reason);
    }
}

static void note_late(struct dead_letters *letters)
{
    const struct letter *oldest = letters->in_state[LETTER_SENT];
    uint64_t waited = oldest ? uv_now(letters->loop) - oldest->since : 0;

    if (waited >= LATE_MS && letters->trouble)
        letters_brokers_fault(letters, letters->trouble);
    else if (waited >= SILENCE_MS)
        letters_brokers_fault(letters, "they do not acknowledge letters");
}

static void on_tick(uv_timer_t *tick)
{
    struct dead_letters *letters = tick->data;
    struct letter *letter, *next;

    letters_serve(letters);
    if (letters->kafka)
        credentials_look(&letters->credentials, uv_now(letters->loop), letters->kafka,
                         letters->conf);
    if (letters->broken)
        mend(letters);
    DL_FOREACH_SAFE (letters->in_state[LETTER_FAILED], letter, next)
        if (is_due(letters, letter->since, letter->failures))
            set_state(letters, letter, LETTER_WAITING);
    post_waiting(letters);
    note_late(letters);
    if (!letters->seam.under_way && !letters->broken)
        uv_timer_stop(tick);
}

void letters_start_tick(struct dead_letters *letters)
{
    if (!uv_is_active((uv_handle_t *)&letters->tick))
        uv_timer_start(&letters->tick, on_tick, TICK_MS, TICK_MS);
}

/* ---- the seam ---- */

static struct letter_topic *topic_of(struct dead_letters *letters, const char *from)
{
    struct letter_topic *topic;

    HASH_FIND_STR(letters->topics, from, topic);
    if (topic)
        return topic;
    topic = xcalloc(1, sizeof(*topic));
    topic->from = xstrdup(from);
    topic->name = dead_topic_name(letters->template, from);
    HASH_ADD_KEYPTR(hh, letters->topics, topic->from, strlen(topic->from), topic);
    return topic;
}

static struct letter *send_letter(struct letters *seam, struct record *record,
                                  const struct letter_why *why, void (*settled)(void *context),
                                  void *context)
{
    struct dead_letters *letters = (struct dead_letters *)seam;
    size_t name_size = strlen(why->function) + 1;
    struct letter *letter = xcalloc(1, sizeof(*letter) + name_size);

    letter->to = topic_of(letters, record->topic);
    letter->record = record_ref(record);
    letter->why = *why;
    letter->why.function = memcpy(letter->function, why->function, name_size);
    letter->value_size = record->value_size;
    letter->settled = settled;
    letter->context = context;
    letter->number = ++letters->taken;
    letter->state = LETTER_WAITING;
    enlist(letters, letter);
    letters->seam.under_way++;
    letters_start_tick(letters);
    post_waiting(letters);
    return letter;
}

/* One that librdkafka has is forgotten when it reports. */
static void cancel_letter(struct letters *seam, struct letter *letter)
{
    struct dead_letters *letters = (struct dead_letters *)seam;

    leave(letters, letter);
    if (letter->state != LETTER_SENT)
        letter_free(letters, letter);
}

const struct letters_calls letters_calls = {.send = send_letter, .cancel = cancel_letter};

void letters_forget(struct dead_letters *letters)
{
    struct letter_topic *topic, *next;

    for (int state = 0; state < LETTER_GONE; state++)
        while (letters->in_state[state])
            letter_free(letters, letters->in_state[state]);
    set_fault(letters, NULL, NULL);
    HASH_ITER (hh, letters->topics, topic, next) {
        HASH_DEL(letters->topics, topic); // NOLINT(clang-analyzer-core.NullDereference)
        free(topic->from);
        free(topic->name);
        free(topic);
    }
}
