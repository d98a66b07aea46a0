/* scale_policy: see scale_policy.h. */
#include "core/scale_policy.h"

#include <inttypes.h>

enum {
    LAG_MOST = 1000000000,
    DAY_MS = 24 * 60 * 60 * 1000,
    SAMPLES_DEFAULT = 30,
    SAMPLES_MOST = 10000,
};

#define FIELD(name) offsetof(struct scale_policy, name)

static const struct option_row rows[] = {
    {.name = "lagThreshold",
     .aliases = "LAG_THRESHOLD",
     .type = OPTION_INT,
     .offset = FIELD(kafka.lag_threshold),
     .default_text = "500",
     .min = 1,
     .max = LAG_MOST,
     .text = "A partition is over when so many records or more wait; and the value that the "
             "autoscaler takes for one replica."},
    {.name = "sustainSeconds",
     .aliases = "SUSTAIN_SECONDS",
     .type = OPTION_DURATION,
     .offset = FIELD(sustain_ms),
     .default_text = "120",
     .max = DAY_MS,
     .text = "How long a partition must be over without a break before it is scaled for."},
    {.name = "samplingInterval",
     .aliases = "SAMPLING_INTERVAL",
     .type = OPTION_DURATION,
     .offset = FIELD(sampling_ms),
     .default_text = "10",
     .min = 1000,
     .max = 60 * 60 * 1000,
     .text = "The time from one look at the offsets to the next."},
    {.name = "windowSize",
     .aliases = "WINDOW_SIZE",
     .type = OPTION_INT,
     .offset = FIELD(window_size),
     .max = SAMPLES_MOST,
     .text = "Samples kept of each partition. Unset: 30, or more where sustainSeconds or "
             "scaleDownStabilization need them."},
    {.name = "scaleUpStabilization",
     .type = OPTION_DURATION,
     .offset = FIELD(up_ms),
     .default_text = "60",
     .max = DAY_MS,
     .text = "The value rises at most once in this time."},
    {.name = "scaleDownStabilization",
     .type = OPTION_DURATION,
     .offset = FIELD(down_ms),
     .default_text = "300",
     .max = DAY_MS,
     .text = "The value falls only to the highest that was called for in this time, and to nothing "
             "when no partition was over in it."},
    {.name = "drainSeconds",
     .type = OPTION_DURATION,
     .offset = FIELD(drain_ms),
     .max = DAY_MS,
     .text = "A partition whose lag falls so fast that it is under lagThreshold in this time is "
             "draining and not scaled for. Unset: sustainSeconds."},
    {.name = "timeLagSeconds",
     .type = OPTION_DURATION,
     .offset = FIELD(time_lag_ms),
     .default_text = "0",
     .max = 7 * (int64_t)DAY_MS,
     .text = "A partition is over, too, when its oldest waiting record was written so long ago; 0: "
             "only the number counts."},
    {.name = "sizing",
     .type = OPTION_CHOICE,
     .offset = FIELD(sizing),
     .default_text = "pace",
     .choices = "lag|pace",
     .text = "What the value is once lag has lasted. pace: lagThreshold for each replica that is "
             "needed to keep up with what is written and to consume what waits, by what one was "
             "seen to consume. lag: all that waits, as with KEDA's kafka scaler."},
    {.name = "activationLagThreshold",
     .type = OPTION_INT,
     .offset = FIELD(kafka.activation_lag_threshold),
     .default_text = "0",
     .text = "What wakes the target from zero replicas when nobody consumes: more than so many "
             "records in all partitions."},
    {.name = "offsetResetPolicy",
     .type = OPTION_CHOICE,
     .offset = FIELD(kafka.offset_reset),
     .default_text = "latest",
     .choices = "latest|earliest",
     .text = "What waits in a partition of which the group has committed nothing: latest 1, "
             "earliest all that is in it."},
    {.name = "scaleToZeroOnInvalidOffset",
     .type = OPTION_BOOL,
     .offset = FIELD(kafka.scale_to_zero_on_invalid_offset),
     .default_text = "false",
     .text = "Nothing waits there instead."},
    {.name = "allowIdleConsumers",
     .type = OPTION_BOOL,
     .offset = FIELD(kafka.allow_idle_consumers),
     .default_text = "false",
     .text = "The value may call for more replicas than there are partitions."},
    {.name = "limitToPartitionsWithLag",
     .type = OPTION_BOOL,
     .offset = FIELD(kafka.limit_to_partitions_with_lag),
     .default_text = "false",
     .text = "It may call for no more than there are partitions with lag."},
    {.name = "ensureEvenDistributionOfPartitions",
     .type = OPTION_BOOL,
     .offset = FIELD(kafka.ensure_even_distribution),
     .default_text = "false",
     .text = "It calls for a number of replicas that divides the partitions evenly."},
    {.name = "excludePersistentLag",
     .type = OPTION_BOOL,
     .offset = FIELD(kafka.exclude_persistent_lag),
     .default_text = "false",
     .text = "A partition whose commit stands where it stood at the sample before adds nothing to "
             "the value."},
    {.name = "partitionLimitation",
     .type = OPTION_STRING,
     .offset = FIELD(partition_limitation),
     .value_name = "1-4,8",
     .text = "Only these partitions are counted."},
};

