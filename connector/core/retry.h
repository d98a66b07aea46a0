/*
 * retry: what an attempt to run a function means, and when the next one is due.
 *
 * An attempt is judged by a table of rules:
 *   answered, status in neither list          done, whatever the status: the function has run
 *   answered, status only in the dead-letter  refused: it has run, and the record goes to the dead
 *   list                                      letters (the list is empty where there are none)
 *   answered, status in the list, or an       retryable: attempts are counted, up to `attempts`;
 *   error of the gateway's own                then exhausted
 *   no whole answer after sending             the function may have run: `timeouts` further tries
 *   not sent                                  not counted: the gateway was not there
 * Waits grow from min_wait (0: from 1 ms at the second) by powers of two to max_wait, with full
 * jitter (a random part of it, as "Exponential Backoff And Jitter", AWS Architecture Blog, 2015),
 * so that many records that failed together do not come back together. Retry-After is honoured up
 * to 10 x max_wait.
 */
#ifndef CORE_RETRY_H
#define CORE_RETRY_H

#include "core/topic_map.h"

#include <stdbool.h>
#include <stdint.h>

enum { RETRY_STATUS_MAX = 599, RETRY_DEAD_LEAST = 300, RETRY_PROBE_MOST_MS = 3000 };

struct retry_rules {
    int64_t attempts; /* most attempts in all that end retryable; >= 1 */
    int64_t timeouts; /* further tries after no answer */
    int64_t min_wait_ms, max_wait_ms;
    bool only_2xx_done; /* asynchronous invocation: any other answer is retryable */
    bool only_once;     /* whatever attempts and timeouts say: none follows one that was sent */
    bool codes[RETRY_STATUS_MAX + 1];      /* tried again */
    bool dead_codes[RETRY_STATUS_MAX + 1]; /* of the rest: refused */
};

/* Reads a list of statuses ("404,408,5xx" is not one: three digits each) into rules->codes; the
 * empty text is the empty list. False at the first that is none, with the list as it was. */
bool retry_codes_parse(const char *text, struct retry_rules *rules);

/* The same into rules->dead_codes; here a range (400-499) and a class (5xx) are entries too, and a
 * status below RETRY_DEAD_LEAST is none: what a function took is no dead letter. */
bool retry_dead_codes_parse(const char *text, struct retry_rules *rules);

/* The rules for a function: `defaults` with what its annotations say over it. A list of codes that
 * cannot be read changes nothing. */
struct retry_rules retry_rules_for(const struct retry_rules *defaults,
                                   const struct function_retry *annotated);

enum attempt_end { ATTEMPT_ANSWERED, ATTEMPT_UNKNOWN, ATTEMPT_NOT_SENT };

struct attempt {
    enum attempt_end end;
    long status;            /* ATTEMPT_ANSWERED */
    bool internal_error;    /* the gateway says the error is its own; heeded from 400 up */
    int64_t retry_after_ms; /* -1: none */
};

/* What one invocation used up so far. */
struct retry_count {
    uint32_t attempts; /* that ended retryable */
    uint32_t timeouts; /* that ended without an answer */
};

enum verdict {
    VERDICT_DONE,
    VERDICT_REFUSED,    /* done as far as the function is concerned; the record is dead */
    VERDICT_RETRY,      /* counted; due after retry_wait_ms */
    VERDICT_UNSENT,     /* not counted */
    VERDICT_EXHAUSTED,  /* attempts used up */
    VERDICT_UNANSWERED, /* no answer, and no further try allowed: it may have run */
};

/* Judges an attempt and counts it. */
enum verdict retry_judge(const struct retry_rules *rules, const struct attempt *attempt,
                         struct retry_count *count);

/* Whether what was used up, perhaps before a restart, allows no further try: it was not answered
 * too often, or was tried at all where it may be only once. */
bool retry_spent(const struct retry_rules *rules, const struct retry_count *count);

/* Whether it allows none because its attempts are used up. */
bool retry_exhausted(const struct retry_rules *rules, const struct retry_count *count);

/* The wait before a try after `failures` >= 1 failures in a row. `random` is any number. */
int64_t retry_wait_ms(const struct retry_rules *rules, uint32_t failures, int64_t retry_after_ms,
                      uint64_t random);

/* The wait before the next probe of a target that is away, after `probes` >= 1 failures since it
 * went: as above, but never longer than RETRY_PROBE_MOST_MS unless the target itself says so,
 * because a probe costs one call and all that waits goes on when it succeeds. */
int64_t retry_probe_wait_ms(const struct retry_rules *rules, uint32_t probes,
                            int64_t retry_after_ms, uint64_t random);

#endif
