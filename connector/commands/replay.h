/*
 * replay: a command: what would each policy have done?
 *
 * It plays traces of records, built in or from a file, through consumers, a policy and an
 * autoscaler, once with the policy that the options describe and once with the static threshold
 * (KEDA's kafka scaler), and tells what came of it: as a table, as JSON, as a picture.
 */
#ifndef COMMANDS_REPLAY_H
#define COMMANDS_REPLAY_H

#include "base/option.h"

#include <stddef.h>

/* The option tables and what they fill, for whoever reads the configuration. */
const struct option_group *replay_options(size_t *count);

/* Faults of one option with another. */
void replay_check(struct option_faults *faults);

/* Plays and tells on standard output. Returns the exit status; a fault (of the file) is added. */
int replay_command(struct option_faults *faults);

#endif
