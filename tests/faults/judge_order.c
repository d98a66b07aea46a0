/* judge_order: whether the calls of a lane came in order. See judge.h. */
#include "tests/faults/judge_private.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { NOBODY = UINT32_MAX };

struct lane_name { /* zeroed first: it is hashed as it lies */
    int32_t function, partition, key, era;
};

struct lane {
    struct lane_name name;
    uint32_t last;  /* the record that was called for the first time as the last one */
    size_t busiest; /* the call that ends last */
    UT_hash_handle hh;
};

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

    return judge_befell(trial, call->member, MEMBER_KILLED, from_us, until_us) ||
           judge_befell(trial, call->member, MEMBER_FROZEN, from_us, until_us) ||
           judge_befell(trial, call->member, MEMBER_LOST, call->arrived_us, until_us);
}

bool judge_is_stray(const struct trial *trial, const struct call *call)
{
    return judge_befell(trial, call->member, MEMBER_FROZEN, call->arrived_us - SECOND_US,
                        call->arrived_us) ||
           judge_befell(trial, call->member, MEMBER_LOST, call->arrived_us,
                        call->arrived_us + 3 * SECOND_US);
}

void judge_order(struct trial *trial, size_t index)
{
    const struct call *call = &trial->calls->list[index], *busiest = NULL;
    struct lane *lane = lane_of(trial, call);
    const struct history *before = NULL;

    if (lane->busiest != SIZE_MAX)
        busiest = &trial->calls->list[lane->busiest];
    if (busiest && judge_end(busiest) > call->arrived_us && !is_orphan(trial, busiest, call) &&
        !judge_is_stray(trial, call)) {
        trial->verdict.crossed++;
        judge_report(trial, "crossed", call, busiest);
    }
    if (!busiest || judge_end(call) >= judge_end(busiest))
        lane->busiest = index;
    if (judge_history(trial, call->function, call->record)->called)
        return;
    if (!trial->owed[call->record] && judge_is_stray(trial, call))
        return; /* whoever has the partition now was not given it, and passed over it */
    if (lane->last != NOBODY && call->offset < trial->writer->records[lane->last].offset) {
        trial->verdict.disordered++;
        judge_report(trial, "disordered", call, busiest);
        return;
    }
    if (lane->last != NOBODY && trial->owed[lane->last])
        before = judge_history(trial, call->function, lane->last);
    if (before && (!before->done_us || before->done_us > call->arrived_us)) {
        trial->verdict.overtaken++;
        judge_report(trial, "overtaken", call, busiest);
    }
    lane->last = call->record;
}

void judge_free_lanes(struct trial *trial)
{
    struct lane *lane, *next;

    HASH_ITER (hh, trial->lanes, lane, next) {
        HASH_DEL(trial->lanes, lane);
        free(lane);
    }
}
