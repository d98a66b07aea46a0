/* judge_repeat: runs on a record beyond the first: their causes, and how many were allowed. See
 * judge.h. */
#include "tests/faults/judge_private.h"

enum {
    STAMP_US = 20 * 1000,   /* a commit's time is told in ms, and a little early */
    ARRIVAL_US = 50 * 1000, /* a commit that was under way at a kill arrives within it */
    COMMIT_AFTER = 1024,    /* finished calls, at the latest, send a commit */
};

/* Whether its caller may have got no answer though the function ran. */
static bool is_unanswered(const struct call *call)
{
    return call->status == 0 || call->ended_us - call->arrived_us >= MAYBE_LATE_US;
}

static bool brokers_in_trouble(const struct trial *trial, int64_t from_us, int64_t until_us)
{
    for (size_t i = 0; i < trial->input->broker_count; i++)
        if (trial->input->brokers[i].from_us <= until_us &&
            trial->input->brokers[i].until_us >= from_us)
            return true;
    return false;
}

static enum cause cause_of(const struct trial *trial, const struct call *first,
                           const struct call *second)
{
    int64_t from_us = first->arrived_us - SECOND_US, until_us = second->arrived_us + SECOND_US;

    if (is_unanswered(first))
        return CAUSE_CUT;
    if (judge_befell(trial, first->member, MEMBER_KILLED, from_us, until_us))
        return CAUSE_KILL;
    if (judge_befell(trial, first->member, MEMBER_FROZEN, from_us, until_us) ||
        judge_befell(trial, second->member, MEMBER_FROZEN, from_us, until_us))
        return CAUSE_FREEZE;
    if (judge_befell(trial, first->member, MEMBER_LOST, from_us, until_us) ||
        judge_befell(trial, second->member, MEMBER_LOST, from_us, until_us))
        return CAUSE_LOST;
    return brokers_in_trouble(trial, from_us, until_us) ? CAUSE_BROKER : CAUSE_NONE;
}

static bool was_committed(const struct trial *trial, const struct call *call, int64_t at_us)
{
    return commits_cover(trial->commits, call->partition, call->offset,
                         calls_function_path(call->function), at_us);
}

/* Since when brokers were in trouble that is not over at `from_us`; `at_us`: they were not. What
 * they append to their log of commits in trouble, or just before, may be acknowledged to nobody and
 * seen by nobody until it is over. */
static int64_t trouble_began(const struct trial *trial, int64_t from_us, int64_t at_us)
{
    int64_t began_us = at_us;

    for (size_t i = 0; i < trial->input->broker_count; i++) {
        const struct span *it = &trial->input->brokers[i];

        if (it->from_us <= at_us && it->until_us >= from_us && it->from_us - SECOND_US < began_us)
            began_us = it->from_us - SECOND_US;
    }
    return began_us;
}

/* Of the old topic's commits the new topic's records know nothing. */
static bool is_again(const struct trial *trial, const struct call *first, const struct call *second)
{
    return !is_unanswered(first) && trial->writer->records[first->record].era == 0 &&
           !judge_is_stray(trial, second) &&
           was_committed(trial, first,
                         trouble_began(trial, first->arrived_us, second->arrived_us - STAMP_US));
}

void judge_repeat(struct trial *trial, size_t index)
{
    const struct call *call = &trial->calls->list[index], *first;
    struct history *history = judge_history(trial, call->function, call->record);
    enum cause cause;

    if (!call->ran)
        return;
    if (history->last_run != SIZE_MAX) {
        first = &trial->calls->list[history->last_run];
        cause = cause_of(trial, first, call);
        trial->verdict.repeated++;
        trial->verdict.repeated_by[cause]++;
        if (cause == CAUSE_NONE)
            judge_report(trial, "repeated without a cause", call, first);
        if (is_again(trial, first, call)) {
            trial->verdict.again++;
            judge_report(trial, "repeated though it was committed", call, first);
        }
    }
    history->last_run = index;
}

/* Runs of a member, ended or under way, that no commit covers at a time; a commit that nobody may
 * see then does not. */
static uint32_t uncommitted(struct trial *trial, int member, int64_t at_us, uint32_t *under_way)
{
    int64_t seen_us = trouble_began(trial, at_us, at_us + ARRIVAL_US);
    uint32_t count = 0;

    *under_way = 0;
    trial->stamp++;
    for (size_t i = 0; i < trial->calls->count; i++) {
        const struct call *call = &trial->calls->list[i];
        struct history *history;

        if (call->member != member || call->arrived_us > at_us + SECOND_US ||
            judge_is_strange(trial, call))
            continue;
        history = judge_history(trial, call->function, call->record);
        if ((!call->ran && judge_end(call) < at_us) || history->stamp == trial->stamp)
            continue;
        history->stamp = trial->stamp;
        *under_way += judge_end(call) >= at_us;
        count += !was_committed(trial, call, seen_us);
    }
    return count;
}

static uint32_t calls_within(const struct trial *trial, int member, int64_t from_us,
                             int64_t until_us)
{
    uint32_t count = 0;

    for (size_t i = 0; i < trial->calls->count; i++)
        count += trial->calls->list[i].member == member &&
                 trial->calls->list[i].arrived_us >= from_us &&
                 trial->calls->list[i].arrived_us <= until_us;
    return count;
}

static bool was_frozen(const struct trial *trial, int member, int64_t at_us)
{
    return judge_befell(trial, member, MEMBER_FROZEN, at_us - 3 * SECOND_US, at_us);
}

/* What it may cost; a kill's is judged too. */
static void allow(struct trial *trial, int member, const struct happening *it)
{
    uint32_t under_way, count = uncommitted(trial, member, it->from_us, &under_way);
    bool trouble = brokers_in_trouble(trial, it->from_us, it->from_us);
    bool excused = trouble || judge_befell(trial, member, MEMBER_LOST, 0, it->from_us) ||
                   judge_befell(trial, member, MEMBER_FROZEN, 0, it->from_us);

    if (it->event == MEMBER_TERMED)
        return;
    if (it->event == MEMBER_LOST && was_frozen(trial, member, it->from_us))
        return; /* what it was frozen for allows it */
    if (it->event == MEMBER_FROZEN &&
        !judge_befell(trial, member, MEMBER_LOST, it->from_us, it->until_us + 3 * SECOND_US))
        return; /* not for long enough to lose anything */
    trial->verdict.unexplained += it->event == MEMBER_LOST && !trouble;
    trial->verdict.allowed += count;
    if (it->event == MEMBER_FROZEN) /* what it calls for before it knows */
        trial->verdict.allowed +=
            calls_within(trial, member, it->until_us, it->until_us + 3 * SECOND_US);
    if (it->event == MEMBER_KILLED && !excused && count > under_way + 2 * COMMIT_AFTER) {
        trial->verdict.late++;
        fprintf(trial->report,
                "  late: connector-%d was killed at %.3f with %u uncommitted, %u "
                "under way\n",
                member, judge_seconds(trial, it->from_us), count, under_way);
    }
}

void judge_allow_all(struct trial *trial)
{
    for (int m = 0; m < trial->members->count; m++)
        for (size_t i = 0; i < trial->members->one[m]->happening_count; i++)
            allow(trial, m, &trial->members->one[m]->happenings[i]);
    for (size_t i = 0; i < trial->calls->count; i++)
        trial->verdict.allowed +=
            trial->calls->list[i].ran && is_unanswered(&trial->calls->list[i]);
    /* these were each found uncommitted, else they count as `again` */
    trial->verdict.allowed += trial->verdict.repeated_by[CAUSE_BROKER];
}
