/*
 * roster: which consumer groups a cluster has, and who in them has which partition. Groups that we
 * have no right to are not told of by Kafka.
 *
 * roster_read waits for brokers: not for the loop. Everything else is of what it read last, and not
 * to be called while it runs.
 */
#ifndef KAFKA_ROSTER_H
#define KAFKA_ROSTER_H

#include "kafka/client.h"

struct roster;

/* NULL: at least one fault was added. */
struct roster *roster_new(const struct kafka_options *options, struct option_faults *faults);
void roster_free(struct roster *roster); /* waits */

/* group NULL: all. NULL: it was read; else why it was not, in words, borrowed until the next. What
 * some brokers did not tell of is left out. */
const char *roster_read(struct roster *roster, const char *group, int timeout_ms);

struct roster_group {
    char *name;
    char *state; /* "Stable", "Empty", ... */
    size_t members;
};

/* A partition that somebody has. */
struct roster_owner {
    const char *group;
    char *topic;
    int32_t partition;
    char *client_id, *host;
};

const struct roster_group *roster_groups(const struct roster *roster, size_t *count);
const struct roster_owner *roster_owners(const struct roster *roster, size_t *count);

/* NULL: there is none. */
const struct roster_group *roster_group(const struct roster *roster, const char *group);
const struct roster_owner *roster_owner(const struct roster *roster, const char *group,
                                        const char *topic, int32_t partition);

#endif
