/* sender: see sender.h. SIGINT and SIGTERM are read from a signalfd between two records, so nothing
 * is interrupted half-way. */
#include "producer/sender.h"

#include "base/xalloc.h"
#include "kafka/credentials.h"
#include "kafka/refusal.h"
#include "producer/clock.h"
#include "producer/input.h"
#include "producer/pace.h"

#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    BURST = 500,                    /* records between two looks at signals and answers */
    WAIT_MS = 100,                  /* the longest wait without such a look */
    INPUT_WAIT_MS = 10,             /* until stdin is looked at again */
    PATIENCE_US = 10 * 1000 * 1000, /* after Ctrl-C: for acknowledgements still to come */
};

struct sender {
    const struct producer_options *options;
    struct report *report;
    rd_kafka_t *client;
    struct credentials credentials;
    rd_kafka_topic_t *topic;
    rd_kafka_headers_t *headers; /* NULL: none */
    struct input *input;
    struct pace pace;
    int64_t sent;             /* records handed to librdkafka or refused by it */
    rd_kafka_resp_err_t said; /* the client's error told last */
    bool broken;              /* the input could not be read to its end */
    int signals;              /* a signalfd */
    int interrupts;         /* how many came: the first ends the sending, the second the waiting */
    int64_t interrupted_us; /* when the first came */
};

/* Blocked before librdkafka makes its threads, which inherit that. */
static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static bool interrupted(struct sender *sender)
{
    struct signalfd_siginfo info;

    while (read(sender->signals, &info, sizeof(info)) > 0)
        if (sender->interrupts++ == 0)
            sender->interrupted_us = clock_us();
    return sender->interrupts > 0;
}

/* ---- what librdkafka tells ---- */

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct sender *sender = opaque;

    (void)client;
    if (message->err) {
        report_failed(sender->report, rd_kafka_err2str(message->err));
        return;
    }
    report_acknowledged(sender->report, &(struct report_record){
                                            .topic = sender->options->topic,
                                            .partition = message->partition,
                                            .offset = message->offset,
                                            .size = message->len,
                                            .latency_us = rd_kafka_message_latency(message),
                                        });
}

/* A broker that is away is told once, not at each attempt. */
static void on_error(rd_kafka_t *client, int error, const char *reason, void *opaque)
{
    struct sender *sender = opaque;
    char *refusal;

    (void)client;
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) /* told already, broker by broker */
        return;
    refusal = refusal_dup(reason);
    if (refusal)
        error = RD_KAFKA_RESP_ERR__AUTHENTICATION; /* one refusal comes under several codes */
    if (sender->said != (rd_kafka_resp_err_t)error)
        fprintf(stderr, "producer: %s\n", refusal ? refusal : reason);
    sender->said = (rd_kafka_resp_err_t)error;
    free(refusal);
}

/* ---- sending ---- */

static size_t make_key(const struct sender *sender, char text[32], const char **key)
{
    *key = sender->options->key;
    if (sender->options->keys) {
        *key = text;
        return (size_t)snprintf(text, 32, "%lld",
                                (long long)(sender->sent % sender->options->keys));
    }
    return *key ? strlen(*key) : 0;
}

static rd_kafka_resp_err_t produce(const struct sender *sender, const void *value, size_t size)
{
    char text[32];
    const char *key;
    size_t key_size = make_key(sender, text, &key);
    rd_kafka_headers_t *headers = sender->headers ? rd_kafka_headers_copy(sender->headers) : NULL;
    rd_kafka_resp_err_t error;

    error = rd_kafka_producev(sender->client, RD_KAFKA_V_RKT(sender->topic),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_VALUE((void *)value, size),
                              RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (error && headers)
        rd_kafka_headers_destroy(headers); /* taken over only when it was accepted */
    return error;
}

/* Acknowledgements and errors that came, waiting for some up to `wait_ms`. */
static void serve(struct sender *sender, int64_t wait_ms)
{
    rd_kafka_poll(sender->client, (int)wait_ms);
    credentials_look(&sender->credentials, (uint64_t)clock_us() / 1000, sender->client, NULL);
    report_progress(sender->report, clock_us());
}

/* Sends one; a full queue is waited for, nothing is dropped. False: interrupted. */
static bool send_one(struct sender *sender, const void *value, size_t size)
{
    rd_kafka_resp_err_t error = produce(sender, value, size);

    while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        serve(sender, WAIT_MS);
        if (interrupted(sender))
            return false;
        error = produce(sender, value, size);
    }
    if (error)
        report_failed(sender->report, rd_kafka_err2str(error));
    sender->sent++;
    pace_sent(&sender->pace);
    return true;
}

enum step { STEP_SENT, STEP_WAIT, STEP_END };

