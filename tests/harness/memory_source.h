/*
 * memory_source: a source of records that are lists in memory, with what the group has committed;
 * for tests of the sink, and an example of how little a source is.
 *
 * It behaves as the Kafka consumer does where that matters: ready is told from the loop, and only
 * when an empty queue gets an element; the end of the log is told when the reader comes to it;
 * done is answered later, from the loop; a revoke is held until release. It asserts that the sink
 * keeps to core/source.h: one batch in flight, nothing taken after a revoke, no commit beyond the
 * log or back within it.
 *
 * Logs and commits outlive assignments, so that a second sink goes on where the first ended.
 */
#ifndef HARNESS_MEMORY_SOURCE_H
#define HARNESS_MEMORY_SOURCE_H

#include "core/source.h"

#include <uv.h>

struct memory_source;

struct memory_source *memory_source_new(uv_loop_t *loop);
/* All records must have been released. Run the loop once more before closing it. */
void memory_source_free(struct memory_source *source);
struct source *memory_source_seam(struct memory_source *source);

/* ---- the logs ---- */

/* Partitions 0 .. partitions-1; with more than before, they are added. */
void memory_source_topic(struct memory_source *source, const char *topic, int partitions);

struct memory_item {
    const void *key; /* NULL: none */
    size_t key_size;
    const void *value; /* NULL: a tombstone */
    size_t value_size;
    size_t memory;        /* 0: what it takes */
    int64_t timestamp_ms; /* 0: some time in 2023 */
};

/* Appends a copy. Returns its offset. */
int64_t memory_source_append_item(struct memory_source *source, const char *topic, int partition,
                                  const struct memory_item *item);
/* Key and value as texts; NULL: none. */
int64_t memory_source_append(struct memory_source *source, const char *topic, int partition,
                             const char *key, const char *value);
/* `count` records "0", "1", ... by offset; keys "k0" .. "k<keys-1>" in turn, keys 0: none. */
void memory_source_fill(struct memory_source *source, const char *topic, int partition, int count,
                        int keys);
/* Offsets at the log's end that hold no record: a transaction's marker. */
void memory_source_gap(struct memory_source *source, const char *topic, int partition, int count);
/* What lies below has expired; the sink is told of what it had not taken. */
void memory_source_expire(struct memory_source *source, const char *topic, int partition,
                          int64_t low);
/* The topic was deleted and made anew: an empty log from offset 0; the reader begins there. The
 * records that were taken stay with the sink. What is filled in again is of a later time. */
void memory_source_make_anew(struct memory_source *source, const char *topic, int partition);
/* The reader jumps back and delivers again from here. */
void memory_source_rewind(struct memory_source *source, const char *topic, int partition,
                          int64_t offset);

/* ---- the group ---- */

/* All partitions of all topics but one withheld, to the sink, now; ready follows from the loop. */
void memory_source_assign(struct memory_source *source);
void memory_source_revoke(struct memory_source *source);
/* The records that were taken stay with the sink. */
void memory_source_lose(struct memory_source *source);
/* The sink is no more, without a word: its process was killed. */
void memory_source_crash(struct memory_source *source);
/* From the next assignment on another member has this topic's partitions. NULL: no topic's. */
void memory_source_withhold(struct memory_source *source, const char *topic);
/* Of this topic's partitions nothing can be read at the next assignment: they are assigned later.
 */
void memory_source_unread(struct memory_source *source, const char *topic);
void memory_source_assign_rest(struct memory_source *source);
bool memory_source_assigned(const struct memory_source *source);
/* On: ready is not told, a fault that a source must not have. */
void memory_source_mute(struct memory_source *source, bool on);

/* ---- commits ---- */

/* On: batches are not answered until memory_source_answer. */
void memory_source_hold_commits(struct memory_source *source, bool on);
/* Answers the batch that is held: committed, or not. */
void memory_source_answer(struct memory_source *source, enum source_result result);
/* The next batches are answered so, and not committed. */
void memory_source_refuse(struct memory_source *source, int batches, enum source_result result);
/* Positions of this topic are refused for its sake, those beside them are not. NULL: no topic's. */
void memory_source_refuse_topic(struct memory_source *source, const char *topic);
/* Positions with so many characters of metadata are refused for it. 0: none are. */
void memory_source_refuse_metadata(struct memory_source *source, size_t least);
/* The batch that is held is committed, and its answer does not arrive. */
void memory_source_commit_unanswered(struct memory_source *source);

bool memory_source_committing(const struct memory_source *source);
size_t memory_source_batches(const struct memory_source *source);   /* that done was called with */
size_t memory_source_positions(const struct memory_source *source); /* in all of them */
int64_t memory_source_committed(const struct memory_source *source, const char *topic,
                                int partition); /* -1: nothing */
const char *memory_source_metadata(const struct memory_source *source, const char *topic,
                                   int partition); /* NULL: nothing */
/* As if another member had committed it. */
void memory_source_set_committed(struct memory_source *source, const char *topic, int partition,
                                 int64_t offset, const char *metadata);
/* Whether all there is in all logs is committed. */
bool memory_source_all_committed(const struct memory_source *source);

/* ---- what the sink has ---- */

size_t memory_source_taken(const struct memory_source *source); /* records, in all */
size_t memory_source_held(const struct memory_source *source);  /* of them: not released */
size_t memory_source_most_held(const struct memory_source *source);
size_t memory_source_most_bytes(const struct memory_source *source); /* by their `memory` */

#endif
