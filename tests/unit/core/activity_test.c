/* activity: SlimFaas Kafka's rules for waking, those of its faults that are mended, and stories
 * that show each. */
#include "core/activity.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { TICK_MS = 5000, PARTITIONS_MAX = 4 };

/*
 * A story: a word a tick, 5 s apart, the first at 0 s.
 *   7/9      one partition: 7 committed, its log ends at 9       -/9   nothing committed
 *   4-7/9    the log begins at 4                                 ?     the partition is unknown
 *   7/9,0/3  two partitions                                      none  the topic does not exist
 *   !9       no right to read the group, the log ends at 9       miss  no sample came
 * A word that ends in "x": the wake-up of that tick, if there is one, is not accepted.
 * What came of it, a letter a tick: p pending, a activity, b both, "." nothing is sent.
 */
static const struct {
    const char *sentence;
    struct activity_rules rules;
    const char *story, *sent;
} cases[] = {
#define PLAIN                                                                                      \
    {                                                                                              \
        .min_pending = 1, .min_delta = 1, .keep_alive_ms = 60000, .cooldown_ms = 30000             \
    }
    /* ---- pending ---- */
    {"what waits wakes", PLAIN, "7/9", "p"},
    {"nothing waits: it may sleep", PLAIN, "9/9", "."},
    {"fewer than MinPendingMessages do not wake",
     {.min_pending = 3, .min_delta = 1},
     "7/9 7/10",
     ".p"},
    {"partitions are added up", {.min_pending = 3, .min_delta = 1}, "7/9,0/0 7/9,0/1", ".p"},
    {"nothing committed: the whole log waits", PLAIN, "-/9", "p"},
    {"of a log whose records have expired nothing waits", PLAIN, "9--/9", "."},
    {"committed beyond the end is not below nothing",
     {.min_pending = 2, .min_delta = 1},
     "9/3,0/1",
     "."},
    {"MinPendingMessages 0 keeps it awake",
     {.min_delta = 1, .cooldown_ms = 10000},
     "9/9 9/9 9/9",
     "p.p"},
    {"a topic that does not exist has nothing waiting", PLAIN, "none", "."},
    {"a topic that was deleted has nothing waiting any more",
     {.min_pending = 1, .min_delta = 1},
     "7/9 none",
     "p."},
    {"before the first sample nothing is known", {.min_delta = 1}, "miss", "."},

    /* ---- activity ---- */
    {"a rise of the committed sum is activity", PLAIN, "7/7 8/8", ".a"},
    {"the first sum is a base line", PLAIN, "7/7 7/7", ".."},
    {"activity_on_start: the first sum is activity",
     {.min_pending = 1, .min_delta = 5, .keep_alive_ms = 60000, .on_start = true},
     "7/7",
     "a"},
    {"activity_on_start: a group that has committed nothing is not active",
     {.min_pending = 9, .min_delta = 1, .keep_alive_ms = 60000, .on_start = true},
     "-/5 0/5",
     ".."},
    {"activity_on_start: only the first sum",
     {.min_pending = 1, .min_delta = 5, .keep_alive_ms = 5000, .on_start = true},
     "7/7 7/7 7/7",
     "aa."},
    {"a first commit is activity",
     {.min_pending = 9, .min_delta = 1, .keep_alive_ms = 60000},
     "-/5 5/5",
     ".a"},
    {"a first commit at a log's first record has consumed nothing",
     {.min_pending = 9, .min_delta = 1, .keep_alive_ms = 60000},
     "4--/5 4-4/5",
     ".."},
    {"records that expire are no activity",
     {.min_pending = 9, .min_delta = 1, .keep_alive_ms = 60000},
     "0--/5 4--/5",
     ".."},
    {"it keeps awake for ActivityKeepAliveSeconds, and no longer",
     {.min_pending = 1, .min_delta = 1, .keep_alive_ms = 10000},
     "7/7 8/8 8/8 8/8 8/8",
     ".aaa."},
    {"each activity begins it anew",
     {.min_pending = 1, .min_delta = 1, .keep_alive_ms = 5000},
     "7/7 8/8 9/9 9/9 9/9",
     ".aaa."},
    {"ActivityKeepAliveSeconds 0: off", {.min_pending = 1, .min_delta = 1}, "7/7 8/8", ".."},
    {"ActivityKeepAliveSeconds below 0: off",
     {.min_pending = 1, .min_delta = 1, .keep_alive_ms = -1000},
     "7/7 8/8",
     ".."},
    {"both reasons are told", PLAIN, "7/7 8/9", ".b"},

    /* ---- SlimFaas: MinConsumedDeltaForActivity holds for the tick alone, the window takes any
       ---- */
    {"a rise below MinConsumedDeltaForActivity does not keep awake",
     {.min_pending = 1, .min_delta = 5, .keep_alive_ms = 60000},
     "7/7 8/8 8/8",
     "..."},
    {"smaller rises add up until they reach it",
     {.min_pending = 1, .min_delta = 5, .keep_alive_ms = 5000},
     "7/7 9/9 11/11 12/12 12/12 12/12",
     "...aa."},
    {"what was counted is not counted again",
     {.min_pending = 1, .min_delta = 5, .keep_alive_ms = 4000},
     "0/0 8/8 10/10 13/13",
     ".a.a"},

    /* ---- SlimFaas: after a fall nothing is activity until the old sum is reached ---- */
    {"a fall is no activity", PLAIN, "9/9 9/9,0/0 0/0,0/0", "..."},
    {"a group set back that works again is active",
     {.min_pending = 99, .min_delta = 1, .keep_alive_ms = 60000},
     "9/9 2/9 4/9",
     "..a"},
    {"a fall forgets the rises that did not count",
     {.min_pending = 99, .min_delta = 5, .keep_alive_ms = 60000},
     "5/9 8/9 2/9 5/9 8/9",
     "....a"},
    {"commits that are gone are a fall",
     {.min_pending = 99, .min_delta = 1, .keep_alive_ms = 60000},
     "9/9 -/9",
     ".."},
    {"a topic made anew begins a new base line",
     {.min_pending = 99, .min_delta = 1, .keep_alive_ms = 60000},
     "9/9 none 5/5 6/6",
     "...a"},

    /* ---- what is unknown keeps its last value ---- */
    {"an unknown partition still has waiting what it had",
     {.min_pending = 3, .min_delta = 1},
     "7/9,0/1 7/9,?",
     "pp"},
    {"unknown from the beginning: it has nothing",
     {.min_pending = 1, .min_delta = 1},
     "9/9,? 9/9,0/1",
     ".p"},
    {"known again it is no rise of its whole offset",
     {.min_pending = 99, .min_delta = 1, .keep_alive_ms = 60000},
     "9/9,500/500 9/9,? 9/9,500/500",
     "..."},
    {"what was committed while it was unknown counts then",
     {.min_pending = 99, .min_delta = 1, .keep_alive_ms = 60000},
     "9/9,5/9 9/9,? 9/9,6/9",
     "..a"},
    {"a partition that was unknown at the base line is no rise",
     {.min_pending = 99, .min_delta = 1, .keep_alive_ms = 60000},
     "9/9,? 9/9,500/500",
     ".."},
    {"a partition that was added is no rise",
     {.min_pending = 99, .min_delta = 1, .keep_alive_ms = 60000},
     "9/9 9/9,3/3",
     ".."},
    {"while no sample comes all keeps its last value",
     {.min_pending = 1, .min_delta = 1},
     "7/9 miss miss",
     "ppp"},
    {"but the window ends all the same",
     {.min_pending = 1, .min_delta = 1, .keep_alive_ms = 5000},
     "7/7 8/8 miss miss",
     ".aa."},

    /* ---- no right to read the group ---- */
    {"no-acl: the ends are what waits", PLAIN, "!9", "p"},
    {"no-acl: an empty topic has nothing waiting", PLAIN, "!0", "."},
    {"no-acl: there is no activity",
     {.min_pending = 99, .min_delta = 1, .keep_alive_ms = 60000, .on_start = true},
     "!5 !9",
     ".."},
    {"a right that comes later makes a base line",
     {.min_pending = 99, .min_delta = 1, .keep_alive_ms = 60000},
     "!9 9/9 9/9",
     "..."},

    /* ---- cool-down ---- */
    {"one wake-up within CooldownSeconds", PLAIN, "0/9 0/9 0/9 0/9 0/9 0/9 0/9 0/9", "p.....p."},
    {"CooldownSeconds 0: one a tick", {.min_pending = 1, .min_delta = 1}, "0/9 0/9", "pp"},
    {"CooldownSeconds below 0: one a tick",
     {.min_pending = 1, .min_delta = 1, .cooldown_ms = -5000},
     "0/9 0/9",
     "pp"},
    {"another reason does not end it", PLAIN, "7/9 9/9", "p."},
    /* SlimFaas: a wake-up that failed is followed by the cool-down */
    {"one that was not accepted is tried again at the next tick", PLAIN, "0/9x 0/9x 0/9 0/9",
     "ppp."},
    {"the cool-down is counted from the last accepted one",
     {.min_pending = 1, .min_delta = 1, .cooldown_ms = 10000},
     "0/9 0/9 0/9x 0/9 0/9 0/9",
     "p.pp.p"},
};

