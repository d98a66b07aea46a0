/*
 * lag_report: what the command `lag` prints of what was sampled.
 */
#ifndef COMMANDS_LAG_REPORT_H
#define COMMANDS_LAG_REPORT_H

#include "kafka/roster.h"
#include "kafka/sampler.h"

#include <stdbool.h>
#include <stdio.h>

/* A group, and all that is asked of it: topics may be told of by several, and are printed once. */
struct lag_subject {
    const char *group;
    struct sampler_interest **interests;
    size_t count;
};

/* What is told of a partition. */
struct lag_line {
    int64_t lag;            /* LAG_UNKNOWN: nothing is committed, or it is not known */
    struct history_age age; /* ms OFFSET_UNKNOWN: not known */
    bool has_trend;
    double trend; /* records a second; < 0: the lag falls */
};

struct lag_line lag_line_of(const struct sampler_partition *partition);

/* Whether the group is there: it has committed, or is on the roster, or is hidden from us. */
bool lag_is_there(const struct lag_subject *subject, const struct roster *roster);

void lag_print_table(const struct lag_subject *subjects, size_t count, const struct roster *roster,
                     bool terminal, FILE *to);
/* One object on one line: {"time":.., "groups":[..]}. */
void lag_print_json(const struct lag_subject *subjects, size_t count, const struct roster *roster,
                    int64_t time_ms, FILE *to);

#endif
