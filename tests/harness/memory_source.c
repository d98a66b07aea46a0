/* memory_source: see memory_source.h. */
#include "base/xalloc.h"
#include "tests/harness/memory_source_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct taken_record {
    struct record record; /* first */
    struct memory_source *source;
    char bytes[]; /* key and value, so that a use after its end is a use after free */
};

void memory_source_wake(struct memory_source *source)
{
    uv_async_send(&source->wake);
}

/* ---- records ---- */

static void on_release(struct record *record)
{
    struct taken_record *taken = (struct taken_record *)record;

    taken->source->held--;
    taken->source->bytes -= record->memory;
    free(taken);
}

static void count_taken(struct memory_source *source, const struct record *record)
{
    source->taken++;
    source->bytes += record->memory;
    if (++source->held > source->most_held)
        source->most_held = source->held;
    if (source->bytes > source->most_bytes)
        source->most_bytes = source->bytes;
}

static struct record *record_of(struct memory_source *source, struct source_partition *partition,
                                const struct item *item)
{
    size_t size = sizeof(struct taken_record) + item->it.key_size + item->it.value_size;
    struct taken_record *taken = xcalloc(1, size);
    struct record *record = &taken->record;

    taken->source = source;
    *record = (struct record){.topic = partition->topic,
                              .partition = partition->number,
                              .offset = item->offset,
                              .timestamp_ms = item->it.timestamp_ms
                                                  ? item->it.timestamp_ms
                                                  : 1700000000000 + item->offset +
                                                        (int64_t)partition->made_anew * 1000000,
                              .key = item->it.key ? taken->bytes : NULL,
                              .key_size = item->it.key_size,
                              .value = item->it.value ? taken->bytes + item->it.key_size : NULL,
                              .value_size = item->it.value_size,
                              .memory = item->it.memory ? item->it.memory : size,
                              .refs = 1,
                              .release = on_release};
    if (item->it.key_size)
        memcpy(taken->bytes, item->it.key, item->it.key_size);
    if (item->it.value_size)
        memcpy(taken->bytes + item->it.key_size, item->it.value, item->it.value_size);
    count_taken(source, record);
    return record;
}

/* ---- the calls of the seam ---- */

static struct record *take(struct source *seam, struct source_partition *partition)
{
    struct memory_source *source = (struct memory_source *)seam;
    struct record *record;

    assert(source->assigned && !source->revoking);
    if (partition->at == partition->count)
        return NULL;
    record = record_of(source, partition, &partition->items[partition->at++]);
    if (partition->at == partition->count) {
        partition->end_due = true;
        memory_source_wake(source);
    }
    return record;
}

static void done(struct source *seam, const struct source_position *positions, size_t count)
{
    struct memory_source *source = (struct memory_source *)seam;

    assert(source->assigned && count && !source->batch);
    source->batch = xcalloc(count, sizeof(*source->batch));
    source->batch_count = count;
    source->batch_lost = source->batch_applied = false;
    source->batches++;
    source->positions += count;
    for (size_t i = 0; i < count; i++) {
        struct source_partition *partition = positions[i].handle;

        assert(positions[i].offset >= partition->least_done &&
               positions[i].offset <= partition->end);
        source->batch[i] = (struct position){partition, positions[i].offset, partition->log,
                                             xstrdup(positions[i].metadata)};
    }
    memory_source_wake(source);
}

static void release(struct source *seam)
{
    struct memory_source *source = (struct memory_source *)seam;

    assert(source->revoking && !source->batch && !source->held);
    source->assigned = source->revoking = false;
}

static int64_t log_end(struct source *seam, const struct source_partition *partition)
{
    (void)seam;
    return partition->end;
}

static bool has_records(struct source *seam, const struct source_partition *partition)
{
    (void)seam;
    return partition->at < partition->count;
}

static const struct source_calls calls = {take, done, release, log_end, has_records};

/* ---- what is told from the loop ---- */

static void drop_batch(struct memory_source *source)
{
    for (size_t i = 0; i < source->batch_count; i++)
        free(source->batch[i].metadata);
    free(source->batch);
    source->batch = NULL;
    source->batch_count = 0;
}

