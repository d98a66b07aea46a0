/* lag_report: see lag_report.h. */
#include "commands/lag_report.h"

#include "base/duration.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "commands/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TREND_SAMPLES = 6, MS = 1000 };

/* Nothing committed is said as such, not counted: KEDA and SlimFaas differ about what it means. */
static const struct lag_rule rule = {LAG_NONE_EARLIEST, false, false};

/* ---- what is told ---- */

static int64_t lag_at(const struct history *history, size_t i)
{
    struct history_sample sample = history_at(history, i);
    struct offsets offsets = {sample.committed, OFFSET_UNKNOWN, sample.end};

    return lag_of(&rule, &offsets);
}

/* Over the last samples, from the first of them to the last. */
static void add_trend(struct lag_line *line, const struct history *history)
{
    size_t count = history_count(history);
    size_t first = count > TREND_SAMPLES ? count - TREND_SAMPLES : 0;
    int64_t passed;

    if (count < 2 || lag_at(history, first) < 0 || lag_at(history, count - 1) < 0)
        return;
    passed = history_at(history, count - 1).at_ms - history_at(history, first).at_ms;
    line->has_trend = true;
    line->trend =
        (double)(lag_at(history, count - 1) - lag_at(history, first)) * MS / (double)passed;
}

/* An age of which no more is known than that it is more than nothing is none. */
struct lag_line lag_line_of(const struct sampler_partition *partition)
{
    const struct history *history = &partition->history;
    struct lag_line line = {.lag = LAG_UNKNOWN, .age = {OFFSET_UNKNOWN, false}};

    if (!history_count(history))
        return line;
    if (partition->offsets.committed >= 0)
        line.lag = lag_of(&rule, &partition->offsets);
    line.age = history_age(history, history_count(history) - 1);
    if (line.age.at_least && line.age.ms == 0)
        line.age.ms = OFFSET_UNKNOWN;
    add_trend(&line, history);
    return line;
}

bool lag_is_there(const struct lag_subject *subject, const struct roster *roster)
{
    const struct sampler_topic *topic = NULL;

    if (roster_group(roster, subject->group) ||
        sampler_group_of(subject->interests[0])->access == SAMPLER_NO_ACL)
        return true;
    for (size_t i = 0; i < subject->count; i++)
        while ((topic = sampler_next_topic(subject->interests[i], topic)))
            for (size_t k = 0; k < topic->count; k++)
                if (topic->partitions[k].offsets.committed >= 0)
                    return true;
    return false;
}

/* ---- the topics of a group, each once, by name ---- */

struct topics {
    const struct sampler_topic **items;
    size_t count;
};

static int compare_topics(const void *a, const void *b)
{
    return strcmp((*(const struct sampler_topic *const *)a)->name,
                  (*(const struct sampler_topic *const *)b)->name);
}

static bool has_topic(const struct topics *topics, const struct sampler_topic *topic)
{
    for (size_t i = 0; i < topics->count; i++)
        if (topics->items[i] == topic)
            return true;
    return false;
}

static struct topics topics_of(const struct lag_subject *subject)
{
    struct topics topics = {0};
    const struct sampler_topic *topic = NULL;

    for (size_t i = 0; i < subject->count; i++)
        while ((topic = sampler_next_topic(subject->interests[i], topic))) {
            if (has_topic(&topics, topic))
                continue;
            topics.items = xrealloc(topics.items, (topics.count + 1) * sizeof(*topics.items));
            topics.items[topics.count++] = topic;
        }
    if (topics.count)
        qsort(topics.items, topics.count, sizeof(*topics.items), compare_topics);
    return topics;
}

/* ---- as a table ---- */

static const struct table_column columns[] = {
    {"GROUP", false},         {"TOPIC", false}, {"PARTITION", true}, {"CURRENT-OFFSET", true},
    {"LOG-END-OFFSET", true}, {"LAG", true},    {"OLDEST", true},    {"TREND", true},
    {"CLIENT-ID", false},     {"HOST", false},  {"FAULT", false},
};

