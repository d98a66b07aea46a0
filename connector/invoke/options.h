/*
 * options: what the user of invoke mode sets beyond gateway and Kafka.
 */
#ifndef INVOKE_OPTIONS_H
#define INVOKE_OPTIONS_H

#include "base/option.h"
#include "core/retry.h"

enum on_exhausted { EXHAUSTED_WAIT, EXHAUSTED_DROP };
enum delivery { DELIVERY_AT_LEAST_ONCE, DELIVERY_AT_MOST_ONCE };
enum no_function { NO_FUNCTION_SKIP, NO_FUNCTION_WAIT };
enum empty_records { EMPTY_SKIP, EMPTY_SEND };
enum log_calls { LOG_CALLS_SUMMARY, LOG_CALLS_ALL, LOG_CALLS_NONE };

struct invoke_options {
    struct option_list topics;
    int initial_offset; /* enum initial_offset */
    int order;          /* enum order */
    int delivery;
    int64_t partition_window;
    int64_t max_inflight;
    int64_t max_buffered_bytes;
    int64_t commit_interval; /* ms, as all spans here */
    int64_t retry_attempts, retry_on_timeout, retry_min_wait, retry_max_wait;
    char *retry_codes;
    int on_exhausted;
    char *dead_letter_topic; /* a template (core/dead_topic); NULL or "": no dead letters */
    char *dead_letter_codes;
    int64_t max_record_age; /* 0: any */
    int no_function;
    int empty_records;
    int64_t drain_timeout; /* 0: as upstream_timeout */
    int64_t shutdown_timeout;
    int64_t stall_timeout; /* 0: off */
    int log_calls;
    bool print_response, print_request_body;
};

extern const struct option_table invoke_option_table;

/* Faults that one row cannot see: names and patterns of topics, statuses of retry_codes and
 * dead_letter_codes, waits that cross. */
void invoke_options_check(const struct invoke_options *options, struct option_faults *faults);

/* What may not do what was meant, in words: options that say nothing, or something else, because
 * there is no dead_letter_topic. */
void invoke_options_hints(const struct invoke_options *options, struct option_faults *hints);

/* Whether there are dead letters. */
bool invoke_has_dead_letters(const struct invoke_options *options);

/* The rules for functions whose annotations say nothing. */
struct retry_rules invoke_retry_rules(const struct invoke_options *options, bool async);

#endif