const struct option_table scale_policy_table = {"Policy", rows, sizeof(rows) / sizeof(*rows)};

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* So many times from one to the next lie in the longest time that is looked back. */
static int64_t samples_needed(const struct scale_policy *policy)
{
    int64_t back = longer(policy->sustain_ms, policy->down_ms);

    return (back + policy->sampling_ms - 1) / policy->sampling_ms;
}

static void settle_window(struct scale_policy *policy, struct option_faults *faults)
{
    int64_t needed = samples_needed(policy);

    if (needed >= SAMPLES_MOST)
        option_fault(faults,
                     "samplingInterval: too short for sustainSeconds and scaleDownStabilization; "
                     "%" PRId64 " samples are more than %d",
                     needed + 1, SAMPLES_MOST);
    else if (policy->window_size && policy->window_size < needed)
        option_fault(faults,
                     "windowSize: \"%" PRId64 "\" is too small for sustainSeconds and "
                     "scaleDownStabilization; it must be at least %" PRId64 ", or unset",
                     policy->window_size, needed);
    if (!policy->window_size)
        policy->window_size = SAMPLES_DEFAULT;
    policy->window_size = longer(policy->window_size, needed + 1); /* with the one it begins at */
}

/* KEDA's Validate. */
static void check_together(const struct kafka_policy *kafka, bool has_topic,
                           struct option_faults *faults)
{
    if (kafka->limit_to_partitions_with_lag && kafka->allow_idle_consumers)
        option_fault(faults,
                     "limitToPartitionsWithLag: cannot be given together with allowIdleConsumers");
    if (kafka->limit_to_partitions_with_lag && kafka->ensure_even_distribution)
        option_fault(faults, "limitToPartitionsWithLag: cannot be given together with "
                             "ensureEvenDistributionOfPartitions");
    if (kafka->limit_to_partitions_with_lag && !has_topic)
        option_fault(faults, "limitToPartitionsWithLag: needs a topic");
    if (kafka->ensure_even_distribution && !has_topic)
        option_fault(faults, "ensureEvenDistributionOfPartitions: needs a topic");
}

void scale_policy_settle(struct scale_policy *policy, bool has_topic, struct option_faults *faults)
{
    const char *limitation = policy->partition_limitation;

    policy->finer = 1;
    policy->limit = (struct partition_limit){.count = 0};
    if (limitation && !partition_limit_parse(limitation, &policy->limit))
        option_fault(faults,
                     "partitionLimitation: \"%s\" is no list of partitions (such as 1-4,8) of at "
                     "most %d parts",
                     limitation, PARTITION_RANGES_MAX);
    if (!has_topic) /* as KEDA: the numbers of which topic? */
        policy->limit.count = 0;
    if (!policy->drain_ms)
        policy->drain_ms = policy->sustain_ms;
    if (policy->sampling_ms) /* else it could not be read, and that is told */
        settle_window(policy, faults);
    check_together(&policy->kafka, has_topic, faults);
}

bool scale_policy_is_kafkas(const struct scale_policy *policy)
{
    return !policy->sustain_ms && !policy->up_ms && !policy->down_ms;
}
