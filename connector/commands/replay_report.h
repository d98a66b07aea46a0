/*
 * replay_report: what came of the replays, side by side: as a table for people, as JSON.
 */
#ifndef COMMANDS_REPLAY_REPORT_H
#define COMMANDS_REPLAY_REPORT_H

#include "commands/replay_run.h"

#include <stddef.h>
#include <stdio.h>

enum replay_policy { REPLAY_STATIC, REPLAY_PERSISTENT, REPLAY_POLICIES };

/* A trace by each policy. */
struct replay_pair {
    char *name;
    struct replay_result results[REPLAY_POLICIES];
};

const char *replay_policy_name(enum replay_policy policy);

void replay_print_table(const struct replay_pair *pairs, size_t count, FILE *to);
void replay_print_json(const struct replay_pair *pairs, size_t count, FILE *to);

#endif
