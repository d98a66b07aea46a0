/*
 * replay_plot: a picture of replays: an SVG that needs nothing else, for light and dark pages.
 *
 * Of each trace, one above the other over the same hours: the lag and the replicas by each policy,
 * and the persistent policy's verdicts as a band; pointing at a verdict shows its reason.
 */
#ifndef COMMANDS_REPLAY_PLOT_H
#define COMMANDS_REPLAY_PLOT_H

#include "commands/replay_report.h"

#include <stddef.h>
#include <stdio.h>

void replay_plot(const struct replay_pair *pairs, size_t count, FILE *to);

#endif
