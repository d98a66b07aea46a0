/*
 * sampler_logs: where logs end and, when a group has committed nothing, where they start.
 *
 * One call of rd_kafka_offsets_for_times for all partitions is one request a leader. Its traps: an
 * error of one partition or one leader loses the whole call, with entries that look good, so the
 * return code comes first, and a call that failed is made again for each leader, then for each
 * topic of a leader that did answer; a partition without a leader makes it wait for one until the
 * time is over, so it is not asked about. As long as something fails the leaders are asked one by
 * one from the beginning, those that failed last.
 */
#include "kafka/sampler_private.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOG_START = RD_KAFKA_OFFSET_BEGINNING, /* what offsets_for_times takes in place of a time */
    LOG_END = RD_KAFKA_OFFSET_END,
    START_AGAIN_MS = 60 * 1000,
    LESS_PATIENCE = 4, /* times */
};

/* What a question is about: all, those of a leader, those of a topic among them. */
enum level { LEVEL_ALL, LEVEL_LEADER, LEVEL_TOPIC };

/* One partition of which something is asked. */
struct entry {
    struct log_topic *log; /* for the loop's thread only; as is what it points to */
    int32_t number;
    const char *topic;
    int32_t leader;
    bool failed; /* the last time */
    int64_t offset;
    const char *error; /* static text */
};

struct question {
    struct entry *entries;
    size_t count;
    int64_t which; /* LOG_END, LOG_START */
};

struct logs_job {
    struct job job; /* first */
    struct question ends, starts;
    enum level first_level;
    bool split;     /* a question had to be asked in parts */
    uint64_t until; /* of uv_hrtime */
};

/* ---- the worker's part ---- */

static bool is_over(const struct logs_job *logs)
{
    return atomic_load(logs->job.abandoned) || uv_hrtime() > logs->until;
}

static rd_kafka_resp_err_t call(struct logs_job *logs, int64_t which, struct entry *entries,
                                size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    bool failed = logs->first_level == LEVEL_LEADER && entries[0].failed;
    int timeout_ms = logs->job.timeout_ms / (failed ? LESS_PATIENCE : 1);
    rd_kafka_resp_err_t error;

    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, entries[i].topic, entries[i].number)->offset =
            which;
    error = rd_kafka_offsets_for_times(logs->job.kafka, list, timeout_ms);
    for (size_t i = 0; i < count && !error; i++) {
        const rd_kafka_topic_partition_t *it = &list->elems[i];

        entries[i].offset = it->err || it->offset < 0 ? OFFSET_UNKNOWN : it->offset;
        entries[i].error = it->err          ? rd_kafka_err2str(it->err)
                           : it->offset < 0 ? "its leader knows no end of it"
                                            : NULL;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}

static bool is_same(const struct entry *a, const struct entry *b, enum level level)
{
    return a->leader == b->leader && a->failed == b->failed &&
           (level == LEVEL_LEADER || a->log == b->log);
}

static void fail(struct entry *entries, size_t count, rd_kafka_resp_err_t error)
{
    for (size_t i = 0; i < count; i++)
        entries[i].error = error == RD_KAFKA_RESP_ERR__TIMED_OUT
                               ? "its leader did not answer in time"
                               : rd_kafka_err2str(error);
}

static void ask(struct logs_job *logs, int64_t which, struct entry *entries, size_t count,
                enum level level);

/* The parts of the next level; one that is the whole was asked already. */
static void ask_parts(struct logs_job *logs, int64_t which, // NOLINT(misc-no-recursion)
                      struct entry *entries, size_t count, enum level level,
                      rd_kafka_resp_err_t error)
{
    size_t size;

    if (level == LEVEL_TOPIC || (level == LEVEL_LEADER && error == RD_KAFKA_RESP_ERR__TIMED_OUT)) {
        fail(entries, count, error);
        return;
    }
    for (size_t first = 0; first < count; first += size) {
        struct entry *part = entries + first;

        for (size = 1; first + size < count && is_same(part, part + size, level + 1); size++)
            continue;
        if (size == count && error)
            ask_parts(logs, which, part, size, level + 1, error);
        else
            ask(logs, which, part, size, level + 1);
    }
}

static void ask(struct logs_job *logs, int64_t which, // NOLINT(misc-no-recursion)
                struct entry *entries, size_t count, enum level level)
{
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;

    if (!is_over(logs))
        error = call(logs, which, entries, count);
    if (!error)
        return;
    logs->split = true;
    if (is_over(logs))
        fail(entries, count, error);
    else
        ask_parts(logs, which, entries, count, level, error);
}

