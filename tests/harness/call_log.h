/*
 * call_log: what a gateway was asked, kept for assertions: every call's coordinates, key, headers,
 * body and times, how many were in flight at once, and how often a record ran.
 *
 * Takes the gateway's one observer; to be freed before the gateway.
 */
#ifndef HARNESS_CALL_LOG_H
#define HARNESS_CALL_LOG_H

#include "sandbox/gateway.h"

struct call_entry {
    char *function; /* "figlet.openfaas-fn" */
    char *topic;    /* "" when there was none */
    char *key;      /* X-Kafka-Key as sent; NULL: none */
    int32_t partition;
    int64_t offset;
    char *body; /* NUL-terminated besides */
    size_t body_size;
    bool async, ran, ended;
    int status;         /* once ended; 0: cut */
    int64_t arrived_us; /* uv_hrtime */
    int64_t ended_us;
    char **headers; /* "Name: value", NULL-ended */
};

struct call_log;

struct call_log *call_log_new(uv_loop_t *loop, struct faas_gateway *gateway);
void call_log_free(struct call_log *log);
/* Forgets the calls so far; of those under way only the count in flight stays. */
void call_log_clear(struct call_log *log);

/* `function` "figlet" or "figlet.namespace"; NULL: all functions. */
size_t call_log_arrived(const struct call_log *log, const char *function);
size_t call_log_ended(const struct call_log *log, const char *function);
size_t call_log_ran(const struct call_log *log, const char *function);
size_t call_log_in_flight(const struct call_log *log);
size_t call_log_max_in_flight(const struct call_log *log);

/* How often the function ran on the record. */
size_t call_log_ran_on(const struct call_log *log, const char *function, const char *topic,
                       int32_t partition, int64_t offset);

/* In order of arrival; index < call_log_arrived(log, NULL). Borrowed. */
const struct call_entry *call_log_at(const struct call_log *log, size_t index);
/* A header's value, case-insensitive; NULL: not there. */
const char *call_entry_header(const struct call_entry *entry, const char *name);

/* Runs the loop until so many calls of the function ended, or the time is over (false). */
bool call_log_await(struct call_log *log, const char *function, size_t ended, int64_t timeout_ms);
/* Runs the loop for a time: to show that nothing more comes. */
void call_log_settle(struct call_log *log, int64_t ms);

#endif