/* Reads "4-7/9" or one of the others. */
static struct offsets parse(const char *word)
{
    struct offsets offsets = {.committed = OFFSET_NONE};
    const char *dash = strchr(word, '-'), *slash = strchr(word, '/');

    if (*word == '?')
        return OFFSETS_UNKNOWN;
    if (*word == '!')
        return (struct offsets){OFFSET_HIDDEN, OFFSET_UNKNOWN, strtoll(word + 1, NULL, 10)};
    cr_assert(slash, "%s", word);
    offsets.end = strtoll(slash + 1, NULL, 10);
    if (dash && dash > word) {
        offsets.start = strtoll(word, NULL, 10);
        word = dash + 1;
    }
    if (*word != '-')
        offsets.committed = strtoll(word, NULL, 10);
    return offsets;
}

static void observe(struct activity *activity, char *word, int64_t now)
{
    struct offsets sample[PARTITIONS_MAX];
    size_t count = 0;
    char *rest, *part;

    if (strncmp(word, "miss", 4) == 0)
        return;
    if (strncmp(word, "none", 4) != 0)
        for (part = strtok_r(word, ",", &rest); part; part = strtok_r(NULL, ",", &rest))
            sample[count++] = parse(part);
    activity_observe(activity, sample, count, now);
}

/* Writes what is sent; an accepted one is told. */
static char tick(struct activity *activity, bool accepted, int64_t now)
{
    enum wake_reason reason = activity_reason(activity, now);

    if (reason == REASON_NONE || !activity_cooled(activity, now))
        return '.';
    if (accepted)
        activity_woken(activity, now);
    return "?pab"[reason];
}

