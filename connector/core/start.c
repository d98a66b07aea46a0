/* start: see start.h. */
#include "core/start.h"

const char *start_reason_text(enum start_reason reason)
{
    static const char *const texts[] = {
        [START_COMMITTED] = "the committed offset",
        [START_EXPIRED] = "the earliest record left, the committed offset has expired",
        [START_MADE_ANEW] = "the earliest record, the topic was made anew",
        [START_ADDED] = "the earliest record, the partition was added",
        [START_LATEST] = "the end of the log, nothing is committed",
        [START_EARLIEST] = "the earliest record, nothing is committed",
    };

    return texts[reason];
}

static enum start_reason reason_for(const struct source_assignment *it, enum initial_offset initial,
                                    struct start_memory memory)
{
    if (it->committed > it->end || memory.seen > it->end)
        return START_MADE_ANEW;
    if (it->committed >= it->low)
        return START_COMMITTED;
    if (it->committed >= 0)
        return START_EXPIRED;
    if (it->least_born < 0 && memory.had_commits)
        return START_MADE_ANEW;
    if (it->least_born >= 0 && it->number >= it->least_born)
        return START_ADDED;
    return initial == INITIAL_LATEST ? START_LATEST : START_EARLIEST;
}

int64_t start_position(const struct source_assignment *it, enum initial_offset initial,
                       struct start_memory memory, enum start_reason *reason)
{
    *reason = reason_for(it, initial, memory);
    switch (*reason) {
    case START_COMMITTED:
        return it->committed;
    case START_LATEST:
        return it->end;
    default:
        return it->low;
    }
}
