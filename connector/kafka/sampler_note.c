/*
 * sampler_note: a tick's last turn: what was read of groups and logs becomes what is shown, and
 * samples; what was not, a reason. Each reason is logged when it appears and when it is over.
 */
#include "kafka/sampler_private.h"

#include "base/log.h"

/* ---- what is said ---- */

static void say_group(struct group *group)
{
    const char *said = group->said;

    group->said = group->seen.access == SAMPLER_NO_ACL
                      ? "it may not be read: grant the ACL operation DESCRIBE on the group"
                      : group->seen.error;
    if (group->said && group->said != said)
        log_warning(NULL, "Consumer group %s: %s", group->name, group->said);
    if (!group->said && said)
        log_info(NULL, "Consumer group %s: it is read again", group->name);
}

static const char *trouble_of(const struct sampler_topic *topic)
{
    if (topic->missing)
        return "it does not exist; waiting for it";
    if (topic->error)
        return topic->error;
    for (size_t i = 0; i < topic->count; i++)
        if (topic->partitions[i].error)
            return topic->partitions[i].error;
    return NULL;
}

/* Not beside what is said of the group, which is the reason then. */
static void say_topic(const struct group *group, struct group_topic *topic)
{
    struct log_subject subject = LOG_SUBJECT_NONE;
    const char *said = topic->said;

    if (group->seen.error)
        return;
    subject.topic = topic->seen.name;
    topic->said = trouble_of(&topic->seen);
    if (topic->said && topic->said != said)
        log_warning(&subject, "for group %s: %s", group->name, topic->said);
    if (!topic->said && said)
        log_info(&subject, "for group %s: all is read again", group->name);
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
        note_miss(group->sampler, partition, "what is committed in it may not be read");
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
    say_topic(group, topic);
}

void sampler_note_all(struct sampler *sampler)
{
    for (struct group *group = sampler->groups; group; group = group->hh.next) {
        for (struct group_topic *topic = group->topics; topic; topic = topic->hh.next)
            note_topic(group, topic);
        say_group(group);
    }
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
