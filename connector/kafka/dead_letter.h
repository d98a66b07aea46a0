/*
 * dead_letter: dead letters as records of a Kafka topic (core/letters.h).
 *
 * A letter is the record as it was (key, value, headers, timestamp) in the topic that the template
 * makes of its own (core/dead_topic), with these headers behind its own; those of the same names
 * that it had, because it died before, are left out:
 *     x-dead-letter-topic, -partition, -offset    where it was read
 *     x-dead-letter-function, -reason             whose call it was; core/letters
 *     x-dead-letter-status                        of the last answer, when one is known
 *     x-dead-letter-attempts                      calls that ended
 *     x-dead-letter-truncated                     its value's size, when the value was cut
 * The partition is librdkafka's choice, by the key.
 *
 * The producer is idempotent and waits without end: while brokers are away a letter waits in it.
 * A letter that is refused is sent again, later and later. One that is too large, for librdkafka
 * or for the broker, is cut to half of its value, and again. LETTERS_SENT letters or
 * LETTERS_SENT_BYTES (one letter may always go) are with librdkafka at once, which copies them; the
 * others wait here, and their records with them.
 * They are sent in the order in which they came, and kept in it by key; one that was refused may
 * come behind those that were with librdkafka beside it.
 * The broker judges the size of what is sent together: one that was refused as too large goes alone
 * before it is cut, because small letters must not be cut for what they came with.
 *
 * Lives on the loop's thread; no call that waits for a broker is made on it.
 */
#ifndef KAFKA_DEAD_LETTER_H
#define KAFKA_DEAD_LETTER_H

#include "core/letters.h"
#include "kafka/client.h"

#include <uv.h>

enum { LETTERS_SENT = 1024, LETTERS_SENT_BYTES = 16 * 1024 * 1024 };

struct dead_letters;

/* The faults that dead_letters_new would add, without making anything. */
void dead_letters_check(const struct kafka_options *kafka, struct option_faults *faults);

/* The template is borrowed. NULL: faults were added. Connects at once. */
struct dead_letters *dead_letters_new(uv_loop_t *loop, const struct kafka_options *kafka,
                                      const char *template, struct option_faults *faults);

/* The seam to hand to who sends letters. */
struct letters *dead_letters_seam(struct dead_letters *letters);

/* The end, when every letter has been settled or cancelled. librdkafka's handle is destroyed by
 * the worker, because that waits for its threads; then `closed` is called on the loop, once, and
 * may call dead_letters_free. */
void dead_letters_close(struct dead_letters *letters, void (*closed)(void *context), void *context);

/* After `closed`, or without it when the process ends in a hurry. Handles of libuv are closed: run
 * the loop until it is idle before closing it. */
void dead_letters_free(struct dead_letters *letters);

#endif
