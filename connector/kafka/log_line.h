/*
 * log_line: what librdkafka says, as lines of our log.
 */
#ifndef KAFKA_LOG_LINE_H
#define KAFKA_LOG_LINE_H

#include <librdkafka/rdkafka.h>

/* The line of a log event; borrows it. */
void kafka_log_line(rd_kafka_event_t *event);

#endif
