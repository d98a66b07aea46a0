/*
 * ask: the command `kafka-connector ask`: asks a scaler what KEDA asks it, and prints the answer
 * and the replicas that it calls for.
 */
#ifndef SCALE_ASK_H
#define SCALE_ASK_H

#include "base/option.h"

#define ASK_MODE    "ask"
#define ASK_SUMMARY "asks a scaler as KEDA does, and prints how many replicas it calls for"

const struct option_group *ask_options(size_t *count);
void ask_check(struct option_faults *faults);

/* Exit status 1 when there was no answer. */
int ask_run(struct option_faults *faults);

#endif
