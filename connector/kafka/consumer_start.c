/*
 * consumer_start: what is read of an assignment's partitions before they are told to the sink, and
 * of those that went astray later.
 *
 * Runs on libuv's worker, because every call here waits for a broker. The worker sees its struct
 * reading only. What cannot be read (no leader, no right, a deleted topic) fails for itself and is
 * left out: a commit that could not be read must never look like "none committed". Traps: on an
 * error of the whole call every entry of a list reads -1001 with err 0, so the return code comes
 * first; offsets_for_times loses the whole call for one broken partition, so a call that fails is
 * halved; and it trusts cached metadata, so metadata is asked first.
 */
#include "kafka/consumer_private.h"

#include "base/xalloc.h"
#include "core/progress.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALL_TIMEOUT_MS = 5000,
    HALVING_MS = 10000, /* so long the broken ones are looked for */
    LOOKS = 5,          /* at a log's end that cannot be right */
    LOOK_AGAIN_MS = 500,
    LOG_START = RD_KAFKA_OFFSET_BEGINNING, /* what offsets_for_times takes in place of a time */
    LOG_END = RD_KAFKA_OFFSET_END,
};

/* Of one partition. */
struct start {
    char *why_not; /* it could not be read; NULL: it was */
    int place;     /* in reading->committed */
    struct log_look log;
};

struct reading {
    uv_work_t work;
    struct consumer *consumer; /* for the loop's thread only */
    rd_kafka_t *kafka;
    atomic_bool abandoned;
    rd_kafka_topic_partition_list_t *assigned;  /* sorted by topic and number */
    struct start *starts;                       /* one for each of them */
    rd_kafka_topic_partition_list_t *committed; /* all partitions of their topics, sorted so too */
    uint64_t halve_until;                       /* of uv_hrtime */
};

static void fail(struct reading *reading, int i, const char *what, rd_kafka_resp_err_t why)
{
    const rd_kafka_topic_partition_t *it = &reading->assigned->elems[i];

    if (!reading->starts[i].why_not)
        reading->starts[i].why_not = xasprintf("%s of %s, partition %d: %s", what, it->topic,
                                               (int)it->partition, rd_kafka_err2str(why));
}

/* topic NULL: of all. */
static void fail_topic(struct reading *reading, const char *topic, const char *what,
                       rd_kafka_resp_err_t why)
{
    for (int i = 0; i < reading->assigned->cnt; i++)
        if (!topic || strcmp(reading->assigned->elems[i].topic, topic) == 0)
            fail(reading, i, what, why);
}

static bool is_given_up(const struct reading *reading, int i)
{
    return reading->starts[i].why_not != NULL;
}

/* ---- metadata ---- */

static rd_kafka_resp_err_t partition_error(const struct rd_kafka_metadata_topic *topic, int number)
{
    for (int i = 0; i < topic->partition_cnt; i++)
        if (topic->partitions[i].id == number)
            return topic->partitions[i].leader < 0 ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
                                                   : RD_KAFKA_RESP_ERR_NO_ERROR;
    return RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

/* The topic's partitions are joined to `committed`, siblings too: whether a partition without a
 * commit is new is told by theirs. */
static void note_topic(struct reading *reading, int first,
                       const struct rd_kafka_metadata_topic *topic)
{
    int base = reading->committed->cnt;

    rd_kafka_topic_partition_list_add_range(reading->committed, topic->topic, 0,
                                            topic->partition_cnt - 1);
    for (int i = first; i < reading->assigned->cnt; i++) {
        const rd_kafka_topic_partition_t *it = &reading->assigned->elems[i];
        rd_kafka_resp_err_t error = partition_error(topic, it->partition);

        if (strcmp(it->topic, topic->topic) != 0)
            break;
        reading->starts[i].place = base + it->partition;
        if (error)
            fail(reading, i, "leader", error);
    }
}

/* The caller destroys *metadata, which is not there after an error. */
static rd_kafka_resp_err_t ask_topic(const struct reading *reading, const char *name,
                                     const struct rd_kafka_metadata **metadata)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(reading->kafka, name, NULL);
    rd_kafka_resp_err_t error = rd_kafka_last_error();

    if (!handle)
        return error ? error : RD_KAFKA_RESP_ERR__FAIL;
    error = rd_kafka_metadata(reading->kafka, 0, handle, metadata, CALL_TIMEOUT_MS);
    rd_kafka_topic_destroy(handle);
    return error;
}

