/*
 * sampler_groups: what the groups have committed, asked of their coordinators.
 *
 * The trap: librdkafka (2.0.2 to 2.15) aborts the process when such a request times out and its
 * coordinator comes back. So none ever times out: it is given an hour, our own clock calls a group
 * late, a group with a question under way is not asked again, and a client with a group that has
 * been silent for unanswered_ms is replaced, its questions with it. So is one that asked a broker
 * which coordinates the group no more: as long as that broker is up librdkafka (2.0.2) asks no
 * other, for up to eleven groups that it remembers. What answers an earlier tick's
 * question was committed nobody knows when: it only makes room for the next one.
 */
#include "kafka/sampler_private.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum {
    IN_FLIGHT_MOST = 100, /* groups asked at once */
    /* As long as not all have been answered: librdkafka remembers eleven coordinators, and what
     * waits for a connection to one that it forgot asks again whenever any connection changes. */
    IN_FLIGHT_FIRST = 10,
    NEVER_MS = 60 * 60 * 1000,
    REASON_SIZE = 512,
};

/* ---- asking ---- */

/* All partitions of the topics asked for by name; NULL: there are none. */
static rd_kafka_topic_partition_list_t *named_partitions(const struct group *group)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(0);

    for (const struct group_topic *topic = group->topics; topic; topic = topic->hh.next)
        if (topic->named && topic->log->count)
            rd_kafka_topic_partition_list_add_range(list, topic->log->name, 0,
                                                    (int32_t)topic->log->count - 1);
    if (list->cnt)
        return list;
    rd_kafka_topic_partition_list_destroy(list);
    return NULL;
}

