/*
 * calls_log: what the log says of records and calls (option log_calls), in the words that users of
 * the OpenFaaS kafka-connector know.
 */
#ifndef INVOKE_CALLS_LOG_H
#define INVOKE_CALLS_LOG_H

#include "core/record.h"
#include "gateway/http.h"
#include "invoke/options.h"

#include <stdbool.h>
#include <stdint.h>

enum { CALLS_SUMMARY_INTERVAL_MS = 10000 };

/* One function's calls since its last summary. */
struct calls_count {
    bool begun; /* its first invocation was picked to be logged */
    int64_t total, unsent, unanswered;
    int32_t by_status[RETRY_STATUS_MAX + 1];
};

/* The line for a record that was received: the `number`th since the start. */
void calls_log_received(const struct invoke_options *options, const struct record *record,
                        int64_t number);

/* An invocation of the function begins. Whether its record and calls are to be logged. */
bool calls_log_begin(const struct invoke_options *options, struct calls_count *count);

/* The lines before and after such a call. */
void calls_log_invoke(const struct record *record, const char *function);
void calls_log_answer(const struct invoke_options *options, const struct record *record,
                      const char *function, const struct http_answer *answer);

void calls_count_add(struct calls_count *count, const struct http_answer *answer);

/* The summary's line, if there is anything to tell; counts from 0 again. */
void calls_log_summary(const struct invoke_options *options, const char *function,
                       struct calls_count *count);

#endif
