/*
 * lag: how many records of a partition wait for a group, from three offsets; and what counts as
 * waiting where the group has committed nothing.
 *
 * The lag is end - committed, clamped at 0: a commit may be read behind a younger end. What is not
 * known is never 0: an end that could not be read makes the lag LAG_UNKNOWN, and a sum says how
 * many partitions it lacks.
 */
#ifndef CORE_LAG_H
#define CORE_LAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What stands for an offset that is none. */
enum {
    OFFSET_UNKNOWN = -1, /* it could not be read, or not yet */
    OFFSET_NONE = -2,    /* committed only: the group has committed nothing here */
    OFFSET_HIDDEN = -3,  /* committed only: we have no right to read the group's commits */
};

/* Of one partition, for one group. */
struct offsets {
    int64_t committed; /* the next record to be read, OFFSET_UNKNOWN, _NONE or _HIDDEN */
    int64_t start;     /* of the log, or OFFSET_UNKNOWN: it is read only where it is needed */
    int64_t end;       /* behind the last record (the high watermark), or OFFSET_UNKNOWN */
};

#define OFFSETS_UNKNOWN ((struct offsets){OFFSET_UNKNOWN, OFFSET_UNKNOWN, OFFSET_UNKNOWN})

/* What waits where nothing is committed. */
enum lag_none {
    /* SlimFaas Kafka's: all that is in the log; where its start is not known, the end as a number.
     * The only rule that says something of a group that may not be read: the end as a number. */
    LAG_NONE_WHOLE_LOG,
    LAG_NONE_LATEST,   /* KEDA's offsetResetPolicy=latest: 1 */
    LAG_NONE_EARLIEST, /* KEDA's earliest: all that is in the log; not known before its start is */
};

struct lag_rule {
    enum lag_none none;
    bool none_is_zero; /* KEDA's scaleToZeroOnInvalidOffset: of nothing committed, 0 */
    bool ignore_one; /* a lag of 1 is 0: the marker of a transaction, which no consumer is given */
};

enum { LAG_UNKNOWN = -1 };

/* Records that wait, >= 0, or LAG_UNKNOWN. */
int64_t lag_of(const struct lag_rule *rule, const struct offsets *offsets);

/* A sum over the partitions that are known. Zero-initialised is empty. */
struct lag_sum {
    int64_t lag;
    size_t known, unknown; /* partitions */
};

/* Adds what lag_of gave. */
void lag_add(struct lag_sum *sum, int64_t lag);

#endif
