/*
 * delay: something to be done once, later, on the loop. A libuv timer whose end is looked after.
 *
 * libuv runs timers before it looks at sockets. When the process was frozen (SIGSTOP, a machine
 * that slept) all are overdue at once, and what would have come in time lies in the sockets: so a
 * delay that is late by a tenth of a second lets the loop look at them first.
 */
#ifndef INVOKE_DELAY_H
#define INVOKE_DELAY_H

#include <stdint.h>
#include <uv.h>

struct delay;

/* Calls due(context) once after ms. The delay is freed by itself before due is called, so the
 * caller forgets it there. */
struct delay *delay_start(uv_loop_t *loop, int64_t ms, void (*due)(void *context), void *context);

/* Cancels, if one is set, and sets NULL. */
void delay_cancel(struct delay **delay);

#endif
