/* sampler: see sampler.h. Here is who asks for what, and what is shown to them. */
#include "kafka/sampler_private.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_SIZE = 512, UNANSWERED_MS = 60 * 1000 };

/* ---- its beginning and its end ---- */

struct sampler *sampler_new(const struct sampler_setup *setup, struct option_faults *faults)
{
    rd_kafka_conf_t *conf =
        sampler_conf_new(setup->kafka, setup->group, setup->create_topics, faults);
    struct sampler *sampler;
    char reason[REASON_SIZE];

    assert(setup->interval_ms > 0 && setup->timeout_ms > 0);
    if (!conf)
        return NULL;
    sampler = xcalloc(1, sizeof(*sampler));
    sampler->setup = *setup;
    sampler->setup.kafka = NULL;
    sampler->setup.group = NULL;
    if (!sampler->setup.unanswered_ms)
        sampler->setup.unanswered_ms = UNANSWERED_MS;
    sampler->conf = conf;
    credentials_init(&sampler->credentials, setup->kafka);
    sampler->ticked_ms = -1;
    sampler_open_handles(sampler);
    if (!sampler_client_open(sampler, reason, sizeof(reason))) {
        option_fault(faults, "Kafka client: %s", reason);
        sampler_close(sampler, NULL, NULL);
        return NULL;
    }
    return sampler;
}

void sampler_set_interval(struct sampler *sampler, int64_t interval_ms)
{
    assert(interval_ms > 0);
    sampler->setup.interval_ms = interval_ms;
    sampler_wait_anew(sampler);
}

/* ---- logs ---- */

static struct log_topic *log_topic_get(struct sampler *sampler, const char *name)
{
    struct log_topic *log;

    HASH_FIND_STR(sampler->topics, name, log);
    if (!log) {
        log = xcalloc(1, sizeof(*log));
        log->name = xstrdup(name);
        HASH_ADD_KEYPTR(hh, sampler->topics, log->name, strlen(log->name), log);
    }
    log->users++;
    return log;
}

static void log_topic_unuse(struct sampler *sampler, struct log_topic *log)
{
    if (--log->users > 0)
        return;
    HASH_DEL(sampler->topics, log);
    free(log->partitions);
    free(log->name);
    free(log);
}

/* ---- topics of a group ---- */

static int by_name(const struct group_topic *a, const struct group_topic *b)
{
    return strcmp(a->seen.name, b->seen.name);
}

struct group_topic *group_topic_get(struct group *group, const char *name)
{
    struct group_topic *topic;

    HASH_FIND_STR(group->topics, name, topic);
    if (topic)
        return topic;
    topic = xcalloc(1, sizeof(*topic));
    topic->log = log_topic_get(group->sampler, name);
    topic->seen.name = topic->log->name;
    HASH_ADD_KEYPTR(hh, group->topics, topic->seen.name, strlen(topic->seen.name), topic);
    HASH_SORT(group->topics, by_name);
    return topic;
}

void group_topic_fit(struct group_topic *topic, size_t count, size_t samples)
{
    struct sampler_topic *seen = &topic->seen;

    for (size_t i = count; i < seen->count; i++)
        history_release(&seen->partitions[i].history);
    for (size_t i = 0; i < count && i < seen->count; i++)
        history_reserve(&seen->partitions[i].history, samples);
    if (count == seen->count)
        return;
    seen->partitions = xrealloc(seen->partitions, (count ? count : 1) * sizeof(*seen->partitions));
    for (size_t i = seen->count; i < count; i++) {
        seen->partitions[i] = (struct sampler_partition){
            .number = (int32_t)i, .offsets = OFFSETS_UNKNOWN, .read_ms = -1};
        history_init(&seen->partitions[i].history, samples);
    }
    seen->count = count;
}

static void group_topic_free(struct group *group, struct group_topic *topic)
{
    HASH_DEL(group->topics, topic);
    group_topic_fit(topic, 0, HISTORY_LEAST);
    free(topic->seen.partitions);
    free(topic->answer);
    log_topic_unuse(group->sampler, topic->log);
    free(topic);
}

/* ---- groups ---- */

static struct group *group_get(struct sampler *sampler, const char *name)
{
    struct group *group;

    HASH_FIND_STR(sampler->groups, name, group);
    if (group)
        return group;
    group = xcalloc(1, sizeof(*group));
    group->sampler = sampler;
    group->name = xstrdup(name);
    group->seen.name = group->name;
    HASH_ADD_KEYPTR(hh, sampler->groups, group->name, strlen(group->name), group);
    return group;
}

static void group_free(struct sampler *sampler, struct group *group)
{
    struct group_topic *topic, *next;

    HASH_ITER (hh, group->topics, topic, next)
        group_topic_free(group, topic);
    HASH_DEL(sampler->groups, group);
    free(group->name);
    free(group);
}

/* A question under way names its group. */
void sampler_sweep(struct sampler *sampler)
{
    struct group *group, *next;
    struct group_topic *topic, *next_topic;

    HASH_ITER (hh, sampler->groups, group, next) {
        HASH_ITER (hh, group->topics, topic, next_topic)
            if (!topic->named && (!group->alls || !topic->committed))
                group_topic_free(group, topic);
        if (!group->interests && !group->in_flight)
            group_free(sampler, group);
    }
}

void sampler_free(struct sampler *sampler)
{
    struct group *group, *next;

    HASH_ITER (hh, sampler->groups, group, next)
        group_free(sampler, group);
    sampler_times_forget(sampler);
    rd_kafka_conf_destroy(sampler->conf);
    credentials_release(&sampler->credentials);
    free(sampler->refused);
    free(sampler->newest_error);
    free(sampler->fault);
    free(sampler);
}

/* ---- who asks ---- */

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

struct sampler_interest *sampler_ask(struct sampler *sampler, const char *group, const char *topic,
                                     size_t samples)
{
    struct sampler_interest *interest = xcalloc(1, sizeof(*interest));

    samples = most(samples, HISTORY_LEAST);
    interest->group = group_get(sampler, group);
    interest->group->interests++;
    if (topic) {
        interest->topic = group_topic_get(interest->group, topic);
        interest->topic->named++;
        interest->topic->samples = most(interest->topic->samples, samples);
    } else {
        interest->group->alls++;
        interest->group->samples = most(interest->group->samples, samples);
    }
    if (!sampler->begun)
        sampler_begin_soon(sampler);
    return interest;
}

void sampler_drop(struct sampler_interest *interest)
{
    if (!interest)
        return;
    interest->group->interests--;
    if (interest->topic)
        interest->topic->named--;
    else
        interest->group->alls--;
    free(interest);
}

/* ---- what is shown ---- */

const struct sampler_group *sampler_group_of(const struct sampler_interest *interest)
{
    return &interest->group->seen;
}

const struct sampler_topic *sampler_next_topic(const struct sampler_interest *interest,
                                               const struct sampler_topic *before)
{
    const struct group_topic *topic = (const struct group_topic *)before;

    if (interest->topic)
        return before ? NULL : &interest->topic->seen;
    for (topic = before ? topic->hh.next : interest->group->topics; topic; topic = topic->hh.next)
        if (topic->committed)
            return &topic->seen;
    return NULL;
}

int64_t sampler_ticked_ms(const struct sampler *sampler)
{
    return sampler->ticked_ms;
}

const char *sampler_fault(const struct sampler *sampler)
{
    return sampler->fault;
}