/* partitions NULL: all that the group has. */
static void send_question(struct group *group, const rd_kafka_topic_partition_list_t *partitions)
{
    struct sampler *sampler = group->sampler;
    rd_kafka_ListConsumerGroupOffsets_t *question =
        rd_kafka_ListConsumerGroupOffsets_new(group->name, partitions);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(sampler->kafka, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    char reason[REASON_SIZE];

    rd_kafka_AdminOptions_set_request_timeout(options, NEVER_MS, reason, sizeof(reason));
    rd_kafka_AdminOptions_set_opaque(options, group);
    rd_kafka_ListConsumerGroupOffsets(sampler->kafka, &question, 1, options, sampler->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ListConsumerGroupOffsets_destroy(question);
    group->in_flight = true;
    group->sent_at = uv_now(sampler->setup.loop);
    sampler->in_flight++;
}

static void done(struct group *group, const char *error)
{
    struct sampler *sampler = group->sampler;

    group->done_tick = sampler->tick;
    group->seen.error = error;
    if (!error)
        group->read_tick = sampler->tick;
    sampler->waiting--;
}

static bool is_awaited(const struct group *group)
{
    int64_t tick = group->sampler->tick;

    return group->walked_tick == tick && group->done_tick != tick;
}

/* Of nobody's groups, and of groups of no topics that exist, there is nothing to be asked. */
static void ask(struct group *group)
{
    bool all = group->alls > 0;
    rd_kafka_topic_partition_list_t *partitions = all ? NULL : named_partitions(group);

    group->sent_tick = group->sampler->tick;
    group->asked_all = all;
    for (struct group_topic *topic = group->topics; topic; topic = topic->hh.next) {
        topic->answer_count = 0;
        topic->asked = topic->named ? topic->log->count : 0;
    }
    if (partitions || all)
        send_question(group, partitions);
    else
        done(group, NULL);
    if (partitions)
        rd_kafka_topic_partition_list_destroy(partitions);
}

/* To the next group. One with an older question under way is asked when that is answered. */
static struct group *walk(struct sampler *sampler)
{
    struct group *group = sampler->next_group;

    sampler->next_group = group->hh.next;
    group->walked_tick = sampler->tick;
    sampler->waiting++;
    return group;
}

static void ask_more(struct sampler *sampler)
{
    size_t most = sampler->all_answered ? IN_FLIGHT_MOST : IN_FLIGHT_FIRST;

    while (sampler->next_group && sampler->in_flight < most) {
        struct group *group = walk(sampler);

        if (!group->in_flight)
            ask(group);
    }
    if (sampler->next_group || sampler->waiting)
        return;
    sampler->all_answered = true;
    sampler_groups_done(sampler);
}

void sampler_read_groups(struct sampler *sampler)
{
    sampler->next_group = sampler->groups;
    sampler->waiting = 0;
    uv_timer_start(&sampler->late, sampler_on_late, (uint64_t)sampler->setup.timeout_ms, 0);
    ask_more(sampler);
}

void sampler_on_late(uv_timer_t *timer)
{
    struct sampler *sampler = timer->data;

    while (sampler->next_group)
        walk(sampler);
    for (struct group *group = sampler->groups; group; group = group->hh.next)
        if (is_awaited(group)) {
            sampler->all_answered = false;
            done(group, "its coordinator did not answer in time");
            sampler->counts.late_groups++;
        }
    sampler_groups_done(sampler);
}

bool sampler_is_unanswered(const struct sampler *sampler)
{
    uint64_t now = uv_now(sampler->setup.loop);
    uint64_t unanswered_ms = (uint64_t)sampler->setup.unanswered_ms;

    for (const struct group *group = sampler->groups; group; group = group->hh.next)
        if (group->in_flight && now - group->sent_at > unanswered_ms)
            return true;
    return false;
}

void sampler_forget_requests(struct sampler *sampler)
{
    for (struct group *group = sampler->groups; group; group = group->hh.next)
        group->in_flight = false;
    sampler->in_flight = 0;
    sampler->all_answered = false;
}

/* ---- answers ---- */

int64_t group_topic_committed(const struct group *group, const struct group_topic *topic, size_t i)
{
    if (group->read_tick != group->sampler->tick)
        return OFFSET_UNKNOWN;
    if (group->seen.access == SAMPLER_NO_ACL)
        return OFFSET_HIDDEN;
    if (i < topic->answer_count)
        return topic->answer[i];
    /* One that came to be known while the group was asked is not in the question. */
    return group->asked_all || i < topic->asked ? OFFSET_NONE : OFFSET_UNKNOWN;
}

static void note_partition(struct group_topic *topic, const rd_kafka_topic_partition_t *it)
{
    size_t number = (size_t)it->partition;

    if (number >= topic->answer_size) {
        topic->answer_size = number < 8 ? 8 : 2 * number;
        topic->answer = xrealloc(topic->answer, topic->answer_size * sizeof(*topic->answer));
    }
    while (topic->answer_count <= number)
        topic->answer[topic->answer_count++] = OFFSET_NONE;
    if (it->err)
        topic->answer[number] = OFFSET_UNKNOWN;
    else if (it->offset >= 0)
        topic->answer[number] = it->offset;
    topic->committed |= !it->err && it->offset >= 0;
}

static void note_partitions(struct group *group, const rd_kafka_topic_partition_list_t *list)
{
    struct group_topic *topic = NULL;

    for (topic = group->topics; topic; topic = topic->hh.next)
        topic->committed = false;
    for (int i = 0; list && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *it = &list->elems[i];

        if (!topic || strcmp(topic->seen.name, it->topic) != 0)
            HASH_FIND_STR(group->topics, it->topic, topic);
        if (!topic && group->alls)
            topic = group_topic_get(group, it->topic);
        if (topic && it->partition >= 0)
            note_partition(topic, it);
    }
}

static void note_answer(struct group *group, rd_kafka_resp_err_t error,
                        const rd_kafka_topic_partition_list_t *list)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        group->seen.access = SAMPLER_ADMIN;
        group->seen.read_whole = group->asked_all;
        note_partitions(group, list);
        done(group, NULL);
        break;
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        group->seen.access = SAMPLER_NO_ACL;
        done(group, NULL);
        break;
    default:
        done(group, rd_kafka_err2str(error));
    }
}

static rd_kafka_resp_err_t error_of(const rd_kafka_event_t *event,
                                    const rd_kafka_topic_partition_list_t **list)
{
    rd_kafka_resp_err_t error = rd_kafka_event_error((rd_kafka_event_t *)event);
    const rd_kafka_group_result_t **groups;
    size_t count;

    if (error)
        return error;
    groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result((rd_kafka_event_t *)event), &count);
    if (count != 1)
        return RD_KAFKA_RESP_ERR__BAD_MSG;
    *list = rd_kafka_group_result_partitions(groups[0]);
    return rd_kafka_error_code(rd_kafka_group_result_error(groups[0]));
}

void sampler_on_answer(struct sampler *sampler, rd_kafka_event_t *event)
{
    struct group *group = rd_kafka_event_opaque(event);
    const rd_kafka_topic_partition_list_t *list = NULL;
    rd_kafka_resp_err_t error = error_of(event, &list);

    group->in_flight = false;
    sampler->in_flight--;
    sampler->misled |= error == RD_KAFKA_RESP_ERR_NOT_COORDINATOR;
    if (sampler->state != SAMPLER_GROUPS_READING)
        return;
    if (is_awaited(group) && group->sent_tick == sampler->tick)
        note_answer(group, error, list);
    else if (is_awaited(group))
        ask(group);
    ask_more(sampler);
}
