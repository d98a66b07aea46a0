/*
 * lag: see lag.h. The roster says which groups there are and who has what; the sampler the offsets.
 */
#include "commands/lag.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "commands/lag_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HISTORY_SAMPLES = 1000 };

struct lag_options {
    struct option_list groups, topics;
    bool all_groups, watch, json;
    int64_t samples, interval, timeout;
};

static struct {
    struct kafka_options kafka;
    struct lag_options lag;
} config;

static const struct option_row rows[] = {
    {.name = "group",
     .type = OPTION_LIST,
     .offset = offsetof(struct lag_options, groups),
     .default_text = "faas-kafka-queue-workers",
     .text = "Consumer groups to report on."},
    {.name = "all_groups",
     .type = OPTION_BOOL,
     .flags = OPTION_FLAG_ONLY,
     .offset = offsetof(struct lag_options, all_groups),
     .default_text = "false",
     .text = "Report on all groups of the cluster that we have the right to describe."},
    {.name = "topic",
     .type = OPTION_LIST,
     .flags = OPTION_FLAG_ONLY,
     .offset = offsetof(struct lag_options, topics),
     .text = "Only these topics. Empty: all that a group has committed in or reads."},
    {.name = "samples",
     .type = OPTION_INT,
     .flags = OPTION_FLAG_ONLY,
     .offset = offsetof(struct lag_options, samples),
     .min = 1,
     .max = 1000000,
     .default_text = "1",
     .text = "Samples to take before the table is printed; with two or more it shows ages and "
             "trends."},
    {.name = "watch",
     .type = OPTION_BOOL,
     .flags = OPTION_FLAG_ONLY,
     .offset = offsetof(struct lag_options, watch),
     .default_text = "false",
     .text = "Print after each sample, until it is ended."},
    {.name = "interval",
     .type = OPTION_DURATION,
     .flags = OPTION_FLAG_ONLY,
     .offset = offsetof(struct lag_options, interval),
     .min = 100,
     .max = 24 * 60 * 60 * 1000,
     .default_text = "5s",
     .text = "Time between two samples."},
    {.name = "timeout",
     .type = OPTION_DURATION,
     .flags = OPTION_FLAG_ONLY,
     .offset = offsetof(struct lag_options, timeout),
     .min = 100,
     .max = 10 * 60 * 1000,
     .default_text = "5s",
     .text = "How long brokers may take to answer."},
    {.name = "json",
     .type = OPTION_BOOL,
     .flags = OPTION_FLAG_ONLY,
     .offset = offsetof(struct lag_options, json),
     .default_text = "false",
     .text = "Print JSON, one object on a line for each time."},
};

static const struct option_table lag_table = {"Lag", rows, sizeof(rows) / sizeof(*rows)};

static const struct option_group groups[] = {
    {&kafka_option_table, &config.kafka},
    {&lag_table, &config.lag},
};

const struct option_group *lag_options(size_t *count)
{
    *count = sizeof(groups) / sizeof(*groups);
    return groups;
}

void lag_check(struct option_faults *faults)
{
    if (!config.lag.all_groups && !config.lag.groups.count)
        option_fault(faults, "group: it names no consumer group");
    sampler_check(&config.kafka, faults);
}

/* ---- one run ---- */

struct lag {
    uv_loop_t loop;
    uv_work_t reading; /* of the roster, by the worker */
    struct roster *roster;
    struct sampler *sampler;
    struct lag_subject *subjects;
    size_t count;
    int64_t samples;
    bool terminal;
    bool reading_roster;
    int status;
};

