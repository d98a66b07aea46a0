/* recovery: what look-ups by timestamp prove about the time before. */
#include "core/recovery.h"

#include <criterion/criterion.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Committed 1000, end 9000, threshold 500, where nothing else is said. */
static const struct {
    const char *sentence;
    bool append_time;
    int64_t committed;
    int64_t found[RECOVERY_LOOKS];
    enum recovery recovery;
} cases[] = {
    {"a threshold was there already", true, 1000, {1500, 0, 0, 0}, RECOVERY_PROVED},
    {"one less", true, 1000, {1499, 0, 0, 0}, RECOVERY_NOT},
    {"all of it came since", true, 1000, {900, 0, 0, 0}, RECOVERY_NOT},
    {"nothing was written since: the end was what it is",
     true,
     1000,
     {-1, 0, 0, 0},
     RECOVERY_PROVED},
    {"but nothing waits", true, 9000, {-1, 0, 0, 0}, RECOVERY_NOT},
    {"nothing is committed", true, -2, {8000, 0, 0, 0}, RECOVERY_NOT},
    {"writers' stamps: likely", false, 1000, {3000, 4000, 5000, 6000}, RECOVERY_LIKELY},
    {"a threshold less", false, 1000, {1400, 4000, 5000, 6000}, RECOVERY_NOT},
    {"a backfill: all old records are one offset away",
     false,
     1000,
     {3000, 3000, 3000, 3000},
     RECOVERY_NOT},
    {"two looks find the same", false, 1000, {3000, 4000, 4000, 6000}, RECOVERY_NOT},
    {"one finds none", false, 1000, {3000, 4000, 5000, -1}, RECOVERY_NOT},
    {"none finds any: a backfill of old records", false, 1000, {-1, -1, -1, -1}, RECOVERY_NOT},
};

Test(recovery, believes_what_is_proved)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct recovery_question question = {
            .committed = cases[i].committed,
            .end = 9000,
            .threshold = 500,
            .append_time = cases[i].append_time,
        };

        for (int look = 0; look < RECOVERY_LOOKS; look++)
            question.found[look] = cases[i].found[look];
        cr_expect_eq(recovery_judge(&question), cases[i].recovery, "%s", cases[i].sentence);
    }
}

Test(recovery, looks_at_even_distances)
{
    static const int64_t ms[RECOVERY_LOOKS] = {880000, 910000, 940000, 970000};

    for (int i = 0; i < RECOVERY_LOOKS; i++)
        cr_expect_eq(recovery_look_ms(1000000, 120000, i), ms[i]);
}
