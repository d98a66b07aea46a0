/* start: where reading begins, and what is said about it. */
#include "core/start.h"

#include <criterion/criterion.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
    const char *sentence;
    int64_t committed, low, end;
    int32_t number, least_born;
    enum initial_offset initial;
    enum start_reason reason;
    int64_t start;
    int64_t seen;
    bool had_commits;
} cases[] = {
    {"it goes on where it was", 50, 10, 90, 0, 6, INITIAL_LATEST, START_COMMITTED, 50, 0, false},
    {"whatever initial_offset says", 50, 10, 90, 0, 6, INITIAL_EARLIEST, START_COMMITTED, 50, 0,
     false},
    {"all was done", 90, 10, 90, 0, 6, INITIAL_LATEST, START_COMMITTED, 90, 0, false},
    {"at the first record that is left", 10, 10, 90, 0, 6, INITIAL_LATEST, START_COMMITTED, 10, 0,
     false},
    {"the one before has expired", 9, 10, 90, 0, 6, INITIAL_LATEST, START_EXPIRED, 10, 0, false},
    {"offset 0 is a commit", 0, 10, 90, 0, 6, INITIAL_LATEST, START_EXPIRED, 10, 0, false},
    {"all has expired", 9, 90, 90, 0, 6, INITIAL_LATEST, START_EXPIRED, 90, 0, false},
    {"the log ends below the commit", 91, 10, 90, 0, 6, INITIAL_LATEST, START_MADE_ANEW, 10, 0,
     false},
    {"a new empty log", 50, 0, 0, 0, 6, INITIAL_LATEST, START_MADE_ANEW, 0, 0, false},
    {"an empty log, nothing done yet", 0, 0, 0, 0, 6, INITIAL_LATEST, START_COMMITTED, 0, 0, false},
    {"it read to the log's end", 50, 10, 90, 0, 6, INITIAL_LATEST, START_COMMITTED, 50, 90, false},
    {"it read more than there is", 50, 10, 90, 0, 6, INITIAL_LATEST, START_MADE_ANEW, 10, 91,
     false},
    {"it read more, and the commit has expired", 9, 10, 90, 0, 6, INITIAL_LATEST, START_MADE_ANEW,
     10, 91, false},
    {"nothing committed: the end", -1, 10, 90, 0, -1, INITIAL_LATEST, START_LATEST, 90, 0, false},
    {"nothing committed: the beginning", -1, 10, 90, 0, -1, INITIAL_EARLIEST, START_EARLIEST, 10, 0,
     false},
    {"added behind the group's back", -1, 0, 9, 6, 6, INITIAL_LATEST, START_ADDED, 0, 0, false},
    {"added later still", -1, 0, 9, 11, 6, INITIAL_LATEST, START_ADDED, 0, 0, false},
    {"an old one without a record", -1, 0, 9, 5, 6, INITIAL_LATEST, START_LATEST, 9, 0, false},
    {"an old one, from the beginning", -1, 3, 9, 5, 6, INITIAL_EARLIEST, START_EARLIEST, 3, 0,
     false},
    {"no sibling says when it began", -1, 0, 9, 11, -1, INITIAL_LATEST, START_LATEST, 9, 0, false},
    {"added, and some of it has expired", -1, 4, 9, 6, 6, INITIAL_LATEST, START_ADDED, 4, 0, false},
    {"its commits went with the topic", -1, 10, 90, 0, -1, INITIAL_LATEST, START_MADE_ANEW, 10, 0,
     true},
    {"they are there, but for this one", -1, 10, 90, 0, 6, INITIAL_LATEST, START_LATEST, 90, 0,
     true},
    {"added to a topic that had some", -1, 10, 90, 6, 6, INITIAL_LATEST, START_ADDED, 10, 0, true},
    {"an empty new topic", -1, 0, 0, 0, -1, INITIAL_LATEST, START_LATEST, 0, 0, false},
};

Test(start, chooses_where_reading_begins)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct source_assignment assignment = {
            .number = cases[i].number,
            .committed = cases[i].committed,
            .low = cases[i].low,
            .end = cases[i].end,
            .least_born = cases[i].least_born,
        };
        struct start_memory memory = {cases[i].seen, cases[i].had_commits};
        enum start_reason reason;

        cr_expect_eq(start_position(&assignment, cases[i].initial, memory, &reason), cases[i].start,
                     "%s", cases[i].sentence);
        cr_expect_eq(reason, cases[i].reason, "%s: %s", cases[i].sentence,
                     start_reason_text(reason));
    }
}

Test(start, has_words_for_every_reason)
{
    for (int i = START_COMMITTED; i <= START_EARLIEST; i++)
        for (int j = START_COMMITTED; j < i; j++)
            cr_expect_str_neq(start_reason_text((enum start_reason)i),
                              start_reason_text((enum start_reason)j));
}