/* The next record, if it is due and there is one. *wait_ms: how long to wait if not. */
static enum step step(struct sender *sender, int64_t *wait_ms)
{
    int64_t wait_us = pace_wait_us(&sender->pace, clock_us());
    const void *value;
    size_t size;

    if (sender->sent == producer_limit(sender->options))
        return STEP_END;
    *wait_ms = wait_us > WAIT_MS * 1000 ? WAIT_MS : (wait_us + 999) / 1000;
    if (wait_us > 0)
        return STEP_WAIT;
    switch (input_next(sender->input, &value, &size)) {
    case INPUT_VALUE:
        return send_one(sender, value, size) ? STEP_SENT : STEP_END;
    case INPUT_LATER:
        *wait_ms = INPUT_WAIT_MS;
        return STEP_WAIT;
    case INPUT_FAULT:
        fprintf(stderr, "producer: %s: %s\n", sender->options->file, input_reason(sender->input));
        sender->broken = true;
        return STEP_END;
    case INPUT_END:
        break;
    }
    return STEP_END;
}

static void send_all(struct sender *sender)
{
    enum step taken = STEP_SENT;

    while (taken != STEP_END && !interrupted(sender)) {
        int64_t wait_ms = 0;

        taken = STEP_SENT;
        for (int i = 0; i < BURST && taken == STEP_SENT; i++)
            taken = step(sender, &wait_ms);
        serve(sender, wait_ms);
    }
}

static bool patient(struct sender *sender)
{
    return !interrupted(sender) ||
           (sender->interrupts == 1 && clock_us() - sender->interrupted_us < PATIENCE_US);
}

/* Waits for what is on its way. What is given up is told as purged by its delivery report. */
static void drain(struct sender *sender)
{
    while (rd_kafka_flush(sender->client, WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR && patient(sender))
        report_progress(sender->report, clock_us());
    rd_kafka_purge(sender->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(sender->client, WAIT_MS);
}

/* ---- setting up ---- */

static rd_kafka_t *open_client(struct sender *sender, struct option_faults *faults)
{
    static const struct kafka_setting defaults[] = {
        {"message.timeout.ms", "30000"}, /* librdkafka's 5 minutes look like a hang */
        {"topic.metadata.propagation.max.ms", "10000"}, /* then a topic is said to be unknown */
        {"partitioner", "murmur2_random"}, /* keys go where Java's producer sends them */
        {"queue.buffering.max.kbytes", "262144"},
        {"log_level", "2"}, /* on_error tells what a person needs */
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf = kafka_conf_new(&sender->options->kafka, NULL, defaults, faults);
    char reason[256];
    rd_kafka_t *client;

    if (!conf)
        return NULL;
    rd_kafka_conf_set_opaque(conf, sender);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    client = kafka_client_new(false, conf, reason, sizeof(reason));
    if (!client) {
        option_fault(faults, "X: %s", reason);
        rd_kafka_conf_destroy(conf);
    }
    return client;
}

static rd_kafka_headers_t *make_headers(const struct option_list *list)
{
    rd_kafka_headers_t *headers = list->count ? rd_kafka_headers_new(list->count) : NULL;

    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strchr(list->items[i], '=');

        rd_kafka_header_add(headers, list->items[i], equals - list->items[i], equals + 1, -1);
    }
    return headers;
}

static struct input *open_input(const struct producer_options *options,
                                struct option_faults *faults)
{
    const char *reason = NULL;
    struct input *input = options->file
                              ? input_of_file(options->file, &reason)
                              : input_of_value(options->value, (size_t)options->record_size);

    if (!input)
        option_fault(faults, "file: \"%s\" cannot be read: %s", options->file, reason);
    return input;
}

struct sender *sender_new(const struct producer_options *options, struct report *report,
                          struct option_faults *faults)
{
    struct sender *sender = xcalloc(1, sizeof(*sender));

    sender->options = options;
    sender->report = report;
    sender->signals = open_signals();
    sender->input = open_input(options, faults);
    sender->client = open_client(sender, faults);
    credentials_init(&sender->credentials, &options->kafka);
    if (!sender->input || !sender->client) {
        sender_free(sender);
        return NULL;
    }
    sender->topic = rd_kafka_topic_new(sender->client, options->topic, NULL);
    sender->headers = make_headers(&options->headers);
    return sender;
}

void sender_free(struct sender *sender)
{
    if (!sender)
        return;
    if (sender->headers)
        rd_kafka_headers_destroy(sender->headers);
    if (sender->topic)
        rd_kafka_topic_destroy(sender->topic);
    if (sender->client)
        rd_kafka_destroy(sender->client);
    credentials_release(&sender->credentials);
    input_free(sender->input);
    close(sender->signals);
    free(sender);
}

bool sender_run(struct sender *sender)
{
    pace_init(&sender->pace, sender->options->throughput, clock_us());
    send_all(sender);
    drain(sender);
    return !sender->broken;
}