static void apply(const struct position *position)
{
    free(position->partition->metadata);
    position->partition->committed = position->offset;
    if (position->log == position->partition->log)
        position->partition->least_done = position->offset;
    position->partition->metadata = xstrdup(position->metadata);
}

static enum source_result result_of(const struct memory_source *source,
                                    const struct position *position, enum source_result otherwise)
{
    if (source->refused_topic && strcmp(position->partition->topic, source->refused_topic) == 0)
        return SOURCE_TOPIC_REFUSED;
    if (source->metadata_least && position->metadata &&
        strlen(position->metadata) >= source->metadata_least)
        return SOURCE_TOO_LONG;
    return otherwise;
}

void memory_source_answer(struct memory_source *source, enum source_result result)
{
    static const char *const texts[] = {NULL, "the broker is away", "the group refused it",
                                        "the topic is refused", "metadata too long"};
    size_t count = source->batch_count;
    struct source_answer *answers = xcalloc(count + 1, sizeof(*answers));

    assert(source->batch);
    if (source->batch_lost && !source->batch_applied)
        result = SOURCE_REFUSED;
    for (size_t i = 0; i < count; i++) {
        answers[i].result = result_of(source, &source->batch[i], result);
        answers[i].why_not = texts[answers[i].result];
        if (answers[i].result == SOURCE_COMMITTED)
            apply(&source->batch[i]);
    }
    drop_batch(source);
    source->seam.sink_calls->committed(source->seam.sink, answers, count);
    free(answers);
}

void memory_source_commit_unanswered(struct memory_source *source)
{
    assert(source->batch);
    for (size_t i = 0; i < source->batch_count; i++)
        apply(&source->batch[i]);
    source->batch_applied = true;
}

static void answer_batch(struct memory_source *source)
{
    bool refused = source->refuse > 0;

    if (!source->batch || source->hold || !source->seam.sink)
        return;
    source->refuse -= refused;
    memory_source_answer(source, refused ? source->refusal : SOURCE_COMMITTED);
}

static void tell(struct memory_source *source, struct source_partition *partition)
{
    bool ready = partition->ready_due && !source->mute, end;

    partition->ready_due &= source->mute;
    if (!partition->sink_partition)
        return;
    if (ready && source->assigned && !source->revoking)
        source->seam.sink_calls->ready(source->seam.sink, partition->sink_partition);
    end = partition->end_due && partition->at == partition->count;
    partition->end_due = false;
    if (end && source->assigned && !source->revoking)
        source->seam.sink_calls->end(source->seam.sink, partition->sink_partition, partition->end);
}

static void on_wake(uv_async_t *async)
{
    struct memory_source *source = async->data;
    struct source_partition *partition;

    answer_batch(source);
    DL_FOREACH (source->partitions, partition)
        tell(source, partition);
}

/* ---- the group ---- */

static struct source_assignment assignment_of(const struct memory_source *source,
                                              struct source_partition *partition)
{
    return (struct source_assignment){.handle = partition,
                                      .topic = partition->topic,
                                      .number = partition->number,
                                      .committed = partition->committed,
                                      .metadata = partition->metadata,
                                      .low = partition->low,
                                      .end = partition->end,
                                      .partitions = memory_log_partitions(source, partition->topic),
                                      .least_born =
                                          memory_log_least_born(source, partition->topic)};
}

static void start_reader(struct source_partition *partition, const struct source_assignment *it)
{
    assert(it->start >= partition->low && it->start <= partition->end && it->partition);
    partition->sink_partition = it->partition;
    partition->least_done = it->start;
    if (partition->committed >= 0 && partition->committed < it->start)
        partition->least_done = partition->committed; /* it was ours, and is again */
    partition->at = memory_log_index(partition, it->start);
    partition->ready_due = partition->at < partition->count;
    partition->end_due = !partition->ready_due;
}

static bool is_ours(const struct memory_source *source, const struct source_partition *partition)
{
    return !source->withheld_topic || strcmp(partition->topic, source->withheld_topic) != 0;
}

