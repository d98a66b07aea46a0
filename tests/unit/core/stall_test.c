/* stall: what explains a partition that stands still, what does not, and for how long. */
#include "core/stall.h"

#include <criterion/criterion.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { NOW = 1000000, CALL = 30000 };

/* Of all views: now is NOW, a call may take CALL, the last call began or ended just now. */
static const struct {
    const char *sentence;
    struct stall_view view;
    bool explained;
    const char *why; /* a part of it; NULL: none at all */
} findings[] = {
    {"nothing to do", {.step = STALL_NOTHING}, true, NULL},
    {"its start is being committed",
     {.step = STALL_NOTHING, .starting = true, .committing = true},
     true,
     "being committed"},
    {"its start waits for a commit that nobody sends",
     {.step = STALL_NOTHING, .starting = true},
     false,
     "no"},
    {"records lie there and are not taken",
     {.step = STALL_NOTHING, .untaken = true},
     false,
     "none is taken"},
    {"though a record is being called",
     {.step = STALL_CALLING, .called_ms = NOW, .untaken = true},
     false,
     "none is taken"},
    {"a call just begun", {.step = STALL_CALLING, .called_ms = NOW}, true, "being called"},
    {"a call at the end of its time",
     {.step = STALL_CALLING, .called_ms = NOW - CALL},
     true,
     "being called"},
    {"a call beyond it",
     {.step = STALL_CALLING, .called_ms = NOW - CALL - 1},
     false,
     "its time is over"},
    {"a back-off", {.step = STALL_BACKING_OFF}, true, "next attempt"},
    {"given up", {.step = STALL_DEAD_LETTER, .slot = true}, true, "is on its way"},
    {"given up, and dead letters cannot be written",
     {.step = STALL_DEAD_LETTER, .letters_wait = true},
     true,
     "cannot be written"},
    {"held for good", {.step = STALL_HELD}, true, "on_exhausted=wait"},
    {"paused", {.step = STALL_PAUSED, .slot = true}, true, "paused by hand"},
    {"a commit under way, or to be sent again: a broker away is no fault of ours",
     {.step = STALL_UNCOMMITTED, .committing = true},
     true,
     "being committed"},
    {"no commit", {.step = STALL_UNCOMMITTED}, false, "none is under way"},
    {"behind nobody", {.step = STALL_QUEUED}, false, "there is none"},
    {"ready, and a slot is free", {.step = STALL_READY, .slot = true}, false, "nothing begins"},
    {"ready, and slots are full", {.step = STALL_READY}, true, "waits for a slot"},
    {"slots are full of calls that may just be so long",
     {.step = STALL_READY, .moved_ms = NOW - CALL},
     true,
     "waits for a slot"},
    {"slots are full of calls that never end",
     {.step = STALL_READY, .moved_ms = NOW - CALL - 1},
     false,
     "longer than one may take"},
    {"the gateway is away",
     {.step = STALL_READY, .slot = true, .gateway_away = true},
     true,
     "gateway"},
    {"the function is",
     {.step = STALL_READY, .slot = true, .function_away = true},
     true,
     "function is away"},
    {"its next probe is a long way off, as it asked by Retry-After",
     {.step = STALL_READY,
      .slot = true,
      .function_away = true,
      .probe_ms = NOW + 300000,
      .moved_ms = NOW - 300000},
     true,
     "function is away"},
    {"its probe may just be under way",
     {.step = STALL_READY,
      .slot = true,
      .function_away = true,
      .probe_ms = NOW - CALL,
      .moved_ms = NOW - 300000},
     true,
     "function is away"},
    {"it is not probed any more",
     {.step = STALL_READY,
      .slot = true,
      .function_away = true,
      .probe_ms = NOW - CALL - 1,
      .moved_ms = NOW - 300000},
     false,
     "longer than one may take"},
};

Test(stall, finds_what_explains_it)
{
    for (size_t i = 0; i < COUNT(findings); i++) {
        struct stall_view view = findings[i].view;
        struct stall_finding finding;

        view.now_ms = NOW;
        view.call_timeout_ms = CALL;
        view.offset = 17;
        view.next = 40;
        if (!view.moved_ms)
            view.moved_ms = NOW;
        finding = stall_find(&view);
        cr_expect_eq(finding.explained, findings[i].explained, "%s", findings[i].sentence);
        cr_expect_eq(!finding.why, !findings[i].why, "%s", findings[i].sentence);
        cr_expect(!finding.why || strstr(finding.why, findings[i].why), "%s: %s",
                  findings[i].sentence, finding.why);
        cr_expect_eq(finding.place, view.step == STALL_NOTHING || view.untaken ? 40 : 17, "%s",
                     findings[i].sentence);
    }
}

/* A letter a look, a second each: e explained, a, b: not, standing at one place or another. */
static const struct {
    const char *sentence, *looks;
    int64_t timeout;
    bool stalled;
} stories[] = {
    {"never looked at: nothing", "", 3000, false},
    {"explained for ever", "eeeeeeee", 3000, false},
    {"unexplained at once is not long", "a", 3000, false},
    {"nor nearly long enough", "aaa", 3000, false},
    {"long enough", "aaaa", 3000, true},
    {"and on", "aaaaaaaa", 3000, true},
    {"it moved in between", "aaabaaa", 3000, false},
    {"it moved each time", "abababab", 3000, false},
    {"it was explained in between", "aaaeaaa", 3000, false},
    {"and stood again", "aaaeaaaa", 3000, true},
    {"it goes on", "aaaab", 3000, false},
    {"it is explained after all", "aaaae", 3000, false},
    {"off", "aaaaaaaaaaaaaaaa", 0, false},
};

Test(stall, is_one_when_every_look_says_so)
{
    for (size_t i = 0; i < COUNT(stories); i++) {
        struct stall stall = {0};
        int64_t now = NOW;
        bool stalled = false;

        for (const char *look = stories[i].looks; *look; look++, now += 1000) {
            struct stall_finding finding = {"it waits", *look == 'e', *look};

            stalled = stall_look(&stall, &finding, now, stories[i].timeout);
        }
        cr_expect_eq(stalled, stories[i].stalled, "%s", stories[i].sentence);
    }
}

/* The process was stopped for an hour: the first look after that is the first that finds a call
 * overdue, and its answer is taken before the next. */
Test(stall, a_frozen_process_is_not_stalled_when_it_wakes)
{
    struct stall_view view = {
        .now_ms = NOW, .call_timeout_ms = CALL, .step = STALL_CALLING, .called_ms = NOW};
    struct stall_finding finding = stall_find(&view);
    struct stall stall = {0};

    cr_expect_not(stall_look(&stall, &finding, NOW, 60000));
    view.now_ms += 3600000;
    finding = stall_find(&view);
    cr_expect_not(finding.explained);
    cr_expect_not(stall_look(&stall, &finding, view.now_ms, 60000));
}
