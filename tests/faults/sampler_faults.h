/*
 * sampler_faults: the sampler on a Kafka of three brokers that are stopped, killed and frozen, one
 * at a time, by turns. What tests/harness/sampler_judge.h says holds at every tick.
 */
#ifndef FAULTS_SAMPLER_FAULTS_H
#define FAULTS_SAMPLER_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

/* Data and logs lie in `folder`, which exists. For so many seconds at least; true: all was right.
 */
bool sampler_faults(const char *folder, uint64_t seed, int seconds);

#endif
