/*
 * letters_rig: a keeper of dead letters on the mock brokers of `member`, and a reader of what it
 * wrote. One a test, which is a program of its own.
 */
#ifndef TESTS_HARNESS_LETTERS_RIG_H
#define TESTS_HARNESS_LETTERS_RIG_H

#include "kafka/dead_letter_private.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

struct letters_rig {
    struct dead_letters *letters;
    struct letters *seam;
    int settled, records; /* letters kept; records not given back */
};

extern struct letters_rig letters_rig;

void letters_rig_set_up(void);
void letters_rig_tear_down(void); /* fails the test when a record was not given back */

/* "{topic}.dead", on a topic orders.dead of 4 partitions; with one property more, or NULL. */
void open_letters(char *property);

extern const struct letter_why exhausted;

/* A record of the topic orders, like the given one: sent. */
struct letter *send_letter(const struct record *like, const struct letter_why *why);
struct letter *send_value(const char *value, size_t size);
void await_settled(int count); /* so many letters are kept, and no more */
bool has_fault(const void *text);

/* A consumer of all four partitions, from their beginning. */
rd_kafka_t *reader_new(const char *topic);
rd_kafka_message_t *read_letter(rd_kafka_t *reader);
rd_kafka_message_t *read_only_letter(rd_kafka_t *reader); /* there is no other */
void close_reader(rd_kafka_t *reader, rd_kafka_message_t *message);

/* `value` NULL: a null one. */
void expect_header(const rd_kafka_message_t *message, size_t index, const char *name,
                   const char *value);
size_t header_count(const rd_kafka_message_t *message);

#endif
