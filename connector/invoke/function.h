/*
 * function: a function that records are sent to, for as long as the map names it or something is
 * owed to it.
 */
#ifndef INVOKE_FUNCTION_H
#define INVOKE_FUNCTION_H

#include "base/metrics.h"
#include "core/letters.h"
#include "core/retry.h"
#include "core/target.h"
#include "gateway/call.h"
#include "invoke/answers.h"
#include "invoke/calls_log.h"
#include "invoke/delay.h"

#include <uthash.h>

enum { FUNCTION_AWAY_AFTER = 10, FUNCTION_DOUBTED_AFTER = 3 }; /* retryable outcomes in a row */

struct invocation;

struct function {
    char *path;
    struct callee *callee;
    struct retry_rules rules;
    struct target target;
    uint64_t good_call; /* the last of its calls that was answered as it should be */
    uint64_t bad_call;  /* the last that was not */
    /* The last of all calls that had begun when ... */
    uint64_t gone_call;   /* ... it went away */
    uint64_t back_call;   /* ... it answered again, after FUNCTION_DOUBTED_AFTER failures or more */
    bool bound;           /* the map names it */
    bool paused;          /* by hand: none of it is begun */
    size_t subscriptions; /* partitions it is on; freed with the last, when not bound */
    size_t pending;       /* invocations that have not ended */
    size_t held;          /* of them: held because nothing more may be tried */
    size_t in_flight;     /* of them: being called */
    struct invocation *ready; /* of them: may be called now, oldest first (utlist DL) */
    bool listed;              /* in the dispatcher's list of functions that want a slot */
    struct function *prev, *next;
    struct delay *probe_due; /* while it is away */
    struct calls_count calls;
    struct answers answers;
    int64_t given_up[LETTER_REASONS]; /* since the last summary */
    struct metrics_instance *metrics;
    UT_hash_handle hh;
};

#endif
