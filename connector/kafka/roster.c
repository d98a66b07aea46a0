/*
 * roster: see roster.h. By the old call rd_kafka_list_groups: the admin calls for groups abort the
 * process when one times out (sampler_groups.c). Its trap: it waits for metadata that nobody asks
 * for on a new handle.
 */
#include "kafka/roster.h"

#include "base/xalloc.h"
#include "kafka/assignment.h"
#include "kafka/credentials.h"
#include "kafka/refusal.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>
#include <utarray.h>
#include <uv.h>

enum { REASON_SIZE = 512 };

struct roster {
    rd_kafka_t *kafka;
    UT_array *groups; /* of struct roster_group, by name */
    UT_array *owners; /* of struct roster_owner, by group, topic and partition */
    char *newest_error;
    struct credentials credentials;
};

/* Its lines would say a second time what the reason says. */
static const struct kafka_setting quiet[] = {{"log_level", "0"}, {NULL, NULL}};

/* ---- the client ---- */

static void on_error(rd_kafka_t *kafka, int error, const char *reason, void *opaque)
{
    struct roster *roster = opaque;

    (void)kafka;
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        return; /* follows from the others */
    free(roster->newest_error);
    roster->newest_error = refusal_or_text_dup(reason);
}

static void release_group(void *item)
{
    struct roster_group *group = item;

    free(group->name);
    free(group->state);
}

static void release_owner(void *item)
{
    struct roster_owner *owner = item;

    free(owner->topic);
    free(owner->client_id);
    free(owner->host);
}

struct roster *roster_new(const struct kafka_options *options, struct option_faults *faults)
{
    static const UT_icd groups = {sizeof(struct roster_group), NULL, NULL, release_group};
    static const UT_icd owners = {sizeof(struct roster_owner), NULL, NULL, release_owner};
    rd_kafka_conf_t *conf = kafka_conf_new(options, NULL, quiet, faults);
    struct roster *roster;
    char reason[REASON_SIZE];

    if (!conf)
        return NULL;
    roster = xcalloc(1, sizeof(*roster));
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_opaque(conf, roster);
    roster->kafka = kafka_client_new(false, conf, reason, sizeof(reason));
    if (!roster->kafka) {
        option_fault(faults, "Kafka client: %s", reason);
        rd_kafka_conf_destroy(conf);
        free(roster);
        return NULL;
    }
    credentials_init(&roster->credentials, options);
    utarray_new(roster->groups, &groups);
    utarray_new(roster->owners, &owners);
    return roster;
}

void roster_free(struct roster *roster)
{
    if (!roster)
        return;
    rd_kafka_destroy(roster->kafka);
    utarray_free(roster->owners);
    utarray_free(roster->groups);
    free(roster->newest_error);
    credentials_release(&roster->credentials);
    free(roster);
}

/* ---- what it reads ---- */

static int compare_groups(const void *a, const void *b)
{
    return strcmp(((const struct roster_group *)a)->name, ((const struct roster_group *)b)->name);
}

static int compare_owners(const void *a, const void *b)
{
    const struct roster_owner *one = a, *other = b;
    int order = strcmp(one->group, other->group);

    if (!order)
        order = strcmp(one->topic, other->topic);
    return order ? order
                 : (one->partition > other->partition) - (one->partition < other->partition);
}

/* An empty UT_array may have no memory, which qsort and bsearch must not be given. */
static void sort(UT_array *array, int (*compare)(const void *, const void *))
{
    if (utarray_len(array))
        utarray_sort(array, compare);
}

static const void *find(const UT_array *array, const void *wanted,
                        int (*compare)(const void *, const void *))
{
    return utarray_len(array) ? utarray_find(array, wanted, compare) : NULL;
}

struct finding {
    struct roster *roster;
    const char *group;
    const struct rd_kafka_group_member_info *member;
};

static void on_partition(void *context, const char *topic, size_t topic_size, int32_t partition)
{
    const struct finding *finding = context;
    struct roster_owner owner = {
        .group = finding->group,
        .topic = xstrndup(topic, topic_size),
        .partition = partition,
        .client_id = xstrdup(finding->member->client_id),
        .host = xstrdup(finding->member->client_host),
    };

    utarray_push_back(finding->roster->owners, &owner);
}

/* An assignment that cannot be read is another protocol's (Kafka Connect's workers are groups too).
 * What an owner says of its group is the group's own name. */
static void note_group(struct roster *roster, const struct rd_kafka_group_info *info)
{
    struct roster_group group = {
        .name = xstrdup(info->group),
        .state = xstrdup(info->state),
        .members = (size_t)info->member_cnt,
    };

    utarray_push_back(roster->groups, &group);
    if (strcmp(info->protocol_type, "consumer") != 0)
        return;
    for (int i = 0; i < info->member_cnt; i++) {
        const struct rd_kafka_group_member_info *member = &info->members[i];
        struct finding finding = {roster, group.name, member};

        assignment_read(member->member_assignment, (size_t)member->member_assignment_size,
                        on_partition, &finding);
    }
}

static const char *why(struct roster *roster, rd_kafka_resp_err_t error)
{
    rd_kafka_poll(roster->kafka, 0); /* calls on_error */
    return roster->newest_error ? roster->newest_error : rd_kafka_err2str(error);
}

const char *roster_read(struct roster *roster, const char *group, int timeout_ms)
{
    const struct rd_kafka_metadata *metadata;
    const struct rd_kafka_group_list *list = NULL;
    rd_kafka_resp_err_t error;

    credentials_look(&roster->credentials, uv_hrtime() / 1000000, roster->kafka, NULL);
    rd_kafka_poll(roster->kafka, 0); /* a token is renewed in it */
    error = rd_kafka_metadata(roster->kafka, 0, NULL, &metadata, timeout_ms);
    if (error)
        return why(roster, error);
    rd_kafka_metadata_destroy(metadata);
    error = rd_kafka_list_groups(roster->kafka, group, &list, timeout_ms);
    if (!list)
        return why(roster, error);
    utarray_clear(roster->owners);
    utarray_clear(roster->groups);
    for (int i = 0; i < list->group_cnt; i++)
        note_group(roster, &list->groups[i]);
    rd_kafka_group_list_destroy(list);
    sort(roster->groups, compare_groups);
    sort(roster->owners, compare_owners);
    return NULL;
}

/* ---- what it read ---- */

const struct roster_group *roster_groups(const struct roster *roster, size_t *count)
{
    *count = utarray_len(roster->groups);
    return utarray_front(roster->groups);
}

const struct roster_owner *roster_owners(const struct roster *roster, size_t *count)
{
    *count = utarray_len(roster->owners);
    return utarray_front(roster->owners);
}

const struct roster_group *roster_group(const struct roster *roster, const char *group)
{
    const struct roster_group wanted = {.name = (char *)group};

    return find(roster->groups, &wanted, compare_groups);
}

const struct roster_owner *roster_owner(const struct roster *roster, const char *group,
                                        const char *topic, int32_t partition)
{
    const struct roster_owner wanted = {
        .group = group, .topic = (char *)topic, .partition = partition};

    return find(roster->owners, &wanted, compare_owners);
}
