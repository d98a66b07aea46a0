/*
 * ledger: which records of a partition are not done yet, and so how far it may be committed.
 *
 * Records are entered in the log's order as they are taken, each with the number of functions it
 * is owed to; they are done in any order. The committable offset is the lowest one not done by
 * all, or the next offset to read when nothing is left. Gaps in the log (compaction, transaction
 * markers, expired records) are no hindrance.
 *
 * Its window bounds what may be read ahead: the entries from the lowest record not done to the
 * newest. So a restart repeats at most a window, and memory is bounded.
 */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H

#include "core/progress.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ledger_entry {
    int64_t offset;
    uint32_t owed;   /* functions that have not done it */
    uint32_t memory; /* bytes it counts for while it is in the window */
    uint32_t print;  /* record_print */
};

struct ledger {
    struct ledger_entry *entries; /* a ring of `window`, indexed by sequence number */
    size_t window;
    uint64_t first, last; /* sequence numbers: [first, last) are in the window */
    int64_t next;         /* the lowest offset not seen yet */
    int64_t memory;       /* sum over the window */
};

/* `start` is the first offset to be read; window >= 1. */
void ledger_init(struct ledger *ledger, int64_t start, size_t window);
void ledger_release(struct ledger *ledger);

/* Whether a record at this offset was seen before: it is below `next`. */
bool ledger_seen(const struct ledger *ledger, int64_t offset);

bool ledger_full(const struct ledger *ledger);

/* The window's entry at this offset, until the next call; NULL: none. A record that comes at the
 * same offset again is the same if its print is. */
const struct ledger_entry *ledger_entry_at(const struct ledger *ledger, int64_t offset);

/* Enters a record that was not seen, while the ledger is not full. With owed 0 it is done at once.
 * Returns its sequence number, which ledger_finish takes. */
uint64_t ledger_take(struct ledger *ledger, int64_t offset, uint32_t owed, uint32_t memory,
                     uint32_t print);

/* One of the functions is done with a record. True: the window moved (there is room, the
 * committable offset rose). */
bool ledger_finish(struct ledger *ledger, uint64_t sequence);

/* Nothing that must be read lies below `offset`: a skipped record, the log's end. */
void ledger_advance(struct ledger *ledger, int64_t offset);

/* For one function: the entries of the window that need nothing more of it, because it has done
 * them or was never owed them. */
struct ledger_marks {
    uint64_t *words;
};

/* Every entry is marked. */
void ledger_marks_init(struct ledger_marks *marks, const struct ledger *ledger);
void ledger_marks_release(struct ledger_marks *marks);
void ledger_mark(const struct ledger *ledger, struct ledger_marks *marks, uint64_t sequence,
                 bool done);

/* Adds the marked entries to a function's progress, which is empty, as runs of offsets: the lowest
 * PROGRESS_RUNS_MOST. */
void ledger_runs(const struct ledger *ledger, const struct ledger_marks *marks,
                 struct progress_function *function);

int64_t ledger_committable(const struct ledger *ledger);

/* Entries in the window, done ones between others included; 0: nothing is unfinished. */
size_t ledger_fill(const struct ledger *ledger);

#endif