static void play(size_t number)
{
    char story[200], sent[40] = "", *rest, *word;
    struct activity activity;
    size_t ticks = 0;

    snprintf(story, sizeof(story), "%s", cases[number].story);
    activity_init(&activity, &cases[number].rules);
    for (word = strtok_r(story, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        bool accepted = word[strlen(word) - 1] != 'x';
        int64_t now = (int64_t)ticks * TICK_MS;

        observe(&activity, word, now);
        sent[ticks++] = tick(&activity, accepted, now);
    }
    cr_expect_str_eq(sent, cases[number].sent, "%s: %s, not %s", cases[number].sentence, sent,
                     cases[number].sent);
    activity_release(&activity);
}

Test(activity, wakes_as_each_rule_says)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        play(i);
}

Test(activity, rules_that_change_keep_what_is_known)
{
    const struct activity_rules rules = {.min_pending = 5, .min_delta = 1, .cooldown_ms = 30000};
    const struct offsets sample = {.end = 3, .committed = 0};
    struct activity activity;

    activity_init(&activity, &rules);
    activity_observe(&activity, &sample, 1, 0);
    cr_expect_eq(activity_reason(&activity, 0), REASON_NONE);
    activity.rules.min_pending = 3;
    cr_expect_eq(activity_reason(&activity, 0), REASON_PENDING);
    cr_expect_eq(activity_pending(&activity), 3);
    activity_release(&activity);
}

Test(activity, a_clock_that_was_set_back_holds_up_no_wake_up)
{
    const struct activity_rules rules = {
        .min_pending = 1, .min_delta = 1, .keep_alive_ms = 60000, .cooldown_ms = 30000};
    struct offsets sample = {.end = 3, .committed = 0};
    struct activity activity;

    activity_init(&activity, &rules);
    activity_observe(&activity, &sample, 1, 7200000);
    sample.committed = 1;
    activity_observe(&activity, &sample, 1, 7205000);
    activity_woken(&activity, 7205000);
    cr_expect_not(activity_cooled(&activity, 7210000));
    cr_expect(activity_cooled(&activity, 3600000));
    cr_expect(activity_recent(&activity, 7210000));
    cr_expect_not(activity_recent(&activity, 3600000));
    activity_release(&activity);
}

Test(activity, reasons_have_the_names_that_the_metric_shows)
{
    cr_expect_str_eq(wake_reason_name(REASON_PENDING), "pending");
    cr_expect_str_eq(wake_reason_name(REASON_ACTIVITY), "activity");
    cr_expect_str_eq(wake_reason_name(REASON_PENDING_AND_ACTIVITY), "pending_and_activity");
}
