/* retry: the table of rules, and waits within their bounds. */
#include "core/retry.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
    const char *sentence, *text;
    bool good;
    int codes[4]; /* those that are set, 0 behind the last */
} lists[] = {
    {"one status", "404", true, {404}},
    {"several", "404,429,503", true, {404, 429, 503}},
    {"blanks around them", " 404 ,\t429 ", true, {404, 429}},
    {"one twice is one", "503,503", true, {503}},
    {"the lowest and the highest", "100,599", true, {100, 599}},
    {"an empty list: nothing is retried", "", true, {0}},
    {"below the lowest", "099", false, {0}},
    {"above the highest", "600", false, {0}},
    {"a class is no status", "404,5xx", false, {0}},
    {"two digits", "40", false, {0}},
    {"four digits", "4040", false, {0}},
    {"a sign", "+404", false, {0}},
    {"nothing between two commas", "404,,429", false, {0}},
    {"nothing in front of a comma", ",404", false, {0}},
    {"nothing behind a comma", "404,", false, {0}},
    {"a blank behind a comma", "404, ", false, {0}},
    {"a comma alone", ",", false, {0}},
    {"a blank alone", " ", false, {0}},
    {"blanks do not separate", "404 429", false, {0}},
    {"nor do semicolons", "404;429", false, {0}},
    {"digits of another script", "\xd9\xa4\xd9\xa0\xd9\xa4", false, {0}},
};

Test(retry, reads_lists_of_statuses)
{
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct retry_rules rules = {.codes[418] = true};
        bool expected[RETRY_STATUS_MAX + 1] = {[418] = !lists[i].good};

        for (const int *code = lists[i].codes; *code; code++)
            expected[*code] = true;
        cr_expect_eq(retry_codes_parse(lists[i].text, &rules), lists[i].good, "%s",
                     lists[i].sentence);
        cr_expect_arr_eq(rules.codes, expected, sizeof(expected), "%s", lists[i].sentence);
    }
}

static const struct {
    const char *sentence, *text;
    bool good;
    int first, last; /* of those that are set; 0: none */
} ranges[] = {
    {"a status", "422", true, 422, 422},
    {"a range", "400-499", true, 400, 499},
    {"a range of one", "400-400", true, 400, 400},
    {"a class", "5xx", true, 500, 599},
    {"the lowest class", "3xx", true, 300, 399},
    {"ranges that meet", "400-449, 450-499 ,5xx", true, 400, 599},
    {"none", "", true, 0, 0},
    {"a range backwards", "499-400", false, 0, 0},
    {"a range without an end", "400-", false, 0, 0},
    {"a range without a beginning", "-400", false, 0, 0},
    {"a range of three", "400-410-420", false, 0, 0},
    {"a range beyond the last", "500-600", false, 0, 0},
    {"a range of classes", "4xx-5xx", false, 0, 0},
    {"what a function took", "200", false, 0, 0},
    {"a range that begins there", "200-599", false, 0, 0},
    {"among others", "422,299", false, 0, 0},
    {"a class of what was taken", "5xx,2xx", false, 0, 0},
    {"no answer yet", "1xx", false, 0, 0},
    {"no such class", "6xx", false, 0, 0},
    {"half a class", "5x", false, 0, 0},
    {"a class of tens", "50x", false, 0, 0},
    {"blanks in a range", "400 - 499", false, 0, 0},
};

Test(retry, reads_lists_of_dead_statuses_with_ranges)
{
    for (size_t i = 0; i < COUNT(ranges); i++) {
        struct retry_rules rules = {.dead_codes[418] = true};
        bool expected[RETRY_STATUS_MAX + 1] = {[418] = !ranges[i].good};

        for (int code = ranges[i].first; code && code <= ranges[i].last; code++)
            expected[code] = true;
        cr_expect_eq(retry_dead_codes_parse(ranges[i].text, &rules), ranges[i].good, "%s",
                     ranges[i].sentence);
        cr_expect_arr_eq(rules.dead_codes, expected, sizeof(expected), "%s", ranges[i].sentence);
    }
}

static const struct {
    const char *sentence;
    int64_t attempts, min_wait, max_wait; /* annotated; -1: not */
    int64_t attempts_then, min_then, max_then;
} annotations[] = {
    {"nothing annotated: the defaults", -1, -1, -1, 10, 200, 30000},
    {"attempts", 3, -1, -1, 3, 200, 30000},
    {"no attempt at all is no rule", 0, -1, -1, 10, 200, 30000},
    {"both waits", -1, 100, 1000, 10, 100, 1000},
    {"a longest wait under the default shortest takes it along", -1, -1, 50, 10, 50, 50},
    {"a shortest wait over the default longest takes it along", -1, 60000, -1, 10, 60000, 60000},
    {"of two that cross the shortest holds", -1, 900, 100, 10, 900, 900},
    {"no longest wait is no rule: it would be a loop", -1, 0, 0, 10, 0, 30000},
};

