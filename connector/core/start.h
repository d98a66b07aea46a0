/*
 * start: where the reading of a partition begins.
 *
 * At its committed offset. Without one, a partition that was added to the topic after the group
 * began on it (its number is at least the least `born` among its siblings' commits) starts at the
 * earliest record, so that none written before it was noticed is missed; any other at
 * `initial_offset`. A committed offset below the log's first record has expired: the earliest that
 * is left. One behind the log's end, or a record behind it that was read before, means that the
 * topic was made anew: earliest too, and what was known of the old log is void. So does a topic
 * without any commit that had some before: Kafka drops them with the topic.
 */
#ifndef CORE_START_H
#define CORE_START_H

#include "core/source.h"

enum initial_offset { INITIAL_LATEST, INITIAL_EARLIEST };

enum start_reason {
    START_COMMITTED,
    START_EXPIRED, /* records between the committed offset and the start are gone */
    START_MADE_ANEW,
    START_ADDED, /* the partition is younger than the group's work on the topic */
    START_LATEST,
    START_EARLIEST,
};

/* What is known beside the commits that were read. */
struct start_memory {
    int64_t seen;     /* the offset behind the last record that the group has read; 0: none */
    bool had_commits; /* the topic, for all or some of its partitions */
};

/* The offset; *reason why. */
int64_t start_position(const struct source_assignment *assignment, enum initial_offset initial,
                       struct start_memory memory, enum start_reason *reason);

/* In words, for the log: "committed offset", ... */
const char *start_reason_text(enum start_reason reason);

#endif
