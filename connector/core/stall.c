/* stall: see stall.h. */
#include "core/stall.h"

#include <stddef.h>

static struct stall_finding explained(const char *why)
{
    return (struct stall_finding){.why = why, .explained = true};
}

static struct stall_finding fault(const char *why)
{
    return (struct stall_finding){.why = why};
}

static struct stall_finding find_commit(const struct stall_view *view)
{
    return view->committing ? explained("its offset is being committed")
                            : fault("it waits for a commit, and none is under way");
}

/* What is away is probed; what slots are full of ends: within a call's time. */
static struct stall_finding find_ready(const struct stall_view *view)
{
    bool away = view->gateway_away || view->function_away;
    int64_t from = away && view->probe_ms > view->moved_ms ? view->probe_ms : view->moved_ms;

    if (!away && view->slot)
        return fault("it may be called and a slot is free, but nothing begins");
    if (view->now_ms - from > view->call_timeout_ms)
        return fault("no call has begun or ended for longer than one may take");
    if (view->gateway_away)
        return explained("the gateway is away");
    return explained(view->function_away ? "the function is away" : "it waits for a slot");
}

static struct stall_finding find_calling(const struct stall_view *view)
{
    return view->now_ms - view->called_ms <= view->call_timeout_ms
               ? explained("it is being called")
               : fault("its call has not ended though its time is over");
}

static struct stall_finding find_nothing(const struct stall_view *view)
{
    return view->starting ? find_commit(view) : explained(NULL);
}

static struct stall_finding find_step(const struct stall_view *view)
{
    switch (view->step) {
    case STALL_QUEUED:
        return fault("it stands behind another, and there is none");
    case STALL_UNCOMMITTED:
        return find_commit(view);
    case STALL_PAUSED:
        return explained("it is paused by hand");
    case STALL_READY:
        return find_ready(view);
    case STALL_CALLING:
        return find_calling(view);
    case STALL_BACKING_OFF:
        return explained("it was refused or not answered, and waits for its next attempt");
    case STALL_HELD:
        return explained("it was not answered, and nothing more may be tried (on_exhausted=wait)");
    case STALL_DEAD_LETTER:
        return explained(view->letters_wait
                             ? "its dead letter waits: dead letters cannot be written just now"
                             : "its dead letter is on its way");
    case STALL_NOTHING:
        break;
    }
    return find_nothing(view);
}

struct stall_finding stall_find(const struct stall_view *view)
{
    struct stall_finding finding = find_step(view);

    finding.place = view->step == STALL_NOTHING ? view->next : view->offset;
    if (!finding.explained || !view->untaken)
        return finding;
    finding = fault("records lie fetched and there is room, but none is taken");
    finding.place = view->next;
    return finding;
}

bool stall_look(struct stall *stall, const struct stall_finding *finding, int64_t now_ms,
                int64_t timeout_ms)
{
    if (finding->explained) {
        stall->unexplained = false;
        return false;
    }
    if (!stall->unexplained || stall->place != finding->place)
        *stall = (struct stall){true, finding->place, now_ms};
    return timeout_ms && now_ms - stall->since_ms >= timeout_ms;
}