Test(retry, lets_annotations_override)
{
    const struct retry_rules defaults = {
        .attempts = 10, .timeouts = 1, .min_wait_ms = 200, .max_wait_ms = 30000};

    for (size_t i = 0; i < COUNT(annotations); i++) {
        struct function_retry annotated = {annotations[i].attempts, annotations[i].min_wait,
                                           annotations[i].max_wait, NULL};
        struct retry_rules rules = retry_rules_for(&defaults, &annotated);

        cr_expect_eq(rules.attempts, annotations[i].attempts_then, "%s", annotations[i].sentence);
        cr_expect_eq(rules.min_wait_ms, annotations[i].min_then, "%s", annotations[i].sentence);
        cr_expect_eq(rules.max_wait_ms, annotations[i].max_then, "%s", annotations[i].sentence);
        cr_expect_eq(rules.timeouts, 1, "%s", annotations[i].sentence);
    }
}

Test(retry, takes_annotated_statuses_only_when_they_can_be_read)
{
    const struct retry_rules defaults = {.attempts = 10, .codes[503] = true};
    struct function_retry annotated = {-1, -1, -1, (char[]){"429,500"}};
    struct retry_rules rules = retry_rules_for(&defaults, &annotated);

    cr_expect(rules.codes[429] && rules.codes[500] && !rules.codes[503]);
    annotated.codes = (char[]){"429,5xx"};
    rules = retry_rules_for(&defaults, &annotated);
    cr_expect(rules.codes[503] && !rules.codes[429]);
}

static const struct {
    const char *sentence;
    struct attempt attempt;
    bool only_2xx;
    struct retry_count before;
    enum verdict verdict;
    struct retry_count after;
} judgements[] = {
    {"200 is done", {ATTEMPT_ANSWERED, 200, false, -1}, false, {0, 0}, VERDICT_DONE, {0, 0}},
    {"a fault of the function is done: it has run",
     {ATTEMPT_ANSWERED, 500, false, -1},
     false,
     {0, 0},
     VERDICT_DONE,
     {0, 0}},
    {"a redirect is done", {ATTEMPT_ANSWERED, 301, false, -1}, false, {0, 0}, VERDICT_DONE, {0, 0}},
    {"a status of the list is tried again",
     {ATTEMPT_ANSWERED, 503, false, -1},
     false,
     {0, 0},
     VERDICT_RETRY,
     {1, 0}},
    {"the gateway's own error is, whatever its status",
     {ATTEMPT_ANSWERED, 500, true, -1},
     false,
     {0, 0},
     VERDICT_RETRY,
     {1, 0}},
    {"a good answer is no error, whatever the gateway says beside it",
     {ATTEMPT_ANSWERED, 200, true, -1},
     false,
     {0, 0},
     VERDICT_DONE,
     {0, 0}},
    {"the last but one attempt",
     {ATTEMPT_ANSWERED, 503, false, -1},
     false,
     {1, 0},
     VERDICT_RETRY,
     {2, 0}},
    {"the last attempt",
     {ATTEMPT_ANSWERED, 503, false, -1},
     false,
     {2, 0},
     VERDICT_EXHAUSTED,
     {3, 0}},
    {"one held and tried once more stays exhausted",
     {ATTEMPT_ANSWERED, 503, false, -1},
     false,
     {3, 0},
     VERDICT_EXHAUSTED,
     {4, 0}},
    {"done at the last attempt is done",
     {ATTEMPT_ANSWERED, 200, false, -1},
     false,
     {2, 1},
     VERDICT_DONE,
     {2, 1}},
    {"no answer: once more", {ATTEMPT_UNKNOWN, 0, false, -1}, false, {0, 0}, VERDICT_RETRY, {0, 1}},
    {"no answer again: it may have run twice, no more",
     {ATTEMPT_UNKNOWN, 0, false, -1},
     false,
     {0, 1},
     VERDICT_UNANSWERED,
     {0, 2}},
    {"no answer does not use up attempts",
     {ATTEMPT_UNKNOWN, 0, false, -1},
     false,
     {2, 0},
     VERDICT_RETRY,
     {2, 1}},
    {"attempts do not use up what no answer may",
     {ATTEMPT_ANSWERED, 503, false, -1},
     false,
     {0, 1},
     VERDICT_RETRY,
     {1, 1}},
    {"not sent counts nothing",
     {ATTEMPT_NOT_SENT, 0, false, -1},
     false,
     {2, 1},
     VERDICT_UNSENT,
     {2, 1}},
    {"asynchronous: accepted",
     {ATTEMPT_ANSWERED, 202, false, -1},
     true,
     {0, 0},
     VERDICT_DONE,
     {0, 0}},
    {"asynchronous: the last of 2xx",
     {ATTEMPT_ANSWERED, 299, false, -1},
     true,
     {0, 0},
     VERDICT_DONE,
     {0, 0}},
    {"asynchronous: 300 was not taken over",
     {ATTEMPT_ANSWERED, 300, false, -1},
     true,
     {0, 0},
     VERDICT_RETRY,
     {1, 0}},
    {"asynchronous: nor was 500",
     {ATTEMPT_ANSWERED, 500, false, -1},
     true,
     {0, 0},
     VERDICT_RETRY,
     {1, 0}},
    {"a status above all lists",
     {ATTEMPT_ANSWERED, 999, false, -1},
     false,
     {0, 0},
     VERDICT_DONE,
     {0, 0}},
    {"a status below all", {ATTEMPT_ANSWERED, -1, false, -1}, false, {0, 0}, VERDICT_DONE, {0, 0}},
    {"a status of the dead letters is refused, and counts nothing",
     {ATTEMPT_ANSWERED, 422, false, -1},
     false,
     {2, 1},
     VERDICT_REFUSED,
     {2, 1}},
    {"one of both lists is tried again",
     {ATTEMPT_ANSWERED, 503, false, -1},
     false,
     {0, 0},
     VERDICT_RETRY,
     {1, 0}},
    {"the gateway's own error is no refusal",
     {ATTEMPT_ANSWERED, 422, true, -1},
     false,
     {0, 0},
     VERDICT_RETRY,
     {1, 0}},
    {"asynchronous: nothing is refused by the function",
     {ATTEMPT_ANSWERED, 422, false, -1},
     true,
     {0, 0},
     VERDICT_RETRY,
     {1, 0}},
};

