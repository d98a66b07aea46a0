/*
 * pause: topics and functions that an operator holds by hand. Names may outlive what they name: a
 * function that comes back is still paused. A new start forgets all of it.
 */
#ifndef INVOKE_PAUSE_H
#define INVOKE_PAUSE_H

#include "base/json.h"
#include "core/name_set.h"

#include <stdbool.h>

/* Zero-initialised: nothing is paused. */
struct pauses {
    bool everything;
    struct name_set topics, functions;
};

bool pause_holds_topic(const struct pauses *pauses, const char *topic);
bool pause_holds_function(const struct pauses *pauses, const char *path);

/* Adds "paused": everything, topics, functions. */
void pause_status(const struct pauses *pauses, json *to);

void pause_release(struct pauses *pauses);

#endif
