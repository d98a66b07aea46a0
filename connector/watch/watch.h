/*
 * watch: the mode that wakes functions which sleep at zero replicas, when their consumer group has
 * records waiting or was active a moment ago. No record is consumed, no group joined.
 *
 * Puts the parts together: the sampler (kafka/sampler) asks for all bindings at once, each binding
 * decides by core/activity, gateway/wake tells SlimFaas or OpenFaaS. A broker or a server that is
 * away is a state, never an end.
 */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include "base/metrics.h"
#include "base/option.h"

#include <stdio.h>

/* First names of keys in a settings file that are .NET's (appsettings.json) and passed over. */
#define WATCH_FOREIGN_SETTINGS "Logging AllowedHosts Kestrel Urls Serilog"

/* The options; they fill the mode's own configuration. */
const struct option_group *watch_option_groups(size_t *count);

/* Every metric that the mode may show, for its documentation. */
const struct metrics_table *const *watch_metrics_tables(size_t *count);

/* Whether an environment says by its bindings that this mode is meant. */
bool watch_is_meant(char *const *environment);

/* Faults that no single option shows. */
void watch_check(struct option_faults *faults);

/* Where the options came from, to be read again, and the settings file (NULL: none); borrowed. */
void watch_keep(const struct option_input *input, const char *settings_file);

/* Asks broker and wake-up server once and tells on `to` what they answer. False: one of them did
 * not answer. */
bool watch_ask(FILE *to);

/* Runs until a signal ends it. The exit status; faults found only now were added. */
int watch_run(struct option_faults *faults);

#endif