Test(retry, judges_attempts)
{
    for (size_t i = 0; i < COUNT(judgements); i++) {
        struct retry_rules rules = {.attempts = 3,
                                    .timeouts = 1,
                                    .only_2xx_done = judgements[i].only_2xx,
                                    .codes[503] = true,
                                    .dead_codes = {[422] = true, [503] = true}};
        struct retry_count count = judgements[i].before;

        cr_expect_eq(retry_judge(&rules, &judgements[i].attempt, &count), judgements[i].verdict,
                     "%s", judgements[i].sentence);
        cr_expect_eq(count.attempts, judgements[i].after.attempts, "%s", judgements[i].sentence);
        cr_expect_eq(count.timeouts, judgements[i].after.timeouts, "%s", judgements[i].sentence);
    }
}

static const struct {
    const char *sentence;
    struct attempt attempt;
    enum verdict verdict;
    bool spent; /* for good, over a restart too */
} onces[] = {
    {"done is done", {ATTEMPT_ANSWERED, 200, false, -1}, VERDICT_DONE, false},
    {"refused: no second attempt", {ATTEMPT_ANSWERED, 503, false, -1}, VERDICT_EXHAUSTED, true},
    {"nor after the gateway's own error",
     {ATTEMPT_ANSWERED, 500, true, -1},
     VERDICT_EXHAUSTED,
     true},
    {"nor after no answer", {ATTEMPT_UNKNOWN, 0, false, -1}, VERDICT_UNANSWERED, true},
    {"not sent is no attempt", {ATTEMPT_NOT_SENT, 0, false, -1}, VERDICT_UNSENT, false},
};

Test(retry, only_once_is_once_whatever_is_annotated)
{
    const struct retry_rules defaults = {
        .attempts = 10, .timeouts = 5, .only_once = true, .codes[503] = true};
    const struct function_retry annotated = {5, 1, 1, NULL};
    struct retry_rules rules = retry_rules_for(&defaults, &annotated);

    for (size_t i = 0; i < COUNT(onces); i++) {
        struct retry_count count = {0};

        cr_expect_eq(retry_judge(&rules, &onces[i].attempt, &count), onces[i].verdict, "%s",
                     onces[i].sentence);
        cr_expect_eq(retry_spent(&rules, &count), onces[i].spent, "%s", onces[i].sentence);
    }
}

