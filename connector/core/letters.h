/*
 * letters: the seam to where records go that no function took: dead letters.
 *
 * Whoever keeps them (kafka/dead_letter, a script in a test) is a `struct letters` of two calls.
 * A letter is sent until it is kept: what keeps it from that is a state with a fault in words,
 * never an end of the letter.
 */
#ifndef CORE_LETTERS_H
#define CORE_LETTERS_H

#include "core/record.h"

/* Why a record is not tried any more. */
enum letter_reason {
    LETTER_EXHAUSTED,     /* its attempts are used up */
    LETTER_UNANSWERED,    /* it was sent, and not answered, too often: it may have run */
    LETTER_STATUS,        /* it was answered with a status of dead_letter_codes */
    LETTER_FUNCTION_AWAY, /* its function is away, and another one needs its room */
    LETTER_MAX_AGE,       /* it is older than max_record_age */
    LETTER_REASONS,
};

/* As it is written into a letter's header. */
static inline const char *letter_reason_name(enum letter_reason reason)
{
    static const char *const names[] = {
        [LETTER_EXHAUSTED] = "exhausted",    [LETTER_UNANSWERED] = "unanswered",
        [LETTER_STATUS] = "status",          [LETTER_FUNCTION_AWAY] = "function-away",
        [LETTER_MAX_AGE] = "max-record-age",
    };

    return names[reason];
}

struct letter_why {
    const char *function;
    enum letter_reason reason;
    long status;       /* of its last answer; 0: none is known */
    uint32_t attempts; /* calls that ended, with an answer or without */
};

struct letters;
struct letter; /* one on its way */

struct letters_calls {
    /* Sends a letter; `settled` is called once, from the loop and never from within this, when it
     * is kept for good, unless `cancel` came first. The record is referred to until either; `why`
     * is borrowed for the call. */
    struct letter *(*send)(struct letters *letters, struct record *record,
                           const struct letter_why *why, void (*settled)(void *context),
                           void *context);

    /* Nobody waits for it any more. It may have been kept all the same. */
    void (*cancel)(struct letters *letters, struct letter *letter);
};

/* Embedded first in a keeper, which keeps what is told here up to date. */
struct letters {
    const struct letters_calls *calls;
    int64_t under_way; /* sent, and neither settled nor cancelled */
    int64_t refused;   /* of them: a sending failed; they may take long */
    int64_t failures;  /* sendings that failed; each was followed by another */
    int64_t truncated; /* letters whose value was cut, because they were too large */
    char *fault;       /* why letters are waiting; NULL: they are not */
};

#endif
