/* clock: the time of day in us, which brokers stamp their records with, and which here never goes
 * back: one reading of it, and from there on the machine's monotonic clock. */
#ifndef FAULTS_CLOCK_H
#define FAULTS_CLOCK_H

#include <stdint.h>

int64_t clock_us(void);

/* Of a time that uv_hrtime told, in us. */
int64_t clock_from_monotonic(int64_t us);

#endif
