/* lag: what waits, and what counts as waiting where nothing is committed. */
#include "core/lag.h"

#include <criterion/criterion.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define NO           OFFSET_UNKNOWN

static const struct lag_rule slimfaas = {LAG_NONE_WHOLE_LOG, false, false};
static const struct lag_rule latest = {LAG_NONE_LATEST, false, false};
static const struct lag_rule latest_zero = {LAG_NONE_LATEST, true, false};
static const struct lag_rule earliest = {LAG_NONE_EARLIEST, false, false};
static const struct lag_rule earliest_zero = {LAG_NONE_EARLIEST, true, false};
static const struct lag_rule ignoring = {LAG_NONE_LATEST, false, true};
static const struct lag_rule earliest_ignoring = {LAG_NONE_EARLIEST, false, true};

static const struct {
    const char *sentence;
    const struct lag_rule *rule;
    struct offsets offsets;
    int64_t lag;
} cases[] = {
    {"what lies behind the commit waits", &latest, {10, NO, 25}, 15},
    {"at the end nothing does", &latest, {25, NO, 25}, 0},
    {"a commit beyond the end is read later than it", &latest, {26, NO, 25}, 0},
    {"an offset of 0 is a commit", &latest, {0, NO, 25}, 25},
    {"an empty log", &earliest, {0, 0, 0}, 0},
    {"what expired unread counts, as kafka-consumer-groups has it", &earliest, {10, 20, 25}, 15},
    {"the rules for none have no say where there is a commit", &earliest_zero, {10, 0, 25}, 15},

    {"SlimFaas: all that is in the log", &slimfaas, {OFFSET_NONE, 5, 25}, 20},
    {"SlimFaas: its start not known, the end", &slimfaas, {OFFSET_NONE, NO, 25}, 25},
    {"SlimFaas: all has expired", &slimfaas, {OFFSET_NONE, 25, 25}, 0},
    {"KEDA, latest: one", &latest, {OFFSET_NONE, 5, 25}, 1},
    {"KEDA, latest: one, of an empty log too", &latest, {OFFSET_NONE, 0, 0}, 1},
    {"KEDA, latest, scaleToZeroOnInvalidOffset", &latest_zero, {OFFSET_NONE, 5, 25}, 0},
    {"KEDA, earliest: all that is in the log", &earliest, {OFFSET_NONE, 5, 25}, 20},
    {"KEDA, earliest: not known before the start is", &earliest, {OFFSET_NONE, NO, 25}, -1},
    {"a start read after the end", &earliest, {OFFSET_NONE, 26, 25}, 0},
    {"KEDA, earliest, scaleToZeroOnInvalidOffset", &earliest_zero, {OFFSET_NONE, NO, 25}, 0},

    {"SlimFaas: of a group that may not be read, the end", &slimfaas, {OFFSET_HIDDEN, 5, 25}, 25},
    {"KEDA's rules say nothing of it", &latest, {OFFSET_HIDDEN, 5, 25}, -1},
    {"nor earliest, which is about none", &earliest_zero, {OFFSET_HIDDEN, 5, 25}, -1},

    {"no end, no lag", &latest, {10, 0, NO}, -1},
    {"not even where none is committed", &latest, {OFFSET_NONE, 0, NO}, -1},
    {"nor where a none is zero", &latest_zero, {OFFSET_NONE, 0, NO}, -1},
    {"nor of one that may not be read", &slimfaas, {OFFSET_HIDDEN, 0, NO}, -1},
    {"a commit that was not read is not none", &slimfaas, {NO, 5, 25}, -1},
    {"nor is it by KEDA's rules", &latest_zero, {NO, 5, 25}, -1},

    {"one behind a transaction's marker", &ignoring, {24, NO, 25}, 0},
    {"two are two", &ignoring, {23, NO, 25}, 2},
    {"KEDA's one for none stays", &ignoring, {OFFSET_NONE, NO, 25}, 1},
    {"a log of one record waits whole", &earliest_ignoring, {OFFSET_NONE, 24, 25}, 1},
};

Test(lag, is_what_lies_between_commit_and_end)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        cr_expect_eq(lag_of(cases[i].rule, &cases[i].offsets), cases[i].lag, "%s: %d",
                     cases[i].sentence, (int)lag_of(cases[i].rule, &cases[i].offsets));
}

Test(lag, a_sum_is_over_what_is_known_and_says_what_it_lacks)
{
    struct lag_sum sum = {0};

    lag_add(&sum, 7);
    lag_add(&sum, LAG_UNKNOWN);
    lag_add(&sum, 0);
    lag_add(&sum, INT64_C(1) << 40);
    cr_expect_eq(sum.lag, 7 + (INT64_C(1) << 40));
    cr_expect_eq(sum.known, 3);
    cr_expect_eq(sum.unknown, 1);
}
