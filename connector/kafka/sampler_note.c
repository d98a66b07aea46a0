/*
 * sampler_note: a tick's last turn: what was read of groups and logs becomes what is shown, and
 * samples; what was not, a reason. Each reason is logged when it appears and when it is over, of a
 * few groups and topics by name and of the others by number: a broker that is lost is lost for
 * hundreds.
 */
#include "kafka/sampler_private.h"

#include "base/log.h"

enum { SAID_BY_NAME = 3 };

/* ---- what is said ---- */

/* What changed at this tick. */
struct saying {
    const char *kind; /* "consumer group" */
    size_t faults, mended;
};

static void say(struct saying *saying, const char *name, const char **said, const char *now)
{
    const char *before = *said;

    *said = now;
    if (now && now != before && ++saying->faults <= SAID_BY_NAME)
        log_warning(NULL, "Kafka: %s %s: %s", saying->kind, name, now);
    if (!now && before && ++saying->mended <= SAID_BY_NAME)
        log_info(NULL, "Kafka: %s %s is read again", saying->kind, name);
}

static void say_rest(const struct saying *saying)
{
    if (saying->faults > SAID_BY_NAME)
        log_warning(NULL, "Kafka: %zu more %ss cannot be read", saying->faults - SAID_BY_NAME,
                    saying->kind);
    if (saying->mended > SAID_BY_NAME)
        log_info(NULL, "Kafka: %zu more %ss are read again", saying->mended - SAID_BY_NAME,
                 saying->kind);
}

static void say_groups(struct sampler *sampler)
{
    struct saying saying = {.kind = "consumer group"};

    for (struct group *group = sampler->groups; group; group = group->hh.next)
        say(&saying, group->name, &group->said,
            group->seen.access == SAMPLER_NO_ACL
                ? "it may not be read: grant the ACL operation DESCRIBE on the group"
                : group->seen.error);
    say_rest(&saying);
}

static const char *trouble_of(const struct log_topic *log)
{
    if (log->missing)
        return "it does not exist";
    if (log->error)
        return log->error;
    for (size_t i = 0; i < log->count; i++)
        if (log->partitions[i].error)
            return log->partitions[i].error;
    return NULL;
}

static void say_topics(struct sampler *sampler)
{
    struct saying saying = {.kind = "topic"};

    for (struct log_topic *log = sampler->topics; log; log = log->hh.next)
        say(&saying, log->name, &log->said, trouble_of(log));
    say_rest(&saying);
}

/* ---- what is shown ---- */

static void note_miss(struct sampler *sampler, struct sampler_partition *partition, const char *why)
{
    partition->error = why;
    history_miss(&partition->history, sampler->skipped + 1);
}

static void note_sample(struct sampler *sampler, struct sampler_partition *partition,
                        const struct offsets *offsets)
{
    enum history_result result;

    history_miss(&partition->history, sampler->skipped);
    result = history_add(&partition->history, sampler->tick_ms, offsets);
    if (result == HISTORY_MISSED) {
        partition->error = "its log ends before where it ended: read once more";
        return;
    }
    partition->offsets = history_newest(&partition->history);
    partition->read_ms = sampler->tick_ms;
    partition->error = NULL;
}

static void note_partition(struct group *group, struct group_topic *topic, size_t i)
{
    const struct log_partition *log = &topic->log->partitions[i];
    struct sampler_partition *partition = &topic->seen.partitions[i];
    const struct offsets offsets = {
        .committed = group_topic_committed(group, topic, i),
        .start = log->start,
        .end = log->end,
    };

    if (log->error)
        note_miss(group->sampler, partition, log->error);
    else if (group->seen.error)
        note_miss(group->sampler, partition, group->seen.error);
    else if (offsets.committed == OFFSET_UNKNOWN)
        note_miss(group->sampler, partition, "what is committed in it was not told");
    else
        note_sample(group->sampler, partition, &offsets);
}

static size_t samples_of(const struct group *group, const struct group_topic *topic)
{
    size_t samples = topic->samples > HISTORY_LEAST ? topic->samples : HISTORY_LEAST;

    return samples > group->samples ? samples : group->samples;
}

static void note_topic(struct group *group, struct group_topic *topic)
{
    const struct log_topic *log = topic->log;

    group_topic_fit(topic, log->count, samples_of(group, topic));
    topic->seen.missing = log->missing;
    topic->seen.error = log->known ? log->error : "its partitions are not known yet";
    for (size_t i = 0; i < log->count; i++)
        note_partition(group, topic, i);
}

void sampler_note_all(struct sampler *sampler)
{
    for (struct group *group = sampler->groups; group; group = group->hh.next)
        for (struct group_topic *topic = group->topics; topic; topic = topic->hh.next)
            note_topic(group, topic);
    say_groups(sampler);
    say_topics(sampler);
}

/* Said once, of the cluster. */
void sampler_note_failure(struct sampler *sampler, const char *why)
{
    for (struct group *group = sampler->groups; group; group = group->hh.next) {
        group->seen.error = why;
        for (struct group_topic *topic = group->topics; topic; topic = topic->hh.next) {
            topic->seen.error = why;
            for (size_t i = 0; i < topic->seen.count; i++)
                note_miss(sampler, &topic->seen.partitions[i], why);
        }
    }
}
