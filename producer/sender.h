/*
 * sender: takes values from the input, sends them as records at the pace asked for, and tells the
 * report what came of each.
 *
 * Nothing is dropped: a full queue is waited for. Every record sent is reported once, as
 * acknowledged or as failed. SIGINT or SIGTERM ends the sending; what was sent is waited for, 10
 * seconds at most or until a second signal.
 */
#ifndef PRODUCER_SENDER_H
#define PRODUCER_SENDER_H

#include "producer/options.h"
#include "producer/report.h"

#include <stdbool.h>

struct sender;

/* Options and report are borrowed. NULL: faults were added. Blocks SIGINT and SIGTERM for good. */
struct sender *sender_new(const struct producer_options *options, struct report *report,
                          struct option_faults *faults);
void sender_free(struct sender *sender);

/* Sends everything and waits for what comes of it. False: the input could not be read to its end,
 * which was told on stderr. */
bool sender_run(struct sender *sender);

#endif
