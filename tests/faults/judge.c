/* judge: see judge.h. */
#include "tests/faults/judge.h"

#include "base/xalloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum {
    SECOND_US = 1000 * 1000,
    STAMP_US = 20 * 1000,   /* a commit's time is told in ms, and a little early */
    ARRIVAL_US = 50 * 1000, /* a commit that was under way at a kill arrives within it */
    COMMIT_AFTER = 1024,    /* finished calls, at the latest, send a commit */
    REPORT_MOST = 20,
    NOBODY = UINT32_MAX,
};

struct lane_name { /* zeroed first: it is hashed as it lies */
    int32_t function, partition, key, era;
};

struct lane {
    struct lane_name name;
    uint32_t last;  /* the record that was called for the first time as the last one */
    size_t busiest; /* the call that ends last */
    UT_hash_handle hh;
};

struct history {     /* of a record with a function */
    int64_t done_us; /* when it was answered 200 for the first time; 0: never */
    size_t last_run; /* call; SIZE_MAX: none */
    bool called;
    uint32_t stamp; /* of uncommitted() */
};

struct trial {
    const struct plan *plan;
    const struct writer *writer;
    const struct calls *calls;
    const struct members *members;
    const struct admin *admin;
    const struct commits *commits;
    const struct judge_input *input;
    uint8_t *owed;
    struct history *histories; /* by function, then record */
    struct lane *lanes;
    uint32_t stamp;
    struct verdict verdict;
    FILE *report;
    int reported;
};

const char *cause_name(enum cause cause)
{
    static const char *const names[CAUSES] = {
        [CAUSE_CUT] = "cut",   [CAUSE_KILL] = "kill",     [CAUSE_FREEZE] = "freeze",
        [CAUSE_LOST] = "lost", [CAUSE_BROKER] = "broker", [CAUSE_NONE] = "no cause"};

    return names[cause];
}

bool verdict_is_good(const struct verdict *it)
{
    return !it->lost && !it->strange && !it->disordered && !it->overtaken && !it->crossed &&
           !it->late && !it->again && !it->repeated_by[CAUSE_NONE] && it->repeated <= it->allowed;
}

/* ---- what is owed ---- */

/* Walks back, so that the first of a key it meets is the last one written. */
static void drop_replaced(const struct plan *plan, const struct writer *writer, uint8_t *owed)
{
    size_t width = (size_t)plan->keys;
    uint8_t *seen = xcalloc(PARTITIONS_MOST * width, 1);

    for (uint32_t i = writer->count; i-- > 0;) {
        const struct record_entry *record = &writer->records[i];
        uint8_t *mark = &seen[(size_t)record->partition * width + (size_t)record->key];

        owed[i] = owed[i] && !*mark;
        *mark = 1;
    }
    free(seen);
}

uint8_t *judge_owed(const struct plan *plan, const struct writer *writer, const struct admin *admin)
{
    uint8_t *owed = xcalloc((size_t)writer->count + 1, 1);

    for (uint32_t i = 0; i < writer->count; i++) {
        const struct record_entry *record = &writer->records[i];

        owed[i] = record->state == RECORD_WRITTEN &&
                  record->offset >= admin->low[record->era][record->partition];
    }
    if (plan->topic == TOPIC_COMPACTED)
        drop_replaced(plan, writer, owed);
    return owed;
}

/* ---- reporting ---- */

static double seconds(const struct trial *trial, int64_t us)
{
    return (double)(us - trial->members->one[0]->started_us) / 1e6;
}

static void report(struct trial *trial, const char *what, const struct call *call,
                   const struct call *other)
{
    if (trial->reported++ >= REPORT_MOST)
        return;
    fprintf(trial->report, "  %s: record %u f%d p%d o%" PRId64 " of connector-%d at %.3f", what,
            call->record, call->function, (int)call->partition, call->offset, call->member,
            seconds(trial, call->arrived_us));
    if (other)
        fprintf(trial->report, "; record %u o%" PRId64 " of connector-%d at %.3f .. %.3f, %d",
                other->record, other->offset, other->member, seconds(trial, other->arrived_us),
                other->ended_us ? seconds(trial, other->ended_us) : -1.0, other->status);
    fputc('\n', trial->report);
}

