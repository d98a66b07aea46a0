/*
 * sampler_metadata: which topics there are, and their partitions and leaders, anew at each tick:
 * what is asked of logs trusts what librdkafka has cached, which may be 15 minutes old.
 *
 * librdkafka (2.0.2) tells of one topic or of all in one request. One is asked for by a handle of
 * the topic, which it then keeps for good, a fetch queue for each partition with it: so only when
 * one topic is all there is to know, and for topics that the answer for all does not have: those
 * are missing, or we have no right to them, or they are to be made.
 */
#include "kafka/sampler_private.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum { ASKED_SINGLY_MOST = 10 };

struct metadata_job {
    struct job job; /* first */
    char **names;   /* sorted */
    bool *found;    /* in `all` */
    size_t count;
    rd_kafka_resp_err_t error;
    const rd_kafka_metadata_t *all; /* NULL: not asked */
    const rd_kafka_metadata_t *single[ASKED_SINGLY_MOST];
    size_t singles;
};

/* ---- the worker's part ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find_names(struct metadata_job *metadata)
{
    for (int i = 0; i < metadata->all->topic_cnt; i++) {
        const char *name = metadata->all->topics[i].topic;
        char **found = bsearch(&name, metadata->names, metadata->count, sizeof(*metadata->names),
                               compare_names);

        if (found)
            metadata->found[found - metadata->names] = true;
    }
}

static void ask_singly(struct metadata_job *metadata, const char *name)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(metadata->job.kafka, name, NULL);

    if (!handle)
        return; /* no name that a topic can have */
    metadata->error =
        rd_kafka_metadata(metadata->job.kafka, 0, handle, &metadata->single[metadata->singles],
                          metadata->job.timeout_ms);
    metadata->singles += !metadata->error;
    rd_kafka_topic_destroy(handle);
}

static void metadata_work(struct job *job)
{
    struct metadata_job *metadata = (struct metadata_job *)job;

    if (metadata->count > 1 || metadata->count == 0) {
        metadata->error = rd_kafka_metadata(job->kafka, 1, NULL, &metadata->all, job->timeout_ms);
        if (metadata->error)
            return;
        find_names(metadata);
    }
    for (size_t i = 0; i < metadata->count && metadata->singles < ASKED_SINGLY_MOST; i++)
        if (!metadata->found[i] && !metadata->error && !atomic_load(job->abandoned))
            ask_singly(metadata, metadata->names[i]);
}

/* ---- what it says of a topic ---- */

static void fit(struct log_topic *log, size_t count)
{
    log->partitions = xrealloc(log->partitions, (count ? count : 1) * sizeof(*log->partitions));
    for (size_t i = log->count; i < count; i++)
        log->partitions[i] =
            (struct log_partition){.leader = -1, .end = OFFSET_UNKNOWN, .start = OFFSET_UNKNOWN};
    log->count = count;
}

/* What a broker that is behind says is believed when it is said again. */
static bool is_doubtful(struct log_topic *log, size_t count)
{
    log->doubted = count < log->count && !log->doubted;
    return log->doubted;
}

static void note_missing(struct log_topic *log)
{
    if (is_doubtful(log, 0)) {
        log->error = "a broker says that it does not exist";
        return;
    }
    fit(log, 0);
    log->missing = true;
}

static void note_leaders(struct log_topic *log, const rd_kafka_metadata_topic_t *told)
{
    if (!is_doubtful(log, (size_t)told->partition_cnt))
        fit(log, (size_t)told->partition_cnt);
    for (int i = 0; i < told->partition_cnt; i++) {
        const rd_kafka_metadata_partition_t *it = &told->partitions[i];

        if (it->id >= 0 && (size_t)it->id < log->count)
            log->partitions[it->id].leader = it->leader;
    }
}

static void note_topic(struct log_topic *log, const rd_kafka_metadata_topic_t *told)
{
    log->known = true;
    if (told->partition_cnt > 0)
        note_leaders(log, told);
    else if (told->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        note_missing(log);
    else
        log->error = rd_kafka_err2str(told->err ? told->err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC);
}

static void note_topics(struct sampler *sampler, const rd_kafka_metadata_t *metadata)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        struct log_topic *log;

        HASH_FIND_STR(sampler->topics, metadata->topics[i].topic, log);
        if (log)
            note_topic(log, &metadata->topics[i]);
    }
}

/* ---- the loop's part ---- */

static void forget_leaders(struct log_topic *log)
{
    log->missing = false;
    log->error = NULL;
    for (size_t i = 0; i < log->count; i++)
        log->partitions[i].leader = -1;
}

/* Those that are in no answer are not there, if all was answered. */
static void note_answers(const struct metadata_job *metadata)
{
    struct sampler *sampler = metadata->job.sampler;
    struct log_topic *log;

    for (size_t i = 0; i < metadata->count; i++) {
        HASH_FIND_STR(sampler->topics, metadata->names[i], log);
        if (log)
            forget_leaders(log);
    }
    if (metadata->all)
        note_topics(sampler, metadata->all);
    for (size_t i = 0; i < metadata->singles; i++)
        note_topics(sampler, metadata->single[i]);
    for (size_t i = 0; i < metadata->count; i++) {
        HASH_FIND_STR(sampler->topics, metadata->names[i], log);
        if (log && !log->known && !metadata->error) {
            log->known = true;
            note_missing(log);
        }
    }
}

static void metadata_over(struct job *job)
{
    struct metadata_job *metadata = (struct metadata_job *)job;
    struct sampler *sampler = job->sampler;

    bool answered = metadata->all || metadata->singles || !metadata->error;

    if (answered)
        note_answers(metadata);
    if (answered || sampler->groups_read)
        sampler_metadata_done(sampler);
    else
        sampler_tick_failed(sampler, metadata->error);
}

static void metadata_free(struct job *job)
{
    struct metadata_job *metadata = (struct metadata_job *)job;

    for (size_t i = 0; i < metadata->count; i++)
        free(metadata->names[i]);
    if (metadata->all)
        rd_kafka_metadata_destroy(metadata->all);
    for (size_t i = 0; i < metadata->singles; i++)
        rd_kafka_metadata_destroy(metadata->single[i]);
    free(metadata->names);
    free(metadata->found);
    free(metadata);
}

/* With the groups read already: only of what they made known. */
void sampler_read_metadata(struct sampler *sampler)
{
    struct metadata_job *metadata = xcalloc(1, sizeof(*metadata));
    size_t most = HASH_COUNT(sampler->topics);

    metadata->job.work = metadata_work;
    metadata->job.over = metadata_over;
    metadata->job.free = metadata_free;
    metadata->names = xcalloc(most + 1, sizeof(*metadata->names));
    metadata->found = xcalloc(most + 1, sizeof(*metadata->found));
    for (const struct log_topic *log = sampler->topics; log; log = log->hh.next)
        if (!log->known)
            metadata->names[metadata->count++] = xstrdup(log->name);
    qsort(metadata->names, metadata->count, sizeof(*metadata->names), compare_names);
    sampler_start_job(sampler, &metadata->job);
}