/* False: no broker answers, and asking for further topics would only take long. */
static bool read_topic(struct reading *reading, int first)
{
    const char *name = reading->assigned->elems[first].topic;
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error = ask_topic(reading, name, &metadata);

    if (error) {
        fail_topic(reading, NULL, "metadata", error);
        return false;
    }
    error = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    if (!error && metadata->topics[0].partition_cnt < 1)
        error = RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
    if (error)
        fail_topic(reading, name, "metadata", error);
    else
        note_topic(reading, first, &metadata->topics[0]);
    rd_kafka_metadata_destroy(metadata);
    return true;
}

static void read_metadata(struct reading *reading)
{
    const char *topic = "";

    reading->committed = rd_kafka_topic_partition_list_new(reading->assigned->cnt);
    for (int i = 0; i < reading->assigned->cnt; i++) {
        if (strcmp(topic, reading->assigned->elems[i].topic) == 0)
            continue;
        topic = reading->assigned->elems[i].topic;
        if (!read_topic(reading, i))
            return;
    }
}

/* ---- commits ---- */

/* librdkafka 2.0.2 gives metadata without the NUL behind it. */
static void end_metadata(rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *it = &list->elems[i];
        char *text = it->metadata ? xstrndup(it->metadata, it->metadata_size) : NULL;

        free(it->metadata);
        it->metadata = text; /* freed with the list */
    }
}

static void read_committed(struct reading *reading)
{
    rd_kafka_topic_partition_list_t *list = reading->committed;
    rd_kafka_resp_err_t error;

    if (!list->cnt)
        return;
    error = rd_kafka_committed(reading->kafka, list, CALL_TIMEOUT_MS);
    if (error) {
        fail_topic(reading, NULL, "committed offset", error);
        return;
    }
    end_metadata(list);
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err)
            fail_topic(reading, list->elems[i].topic, "committed offset", list->elems[i].err);
}

/* ---- log starts and ends ---- */

static const char *offset_name(int64_t which)
{
    return which == LOG_START ? "log start" : "log end";
}

/* Of list's entries `part` says, in their order, what was asked of those from `first` on. */
static void note_offsets(struct reading *reading, int64_t which,
                         const rd_kafka_topic_partition_list_t *list, int first,
                         const rd_kafka_topic_partition_list_t *part)
{
    for (int i = 0; i < part->cnt; i++) {
        const rd_kafka_topic_partition_t *it = &part->elems[i];
        int at = (int)(intptr_t)list->elems[first + i].opaque;

        if (it->err || it->offset < 0)
            fail(reading, at, offset_name(which), it->err ? it->err : RD_KAFKA_RESP_ERR__NO_OFFSET);
        else if (which == LOG_START)
            reading->starts[at].log.low = it->offset;
        else
            reading->starts[at].log.end = it->offset;
    }
}

static rd_kafka_topic_partition_list_t *part_of(const rd_kafka_topic_partition_list_t *list,
                                                int first, int count, int64_t which)
{
    rd_kafka_topic_partition_list_t *part = rd_kafka_topic_partition_list_new(count);

    for (int i = first; i < first + count; i++) {
        rd_kafka_topic_partition_t *it =
            rd_kafka_topic_partition_list_add(part, list->elems[i].topic, list->elems[i].partition);

        it->opaque = list->elems[i].opaque;
        it->offset = which;
    }
    return part;
}

/* What is left when the time is over fails, and is read the next time. */
static void ask_offsets(struct reading *reading, int64_t which, // NOLINT(misc-no-recursion)
                        const rd_kafka_topic_partition_list_t *list, int first, int count)
{
    rd_kafka_topic_partition_list_t *part = part_of(list, first, count, which);
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(reading->kafka, part, CALL_TIMEOUT_MS);
    bool over = atomic_load(&reading->abandoned) || uv_hrtime() > reading->halve_until;

    if (!error)
        note_offsets(reading, which, list, first, part);
    rd_kafka_topic_partition_list_destroy(part);
    if (error && count > 1 && !over) {
        ask_offsets(reading, which, list, first, count / 2);
        ask_offsets(reading, which, list, first + count / 2, count - count / 2);
    } else if (error) {
        for (int i = first; i < first + count; i++)
            fail(reading, (int)(intptr_t)list->elems[i].opaque, offset_name(which), error);
    }
}

