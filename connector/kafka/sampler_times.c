/*
 * sampler_times: see sampler_times.h.
 *
 * The job has a copy of all looks, sorted by time, topic and partition: a list in which a partition
 * stood twice would not be answered. A call that failed (one partition's error is the whole call's)
 * is made again topic by topic.
 */
#include "kafka/sampler_times.h"

#include "base/xalloc.h"
#include "kafka/sampler_private.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    LOOKS_A_JOB = 20000,
    NEVER_MS = 60 * 60 * 1000,
    CONFIGS_AGAIN_MS = 60 * 1000, /* when they were not told: a question waits for a controller */
    REASON_SIZE = 128,
};

#define STAMP_CONFIG "message.timestamp.type"
#define BROKERS_TIME "LogAppendTime"

/* Who asks. */
struct sampler_times {
    struct sampler *sampler;
    struct sampler_look *looks; /* their topics are ours */
    size_t count;
    void (*told)(void *context, const struct sampler_look *looks, size_t count);
    void *context;
    bool asked; /* by the job under way */
    struct sampler_times *prev, *next;
};

struct stamped_topic {
    const char *name; /* the first of its looks' */
    bool append_time;
};

struct times_job {
    struct job job; /* first */
    struct sampler_look *looks;
    size_t count;
    struct stamped_topic *topics;
    size_t topic_count;
    bool asks_configs, lacks_configs;
    uint64_t until; /* of uv_hrtime */
};

/* ---- the worker's part: offsets ---- */

static int left_ms(const struct times_job *times)
{
    uint64_t now = uv_hrtime();

    if (atomic_load(times->job.abandoned) || now >= times->until)
        return 0;
    return (int)((times->until - now) / 1000000) + 1;
}

static int by_place(const void *a, const void *b)
{
    const struct sampler_look *one = a, *other = b;
    int topics;

    if (one->at_ms != other->at_ms)
        return one->at_ms < other->at_ms ? -1 : 1;
    topics = strcmp(one->topic, other->topic);
    return topics ? topics
                  : (one->partition > other->partition) - (one->partition < other->partition);
}

static void note(struct sampler_look *looks, size_t count,
                 const rd_kafka_topic_partition_list_t *list)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        at += i > 0 && by_place(&looks[i - 1], &looks[i]) != 0;
        looks[i].known = !list->elems[at].err;
        looks[i].offset = list->elems[at].offset < 0 ? -1 : list->elems[at].offset;
    }
}

/* Of looks at one time. */
static bool call(struct times_job *times, struct sampler_look *looks, size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    int timeout_ms = left_ms(times);
    bool good;

    for (size_t i = 0; i < count; i++)
        if (i == 0 || by_place(&looks[i - 1], &looks[i]) != 0)
            rd_kafka_topic_partition_list_add(list, looks[i].topic, looks[i].partition)->offset =
                looks[i].at_ms;
    good = timeout_ms > 0 && !rd_kafka_offsets_for_times(times->job.kafka, list, timeout_ms);
    if (good)
        note(looks, count, list);
    rd_kafka_topic_partition_list_destroy(list);
    return good;
}

/* How many from the first on are at its time and, or, of its topic. */
static size_t run_of(const struct sampler_look *looks, size_t count, bool one_topic)
{
    size_t size = 1;

    while (size < count && looks[size].at_ms == looks[0].at_ms &&
           (!one_topic || strcmp(looks[size].topic, looks[0].topic) == 0))
        size++;
    return size;
}

static void ask_topics(struct times_job *times, struct sampler_look *looks, size_t count)
{
    for (size_t first = 0, size; first < count; first += size) {
        size = run_of(looks + first, count - first, true);
        if (size < count)
            call(times, looks + first, size);
    }
}

static void ask_offsets(struct times_job *times)
{
    for (size_t first = 0, size; first < times->count; first += size) {
        size = run_of(times->looks + first, times->count - first, false);
        if (!call(times, times->looks + first, size))
            ask_topics(times, times->looks + first, size);
    }
}

/* ---- the worker's part: who stamps ---- */

static int by_name(const void *a, const void *b)
{
    const struct stamped_topic *one = a, *other = b;

    return strcmp(one->name, other->name);
}

static void list_topics(struct times_job *times)
{
    size_t kept = 0;

    for (size_t i = 0; i < times->count; i++)
        times->topics[i].name = times->looks[i].topic;
    qsort(times->topics, times->count, sizeof(*times->topics), by_name);
    for (size_t i = 0; i < times->count; i++)
        if (i == 0 || strcmp(times->topics[i].name, times->topics[kept - 1].name) != 0)
            times->topics[kept++] = times->topics[i];
    times->topic_count = kept;
}

static bool is_append_time(const rd_kafka_ConfigResource_t *resource)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), STAMP_CONFIG) == 0)
            return rd_kafka_ConfigEntry_value(entries[i]) &&
                   strcmp(rd_kafka_ConfigEntry_value(entries[i]), BROKERS_TIME) == 0;
    return false;
}

static void note_configs(struct times_job *times, rd_kafka_event_t *event)
{
    size_t count;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);

    for (size_t i = 0; i < count; i++) {
        const struct stamped_topic wanted = {.name = rd_kafka_ConfigResource_name(resources[i])};
        struct stamped_topic *topic =
            bsearch(&wanted, times->topics, times->topic_count, sizeof(*times->topics), by_name);

        if (topic && !rd_kafka_ConfigResource_error(resources[i]))
            topic->append_time = is_append_time(resources[i]);
    }
}