/* Those that are ours and not assigned yet. */
static void assign(struct memory_source *source, bool more)
{
    struct source_assignment *all = xcalloc(source->partition_count, sizeof(*all)), *next = all;
    struct source_partition *partition;

    DL_FOREACH (source->partitions, partition)
        if (!partition->sink_partition && is_ours(source, partition))
            *next++ = assignment_of(source, partition);
    source->assigned = true;
    source->seam.sink_calls->assigned(source->seam.sink, all, (size_t)(next - all), more);
    next = all;
    DL_FOREACH (source->partitions, partition)
        if (!partition->sink_partition && is_ours(source, partition))
            start_reader(partition, next++);
    free(all);
    memory_source_wake(source);
}

void memory_source_assign(struct memory_source *source)
{
    struct source_partition *partition;

    assert(!source->assigned);
    DL_FOREACH (source->partitions, partition)
        partition->sink_partition = NULL;
    assign(source, source->unread);
}

void memory_source_assign_rest(struct memory_source *source)
{
    assert(source->assigned && source->unread);
    source->unread = false;
    source->withheld_topic = NULL;
    assign(source, false);
}

void memory_source_unread(struct memory_source *source, const char *topic)
{
    source->withheld_topic = topic;
    source->unread = true;
}

void memory_source_revoke(struct memory_source *source)
{
    assert(source->assigned && !source->revoking);
    source->revoking = true;
    source->seam.sink_calls->revoke(source->seam.sink, false);
}

void memory_source_lose(struct memory_source *source)
{
    assert(source->assigned);
    source->batch_lost = source->batch != NULL;
    source->assigned = source->revoking = false;
    source->seam.sink_calls->revoke(source->seam.sink, true);
}

void memory_source_crash(struct memory_source *source)
{
    source->assigned = source->revoking = false;
    drop_batch(source);
    source->seam.sink = NULL;
}

void memory_source_mute(struct memory_source *source, bool on)
{
    source->mute = on;
    memory_source_wake(source);
}

void memory_source_withhold(struct memory_source *source, const char *topic)
{
    source->withheld_topic = topic;
}

bool memory_source_assigned(const struct memory_source *source)
{
    return source->assigned;
}

/* ---- commits ---- */

void memory_source_hold_commits(struct memory_source *source, bool on)
{
    source->hold = on;
    memory_source_wake(source);
}

void memory_source_refuse(struct memory_source *source, int batches, enum source_result result)
{
    source->refuse = batches;
    source->refusal = result;
}

void memory_source_refuse_metadata(struct memory_source *source, size_t least)
{
    source->metadata_least = least;
}

void memory_source_refuse_topic(struct memory_source *source, const char *topic)
{
    source->refused_topic = topic;
}

bool memory_source_committing(const struct memory_source *source)
{
    return source->batch != NULL;
}

size_t memory_source_batches(const struct memory_source *source)
{
    return source->batches;
}

size_t memory_source_positions(const struct memory_source *source)
{
    return source->positions;
}

/* ---- what the sink has ---- */

size_t memory_source_taken(const struct memory_source *source)
{
    return source->taken;
}

size_t memory_source_held(const struct memory_source *source)
{
    return source->held;
}

size_t memory_source_most_held(const struct memory_source *source)
{
    return source->most_held;
}

size_t memory_source_most_bytes(const struct memory_source *source)
{
    return source->most_bytes;
}

/* ---- life ---- */

struct memory_source *memory_source_new(uv_loop_t *loop)
{
    struct memory_source *source = xcalloc(1, sizeof(*source));

    source->seam.calls = &calls;
    source->wake.data = source;
    uv_async_init(loop, &source->wake, on_wake);
    return source;
}

struct source *memory_source_seam(struct memory_source *source)
{
    return &source->seam;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void memory_source_free(struct memory_source *source)
{
    struct source_partition *partition, *next;

    assert(!source->held);
    drop_batch(source);
    DL_FOREACH_SAFE (source->partitions, partition, next) {
        DL_DELETE(source->partitions, partition);
        memory_log_release(partition);
        free(partition->metadata);
        free(partition->topic);
        free(partition);
    }
    uv_close((uv_handle_t *)&source->wake, on_closed);
}