__attribute__((format(printf, 2, 3))) static void tell(struct lag *lag, const char *format, ...)
{
    va_list args;

    fflush(stdout);
    fputs("kafka-connector lag: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    lag->status = EXIT_FAILURE;
}

/* ---- who is asked about ---- */

static void ask(struct lag *lag, struct lag_subject *subject, const char *topic)
{
    subject->interests =
        xrealloc(subject->interests, (subject->count + 1) * sizeof(struct sampler_interest *));
    subject->interests[subject->count++] =
        sampler_ask(lag->sampler, subject->group, topic, HISTORY_SAMPLES);
}

/* What a member has and nobody has committed in yet, too. */
static void ask_owned(struct lag *lag, struct lag_subject *subject)
{
    size_t count;
    const struct roster_owner *owners = roster_owners(lag->roster, &count);
    const char *before = "";

    for (size_t i = 0; i < count; i++) {
        if (strcmp(owners[i].group, subject->group) != 0 || strcmp(owners[i].topic, before) == 0)
            continue;
        before = owners[i].topic;
        ask(lag, subject, before);
    }
}

static void add_subject(struct lag *lag, const char *group)
{
    struct lag_subject *subject;

    for (size_t i = 0; i < lag->count; i++)
        if (strcmp(lag->subjects[i].group, group) == 0)
            return;
    lag->subjects = xrealloc(lag->subjects, (lag->count + 1) * sizeof(*lag->subjects));
    subject = &lag->subjects[lag->count++];
    *subject = (struct lag_subject){.group = xstrdup(group)};
    for (size_t i = 0; i < config.lag.topics.count; i++)
        ask(lag, subject, config.lag.topics.items[i]);
    if (config.lag.topics.count)
        return;
    ask(lag, subject, NULL);
    ask_owned(lag, subject);
}

static void add_subjects(struct lag *lag)
{
    size_t count;
    const struct roster_group *all = roster_groups(lag->roster, &count);

    for (size_t i = 0; config.lag.all_groups && i < count; i++)
        add_subject(lag, all[i].name);
    for (size_t i = 0; !config.lag.all_groups && i < config.lag.groups.count; i++)
        add_subject(lag, config.lag.groups.items[i]);
}

static void free_subjects(struct lag *lag)
{
    for (size_t i = 0; i < lag->count; i++) {
        for (size_t k = 0; k < lag->subjects[i].count; k++)
            sampler_drop(lag->subjects[i].interests[k]);
        free(lag->subjects[i].interests);
        free((char *)lag->subjects[i].group);
    }
    free(lag->subjects);
}

/* ---- what is printed ---- */

/* Of those that were named. */
static void tell_absent(struct lag *lag)
{
    if (config.lag.all_groups)
        return;
    for (size_t i = 0; i < lag->count; i++) {
        const struct lag_subject *subject = &lag->subjects[i];
        const struct sampler_group *group = sampler_group_of(subject->interests[0]);

        if (group->access == SAMPLER_NO_ACL)
            tell(lag,
                 "the consumer group %s may not be read: grant the ACL operation DESCRIBE "
                 "on it",
                 subject->group);
        else if (!group->error && !lag_is_there(subject, lag->roster))
            tell(lag, "there is no consumer group %s", subject->group);
    }
}

static void print_now(struct lag *lag)
{
    if (config.lag.watch && lag->terminal && !config.lag.json)
        printf("\033[H\033[J"); /* clears the screen */
    if (config.lag.json)
        lag_print_json(lag->subjects, lag->count, lag->roster, sampler_ticked_ms(lag->sampler),
                       stdout);
    else
        lag_print_table(lag->subjects, lag->count, lag->roster, lag->terminal, stdout);
    fflush(stdout);
}

/* ---- the samples ---- */

static void end(struct lag *lag)
{
    free_subjects(lag);
    lag->count = 0;
    lag->subjects = NULL;
    sampler_close(lag->sampler, NULL, NULL);
}

static void reading_work(uv_work_t *work)
{
    struct lag *lag = work->data;

    roster_read(lag->roster, NULL, (int)config.lag.timeout);
}

static void reading_over(uv_work_t *work, int status)
{
    struct lag *lag = work->data;

    (void)status; /* never cancelled */
    lag->reading_roster = false;
    print_now(lag);
}

static void on_sample(struct lag *lag)
{
    if (++lag->samples == 1) {
        tell_absent(lag);
        if (lag->status)
            print_now(lag);
    }
    if (lag->status && !config.lag.watch) {
        end(lag);
    } else if (config.lag.watch && !lag->reading_roster) {
        lag->reading_roster = true;
        uv_queue_work(&lag->loop, &lag->reading, reading_work, reading_over);
    } else if (!config.lag.watch && lag->samples == config.lag.samples) {
        print_now(lag);
        end(lag);
    }
}

static void on_ticked(void *context)
{
    struct lag *lag = context;

    if (!sampler_fault(lag->sampler)) {
        on_sample(lag);
    } else if (!lag->samples) {
        tell(lag, "%s", sampler_fault(lag->sampler));
        end(lag);
    }
}

/* ---- beginning and end ---- */

static bool open_sampler(struct lag *lag, struct option_faults *faults)
{
    const struct sampler_setup setup = {
        .loop = &lag->loop,
        .kafka = &config.kafka,
        .group = config.lag.groups.count ? config.lag.groups.items[0] : NULL,
        .interval_ms = config.lag.interval,
        .timeout_ms = config.lag.timeout,
        .ticked = on_ticked,
        .context = lag,
    };

    lag->sampler = sampler_new(&setup, faults);
    return lag->sampler != NULL;
}

static void run(struct lag *lag, struct option_faults *faults)
{
    bool one = !config.lag.all_groups && config.lag.groups.count == 1;
    const char *why_not =
        roster_read(lag->roster, one ? config.lag.groups.items[0] : NULL, (int)config.lag.timeout);

    if (why_not) {
        char *bootstrap = kafka_bootstrap(&config.kafka);

        tell(lag, "broker_host %s: the groups cannot be read: %s", bootstrap, why_not);
        free(bootstrap);
        return;
    }
    uv_loop_init(&lag->loop);
    lag->reading.data = lag;
    if (open_sampler(lag, faults)) {
        add_subjects(lag);
        if (!lag->count) {
            tell(lag, "the cluster has no consumer group that we have a right to");
            end(lag);
        }
    }
    uv_run(&lag->loop, UV_RUN_DEFAULT);
    uv_loop_close(&lag->loop);
}

int lag_run(struct option_faults *faults)
{
    struct lag lag = {.terminal = isatty(STDOUT_FILENO)};

    /* Its answers say what the log would say a second time. */
    log_configure(&(struct log_options){.level = LOG_LEVEL_ERROR}, stderr);
    lag.roster = roster_new(&config.kafka, faults);
    if (!lag.roster)
        return EXIT_FAILURE;
    run(&lag, faults);
    roster_free(lag.roster);
    return lag.status;
}
