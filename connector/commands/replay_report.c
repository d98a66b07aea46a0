/* replay_report: see replay_report.h. */
#include "commands/replay_report.h"

#include "base/duration.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const policy_names[] = {
    [REPLAY_STATIC] = "static",
    [REPLAY_PERSISTENT] = "persistent",
};

const char *replay_policy_name(enum replay_policy policy)
{
    return policy_names[policy];
}

/* ---- the table ---- */

static const char *span(int64_t s, char text[DURATION_TEXT_SIZE])
{
    return duration_format(s * 1000, text);
}

static double late_percent(const struct replay_result *result)
{
    return result->written ? 100.0 * (double)result->late / (double)result->written : 0;
}

enum { NAME_WIDTH = 12 }; /* at least */

/* Columns of the traces' names: the longest has room. */
static int name_width(const struct replay_pair *pairs, size_t count)
{
    size_t width = NAME_WIDTH;

    for (size_t i = 0; i < count; i++)
        if (strlen(pairs[i].name) > width)
            width = strlen(pairs[i].name);
    return (int)width;
}

static void print_row(int width, const char *trace, const char *policy,
                      const struct replay_result *it, FILE *to)
{
    char p95[DURATION_TEXT_SIZE], p99[DURATION_TEXT_SIZE], worst[DURATION_TEXT_SIZE];

    fprintf(to, "%-*s %-10s %7" PRId64 " %10.1f %9s %9s %9s %7.1f%% %8" PRId64 "\n", width, trace,
            policy, it->events, it->replica_hours, span(it->age_95_s, p95), span(it->age_99_s, p99),
            span(it->worst_s, worst), late_percent(it), it->breaches);
}

/* How much more or less than before, in percent. */
static double change(double now, double before)
{
    return before > 0 ? 100 * (now / before - 1) : 0;
}

static void print_change(int width, const struct replay_result *before,
                         const struct replay_result *now, FILE *to)
{
    fprintf(to, "%-*s %-10s %+6.0f%% %+9.0f%%\n", width, "", "",
            change((double)now->events, (double)before->events),
            change(now->replica_hours, before->replica_hours));
}

static struct replay_result sum_of(const struct replay_pair *pairs, size_t count,
                                   enum replay_policy policy)
{
    struct replay_result sum = {0};

    for (size_t i = 0; i < count; i++) {
        const struct replay_result *it = &pairs[i].results[policy];

        sum.events += it->events;
        sum.replica_hours += it->replica_hours;
        sum.late += it->late;
        sum.written += it->written;
        sum.breaches += it->breaches;
    }
    return sum;
}

static void print_sums(int width, const struct replay_pair *pairs, size_t count, FILE *to)
{
    struct replay_result sums[REPLAY_POLICIES];

    for (int policy = 0; policy < REPLAY_POLICIES; policy++) {
        const struct replay_result *it = &sums[policy];

        sums[policy] = sum_of(pairs, count, policy);
        fprintf(to, "%-*s %-10s %7" PRId64 " %10.1f %9s %9s %9s %7.1f%% %8" PRId64 "\n", width,
                policy ? "" : "all", policy_names[policy], it->events, it->replica_hours, "", "",
                "", late_percent(it), it->breaches);
    }
    print_change(width, &sums[REPLAY_STATIC], &sums[REPLAY_PERSISTENT], to);
}

void replay_print_table(const struct replay_pair *pairs, size_t count, FILE *to)
{
    int width = name_width(pairs, count);

    fprintf(to, "%-*s %-10s %7s %10s %9s %9s %9s %8s %8s\n", width, "trace", "policy", "events",
            "replica-h", "age 95%", "age 99%", "worst", "late", "breaches");
    for (size_t i = 0; i < count; i++) {
        const struct replay_result *results = pairs[i].results;

        for (int policy = 0; policy < REPLAY_POLICIES; policy++)
            print_row(width, policy ? "" : pairs[i].name, policy_names[policy], &results[policy],
                      to);
        print_change(width, &results[REPLAY_STATIC], &results[REPLAY_PERSISTENT], to);
    }
    if (count > 1)
        print_sums(width, pairs, count, to);
    fprintf(to, "\nevents: changes of replicas. age: of a record when it was consumed. late: after "
                "more than\n5 minutes, or not at all. breaches: spans of 5 minutes of whose "
                "records more than 5%% were late.\n");
}

/* ---- JSON ---- */

static void add_verdicts(json *to, const struct replay_result *it)
{
    json *list = json_add_array(to, "verdicts");

    for (size_t i = 0; i < it->verdict_count; i++) {
        const struct replay_verdict *verdict = &it->verdicts[i];
        json *entry = json_object();

        json_add_number(entry, "second", verdict->s);
        json_add_bool(entry, "known", verdict->known);
        json_add_text(entry, "state", scale_state_name(verdict->state));
        json_add_text(entry, "reason", scale_reason_name(verdict->reason));
        json_add_text(entry, "text", verdict->text);
        json_add_take(list, NULL, entry);
    }
}

static void add_result(json *to, const char *name, const struct replay_result *it)
{
    json *result = json_add_object(to, name);

    json_add_number(result, "scaling_events", it->events);
    json_add_real(result, "replica_hours", it->replica_hours);
    json_add_number(result, "age_95_seconds", it->age_95_s);
    json_add_number(result, "age_99_seconds", it->age_99_s);
    json_add_number(result, "worst_age_seconds", it->worst_s);
    json_add_number(result, "late_records", it->late);
    json_add_number(result, "records", it->written);
    json_add_number(result, "breaches", it->breaches);
    json_add_number(result, "left_waiting", it->left);
    add_verdicts(result, it);
}

void replay_print_json(const struct replay_pair *pairs, size_t count, FILE *to)
{
    json *root = json_object();
    json *list = json_add_array(root, "traces");
    char *text;

    for (size_t i = 0; i < count; i++) {
        json *trace = json_object();

        json_add_text(trace, "trace", pairs[i].name);
        json_add_number(trace, "seconds", pairs[i].results[0].seconds);
        for (int policy = 0; policy < REPLAY_POLICIES; policy++)
            add_result(trace, policy_names[policy], &pairs[i].results[policy]);
        json_add_take(list, NULL, trace);
    }
    text = json_print(root, true);
    fprintf(to, "%s\n", text);
    free(text);
    json_free(root);
}
