/*
 * commits: what a group committed and when, read from the brokers' own log of commits. It is what
 * a member that is given a partition goes by, so a run that it covers must not be repeated.
 */
#ifndef FAULTS_COMMITS_H
#define FAULTS_COMMITS_H

#include "tests/faults/admin.h"

#include <stdbool.h>
#include <stdint.h>

struct commit {
    int64_t at_us; /* by the coordinator's clock, which is ours, to the ms */
    int64_t offset;
    char *metadata;
};

struct commit_log { /* of a partition, in order */
    struct commit *list;
    size_t count, room;
};

struct commits {
    const char *bootstrap, *group;
    struct commit_log partition[PARTITIONS_MOST];
    int64_t *from; /* of each partition of the log of commits: where to begin */
    int from_count;
};

/* Both take a struct commits and belong into a job. */
void commits_begin(void *commits); /* what comes from now on */
void commits_read(void *commits);  /* all that came */
void commits_release(struct commits *commits);

/* Whether the last commit at a time says that the function has finished the record. */
bool commits_cover(const struct commits *commits, int partition, int64_t offset,
                   const char *function_path, int64_t at_us);

#endif
