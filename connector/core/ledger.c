/*
 * ledger: see ledger.h.
 */
#include "core/ledger.h"

#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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

const struct ledger_entry *ledger_entry_at(const struct ledger *ledger, int64_t offset)
{
    uint64_t low = ledger->first, high = ledger->last;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (entry(ledger, middle)->offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == ledger->last || entry(ledger, low)->offset != offset)
        return NULL;
    return entry(ledger, low);
}

uint64_t ledger_take(struct ledger *ledger, int64_t offset, uint32_t owed, uint32_t memory,
                     uint32_t print)
{
    uint64_t sequence = ledger->last;

    assert(!ledger_full(ledger) && !ledger_seen(ledger, offset));
    *entry(ledger, sequence) = (struct ledger_entry){offset, owed, memory, print};
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

enum { WORD_BITS = 64 };

static size_t word_count(const struct ledger *ledger)
{
    return (ledger->window + WORD_BITS - 1) / WORD_BITS;
}

void ledger_marks_init(struct ledger_marks *marks, const struct ledger *ledger)
{
    marks->words = xmalloc(word_count(ledger) * sizeof(*marks->words));
    memset(marks->words, 0xff, word_count(ledger) * sizeof(*marks->words));
}

void ledger_marks_release(struct ledger_marks *marks)
{
    free(marks->words);
    marks->words = NULL;
}

void ledger_mark(const struct ledger *ledger, struct ledger_marks *marks, uint64_t sequence,
                 bool done)
{
    uint64_t bit = UINT64_C(1) << (sequence % ledger->window % WORD_BITS);
    uint64_t *word = &marks->words[sequence % ledger->window / WORD_BITS];

    *word = done ? *word | bit : *word & ~bit;
}

static bool is_marked(const struct ledger *ledger, const struct ledger_marks *marks,
                      uint64_t sequence)
{
    size_t place = sequence % ledger->window;

    return marks->words[place / WORD_BITS] >> (place % WORD_BITS) & 1;
}

/* The first entry from `at` on that is marked, or is not; `last` when there is none. A whole word
 * is passed at once, because windows may be long and commits frequent. */
static uint64_t next_entry(const struct ledger *ledger, const struct ledger_marks *marks,
                           uint64_t at, bool marked)
{
    uint64_t passed = marked ? 0 : UINT64_MAX;

    while (at < ledger->last && is_marked(ledger, marks, at) != marked) {
        size_t place = at % ledger->window;
        bool whole = place % WORD_BITS == 0 && place + WORD_BITS <= ledger->window;

        at += whole && marks->words[place / WORD_BITS] == passed ? WORD_BITS : 1;
    }
    return at < ledger->last ? at : ledger->last;
}

void ledger_runs(const struct ledger *ledger, const struct ledger_marks *marks,
                 struct progress_function *function)
{
    uint64_t begin = next_entry(ledger, marks, ledger->first, true), end;

    while (begin < ledger->last && function->run_count < PROGRESS_RUNS_MOST) {
        end = next_entry(ledger, marks, begin, false);
        /* no record that is not in the window lies between its entries */
        progress_add_run(function, entry(ledger, begin)->offset, entry(ledger, end - 1)->offset);
        begin = next_entry(ledger, marks, end, true);
    }
}
