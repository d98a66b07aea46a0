/*
 * progress: what a partition's commit metadata says beside the offset, and its encoding.
 *
 * The offset alone says "everything below is done by all". Progress adds, for each function, what
 * it has finished above that, and how often its unfinished records were tried, so that a restart
 * or another member neither runs them again nor forgets their attempts.
 *
 * Form, as text: "kc1:" and base64 of
 *     version 1, born, functions, for each: name (4 bytes), runs, for each: gap, length - 1;
 *                                           counts, for each: gap, attempts, timeouts
 *     FNV-1a of all before and of the committed offset (4 bytes)
 * so that it is believed only with the offset it was committed with. Numbers are LEB128 varints
 * (bytes little-endian) and a gap counts from the end of what stands before it, at first from the
 * committed offset. At most PROGRESS_TEXT_SIZE characters, because brokers refuse more
 * (offset.metadata.max.bytes). What does not fit is left out so that records are repeated, never
 * skipped: first the counts of the newest records, then finished runs from the top. Anything else
 * (another program's metadata, a damaged one) reads as "not ours".
 */
#ifndef CORE_PROGRESS_H
#define CORE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PROGRESS_TEXT_SIZE = 4096,
    PROGRESS_RUNS_MOST = 1536, /* more fit into no text: each takes two bytes at least */
    PROGRESS_TEXT_LEAST = 20,  /* holds any `born`, and nothing else for certain */
};

/* Offsets first..last, both included: finished. */
struct progress_run {
    int64_t first, last;
};

/* What a record that is not finished has used up. */
struct progress_count {
    int64_t offset;
    uint32_t attempts, timeouts;
};

struct progress_function {
    uint32_t name;             /* progress_name of its path */
    struct progress_run *runs; /* ascending, apart */
    size_t run_count;
    struct progress_count *counts; /* ascending */
    size_t count_count;
};

/* Zero-initialised is empty but for born, which must be set. */
struct progress {
    int32_t born; /* the topic's partition count when this partition's ledger began; >= 1 */
    struct progress_function *functions;
    size_t function_count;
};

/* Frees what it holds; born stays. */
void progress_clear(struct progress *progress);

/* The name a function goes by: a 32-bit hash of its path. */
uint32_t progress_name(const char *path);

/* Adds a function; the pointer is good until the next is added. */
struct progress_function *progress_add(struct progress *progress, uint32_t name);
/* Behind what was added before. A run that touches the last one is joined to it. */
void progress_add_run(struct progress_function *function, int64_t first, int64_t last);
void progress_add_count(struct progress_function *function, struct progress_count count);

/* Writes the text with a NUL, at most `limit` characters, which is PROGRESS_TEXT_LEAST up to
 * PROGRESS_TEXT_SIZE. Returns its length. `offset` is the committed one: every run and count lies
 * at or above it, and below INT64_MAX. Functions that share a name are left out: their runs must
 * not be taken for one another's. */
size_t progress_encode(const struct progress *progress, int64_t offset, size_t limit,
                       char text[PROGRESS_TEXT_SIZE + 1]);

/* Reads what was committed with `offset`, into an empty *progress. False: not ours, *progress
 * untouched. text may be NULL. */
bool progress_decode(const char *text, int64_t offset, struct progress *progress);

/* Whether a function has finished a record. */
bool progress_finished(const struct progress *progress, uint32_t name, int64_t offset);

/* What a function has used up on a record; zeroes where nothing is known. */
struct progress_count progress_used(const struct progress *progress, uint32_t name, int64_t offset);

/* Adds to `to` what `from` says of offsets at or above `offset`; all of it lies behind what `to`
 * holds already. */
void progress_carry(struct progress_function *to, const struct progress_function *from,
                    int64_t offset);

/* The function of a name; NULL: nothing is said of it. */
const struct progress_function *progress_find(const struct progress *progress, uint32_t name);

/* The highest offset it says anything of; -1: none. */
int64_t progress_top(const struct progress *progress);

#endif
