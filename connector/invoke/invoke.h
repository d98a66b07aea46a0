/*
 * invoke: the mode that has functions run on the records of topics.
 *
 * Puts the parts together: the functions' map (gateway/functions) decides the topics, the consumer
 * (kafka/consumer) is the source, the dispatcher the sink. No record is taken before the first map
 * is there. A gateway or a broker that is away is a state, never an end.
 */
#ifndef INVOKE_INVOKE_H
#define INVOKE_INVOKE_H

#include "base/metrics.h"
#include "base/option.h"

#include <stdio.h>

/* The options; they fill the mode's own configuration. */
const struct option_group *invoke_options(size_t *count);

/* Every metric that the mode may show, for the docs. */
const struct metrics_table *const *invoke_metrics_tables(size_t *count);

/* Faults that no single option shows. */
void invoke_check(struct option_faults *faults);

/* Asks broker and gateway once and tells on `to` what they answer. False: one of them did not
 * answer as it should. */
bool invoke_ask(FILE *to);

/* Runs until a signal ends it. The exit status; faults found only now were added. */
int invoke_run(struct option_faults *faults);

#endif
