/* duration: spans of time as users write them. */
#include "base/duration.h"

#include <criterion/criterion.h>

Test(duration, reads_what_go_reads)
{
    static const struct {
        const char *sentence, *text;
        int64_t ms;
    } cases[] = {
        {"a unit", "30s", 30000},
        {"two units", "1m30s", 90000},
        {"a part of a unit", "1.5h", 5400000},
        {"no digit before the point", ".5s", 500},
        {"no digit behind the point", "5.s", 5000},
        {"units in any order, as Go allows", "1s1h", 3601000},
        {"a bare number is seconds", "30", 30000},
        {"a bare fraction too", "0.25", 250},
        {"zero", "0", 0},
        {"zero of a fine unit", "0ns", 0},
        {"a negative zero is none", "-0s", 0},
        {"a plus", "+1s", 1000},
        {"fine units that add up to a millisecond", "999us1000ns", 1},
        {"the micro sign", "2000\u00b5s", 2},
        {"the Greek mu", "2000\u03bcs", 2},
        {"no rounding by floating point", "0.001s", 1},
        {"zeros nobody needs", "0.50000000000000000000000s", 500},
        {"leading zeros", "0000000000000000000000001s", 1000},
        {"100 years", "876000h", INT64_C(3153600000000)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t ms = -1;
        const char *reason = NULL;
        cr_expect(duration_parse(cases[i].text, &ms, &reason), "%s: %s", cases[i].sentence, reason);
        cr_expect_eq(ms, cases[i].ms, "%s: %lld", cases[i].sentence, (long long)ms);
    }
}

Test(duration, says_why_it_does_not_read)
{
    static const char syntax[] = "is not a duration (such as 30s, 1m30s or 250ms)";
    static const struct {
        const char *sentence, *text, *reason;
    } cases[] = {
        {"nothing", "", syntax},
        {"letters", "abc", syntax},
        {"a sign alone", "-", syntax},
        {"two signs", "--1s", syntax},
        {"a point alone", ".", syntax},
        {"a point with a unit", ".s", syntax},
        {"two points", "1.2.3s", syntax},
        {"an unknown unit", "1d", syntax},
        {"units are lower-case", "1S", syntax},
        {"a blank", "1 s", syntax},
        {"a blank at the end", "1s ", syntax},
        {"a bare number behind a unit", "1m30", syntax},
        {"an exponent", "1e3s", syntax},
        {"bad syntax outweighs a span too long", "999999999hx", syntax},
        {"a negative span", "-5s", "is negative"},
        {"a negative span that is too fine", "-1ns", "is negative"},
        {"a fraction of a millisecond", "300us", "is finer than a millisecond"},
        {"a millisecond and a half", "1.5ms", "is finer than a millisecond"},
        {"a digit far behind the point", "1.00000000000000000001s", "is finer than a millisecond"},
        {"a millisecond over 100 years", "876000h1ms", "is over 100 years"},
        {"a sum over 100 years", "876000h876000h", "is over 100 years"},
        {"more than any integer holds", "99999999999999999999999999h", "is over 100 years"},
        {"more than any integer holds, in ns", "99999999999999999999ns", "is over 100 years"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t ms = -1;
        const char *reason = NULL;
        cr_expect_not(duration_parse(cases[i].text, &ms, &reason), "%s", cases[i].sentence);
        cr_expect_str_eq(reason ? reason : "", cases[i].reason, "%s: %s", cases[i].sentence,
                         reason);
        cr_expect_eq(ms, -1, "%s: written to", cases[i].sentence);
    }
}

Test(duration, writes_the_form_users_write)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {1, "1ms"},
        {250, "250ms"},
        {1000, "1s"},
        {1001, "1.001s"},
        {1500, "1.5s"},
        {60000, "1m"},
        {90000, "1m30s"},
        {3600000, "1h"},
        {3600001, "1h0.001s"},
        {5400500, "1h30m0.5s"},
        {86400000, "24h"},
        {INT64_MAX, "2562047788015h12m55.807s"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[DURATION_TEXT_SIZE];
        cr_expect_str_eq(duration_format(cases[i].ms, text), cases[i].text, "%s", text);
    }
}

Test(duration, reads_back_what_it_writes)
{
    for (int64_t ms = 0; ms < INT64_C(3153600000000); ms += 1 + ms / 97) {
        char text[DURATION_TEXT_SIZE];
        int64_t read = -1;
        const char *reason;
        cr_assert(duration_parse(duration_format(ms, text), &read, &reason), "%s", text);
        cr_assert_eq(read, ms, "%s", text);
    }
}