/* ---- helpers ---- */

static struct history *history_of(const struct trial *trial, int function, uint32_t record)
{
    return &trial->histories[(size_t)function * trial->writer->count + record];
}

/* For whoever called: when its patience may have ended, it went on. */
static int64_t end_of(const struct call *call)
{
    int64_t patience_us = call->arrived_us + MAYBE_LATE_US;

    return call->ended_us && call->ended_us < patience_us ? call->ended_us : patience_us;
}

/* Whether its caller may have got no answer though the function ran. */
static bool is_unanswered(const struct call *call)
{
    return call->status == 0 || call->ended_us - call->arrived_us >= MAYBE_LATE_US;
}

static bool befell(const struct trial *trial, int member, enum member_event event, int64_t from_us,
                   int64_t until_us)
{
    return member >= 0 && member < trial->members->count &&
           member_happening(trial->members->one[member], event, from_us, until_us);
}

static bool brokers_in_trouble(const struct trial *trial, int64_t from_us, int64_t until_us)
{
    for (size_t i = 0; i < trial->input->broker_count; i++)
        if (trial->input->brokers[i].from_us <= until_us &&
            trial->input->brokers[i].until_us >= from_us)
            return true;
    return false;
}

/* ---- whether the call is a record's ---- */

static bool is_strange(const struct trial *trial, const struct call *call)
{
    const struct record_entry *record;

    if (call->record >= trial->writer->count || call->member < 0)
        return true;
    record = &trial->writer->records[call->record];
    return record->state == RECORD_ABORTED || record->partition != call->partition ||
           (record->state == RECORD_WRITTEN && record->offset != call->offset);
}

/* ---- order ---- */

static struct lane *lane_of(struct trial *trial, const struct call *call)
{
    const struct record_entry *record = &trial->writer->records[call->record];
    struct lane_name name;
    struct lane *lane;

    memset(&name, 0, sizeof(name));
    name.function = call->function;
    name.partition = call->partition;
    name.key = trial->plan->order == ORDER_KEY ? record->key : -1;
    name.era = record->era;
    HASH_FIND(hh, trial->lanes, &name, sizeof(name), lane);
    if (lane)
        return lane;
    lane = xcalloc(1, sizeof(*lane));
    lane->name = name;
    lane->last = NOBODY;
    lane->busiest = SIZE_MAX;
    HASH_ADD(hh, trial->lanes, name, sizeof(lane->name), lane);
    return lane;
}

/* Its member's calls run on without it; what it sent just before may arrive when it is no more. */
static bool is_orphan(const struct trial *trial, const struct call *call, const struct call *next)
{
    int64_t from_us = call->arrived_us - SECOND_US, until_us = next->arrived_us + SECOND_US;

    return befell(trial, call->member, MEMBER_KILLED, from_us, until_us) ||
           befell(trial, call->member, MEMBER_FROZEN, from_us, until_us) ||
           befell(trial, call->member, MEMBER_LOST, call->arrived_us, until_us);
}

/* It has lost its partitions and does not know yet. */
static bool is_stray(const struct trial *trial, const struct call *call)
{
    return befell(trial, call->member, MEMBER_FROZEN, call->arrived_us - SECOND_US,
                  call->arrived_us) ||
           befell(trial, call->member, MEMBER_LOST, call->arrived_us,
                  call->arrived_us + 3 * SECOND_US);
}

