/*
 * source: the seam between where records come from and who gets functions to run on them.
 *
 * This is the "connector pattern": a source of another kind (a queue, a stream, a list in a test)
 * is a `struct source` of five calls, and all that is on the other side (order, retry, ledger,
 * commit rule, drain) works for it unchanged. The other side is a `struct sink_calls`.
 *
 *     source                                  sink (invoke/dispatcher)
 *       assigned: partitions and what is  ->    chooses where each starts
 *                 committed for them
 *       ready: a partition has records    ->    take, take, ... until NULL or its window is full
 *       committed: the answer to done,   <->    done: positions, one batch in flight a time
 *                  position by position
 *       revoke: give all partitions up    ->    drains, done for the last time, then release
 *
 * Everything runs on the loop's thread; neither side calls the other from within `take`. The sink
 * may call take, done and release from within any of its own functions.
 */
#ifndef CORE_SOURCE_H
#define CORE_SOURCE_H

#include "core/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source_partition; /* the source's own view of a partition it was assigned */

/* One partition as assigned. All but `start` and `partition` is the source's to fill in. */
struct source_assignment {
    struct source_partition *handle; /* valid until release returns or revoke(lost) returned */
    const char *topic;               /* as long-lived as the handle */
    int32_t number;
    int64_t committed;    /* the next offset to read as the group committed it; -1: none */
    const char *metadata; /* committed with it; NULL or "": none. Until assigned returns */
    int64_t low, end;     /* the log's first offset, and the one behind its last */
    int32_t partitions;   /* of the topic, now */
    int32_t least_born;   /* the least `born` (core/progress) among the topic's partitions that
                             have a committed offset; -1: none of them has */

    int64_t start;   /* out: the first offset to read */
    void *partition; /* out: the sink's own view, handed to ready and end */
};

/* What is to be committed for a partition. metadata is borrowed for the call of done. */
struct source_position {
    struct source_partition *handle;
    int64_t offset;
    const char *metadata;
};

/* What became of a position. */
enum source_result {
    SOURCE_COMMITTED,
    SOURCE_UNREACHED, /* the group could not be told, or did not answer; that passes by itself */
    SOURCE_REFUSED,   /* the group takes nothing from us: no right, or no member any more */
    SOURCE_TOPIC_REFUSED, /* nothing of this topic; says nothing of the batch's other positions */
    SOURCE_TOO_LONG, /* its metadata, or another position's of the batch: the offset may go with
                        less, or without */
};

struct source_answer {
    enum source_result result;
    const char *why_not; /* borrowed; NULL: committed */
};

struct source;

struct source_calls {
    /* The next record of a partition, with one reference that is now the caller's; NULL: none
     * waits, `ready` will tell when one does. */
    struct record *(*take)(struct source *source, struct source_partition *partition);

    /* Everything below each offset is done: commit; one position at least. Answered by exactly one
     * `committed`, also when partitions are lost meanwhile. One batch at a time. */
    void (*done)(struct source *source, const struct source_position *positions, size_t count);

    /* After `revoke`: nothing of the partitions is in use any more. */
    void (*release)(struct source *source);

    /* The offset behind the newest record of the partition's log as far as it is known without
     * asking anybody; -1: it is not. */
    int64_t (*log_end)(struct source *source, const struct source_partition *partition);

    /* Whether records lie ready to be taken. */
    bool (*has_records)(struct source *source, const struct source_partition *partition);
};

struct sink_calls {
    /* Partitions were assigned (never while others are: all are revoked first). Sets start and
     * partition of each. more: not all of them; the others follow in further calls, before a
     * revoke, when what is to be told of them could be read. */
    void (*assigned)(void *sink, struct source_assignment *assignments, size_t count, bool more);

    /* The partition may have records to take. */
    void (*ready)(void *sink, void *partition);

    /* The reader stands at the end of the log: no record lies between the last one taken and
     * `offset`, though the log may hold something there (a transaction's marker). */
    void (*end)(void *sink, void *partition, int64_t offset);

    /* `count` records that were not read yet are gone from the log, and `offset` is the first that
     * is left: reading goes on there. */
    void (*expired)(void *sink, void *partition, int64_t offset, int64_t count);

    /* The answer to `done`: one for each of its positions, in their order. What was not committed
     * may be sent again. One that is unreached may have been committed all the same. */
    void (*committed)(void *sink, const struct source_answer *answers, size_t count);

    /* All partitions must be given up. lost false: drain, `done` a last time, then `release`.
     * lost true: they may be somebody else's already, also in the midst of a drain; the handles
     * end when this returns, and release is not called. Records taken may be held on to: the
     * partitions may come back with nobody having had them. */
    void (*revoke)(void *sink, bool lost);
};

/* Embedded first in a source. */
struct source {
    const struct source_calls *calls;
    const struct sink_calls *sink_calls;
    void *sink;
};

#endif
