/*
 * answers: what a function has answered, by the first digit of the status. An answer that ends its
 * invocation as done may yet be an error (retry_statuses names which are tried again): these counts
 * are where it is seen.
 */
#ifndef INVOKE_ANSWERS_H
#define INVOKE_ANSWERS_H

#include "base/json.h"
#include "base/metrics.h"

#include <stdint.h>

enum { ANSWER_CLASSES = 4 };   /* 2xx .. 5xx */
enum { ANSWERS_OF_LATE = 64 }; /* that are looked back at */

/* Of the labels function, class. */
extern const struct metrics_table answer_metrics;

struct answers {
    struct metrics_instance *classes[ANSWER_CLASSES];
    uint64_t errors; /* a bit an answer of late, the newest lowest: whether it was 4xx or 5xx */
    int of_late;     /* how many of the bits are answers */
};

/* All its classes are there from the start, so that a first error is a rise from 0. */
void answers_init(struct answers *answers, struct metrics *metrics, const char *function);
void answers_release(struct answers *answers, struct metrics *metrics);

/* What is below 200 counts as 2xx, what is above 599 as 5xx. */
void answers_add(struct answers *answers, long status);

/* "answers":{"2xx":..,"3xx":..,"4xx":..,"5xx":..,"of_late":..,"errors_of_late":..} */
void answers_status(const struct answers *answers, json *to);

#endif
