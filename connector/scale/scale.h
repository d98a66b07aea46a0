/*
 * scale: the mode that KEDA asks by how much to scale the consumers of a topic.
 *
 * Puts the parts together: the scaler decides, the gRPC server is how it is asked, the admin server
 * how it is looked at. A Kafka that is away is a state, never an end.
 */
#ifndef SCALE_SCALE_H
#define SCALE_SCALE_H

#include "base/metrics.h"
#include "base/option.h"

#include <stdio.h>

/* The options; they fill the mode's own configuration. */
const struct option_group *scale_option_groups(size_t *count);

/* Every metric that the mode may show, for its documentation. */
const struct metrics_table *const *scale_metrics_tables(size_t *count);

/* Faults that no single option shows. */
void scale_check(struct option_faults *faults);

/* Asks the broker once and tells on `to` what it answers. False: it did not. */
bool scale_ask(FILE *to);

/* Runs until a signal ends it. The exit status; faults found only now were added. */
int scale_run(struct option_faults *faults);

#endif
