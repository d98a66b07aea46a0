/*
 * await: runs a loop until something holds, instead of sleeping and hoping.
 */
#ifndef HARNESS_AWAIT_H
#define HARNESS_AWAIT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { AWAIT_STEP_MS = 20 };

/* Runs the loop until holds(context), which is asked after each turn of the loop and at least every
 * AWAIT_STEP_MS (what it looks at may be a broker, which tells the loop nothing). False: the time
 * is over. */
bool await(uv_loop_t *loop, bool (*holds)(void *context), void *context, int64_t timeout_ms);

/* Runs the loop for a time, while load comes or to show that nothing more does. */
void await_time(uv_loop_t *loop, int64_t ms);

/* Closes what is left on a loop whose owners were all freed. Handles still open: false. */
bool await_close(uv_loop_t *loop);

#endif
