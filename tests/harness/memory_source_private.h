/* memory_source_private: what the files of memory_source share: memory_log.c holds the logs and
 * what is committed, memory_source.c is the source. */
#ifndef HARNESS_MEMORY_SOURCE_PRIVATE_H
#define HARNESS_MEMORY_SOURCE_PRIVATE_H

#include "tests/harness/memory_source.h"

struct item {
    int64_t offset;
    struct memory_item it; /* its bytes are owned */
};

/* A partition: its log, what is committed, and where its reader stands. */
struct source_partition {
    char *topic;
    int32_t number;
    struct item *items;
    size_t count;
    int64_t low, end;
    int made_anew;     /* so often */
    int64_t committed; /* -1: nothing */
    char *metadata;

    size_t at;          /* the reader: the next item */
    bool ready_due;     /* an empty queue got an element: to be told */
    bool end_due;       /* the reader came to the end: to be told */
    int64_t least_done; /* the last offset committed within this log */
    unsigned log;       /* counts up when the topic is made anew */
    void *sink_partition;
    struct source_partition *prev, *next;
};

struct position {
    struct source_partition *partition;
    int64_t offset;
    unsigned log;
    char *metadata;
};

struct memory_source {
    struct source seam; /* first */
    uv_async_t wake;
    struct source_partition *partitions; /* utlist DL */
    size_t partition_count;
    bool assigned, revoking, mute;

    struct position *batch; /* under way */
    size_t batch_count;
    bool batch_lost, batch_applied, hold;
    int refuse;
    enum source_result refusal;
    const char *refused_topic, *withheld_topic;
    size_t metadata_least; /* so many characters are refused; 0: none are */
    bool unread;           /* the withheld one is ours, and told later */
    size_t batches, positions;

    size_t taken, held, most_held, bytes, most_bytes;
};

/* Has the loop tell what is to be told. */
void memory_source_wake(struct memory_source *source);

int32_t memory_log_partitions(const struct memory_source *source, const char *topic);
/* The index of the first item at or behind an offset. */
size_t memory_log_index(const struct source_partition *partition, int64_t offset);
void memory_log_release(struct source_partition *partition);
/* The least `born` in the commits of a topic; -1: there are none. */
int32_t memory_log_least_born(const struct memory_source *source, const char *topic);

#endif