static void read_offsets(struct reading *reading, int64_t which)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(reading->assigned->cnt);

    for (int i = 0; i < reading->assigned->cnt; i++)
        if (!is_given_up(reading, i))
            rd_kafka_topic_partition_list_add(list, reading->assigned->elems[i].topic,
                                              reading->assigned->elems[i].partition)
                ->opaque = (void *)(intptr_t)i;
    reading->halve_until = uv_hrtime() + HALVING_MS * UINT64_C(1000000);
    if (list->cnt)
        ask_offsets(reading, which, list, 0, list->cnt);
    rd_kafka_topic_partition_list_destroy(list);
}

static void read_low(struct reading *reading)
{
    read_offsets(reading, LOG_START);
}

/* Whether a log ends below what was read, or what the group has committed or finished in it. */
static bool is_log_too_short(const struct reading *reading, int i)
{
    const struct start *start = &reading->starts[i];
    const rd_kafka_topic_partition_t *it = &reading->committed->elems[start->place];
    struct progress progress = {0};
    bool too_short = start->log.seen > start->log.end || it->offset > start->log.end;

    if (it->offset >= 0 && progress_decode(it->metadata, it->offset, &progress)) {
        too_short |= progress_top(&progress) >= start->log.end;
        progress_clear(&progress);
    }
    return too_short;
}

/* The first from `from` on; the count of all: there is none. */
static int next_too_short(const struct reading *reading, int from)
{
    int i = from;

    while (i < reading->assigned->cnt && (is_given_up(reading, i) || !is_log_too_short(reading, i)))
        i++;
    return i;
}

/* Who leads their partitions now: the one that was asked may lead no more. An error is none of the
 * log's. */
static void ask_leaders_again(const struct reading *reading)
{
    const struct rd_kafka_metadata *metadata;
    const char *asked = "";

    for (int i = next_too_short(reading, 0); i < reading->assigned->cnt;
         i = next_too_short(reading, i + 1)) {
        const char *topic = reading->assigned->elems[i].topic;

        if (strcmp(topic, asked) != 0 && ask_topic(reading, topic, &metadata) == 0)
            rd_kafka_metadata_destroy(metadata);
        asked = topic;
    }
}

/* A log that is too short was made anew; or its new leader does not know yet how far the one before
 * it had come (KIP-207), which passes. To take the second for the first would repeat all of it. */
static void read_end(struct reading *reading)
{
    read_offsets(reading, LOG_END);
    for (int look = 1; look < LOOKS && next_too_short(reading, 0) < reading->assigned->cnt &&
                       !atomic_load(&reading->abandoned);
         look++) {
        uv_sleep(LOOK_AGAIN_MS);
        ask_leaders_again(reading);
        read_offsets(reading, LOG_END);
    }
}

/* ---- the work ---- */

static void reading_work(uv_work_t *work)
{
    static void (*const steps[])(struct reading *) = {
        read_metadata,
        read_committed,
        read_low,
        read_end,
    };
    struct reading *reading = work->data;

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
        if (!atomic_load(&reading->abandoned))
            steps[i](reading);
}

void reading_free(struct reading *reading)
{
    for (int i = 0; i < reading->assigned->cnt; i++)
        free(reading->starts[i].why_not);
    free(reading->starts);
    rd_kafka_topic_partition_list_destroy(reading->assigned);
    if (reading->committed)
        rd_kafka_topic_partition_list_destroy(reading->committed);
    free(reading);
}

static void reading_over(uv_work_t *work, int status)
{
    struct reading *reading = work->data;
    struct consumer *consumer = reading->consumer;

    (void)status; /* never cancelled */
    if (atomic_load(&reading->abandoned))
        reading_free(reading);
    else
        consumer_read_done(consumer);
    consumer_unhold(consumer);
}

