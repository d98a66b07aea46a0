/*
 * account: what became of each record of a topic, by the broker's log and the calls a gateway got.
 */
#ifndef HARNESS_ACCOUNT_H
#define HARNESS_ACCOUNT_H

#include "tests/harness/call_log.h"
#include "tests/harness/cluster.h"

#include <stdint.h>

struct account {
    int64_t records;    /* in the topic's log */
    int64_t lost;       /* of them, the function never ran on */
    int64_t repeated;   /* runs on a record beyond its first */
    int64_t strange;    /* runs on what is not in the log */
    int64_t disordered; /* first calls for a record behind a call for a later one of its key */
    int64_t crossed;    /* calls that came while one of the same key was under way */
};

/* Of the records of all partitions from offset 0, and of one function ("figlet" or
 * "figlet.namespace"). Records without a key are in order with all others of their partition. */
struct account account_of(const struct call_log *log, struct cluster *cluster, const char *function,
                          const char *topic);

/* Of the first `calls` of the log (SIZE_MAX: all), how many were for records that the group has not
 * committed: what a member that starts now may repeat. */
int64_t account_uncommitted(const struct call_log *log, size_t calls, struct cluster *cluster,
                            const char *function, const char *topic);

/* "20000 records, lost 0, repeated 0, ...". Caller frees. */
char *account_text(const struct account *account);

#endif