/* The request itself is never to time out (sampler_groups.c says why); we wait for our time only,
 * and ask no other for a while. */
static void ask_configs(struct times_job *times)
{
    rd_kafka_t *kafka = times->job.kafka;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(kafka, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_ConfigResource_t **resources = xcalloc(times->topic_count, sizeof(*resources));
    char reason[REASON_SIZE];
    rd_kafka_event_t *event;

    for (size_t i = 0; i < times->topic_count; i++)
        resources[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, times->topics[i].name);
    rd_kafka_AdminOptions_set_request_timeout(options, NEVER_MS, reason, sizeof(reason));
    rd_kafka_DescribeConfigs(kafka, resources, times->topic_count, options, queue);
    event = rd_kafka_queue_poll(queue, left_ms(times));
    if (event && !rd_kafka_event_error(event))
        note_configs(times, event);
    times->lacks_configs = !event;
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy_array(resources, times->topic_count);
    free(resources);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
}

static void times_work(struct job *job)
{
    struct times_job *times = (struct times_job *)job;

    qsort(times->looks, times->count, sizeof(*times->looks), by_place);
    list_topics(times);
    ask_offsets(times);
    if (times->asks_configs)
        ask_configs(times);
}

/* ---- the loop's part ---- */

static void times_free(struct sampler_times *times)
{
    DL_DELETE(times->sampler->times, times);
    for (size_t i = 0; i < times->count; i++)
        free((char *)times->looks[i].topic);
    free(times->looks);
    free(times);
}

static void tell(const struct times_job *job, struct sampler_times *times)
{
    for (size_t i = 0; i < times->count; i++) {
        struct sampler_look *look = &times->looks[i];
        const struct stamped_topic wanted = {.name = look->topic};
        const struct sampler_look *told =
            bsearch(look, job->looks, job->count, sizeof(*job->looks), by_place);
        const struct stamped_topic *topic =
            bsearch(&wanted, job->topics, job->topic_count, sizeof(*job->topics), by_name);

        look->known = told->known;
        look->offset = told->offset;
        look->append_time = topic->append_time;
    }
    times->told(times->context, times->looks, times->count);
}

/* The job's looks name their topics by pointers into the requests, so those that were given up
 * meanwhile are freed here. */
static void times_over(struct job *job)
{
    const struct times_job *it = (struct times_job *)job;
    struct sampler *sampler = job->sampler;
    struct sampler_times *times, *next;

    if (it->asks_configs)
        sampler->configs_lacked_at = it->lacks_configs ? uv_now(sampler->setup.loop) : 0;
    DL_FOREACH (sampler->times, times) /* none that was asked is freed within */
        if (times->asked && times->told)
            tell(it, times);
    DL_FOREACH_SAFE (sampler->times, times, next)
        if (times->asked)
            times_free(times);
    sampler_times_done(sampler);
}

static void times_job_free(struct job *job)
{
    struct times_job *times = (struct times_job *)job;

    free(times->looks);
    free(times->topics);
    free(times);
}

static void take_looks(struct times_job *job, struct sampler *sampler)
{
    struct sampler_times *times;
    size_t count = 0;

    DL_FOREACH (sampler->times, times) {
        if (count && count + times->count > LOOKS_A_JOB)
            break;
        job->looks = xrealloc(job->looks, (count + times->count) * sizeof(*job->looks));
        memcpy(job->looks + count, times->looks, times->count * sizeof(*job->looks));
        count += times->count;
        times->asked = true;
    }
    job->count = count;
}

/* Half of the way to the next tick is the sampler's own. */
static uint64_t patience_ns(const struct sampler *sampler)
{
    int64_t half_ms = sampler->setup.interval_ms / 2, whole_ms = sampler->setup.timeout_ms;

    return (uint64_t)(half_ms < whole_ms ? half_ms : whole_ms) * 1000000;
}

static bool may_ask_configs(const struct sampler *sampler)
{
    return !sampler->configs_lacked_at ||
           uv_now(sampler->setup.loop) - sampler->configs_lacked_at >= CONFIGS_AGAIN_MS;
}

void sampler_read_times(struct sampler *sampler)
{
    struct times_job *job = xcalloc(1, sizeof(*job));

    job->job.work = times_work;
    job->job.over = times_over;
    job->job.free = times_job_free;
    job->until = uv_hrtime() + patience_ns(sampler);
    job->asks_configs = may_ask_configs(sampler);
    take_looks(job, sampler);
    job->topics = xcalloc(job->count, sizeof(*job->topics));
    sampler_start_job(sampler, &job->job);
}

struct sampler_times *
sampler_look_up(struct sampler *sampler, const struct sampler_look *looks, size_t count,
                void (*told)(void *context, const struct sampler_look *looks, size_t count),
                void *context)
{
    struct sampler_times *times = xcalloc(1, sizeof(*times));

    *times = (struct sampler_times){
        .sampler = sampler, .count = count, .told = told, .context = context};
    times->looks = xcalloc(count, sizeof(*looks));
    for (size_t i = 0; i < count; i++) {
        times->looks[i] = looks[i];
        times->looks[i].topic = xstrdup(looks[i].topic);
        times->looks[i].known = times->looks[i].append_time = false;
        times->looks[i].offset = -1;
    }
    DL_APPEND(sampler->times, times);
    sampler_times_wanted(sampler);
    return times;
}

void sampler_times_cancel(struct sampler_times *times)
{
    if (times->asked)
        times->told = NULL;
    else
        times_free(times);
}

void sampler_times_forget(struct sampler *sampler)
{
    while (sampler->times)
        times_free(sampler->times);
}