static void add_partition(struct reading *reading, const struct source_partition *partition,
                          size_t index)
{
    reading->starts[reading->assigned->cnt].log.seen = partition->told ? partition->next : -1;
    rd_kafka_topic_partition_list_add(reading->assigned, partition->topic, partition->number)
        ->opaque = (void *)index;
}

void reading_begin(struct consumer *consumer)
{
    struct reading *reading = xcalloc(1, sizeof(*reading));

    reading->work.data = reading;
    reading->consumer = consumer;
    reading->kafka = consumer->kafka;
    reading->assigned = rd_kafka_topic_partition_list_new((int)consumer->count);
    reading->starts = xcalloc(consumer->count, sizeof(*reading->starts));
    for (size_t i = 0; i < consumer->count; i++)
        if (!consumer->partitions[i].told || consumer->partitions[i].astray)
            add_partition(reading, &consumer->partitions[i], i);
    atomic_init(&reading->abandoned, false);
    consumer->reading = reading;
    consumer->holds++;
    uv_queue_work(consumer->loop, &reading->work, reading_work, reading_over);
}

void reading_abandon(struct consumer *consumer)
{
    if (consumer->reading)
        atomic_store(&consumer->reading->abandoned, true);
    consumer->reading = NULL;
}

const char *reading_failure(const struct reading *reading, size_t *failed)
{
    const char *first = NULL;

    *failed = 0;
    for (int i = 0; i < reading->assigned->cnt; i++) {
        if (!is_given_up(reading, i))
            continue;
        first = first ? first : reading->starts[i].why_not;
        ++*failed;
    }
    return first;
}

/* ---- what was read ---- */

/* Partition count and the least `born` of a topic, from its first entry on. A commit whose metadata
 * is not ours tells no `born` and is passed over. */
static void fill_topic(const struct reading *reading, int first,
                       struct source_assignment *assignment)
{
    assignment->partitions = 0;
    assignment->least_born = -1;
    for (int i = first; i < reading->committed->cnt; i++) {
        const rd_kafka_topic_partition_t *it = &reading->committed->elems[i];
        struct progress progress = {0};

        if (strcmp(it->topic, assignment->topic) != 0)
            break;
        assignment->partitions++;
        if (it->offset < 0 || !progress_decode(it->metadata, it->offset, &progress))
            continue;
        if (assignment->least_born < 0 || progress.born < assignment->least_born)
            assignment->least_born = progress.born;
        progress_clear(&progress);
    }
}

static void fill_partition(const struct reading *reading, const struct start *start,
                           struct source_assignment *assignment)
{
    const rd_kafka_topic_partition_t *it = &reading->committed->elems[start->place];

    assignment->committed = it->offset >= 0 ? it->offset : -1;
    assignment->metadata = it->metadata;
    assignment->low = start->log.low;
    assignment->end = start->log.end;
}

size_t reading_fill(const struct reading *reading, struct source_partition *partitions,
                    struct source_assignment *assignments)
{
    size_t count = 0;

    for (int i = 0; i < reading->assigned->cnt; i++) {
        struct source_partition *partition =
            &partitions[(size_t)reading->assigned->elems[i].opaque];
        struct source_assignment *assignment = &assignments[count];
        const struct source_assignment *before = count ? &assignments[count - 1] : NULL;

        if (is_given_up(reading, i) || partition->told)
            continue;
        count++;
        assignment->handle = partition;
        assignment->topic = partition->topic;
        assignment->number = partition->number;
        fill_partition(reading, &reading->starts[i], assignment);
        if (before && strcmp(before->topic, assignment->topic) == 0) {
            assignment->partitions = before->partitions;
            assignment->least_born = before->least_born;
        } else {
            fill_topic(reading, reading->starts[i].place - assignment->number, assignment);
        }
    }
    return count;
}

void reading_settle(const struct reading *reading)
{
    struct consumer *consumer = reading->consumer;

    for (int i = 0; i < reading->assigned->cnt; i++) {
        struct source_partition *partition =
            &consumer->partitions[(size_t)reading->assigned->elems[i].opaque];

        if (partition->astray && !is_given_up(reading, i))
            consumer_settle(consumer, partition, &reading->starts[i].log);
    }
}