static void check_order(struct trial *trial, size_t index)
{
    const struct call *call = &trial->calls->list[index], *busiest = NULL;
    struct lane *lane = lane_of(trial, call);
    const struct history *before = NULL;

    if (lane->busiest != SIZE_MAX)
        busiest = &trial->calls->list[lane->busiest];
    if (busiest && end_of(busiest) > call->arrived_us && !is_orphan(trial, busiest, call) &&
        !is_stray(trial, call)) {
        trial->verdict.crossed++;
        report(trial, "crossed", call, busiest);
    }
    if (!busiest || end_of(call) >= end_of(busiest))
        lane->busiest = index;
    if (history_of(trial, call->function, call->record)->called)
        return;
    if (lane->last != NOBODY && call->offset < trial->writer->records[lane->last].offset) {
        trial->verdict.disordered++;
        report(trial, "disordered", call, busiest);
        return;
    }
    if (lane->last != NOBODY && trial->owed[lane->last])
        before = history_of(trial, call->function, lane->last);
    if (before && (!before->done_us || before->done_us > call->arrived_us)) {
        trial->verdict.overtaken++;
        report(trial, "overtaken", call, busiest);
    }
    lane->last = call->record;
}

/* ---- repeats ---- */

static enum cause cause_of(const struct trial *trial, const struct call *first,
                           const struct call *second)
{
    int64_t from_us = first->arrived_us - SECOND_US, until_us = second->arrived_us + SECOND_US;

    if (is_unanswered(first))
        return CAUSE_CUT;
    if (befell(trial, first->member, MEMBER_KILLED, from_us, until_us))
        return CAUSE_KILL;
    if (befell(trial, first->member, MEMBER_FROZEN, from_us, until_us) ||
        befell(trial, second->member, MEMBER_FROZEN, from_us, until_us))
        return CAUSE_FREEZE;
    if (befell(trial, first->member, MEMBER_LOST, from_us, until_us) ||
        befell(trial, second->member, MEMBER_LOST, from_us, until_us))
        return CAUSE_LOST;
    return brokers_in_trouble(trial, from_us, until_us) ? CAUSE_BROKER : CAUSE_NONE;
}

static bool was_committed(const struct trial *trial, const struct call *call, int64_t at_us)
{
    return commits_cover(trial->commits, call->partition, call->offset,
                         calls_function_path(call->function), at_us);
}

/* Since when brokers are in trouble; `at_us`: they are not. What they append to their log of
 * commits in trouble, or just before, may be acknowledged to nobody and seen by nobody until it is
 * over. */
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
           !is_stray(trial, second) &&
           was_committed(trial, first,
                         trouble_began(trial, first->arrived_us, second->arrived_us - STAMP_US));
}

static void check_repeat(struct trial *trial, size_t index)
{
    const struct call *call = &trial->calls->list[index], *first;
    struct history *history = history_of(trial, call->function, call->record);
    enum cause cause;

    if (!call->ran)
        return;
    if (history->last_run != SIZE_MAX) {
        first = &trial->calls->list[history->last_run];
        cause = cause_of(trial, first, call);
        trial->verdict.repeated++;
        trial->verdict.repeated_by[cause]++;
        if (cause == CAUSE_NONE)
            report(trial, "repeated without a cause", call, first);
        if (is_again(trial, first, call)) {
            trial->verdict.again++;
            report(trial, "repeated though it was committed", call, first);
        }
    }
    history->last_run = index;
}