enum { COLUMNS = sizeof(columns) / sizeof(*columns) };

static void add_offset(struct table *table, int64_t offset)
{
    if (offset >= 0)
        table_add(table, TABLE_PLAIN, "%lld", (long long)offset);
    else
        table_add(table, TABLE_DIM, "%s", offset == OFFSET_HIDDEN ? "hidden" : "-");
}

/* Whole seconds are enough, but for the first. */
static char *age_text(int64_t ms, char text[DURATION_TEXT_SIZE])
{
    return duration_format(ms < 10 * MS ? ms / 100 * 100 : ms / MS * MS, text);
}

static void add_age(struct table *table, const struct history_age *age)
{
    char text[DURATION_TEXT_SIZE];

    if (age->ms <= 0)
        table_add(table, TABLE_DIM, "-");
    else
        table_add(table, TABLE_PLAIN, "%s%s", age->at_least ? ">" : "", age_text(age->ms, text));
}

static void add_trend_cell(struct table *table, const struct lag_line *line)
{
    if (!line->has_trend || fabs(line->trend) < 0.05)
        table_add(table, TABLE_DIM, "%s", line->has_trend ? "0/s" : "-");
    else
        table_add(table, line->trend > 0 ? TABLE_YELLOW : TABLE_PLAIN, "%+.1f/s", line->trend);
}

static void add_row(struct table *table, const struct lag_subject *subject,
                    const struct sampler_topic *topic, const struct sampler_partition *partition,
                    const struct roster *roster)
{
    const struct roster_owner *owner =
        roster_owner(roster, subject->group, topic->name, partition->number);
    struct lag_line line = lag_line_of(partition);

    table_add(table, TABLE_PLAIN, "%s", subject->group);
    table_add(table, TABLE_PLAIN, "%s", topic->name);
    table_add(table, TABLE_PLAIN, "%d", (int)partition->number);
    add_offset(table, partition->offsets.committed);
    add_offset(table, partition->offsets.end);
    if (line.lag > 0)
        table_add(table, TABLE_YELLOW, "%lld", (long long)line.lag);
    else
        add_offset(table, line.lag);
    add_age(table, &line.age);
    add_trend_cell(table, &line);
    table_add(table, TABLE_PLAIN, "%s", owner ? owner->client_id : "-");
    table_add(table, TABLE_PLAIN, "%s", owner ? owner->host : "-");
    table_add(table, TABLE_RED, "%s", partition->error ? partition->error : "");
}

struct total {
    struct lag_sum sum;
    struct history_age oldest;
};

static void add_to_total(struct total *total, const struct sampler_topic *topic)
{
    for (size_t i = 0; i < topic->count; i++) {
        struct lag_line line = lag_line_of(&topic->partitions[i]);

        lag_add(&total->sum, line.lag);
        if (line.age.ms > total->oldest.ms)
            total->oldest = line.age;
    }
}

static void print_total(const struct lag_subject *subject, const struct roster *roster, FILE *to)
{
    const struct roster_group *group = roster_group(roster, subject->group);
    struct topics topics = topics_of(subject);
    struct total total = {0};
    char text[DURATION_TEXT_SIZE];

    for (size_t i = 0; i < topics.count; i++)
        add_to_total(&total, topics.items[i]);
    free(topics.items);
    fprintf(to, "%s: ", subject->group);
    if (group)
        fprintf(to, "%s, members: %zu, ", group->state, group->members);
    if (sampler_group_of(subject->interests[0])->access == SAMPLER_NO_ACL)
        fputs("may not be read, ", to);
    fprintf(to, "records waiting: %lld", (long long)total.sum.lag);
    if (total.oldest.ms > 0)
        fprintf(to, ", oldest waiting record: %s%s", total.oldest.at_least ? "at least " : "",
                age_text(total.oldest.ms, text));
    if (total.sum.unknown)
        fprintf(to, ", partitions without a commit that is known: %zu", total.sum.unknown);
    fputc('\n', to);
}

