/*
 * by_hand: wake-ups that somebody asked for (POST /wake/NAME), of any function, bound or not. They
 * move no cool-down.
 */
#ifndef WATCH_BY_HAND_H
#define WATCH_BY_HAND_H

#include "base/json.h"
#include "gateway/wake.h"

enum { BY_HAND_MAX = 64 }; /* on their way at once */

struct by_hand;

/* All borrowed. */
struct by_hand *by_hand_new(struct http *http, const struct wake_options *options);
/* What is on its way is forgotten. */
void by_hand_free(struct by_hand *by_hand);

/* Sends one; what comes of it is logged. The HTTP status to answer: 202, or 503, and "reason" says
 * why. */
int by_hand_wake(struct by_hand *by_hand, const char *function, json *answer);

#endif
