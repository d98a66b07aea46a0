/* sender: see sender.h. SIGINT and SIGTERM are read from a signalfd between two records, so nothing
 * is interrupted half-way. */
#include "producer/sender.h"

#include "base/xalloc.h"
#include "producer/clock.h"
#include "producer/input.h"
#include "producer/pace.h"
#include "producer/writer.h"

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
    struct writer *writer;
    struct input *input;
    struct pace pace;
    int64_t sent;           /* records handed to the writer or refused by it */
    bool broken;            /* the input could not be read to its end */
    int signals;            /* a signalfd */
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

/* ---- sending ---- */

static void on_end(void *context, const struct writer_end *end)
{
    struct sender *sender = context;

    if (end->reason)
        report_failed(sender->report, end->reason);
    else
        report_acknowledged(sender->report, &(struct report_record){
                                                .topic = sender->options->topic,
                                                .partition = end->partition,
                                                .offset = end->offset,
                                                .size = end->size,
                                                .latency_us = end->latency_us,
                                            });
}

/* Acknowledgements and errors that came, waiting for some up to `wait_ms`. */
static void serve(struct sender *sender, int64_t wait_ms)
{
    writer_serve(sender->writer, (int)wait_ms);
    report_progress(sender->report, clock_us());
}

/* Sends one; a full queue is waited for, nothing is dropped. False: interrupted. */
static bool send_one(struct sender *sender, const void *value, size_t size)
{
    const struct writer_record record = {.value = value, .size = size};
    enum writer_sent sent;
    const char *reason;

    while ((sent = writer_send(sender->writer, &record, &reason)) == WRITER_FULL) {
        serve(sender, WAIT_MS);
        if (interrupted(sender))
            return false;
    }
    if (sent == WRITER_REFUSED)
        report_failed(sender->report, reason);
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
    while (!writer_flush(sender->writer, WAIT_MS) && patient(sender))
        report_progress(sender->report, clock_us());
    writer_give_up(sender->writer);
}

/* ---- setting up ---- */

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
    sender->writer = writer_new(options, &(struct writer_sink){on_end, sender}, faults);
    if (!sender->input || !sender->writer) {
        sender_free(sender);
        return NULL;
    }
    return sender;
}

void sender_free(struct sender *sender)
{
    if (!sender)
        return;
    writer_free(sender->writer);
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
