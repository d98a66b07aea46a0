/* lag: see lag.h. */
#include "core/lag.h"

static bool is_known(int64_t offset)
{
    return offset >= 0;
}

static int64_t difference(int64_t end, int64_t from)
{
    return end > from ? end - from : 0;
}

static int64_t of_none(const struct lag_rule *rule, const struct offsets *offsets)
{
    if (rule->none_is_zero)
        return 0;
    if (rule->none == LAG_NONE_LATEST)
        return 1;
    if (is_known(offsets->start))
        return difference(offsets->end, offsets->start);
    return rule->none == LAG_NONE_WHOLE_LOG ? offsets->end : LAG_UNKNOWN;
}

int64_t lag_of(const struct lag_rule *rule, const struct offsets *offsets)
{
    int64_t lag;

    if (!is_known(offsets->end))
        return LAG_UNKNOWN;
    if (offsets->committed == OFFSET_NONE)
        return of_none(rule, offsets);
    if (offsets->committed == OFFSET_HIDDEN && rule->none == LAG_NONE_WHOLE_LOG)
        return offsets->end;
    if (!is_known(offsets->committed))
        return LAG_UNKNOWN;
    lag = difference(offsets->end, offsets->committed);
    return lag == 1 && rule->ignore_one ? 0 : lag;
}

void lag_add(struct lag_sum *sum, int64_t lag)
{
    if (lag < 0) {
        sum->unknown++;
        return;
    }
    sum->known++;
    sum->lag += lag;
}
