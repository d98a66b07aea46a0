/*
 * ledger: see ledger.h.
 */
#include "core/ledger.h"

#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>

static struct ledger_entry *entry(const struct ledger *ledger, uint64_t sequence)
{
    return &ledger->entries[sequence % ledger->window];
}

void ledger_init(struct ledger *ledger, int64_t start, size_t window)
{
    assert(window >= 1);
    *ledger = (struct ledger){.window = window, .next = start};
    ledger->entries = xcalloc(window, sizeof(*ledger->entries));
}

void ledger_release(struct ledger *ledger)
{
    free(ledger->entries);
    *ledger = (struct ledger){0};
}

bool ledger_seen(const struct ledger *ledger, int64_t offset)
{
    return offset < ledger->next;
}

size_t ledger_fill(const struct ledger *ledger)
{
    return (size_t)(ledger->last - ledger->first);
}

bool ledger_full(const struct ledger *ledger)
{
    return ledger_fill(ledger) == ledger->window;
}

static bool drop_done(struct ledger *ledger)
{
    uint64_t before = ledger->first;

    while (ledger->first < ledger->last && entry(ledger, ledger->first)->owed == 0)
        ledger->memory -= entry(ledger, ledger->first++)->memory;
    return ledger->first != before;
}

uint64_t ledger_take(struct ledger *ledger, int64_t offset, uint32_t owed, uint32_t memory)
{
    uint64_t sequence = ledger->last;

    assert(!ledger_full(ledger) && !ledger_seen(ledger, offset));
    *entry(ledger, sequence) = (struct ledger_entry){offset, owed, memory};
    ledger->last++;
    ledger->next = offset + 1;
    ledger->memory += memory;
    if (owed == 0)
        drop_done(ledger);
    return sequence;
}

bool ledger_finish(struct ledger *ledger, uint64_t sequence)
{
    assert(sequence >= ledger->first && sequence < ledger->last);
    assert(entry(ledger, sequence)->owed > 0);
    if (--entry(ledger, sequence)->owed > 0)
        return false;
    return drop_done(ledger);
}

void ledger_advance(struct ledger *ledger, int64_t offset)
{
    if (offset > ledger->next)
        ledger->next = offset;
}

int64_t ledger_committable(const struct ledger *ledger)
{
    return ledger_fill(ledger) ? entry(ledger, ledger->first)->offset : ledger->next;
}
