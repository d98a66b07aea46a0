/* memory_log: the logs of memory_source, and what the group has committed. */
#include "base/xalloc.h"
#include "core/progress.h"
#include "tests/harness/memory_source_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static struct source_partition *find(const struct memory_source *source, const char *topic,
                                     int number)
{
    struct source_partition *partition;

    DL_FOREACH (source->partitions, partition)
        if (partition->number == number && strcmp(partition->topic, topic) == 0)
            return partition;
    return NULL;
}

static struct source_partition *get(const struct memory_source *source, const char *topic,
                                    int number)
{
    struct source_partition *partition = find(source, topic, number);

    assert(partition);
    return partition;
}

int32_t memory_log_partitions(const struct memory_source *source, const char *topic)
{
    int32_t count = 0;

    while (find(source, topic, count))
        count++;
    return count;
}

void memory_source_topic(struct memory_source *source, const char *topic, int partitions)
{
    for (int32_t i = memory_log_partitions(source, topic); i < partitions; i++) {
        struct source_partition *partition = xcalloc(1, sizeof(*partition));

        partition->topic = xstrdup(topic);
        partition->number = i;
        partition->committed = -1;
        DL_APPEND(source->partitions, partition);
        source->partition_count++;
    }
}

static void *copy(const void *bytes, size_t size)
{
    char *to = bytes ? xmalloc(size + 1) : NULL;

    if (bytes && size)
        memcpy(to, bytes, size);
    return to;
}

int64_t memory_source_append_item(struct memory_source *source, const char *topic, int number,
                                  const struct memory_item *item)
{
    struct source_partition *partition = get(source, topic, number);
    struct item *items = partition->items;

    if ((partition->count & (partition->count - 1)) == 0)
        items = xrealloc(items, (2 * partition->count + 1) * sizeof(*items));
    partition->items = items;
    if (partition->at == partition->count)
        partition->ready_due = true;
    items += partition->count++;
    *items = (struct item){partition->end++, *item};
    items->it.key = copy(item->key, item->key_size);
    items->it.value = copy(item->value, item->value_size);
    memory_source_wake(source);
    return items->offset;
}

int64_t memory_source_append(struct memory_source *source, const char *topic, int partition,
                             const char *key, const char *value)
{
    struct memory_item item = {.key = key,
                               .key_size = key ? strlen(key) : 0,
                               .value = value,
                               .value_size = value ? strlen(value) : 0};

    return memory_source_append_item(source, topic, partition, &item);
}

void memory_source_fill(struct memory_source *source, const char *topic, int number, int count,
                        int keys)
{
    struct source_partition *partition = get(source, topic, number);
    char key[32], value[32];

    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof(key), "k%d", keys ? i % keys : 0);
        snprintf(value, sizeof(value), "%" PRId64, partition->end);
        memory_source_append(source, topic, number, keys ? key : NULL, value);
    }
}

void memory_source_gap(struct memory_source *source, const char *topic, int number, int count)
{
    struct source_partition *partition = get(source, topic, number);

    partition->end += count;
    partition->end_due = true;
    memory_source_wake(source);
}

static void item_release(struct item *item)
{
    free((void *)item->it.key);
    free((void *)item->it.value);
}

size_t memory_log_index(const struct source_partition *partition, int64_t offset)
{
    size_t at = 0;

    while (at < partition->count && partition->items[at].offset < offset)
        at++;
    return at;
}

void memory_source_expire(struct memory_source *source, const char *topic, int number, int64_t low)
{
    struct source_partition *partition = get(source, topic, number);
    size_t gone = memory_log_index(partition, low);
    int64_t next =
        partition->at < partition->count ? partition->items[partition->at].offset : partition->end;

    for (size_t i = 0; i < gone; i++)
        item_release(&partition->items[i]);
    for (size_t i = gone; i < partition->count; i++)
        partition->items[i - gone] = partition->items[i];
    partition->count -= gone;
    partition->at -= gone < partition->at ? gone : partition->at;
    partition->low = low;
    /* The array's size is told by its count: make it fit the new one. */
    partition->items =
        xrealloc(partition->items, (4 * partition->count + 1) * sizeof(*partition->items));
    if (source->assigned && partition->sink_partition && next < low)
        source->seam.sink_calls->expired(source->seam.sink, partition->sink_partition, low,
                                         low - next);
}

void memory_log_release(struct source_partition *partition)
{
    for (size_t i = 0; i < partition->count; i++)
        item_release(&partition->items[i]);
    free(partition->items);
    partition->items = NULL;
    partition->at = partition->count = 0;
    partition->low = partition->end = partition->least_done = 0;
    partition->log++;
    partition->ready_due = partition->end_due = false;
}

void memory_source_make_anew(struct memory_source *source, const char *topic, int number)
{
    struct source_partition *partition = get(source, topic, number);

    memory_log_release(partition);
    partition->made_anew++;
}

void memory_source_rewind(struct memory_source *source, const char *topic, int number,
                          int64_t offset)
{
    struct source_partition *partition = get(source, topic, number);

    partition->at = memory_log_index(partition, offset);
    partition->ready_due = true;
    memory_source_wake(source);
}

/* ---- what is committed ---- */

int32_t memory_log_least_born(const struct memory_source *source, const char *topic)
{
    struct source_partition *partition;
    struct progress progress = {0};
    int32_t least = -1;

    DL_FOREACH (source->partitions, partition) {
        if (strcmp(partition->topic, topic) != 0 || partition->committed < 0)
            continue;
        if (!progress_decode(partition->metadata, partition->committed, &progress))
            continue;
        if (least < 0 || progress.born < least)
            least = progress.born;
        progress_clear(&progress);
    }
    return least;
}

int64_t memory_source_committed(const struct memory_source *source, const char *topic,
                                int partition)
{
    return get(source, topic, partition)->committed;
}

const char *memory_source_metadata(const struct memory_source *source, const char *topic,
                                   int partition)
{
    return get(source, topic, partition)->metadata;
}

void memory_source_set_committed(struct memory_source *source, const char *topic, int number,
                                 int64_t offset, const char *metadata)
{
    struct source_partition *partition = get(source, topic, number);

    free(partition->metadata);
    partition->committed = offset;
    partition->metadata = xstrdup(metadata);
}

bool memory_source_all_committed(const struct memory_source *source)
{
    struct source_partition *partition;

    DL_FOREACH (source->partitions, partition)
        if (partition->committed != partition->end)
            return false;
    return !source->batch;
}
