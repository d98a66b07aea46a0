/*
 * kafka_policy: the arithmetic of KEDA's own kafka scaler: from the lag of each partition to the
 * value that the autoscaler divides by lagThreshold, and to active or not.
 *
 * The rules are those of getLagForPartition, getTotalLag and GetMetricsAndActivity in KEDA's
 * pkg/scalers/kafka_scaler.go (read at commit 8b4f083, August 2026), to the letter:
 *   value = the sum of what counts, with integer division for the caps, so that 12 partitions at a
 *   threshold of 500 cap a lag of 6500 to 6000, and leave one of 6499 as it is; with
 *   ensureEvenDistributionOfPartitions it is lagThreshold times the least factor of the number of
 *   partitions that is enough, which is never 0; active = the sum of all > activationLagThreshold.
 * What KEDA does not know is an unknown lag: it takes a partition whose end was not told for one
 * without lag. Here whoever adds says what an unknown one counts (core/evaluator: what it was).
 */
#ifndef CORE_KAFKA_POLICY_H
#define CORE_KAFKA_POLICY_H

#include "core/lag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARTITION_RANGES_MAX = 64 };

/* partitionLimitation: "1-4,8". Without ranges every partition counts. */
struct partition_limit {
    struct {
        int32_t first, last;
    } ranges[PARTITION_RANGES_MAX];
    size_t count;
};

/* Reads a list of numbers and ranges; a blank text is the empty list, a range whose last is below
 * its first holds none. False at what is neither, or at more than PARTITION_RANGES_MAX; *limit is
 * then as it was. */
bool partition_limit_parse(const char *text, struct partition_limit *limit);
bool partition_limit_allows(const struct partition_limit *limit, int32_t number);

enum offset_reset { OFFSET_RESET_LATEST, OFFSET_RESET_EARLIEST };

/* KEDA's keys. */
struct kafka_policy {
    int64_t lag_threshold; /* >= 1 */
    int64_t activation_lag_threshold;
    int offset_reset; /* enum offset_reset */
    bool allow_idle_consumers;
    bool exclude_persistent_lag;
    bool scale_to_zero_on_invalid_offset;
    bool limit_to_partitions_with_lag;
    bool ensure_even_distribution;
};

/* What counts as lag where nothing is committed: 1 or all that is in the log, or 0 of either. */
struct lag_rule kafka_policy_lag_rule(const struct kafka_policy *policy);

/* Zero-initialised is the sum of nothing. */
struct kafka_sum {
    int64_t lag;       /* that counts for the value */
    int64_t total;     /* that counts for active */
    size_t partitions; /* added */
    size_t with_lag;   /* those whose lag counts for the value */
};

/* Adds a partition. lag >= 0. unmoved: its commit is the one of the poll before, for
 * excludePersistentLag. */
void kafka_sum_add(struct kafka_sum *sum, const struct kafka_policy *policy, int64_t lag,
                   bool unmoved);

/* The least number of consumers that divides the partitions evenly and is no less than `least`; all
 * of them, where none is. */
int64_t kafka_policy_even_consumers(int64_t least, int64_t partitions);

int64_t kafka_policy_value(const struct kafka_policy *policy, const struct kafka_sum *sum);
bool kafka_policy_active(const struct kafka_policy *policy, const struct kafka_sum *sum);

#endif
