/* kafka_policy: see kafka_policy.h. */
#include "core/kafka_policy.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- partitionLimitation ---- */

static const char *behind_blanks(const char *text)
{
    return text + strspn(text, " \t\r\n");
}

/* A number and the blanks behind it. NULL: there is none. */
static const char *read_number(const char *text, int32_t *number)
{
    char *end;
    long value;

    if (!isdigit((unsigned char)*text))
        return NULL;
    errno = 0;
    value = strtol(text, &end, 10);
    if (errno || value > INT32_MAX)
        return NULL;
    *number = (int32_t)value;
    return behind_blanks(end);
}

/* "8" or "1-4", and the blanks around it. */
static const char *read_range(const char *text, int32_t *first, int32_t *last)
{
    text = read_number(behind_blanks(text), first);
    *last = *first;
    if (text && *text == '-')
        text = read_number(behind_blanks(text + 1), last);
    return text;
}

bool partition_limit_parse(const char *text, struct partition_limit *limit)
{
    struct partition_limit read = {.count = 0};

    text = behind_blanks(text);
    for (bool more = *text; more; text++) {
        int32_t first = 0, last = 0;

        text = read_range(text, &first, &last);
        if (!text || (*text && *text != ',') || read.count == PARTITION_RANGES_MAX)
            return false;
        read.ranges[read.count].first = first;
        read.ranges[read.count++].last = last;
        more = *text == ',';
    }
    *limit = read;
    return true;
}

bool partition_limit_allows(const struct partition_limit *limit, int32_t number)
{
    for (size_t i = 0; i < limit->count; i++)
        if (number >= limit->ranges[i].first && number <= limit->ranges[i].last)
            return true;
    return limit->count == 0;
}

/* ---- the sum ---- */

struct lag_rule kafka_policy_lag_rule(const struct kafka_policy *policy)
{
    return (struct lag_rule){
        .none = policy->offset_reset == OFFSET_RESET_LATEST ? LAG_NONE_LATEST : LAG_NONE_EARLIEST,
        .none_is_zero = policy->scale_to_zero_on_invalid_offset,
    };
}

void kafka_sum_add(struct kafka_sum *sum, const struct kafka_policy *policy, int64_t lag,
                   bool unmoved)
{
    int64_t counts = policy->exclude_persistent_lag && unmoved ? 0 : lag;

    sum->partitions++;
    sum->total += lag;
    sum->lag += counts;
    sum->with_lag += counts > 0;
}

/* ---- the value ---- */

int64_t kafka_policy_even_consumers(int64_t least, int64_t partitions)
{
    for (int64_t consumers = least > 1 ? least : 1; consumers < partitions; consumers++)
        if (partitions % consumers == 0)
            return consumers;
    return partitions;
}

int64_t kafka_policy_value(const struct kafka_policy *policy, const struct kafka_sum *sum)
{
    int64_t threshold = policy->lag_threshold;
    int64_t most = (int64_t)sum->partitions;
    int64_t lag = sum->lag;

    if (policy->allow_idle_consumers && !policy->limit_to_partitions_with_lag &&
        !policy->ensure_even_distribution)
        return lag;
    if (policy->ensure_even_distribution)
        lag = kafka_policy_even_consumers((lag + threshold - 1) / threshold, most) * threshold;
    if (policy->limit_to_partitions_with_lag)
        most = (int64_t)sum->with_lag;
    return lag / threshold > most ? most * threshold : lag;
}

bool kafka_policy_active(const struct kafka_policy *policy, const struct kafka_sum *sum)
{
    return sum->total > policy->activation_lag_threshold;
}