void lag_print_table(const struct lag_subject *subjects, size_t count, const struct roster *roster,
                     bool terminal, FILE *to)
{
    struct table *table = table_new(columns, COLUMNS);

    for (size_t i = 0; i < count; i++) {
        struct topics topics = topics_of(&subjects[i]);

        for (size_t k = 0; k < topics.count; k++)
            for (size_t p = 0; p < topics.items[k]->count; p++)
                add_row(table, &subjects[i], topics.items[k], &topics.items[k]->partitions[p],
                        roster);
        free(topics.items);
    }
    table_print(table, terminal, to);
    table_free(table);
    if (terminal)
        fputc('\n', to);
    for (size_t i = 0; terminal && i < count; i++)
        print_total(&subjects[i], roster, to);
}

/* ---- as JSON ---- */

/* null: it is none. */
static void json_offset(json *to, const char *name, int64_t offset)
{
    if (offset >= 0)
        json_add_number(to, name, offset);
    else
        json_add_text(to, name, NULL);
}

static void json_partition(json *to, const struct lag_subject *subject, const char *topic,
                           const struct sampler_partition *partition, const struct roster *roster)
{
    const struct roster_owner *owner =
        roster_owner(roster, subject->group, topic, partition->number);
    struct lag_line line = lag_line_of(partition);
    json *object = json_add_object(to, NULL);

    json_add_number(object, "partition", partition->number);
    json_offset(object, "committed_offset", partition->offsets.committed);
    json_offset(object, "end_offset", partition->offsets.end);
    json_offset(object, "lag", line.lag);
    json_add_real(object, "oldest_age_seconds",
                  line.age.ms < 0 ? (double)NAN : (double)line.age.ms / MS);
    json_add_bool(object, "oldest_age_is_at_least", line.age.at_least);
    json_add_real(object, "trend_per_second", line.has_trend ? line.trend : (double)NAN);
    json_add_text(object, "client_id", owner ? owner->client_id : NULL);
    json_add_text(object, "host", owner ? owner->host : NULL);
    json_add_text(object, "fault", partition->error);
}

static void json_topics(json *to, const struct lag_subject *subject, const struct roster *roster)
{
    struct topics topics = topics_of(subject);

    for (size_t i = 0; i < topics.count; i++) {
        const struct sampler_topic *topic = topics.items[i];
        json *object = json_add_object(to, NULL), *list;

        json_add_text(object, "topic", topic->name);
        json_add_bool(object, "missing", topic->missing);
        json_add_text(object, "fault", topic->error);
        list = json_add_array(object, "partitions");
        for (size_t p = 0; p < topic->count; p++)
            json_partition(list, subject, topic->name, &topic->partitions[p], roster);
    }
    free(topics.items);
}

void lag_print_json(const struct lag_subject *subjects, size_t count, const struct roster *roster,
                    int64_t time_ms, FILE *to)
{
    json *document = json_object(), *list;
    char *text;

    json_add_number(document, "time_ms", time_ms);
    list = json_add_array(document, "groups");
    for (size_t i = 0; i < count; i++) {
        const struct sampler_group *seen = sampler_group_of(subjects[i].interests[0]);
        const struct roster_group *group = roster_group(roster, subjects[i].group);
        json *object = json_add_object(list, NULL);

        json_add_text(object, "group", subjects[i].group);
        json_add_text(object, "state", group ? group->state : NULL);
        json_add_number(object, "members", group ? (int64_t)group->members : 0);
        json_add_bool(object, "readable", seen->access == SAMPLER_ADMIN);
        json_add_text(object, "fault", seen->error);
        json_topics(json_add_array(object, "topics"), &subjects[i], roster);
    }
    text = json_print(document, false);
    fprintf(to, "%s\n", text);
    free(text);
    json_free(document);
}