/* Runs of a member, ended or under way, that no commit covers at a time. */
static uint32_t uncommitted(struct trial *trial, int member, int64_t at_us, uint32_t *under_way)
{
    uint32_t count = 0;

    *under_way = 0;
    trial->stamp++;
    for (size_t i = 0; i < trial->calls->count; i++) {
        const struct call *call = &trial->calls->list[i];
        struct history *history;

        if (call->member != member || call->arrived_us > at_us + SECOND_US ||
            is_strange(trial, call))
            continue;
        history = history_of(trial, call->function, call->record);
        if ((!call->ran && end_of(call) < at_us) || history->stamp == trial->stamp)
            continue;
        history->stamp = trial->stamp;
        *under_way += end_of(call) >= at_us;
        count += !was_committed(trial, call, at_us + ARRIVAL_US);
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
    return befell(trial, member, MEMBER_FROZEN, at_us - 3 * SECOND_US, at_us);
}

/* What it may cost; a kill's is judged too. */
static void allow(struct trial *trial, int member, const struct happening *it)
{
    uint32_t under_way, count = uncommitted(trial, member, it->from_us, &under_way);
    bool trouble = brokers_in_trouble(trial, it->from_us, it->from_us);
    bool excused = trouble || befell(trial, member, MEMBER_LOST, 0, it->from_us) ||
                   befell(trial, member, MEMBER_FROZEN, 0, it->from_us);

    if (it->event == MEMBER_TERMED)
        return;
    if (it->event == MEMBER_LOST && was_frozen(trial, member, it->from_us))
        return; /* what it was frozen for allows it */
    if (it->event == MEMBER_FROZEN &&
        !befell(trial, member, MEMBER_LOST, it->from_us, it->until_us + 3 * SECOND_US))
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
                member, seconds(trial, it->from_us), count, under_way);
    }
}

static void allow_all(struct trial *trial)
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

/* ---- the trial ---- */

static void hear(struct trial *trial)
{
    for (size_t i = 0; i < trial->calls->count; i++) {
        const struct call *call = &trial->calls->list[i];
        struct history *history;

        if (is_strange(trial, call)) {
            trial->verdict.strange++;
            report(trial, "strange", call, NULL);
            continue;
        }
        if (trial->plan->order != ORDER_NONE)
            check_order(trial, i);
        check_repeat(trial, i);
        history = history_of(trial, call->function, call->record);
        history->called = true;
    }
}

static void find_ends(struct trial *trial)
{
    for (size_t i = 0; i < trial->calls->count; i++) {
        const struct call *call = &trial->calls->list[i];
        struct history *history;

        if (is_strange(trial, call) || call->status != 200)
            continue;
        history = history_of(trial, call->function, call->record);
        if (!history->done_us || call->ended_us < history->done_us)
            history->done_us = call->ended_us;
    }
}

static void find_lost(struct trial *trial)
{
    for (uint32_t i = 0; i < trial->writer->count; i++)
        for (int f = 0; trial->owed[i] && f < trial->plan->functions; f++) {
            const struct record_entry *record = &trial->writer->records[i];

            trial->verdict.owed++;
            if (history_of(trial, f, i)->done_us)
                continue;
            if (trial->verdict.lost++ < REPORT_MOST)
                fprintf(trial->report, "  lost: record %u of f%d p%d o%" PRId64 " k%d, topic %d\n",
                        i, f, (int)record->partition, record->offset, (int)record->key,
                        record->era);
        }
}

static void trial_release(struct trial *trial)
{
    struct lane *lane, *next;

    HASH_ITER (hh, trial->lanes, lane, next) {
        HASH_DEL(trial->lanes, lane);
        free(lane);
    }
    free(trial->owed);
    free(trial->histories);
}

struct verdict judge(const struct plan *plan, const struct writer *writer,
                     const struct calls *calls, const struct members *members,
                     const struct admin *admin, const struct commits *commits,
                     const struct judge_input *input)
{
    struct trial trial = {
        .plan = plan,
        .writer = writer,
        .calls = calls,
        .members = members,
        .admin = admin,
        .commits = commits,
        .input = input,
    };
    size_t count = (size_t)plan->functions * writer->count, size;

    trial.owed = judge_owed(plan, writer, admin);
    trial.histories = xcalloc(count + 1, sizeof(*trial.histories));
    for (size_t i = 0; i < count; i++)
        trial.histories[i].last_run = SIZE_MAX;
    trial.report = xopen_memstream(&trial.verdict.report, &size);
    find_ends(&trial);
    hear(&trial);
    find_lost(&trial);
    allow_all(&trial);
    xclose_memstream(trial.report);
    trial_release(&trial);
    return trial.verdict;
}