static void ask_all(struct logs_job *logs, struct question *question)
{
    if (!question->count)
        return;
    if (logs->first_level == LEVEL_ALL)
        ask(logs, question->which, question->entries, question->count, LEVEL_ALL);
    else
        ask_parts(logs, question->which, question->entries, question->count, LEVEL_ALL,
                  RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void logs_work(struct job *job)
{
    struct logs_job *logs = (struct logs_job *)job;

    logs->until = uv_hrtime() + 2 * (uint64_t)job->timeout_ms * 1000000;
    ask_all(logs, &logs->ends);
    ask_all(logs, &logs->starts);
}

/* ---- the loop's part ---- */

static void note_ends(const struct question *ends)
{
    for (size_t i = 0; i < ends->count; i++) {
        const struct entry *it = &ends->entries[i];
        struct log_partition *partition = &it->log->partitions[it->number];

        partition->end = it->error ? OFFSET_UNKNOWN : it->offset;
        partition->error = it->error;
    }
}

static void note_starts(const struct question *starts, int64_t tick_ms)
{
    for (size_t i = 0; i < starts->count; i++) {
        const struct entry *it = &starts->entries[i];
        struct log_partition *partition = &it->log->partitions[it->number];

        if (it->error)
            continue;
        partition->start = it->offset;
        partition->start_ms = tick_ms;
    }
}

static void logs_over(struct job *job)
{
    struct logs_job *logs = (struct logs_job *)job;

    job->sampler->by_leader = logs->split;
    note_ends(&logs->ends);
    note_starts(&logs->starts, job->sampler->tick_ms);
    sampler_logs_done(job->sampler);
}

static void logs_free(struct job *job)
{
    struct logs_job *logs = (struct logs_job *)job;

    free(logs->ends.entries);
    free(logs->starts.entries);
    free(logs);
}

static int compare(const void *a, const void *b)
{
    const struct entry *one = a, *other = b;
    int topics;

    if (one->failed != other->failed)
        return one->failed ? -1 : 1;
    if (one->leader != other->leader)
        return one->leader < other->leader ? -1 : 1;
    topics = strcmp(one->topic, other->topic);
    return topics ? topics : (one->number > other->number) - (one->number < other->number);
}

static bool wants_start(const struct sampler *sampler, const struct log_partition *partition)
{
    return partition->start_wanted &&
           (partition->start < 0 || sampler->tick_ms - partition->start_ms >= START_AGAIN_MS);
}

static void add(struct question *question, struct log_topic *log, size_t number)
{
    const struct log_partition *partition = &log->partitions[number];

    question->entries[question->count++] = (struct entry){
        .log = log,
        .number = (int32_t)number,
        .topic = log->name,
        .leader = partition->leader,
        .failed = partition->error != NULL,
        .offset = OFFSET_UNKNOWN,
    };
}

static void add_topic(struct logs_job *logs, const struct sampler *sampler, struct log_topic *log)
{
    for (size_t i = 0; i < log->count; i++) {
        struct log_partition *partition = &log->partitions[i];

        if (partition->leader >= 0) {
            add(&logs->ends, log, i);
            if (wants_start(sampler, partition))
                add(&logs->starts, log, i);
        }
        partition->start_wanted = false;
        partition->end = OFFSET_UNKNOWN;
        partition->error = log->error ? log->error : "it has no leader"; /* unless it is asked */
    }
}

/* Which partitions a group has committed nothing in. */
static void want_starts(struct sampler *sampler)
{
    for (struct group *group = sampler->groups; group; group = group->hh.next)
        for (struct group_topic *topic = group->topics; topic; topic = topic->hh.next)
            for (size_t i = 0; i < topic->log->count; i++)
                topic->log->partitions[i].start_wanted |=
                    group_topic_committed(group, topic, i) == OFFSET_NONE;
}

void sampler_read_logs(struct sampler *sampler)
{
    struct logs_job *logs = xcalloc(1, sizeof(*logs));
    size_t most = 1;

    logs->job.work = logs_work;
    logs->job.over = logs_over;
    logs->job.free = logs_free;
    logs->first_level = sampler->by_leader ? LEVEL_LEADER : LEVEL_ALL;
    want_starts(sampler);
    for (const struct log_topic *log = sampler->topics; log; log = log->hh.next)
        most += log->count;
    logs->ends = (struct question){xcalloc(most, sizeof(struct entry)), 0, LOG_END};
    logs->starts = (struct question){xcalloc(most, sizeof(struct entry)), 0, LOG_START};
    for (struct log_topic *log = sampler->topics; log; log = log->hh.next)
        add_topic(logs, sampler, log);
    qsort(logs->ends.entries, logs->ends.count, sizeof(struct entry), compare);
    qsort(logs->starts.entries, logs->starts.count, sizeof(struct entry), compare);
    sampler_start_job(sampler, &logs->job);
}
