/*
 * assignment: the partitions that a member of a consumer group was given, as Kafka keeps them.
 * Source of the form: Kafka's ConsumerProtocolAssignment.json (versions 0 to 3 begin alike).
 */
#ifndef KAFKA_ASSIGNMENT_H
#define KAFKA_ASSIGNMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calls `found` for each partition. topic: not NUL-terminated, borrowed until it returns. False:
 * the bytes are none; some may have been told before that was seen. */
bool assignment_read(const void *bytes, size_t size,
                     void (*found)(void *context, const char *topic, size_t topic_size,
                                   int32_t partition),
                     void *context);

#endif