static const struct {
    const char *sentence;
    int64_t timeouts; /* further tries allowed */
    struct retry_count used;
    bool spent;
} spendings[] = {
    {"nothing was tried", 1, {0, 0}, false},
    {"nothing was tried, nor would be again", 0, {0, 0}, false},
    {"the first was not answered, one more is allowed", 1, {0, 1}, false},
    {"nor was that one", 1, {0, 2}, true},
    {"none more is allowed", 0, {0, 1}, true},
    {"more is allowed than before the restart", 5, {0, 2}, false},
    {"less is", 1, {0, 6}, true},
    {"attempts that were answered are another matter", 0, {1000, 0}, false},
    {"whatever they were", 1, {UINT32_MAX, 1}, false},
    {"the highest count there is", 1000000, {0, UINT32_MAX}, true},
};

Test(retry, is_spent_when_too_often_not_answered)
{
    for (size_t i = 0; i < COUNT(spendings); i++) {
        struct retry_rules rules = {.attempts = 3, .timeouts = spendings[i].timeouts};

        cr_expect_eq(retry_spent(&rules, &spendings[i].used), spendings[i].spent, "%s",
                     spendings[i].sentence);
    }
}

Test(retry, is_exhausted_when_all_attempts_were_answered)
{
    struct retry_rules rules = {.attempts = 3, .timeouts = 1};

    cr_expect_not(retry_exhausted(&rules, &(struct retry_count){2, 9}));
    cr_expect(retry_exhausted(&rules, &(struct retry_count){3, 0}));
    cr_expect(retry_exhausted(&rules, &(struct retry_count){UINT32_MAX, 0}));
}

static const struct {
    const char *sentence;
    int64_t min, max;
    uint32_t failures;
    int64_t retry_after, at_most;
} waits[] = {
    {"the first is the shortest", 200, 30000, 1, -1, 200},
    {"the second is twice as long", 200, 30000, 2, -1, 400},
    {"the eighth", 200, 30000, 8, -1, 25600},
    {"the ninth meets the bound", 200, 30000, 9, -1, 30000},
    {"it stays there, however many failed", 200, 30000, UINT32_MAX, -1, 30000},
    {"no wait was wanted", 0, 0, UINT32_MAX, -1, 0},
    {"from none it grows as well: no storm on what is away", 0, 30000, 2, -1, 1},
    {"and on", 0, 30000, 6, -1, 16},
    {"up to the bound", 0, 30000, UINT32_MAX, -1, 30000},
    {"one length", 500, 500, 7, -1, 500},
    {"a hundred years do not overflow", 1, INT64_C(3153600000000), UINT32_MAX, -1,
     INT64_C(3153600000000)},
};

Test(retry, waits_a_random_part_of_a_growing_bound)
{
    uint64_t random = 1;

    for (size_t i = 0; i < COUNT(waits); i++) {
        struct retry_rules rules = {.min_wait_ms = waits[i].min, .max_wait_ms = waits[i].max};
        int64_t longest = 0, shortest = INT64_MAX, wait;
        uint64_t bound = (uint64_t)waits[i].at_most;

        for (int n = 0; n < 1000; n++) {
            wait = retry_wait_ms(&rules, waits[i].failures, waits[i].retry_after,
                                 random_next(&random));
            longest = wait > longest ? wait : longest;
            shortest = wait < shortest ? wait : shortest;
        }
        cr_expect_leq(longest, waits[i].at_most, "%s", waits[i].sentence);
        cr_expect_geq(shortest, 0, "%s", waits[i].sentence);
        cr_expect_geq(longest, waits[i].at_most * 9 / 10, "%s: full jitter", waits[i].sentence);
        cr_expect_leq(shortest, waits[i].at_most / 10, "%s: full jitter", waits[i].sentence);
        wait = retry_wait_ms(&rules, waits[i].failures, waits[i].retry_after, bound);
        cr_expect_eq(wait, waits[i].at_most, "%s: the bound itself", waits[i].sentence);
    }
}

static const struct {
    const char *sentence;
    int64_t retry_after, wait;
} afters[] = {
    {"none: the back-off alone", -1, 150},
    {"at once: the back-off still holds", 0, 150},
    {"shorter than the back-off", 149, 150},
    {"longer than the back-off", 5000, 5000},
    {"longer than the longest back-off, but honoured", 9999, 9999},
    {"at ten times the longest", 10000, 10000},
    {"beyond ten times the longest", 10001, 10000},
    {"a year", INT64_C(31536000000), 10000},
    {"endless", INT64_MAX, 10000},
};

Test(retry, honours_retry_after_within_reason)
{
    struct retry_rules rules = {.min_wait_ms = 200, .max_wait_ms = 1000};

    for (size_t i = 0; i < COUNT(afters); i++)
        cr_expect_eq(retry_wait_ms(&rules, 1, afters[i].retry_after, 150), afters[i].wait, "%s",
                     afters[i].sentence);
}
