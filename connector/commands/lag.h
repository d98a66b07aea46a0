/*
 * lag: the command `kafka-connector lag`: how far consumer groups are behind, in the columns of
 * kafka-consumer-groups --describe, and how old the oldest waiting record is and which way the lag
 * goes, which a second sample tells.
 */
#ifndef COMMANDS_LAG_H
#define COMMANDS_LAG_H

#include "base/option.h"

const struct option_group *lag_options(size_t *count);
void lag_check(struct option_faults *faults);

/* Exit status 1, and a sentence on stderr, when no broker answers or a group is not there. */
int lag_run(struct option_faults *faults);

#endif
