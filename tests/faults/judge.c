/* judge: see judge.h. */
#include "tests/faults/judge_private.h"

#include "base/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>

enum { REPORT_MOST = 20 };

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

double judge_seconds(const struct trial *trial, int64_t us)
{
    return (double)(us - trial->members->one[0]->started_us) / 1e6;
}

void judge_report(struct trial *trial, const char *what, const struct call *call,
                  const struct call *other)
{
    if (trial->reported++ >= REPORT_MOST)
        return;
    fprintf(trial->report, "  %s: record %u f%d p%d o%" PRId64 " of connector-%d at %.3f", what,
            call->record, call->function, (int)call->partition, call->offset, call->member,
            judge_seconds(trial, call->arrived_us));
    if (other)
        fprintf(trial->report, "; record %u o%" PRId64 " of connector-%d at %.3f .. %.3f, %d",
                other->record, other->offset, other->member,
                judge_seconds(trial, other->arrived_us),
                other->ended_us ? judge_seconds(trial, other->ended_us) : -1.0, other->status);
    fputc('\n', trial->report);
}

/* ---- helpers ---- */

struct history *judge_history(const struct trial *trial, int function, uint32_t record)
{
    return &trial->histories[(size_t)function * trial->writer->count + record];
}

int64_t judge_end(const struct call *call)
{
    int64_t patience_us = call->arrived_us + MAYBE_LATE_US;

    return call->ended_us && call->ended_us < patience_us ? call->ended_us : patience_us;
}

bool judge_befell(const struct trial *trial, int member, enum member_event event, int64_t from_us,
                  int64_t until_us)
{
    return member >= 0 && member < trial->members->count &&
           member_happening(trial->members->one[member], event, from_us, until_us);
}

/* ---- whether the call is a record's ---- */

bool judge_is_strange(const struct trial *trial, const struct call *call)
{
    const struct record_entry *record;

    if (call->record >= trial->writer->count || call->member < 0)
        return true;
    record = &trial->writer->records[call->record];
    return record->state == RECORD_ABORTED || record->partition != call->partition ||
           (record->state == RECORD_WRITTEN && record->offset != call->offset);
}

/* ---- the trial ---- */

static void hear(struct trial *trial)
{
    for (size_t i = 0; i < trial->calls->count; i++) {
        const struct call *call = &trial->calls->list[i];
        struct history *history;

        if (judge_is_strange(trial, call)) {
            trial->verdict.strange++;
            judge_report(trial, "strange", call, NULL);
            continue;
        }
        if (trial->plan->order != ORDER_NONE)
            judge_order(trial, i);
        judge_repeat(trial, i);
        history = judge_history(trial, call->function, call->record);
        history->called = true;
    }
}

static void find_ends(struct trial *trial)
{
    for (size_t i = 0; i < trial->calls->count; i++) {
        const struct call *call = &trial->calls->list[i];
        struct history *history;

        if (judge_is_strange(trial, call) || call->status != 200)
            continue;
        history = judge_history(trial, call->function, call->record);
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
            if (judge_history(trial, f, i)->done_us)
                continue;
            if (trial->verdict.lost++ < REPORT_MOST)
                fprintf(trial->report, "  lost: record %u of f%d p%d o%" PRId64 " k%d, topic %d\n",
                        i, f, (int)record->partition, record->offset, (int)record->key,
                        record->era);
        }
}

static void trial_release(struct trial *trial)
{
    judge_free_lanes(trial);
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
    judge_allow_all(&trial);
    xclose_memstream(trial.report);
    trial_release(&trial);
    return trial.verdict;
}
