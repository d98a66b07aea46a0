/* pace: see pace.h. */
#include "core/pace.h"

#include <math.h>

static const double planned = 0.9; /* of its rate, for a replica in the long run */
static const double kept = 0.5;    /* when more than so much of the value is needed it stays */

static int64_t rounded_up(int64_t number, int64_t by)
{
    return (number + by - 1) / by;
}

int64_t pace_consumers(double times, int64_t partitions)
{
    double each;

    if (partitions < 1 || times <= 0)
        return 1;
    each = floor((double)partitions / times); /* partitions that one can bear */
    if (each < 1)
        return partitions;
    return each >= (double)partitions ? 1 : rounded_up(partitions, (int64_t)each);
}

/* The next number that is faster: every consumer has a partition less than the fullest has now. */
static int64_t more_consumers(int64_t consumers, int64_t partitions)
{
    int64_t each = rounded_up(partitions, consumers);

    return each > 1 ? rounded_up(partitions, each - 1) : consumers;
}

static bool has_stood(const struct stabilizer *stabilizer, int64_t up_ms, int64_t now_ms)
{
    return (!stabilizer->has_risen || now_ms - stabilizer->risen_ms >= up_ms + PACE_RISEN_MS) &&
           (!stabilizer->has_fallen || now_ms - stabilizer->fallen_ms >= PACE_FALLEN_MS);
}

static void see_rate(struct pace *pace, const struct scale_policy *policy,
                     const struct evaluation *all, const struct stabilizer *stabilizer,
                     int64_t replicas, int64_t now_ms)
{
    if (all->busy < all->partitions || all->flow.consumed <= 0 ||
        !has_stood(stabilizer, policy->up_ms, now_ms))
        return;
    pace->rate = all->flow.consumed / (double)replicas;
    pace->seen_ms = now_ms;
}

static double rate_at(const struct pace *pace, int64_t now_ms)
{
    return pace->rate * exp2((double)(now_ms - pace->seen_ms) / PACE_DOUBLED_MS);
}

/* Replicas for what is written and, where some partition is over, for what waits. A log is consumed
 * from its front: what is written meanwhile does not hold up what waits now. */
static int64_t replicas_needed(const struct evaluation *all, double rate, int64_t drain_ms)
{
    double waiting = (double)all->sum.lag * 1000 / (double)drain_ms;
    double needed = all->flow.arrived_long / (rate * planned);

    if (all->over)
        needed = fmax(needed, fmax(all->flow.arrived, waiting) / rate);
    return pace_consumers(needed, (int64_t)all->sum.partitions);
}

/* No less is written of late than in scaleDownStabilization, or not so much less that it matters.
 */
static bool is_level(const struct evaluation *all, double rate)
{
    int64_t partitions = (int64_t)all->sum.partitions;

    return pace_consumers(all->flow.arrived / (rate * planned), partitions) >=
           pace_consumers(all->flow.arrived_long / (rate * planned), partitions);
}

static int64_t allowed(const struct scale_policy *policy, int64_t consumers, int64_t partitions)
{
    return policy->kafka.ensure_even_distribution
               ? kafka_policy_even_consumers(consumers, partitions)
               : consumers;
}

/* While lag lasts and does not fall there are fewer replicas than was thought: one more at least.
 */
static int64_t risen(const struct scale_policy *policy, const struct evaluation *all,
                     int64_t replicas, int64_t needed)
{
    int64_t partitions = (int64_t)all->sum.partitions;
    int64_t more = allowed(policy, more_consumers(replicas, partitions), partitions);

    return needed > more || all->flow.consumed > all->flow.arrived ? needed : more;
}

int64_t pace_wanted(struct pace *pace, const struct scale_policy *policy,
                    const struct evaluation *evaluation, const struct stabilizer *stabilizer,
                    int64_t kedas, int64_t now_ms)
{
    int64_t threshold = policy->kafka.lag_threshold, value = stabilizer->value;
    int64_t partitions = (int64_t)evaluation->sum.partitions;
    int64_t replicas = value > 0 ? rounded_up(value, threshold) : 1;
    int64_t needed, rise = 0;
    double rate;

    see_rate(pace, policy, evaluation, stabilizer, replicas, now_ms);
    if (pace->rate <= 0)
        return kedas;
    rate = rate_at(pace, now_ms);
    needed = replicas_needed(evaluation, rate, policy->drain_ms);
    needed = allowed(policy, needed, partitions);
    if (evaluation->raising) {
        rise = risen(policy, evaluation, replicas, needed) * threshold;
        rise = rise < kedas ? rise : kedas;
    }
    if ((double)needed > kept * (double)replicas || !is_level(evaluation, rate))
        return rise > value ? rise : value;
    return rise > needed * threshold ? rise : needed * threshold;
}
