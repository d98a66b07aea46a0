/*
 * batches: many orders at once through one writer, on the loop.
 *
 * Records of all orders leave in turn, a slice of each, as fast as the writer takes them; the loop
 * is never held up. Each order ends once, when all its records have.
 */
#ifndef PRODUCER_BATCHES_H
#define PRODUCER_BATCHES_H

#include "producer/order.h"
#include "producer/report.h"
#include "producer/writer.h"

#include <uv.h>

enum { BATCHES_MAX = 64 }; /* orders at once */

struct batches;

/* Options are borrowed. NULL: faults were added. */
struct batches *batches_new(uv_loop_t *loop, const struct producer_options *options,
                            struct option_faults *faults);
/* All have ended. Run the loop once more before closing it. */
void batches_free(struct batches *batches);

/* Begins an order, whose key is taken over; `ended` is called later, the report is borrowed for
 * that call. False: BATCHES_MAX are under way, or batches_stop was called. */
bool batches_begin(struct batches *batches, struct order *order,
                   void (*ended)(void *context, const struct report *report), void *context);

/* Nothing more is sent: what was not yet fails. `now`: what is on its way fails too. */
void batches_stop(struct batches *batches, bool now);

bool batches_idle(const struct batches *batches); /* none is under way */

#endif
