/* call_log: what a gateway was asked. */
#include "tests/harness/call_log.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utarray.h>
#include <uthash.h>

struct kept {
    struct call_entry entry;
    size_t header_count;
    const struct faas_call *call; /* the key: the same in all events of a call */
    UT_hash_handle hh;
};

struct tally { /* of a function, or of a record with a function */
    char *name;
    size_t arrived, ended, ran;
    UT_hash_handle hh;
};

struct call_log {
    uv_loop_t *loop;
    struct faas_gateway *gateway;
    UT_array entries; /* struct kept *, in order of arrival */
    struct kept *by_call;
    struct tally *functions, *records;
    struct tally all;
    size_t in_flight, max_in_flight;
};

/* ---- tallies ---- */

static struct tally *tally_of(struct tally **tallies, const char *name)
{
    struct tally *tally;
    HASH_FIND_STR(*tallies, name, tally);
    if (tally)
        return tally;
    tally = xcalloc(1, sizeof(*tally));
    tally->name = xstrdup(name);
    HASH_ADD_KEYPTR(hh, *tallies, tally->name, strlen(tally->name), tally);
    return tally;
}

static void tallies_release(struct tally **tallies)
{
    struct tally *tally, *next;
    HASH_ITER (hh, *tallies, tally, next) {
        HASH_DEL(*tallies, tally);
        free(tally->name);
        free(tally);
    }
}

static char *full_name(const char *function)
{
    return strchr(function, '.') ? xstrdup(function) : xasprintf("%s.%s", function, FAAS_NAMESPACE);
}

static struct tally tally_read(const struct call_log *log, const char *function)
{
    if (!function)
        return log->all;
    char *name = full_name(function);
    struct tally *tally;
    HASH_FIND_STR(log->functions, name, tally);
    free(name);
    return tally ? *tally : (struct tally){0};
}

static char *record_name(const char *full_function, const char *topic, int32_t partition,
                         int64_t offset)
{
    return xasprintf("%s %s %d %lld", full_function, topic, partition, (long long)offset);
}

/* ---- what the gateway tells ---- */

static void keep_header(void *context, const char *name, const char *value)
{
    struct kept *kept = context;
    char **headers = kept->entry.headers;
    headers = xrealloc(headers, (kept->header_count + 2) * sizeof(*headers));
    headers[kept->header_count++] = xasprintf("%s: %s", name, value);
    headers[kept->header_count] = NULL;
    kept->entry.headers = headers;
}

static struct kept *kept_new(const struct faas_call *call)
{
    struct kept *kept = xcalloc(1, sizeof(*kept));
    kept->call = call;
    kept->entry = (struct call_entry){.function = xstrdup(call->function),
                                      .topic = xstrdup(call->topic),
                                      .key = xstrdup(call->key),
                                      .partition = call->partition,
                                      .offset = call->offset,
                                      .body = xstrndup(call->body, call->body_size),
                                      .body_size = call->body_size,
                                      .async = call->async,
                                      .arrived_us = call->arrived_us};
    web_each_header(call->request, keep_header, kept);
    return kept;
}

static void kept_free(struct kept *kept)
{
    for (size_t i = 0; i < kept->header_count; i++)
        free(kept->entry.headers[i]);
    free(kept->entry.headers);
    free(kept->entry.function);
    free(kept->entry.topic);
    free(kept->entry.key);
    free(kept->entry.body);
    free(kept);
}

static void arrived(struct call_log *log, const struct faas_call *call)
{
    struct kept *kept = kept_new(call), *before;
    utarray_push_back(&log->entries, &kept);
    HASH_REPLACE_PTR(log->by_call, call, kept, before);
    (void)before; /* a call long over whose memory is used again; it stays in entries */
    log->all.arrived++;
    tally_of(&log->functions, call->function)->arrived++;
    if (++log->in_flight > log->max_in_flight)
        log->max_in_flight = log->in_flight;
}

static void ran(struct call_log *log, struct call_entry *entry)
{
    entry->ran = true;
    log->all.ran++;
    tally_of(&log->functions, entry->function)->ran++;
    char *record = record_name(entry->function, entry->topic, entry->partition, entry->offset);
    tally_of(&log->records, record)->ran++;
    free(record);
}

static void ended(struct call_log *log, struct call_entry *entry, int status)
{
    entry->ended = true;
    entry->status = status;
    entry->ended_us = (int64_t)(uv_hrtime() / 1000);
    log->all.ended++;
    tally_of(&log->functions, entry->function)->ended++;
}

static void on_event(void *context, enum faas_event event, const struct faas_call *call, int status)
{
    struct call_log *log = context;
    if (event == FAAS_ARRIVED) {
        arrived(log, call);
        return;
    }
    if (event == FAAS_ENDED)
        log->in_flight--;
    struct kept *kept;
    HASH_FIND_PTR(log->by_call, &call, kept);
    if (!kept)
        return;
    if (event == FAAS_RAN)
        ran(log, &kept->entry);
    else
        ended(log, &kept->entry, status);
}

/* ---- the log ---- */

struct call_log *call_log_new(uv_loop_t *loop, struct faas_gateway *gateway)
{
    struct call_log *log = xcalloc(1, sizeof(*log));
    log->loop = loop;
    log->gateway = gateway;
    utarray_init(&log->entries, &ut_ptr_icd);
    faas_observe(gateway, on_event, log);
    return log;
}

void call_log_clear(struct call_log *log)
{
    HASH_CLEAR(hh, log->by_call);
    for (size_t i = 0; i < utarray_len(&log->entries); i++)
        kept_free(*(struct kept **)utarray_eltptr(&log->entries, i));
    utarray_clear(&log->entries);
    tallies_release(&log->functions);
    tallies_release(&log->records);
    log->all = (struct tally){0};
    log->max_in_flight = log->in_flight;
}

void call_log_free(struct call_log *log)
{
    if (!log)
        return;
    faas_observe(log->gateway, NULL, NULL);
    call_log_clear(log);
    utarray_done(&log->entries);
    free(log);
}

size_t call_log_arrived(const struct call_log *log, const char *function)
{
    return tally_read(log, function).arrived;
}

size_t call_log_ended(const struct call_log *log, const char *function)
{
    return tally_read(log, function).ended;
}

size_t call_log_ran(const struct call_log *log, const char *function)
{
    return tally_read(log, function).ran;
}

size_t call_log_in_flight(const struct call_log *log)
{
    return log->in_flight;
}

size_t call_log_max_in_flight(const struct call_log *log)
{
    return log->max_in_flight;
}

size_t call_log_ran_on(const struct call_log *log, const char *function, const char *topic,
                       int32_t partition, int64_t offset)
{
    char *name = full_name(function), *record = record_name(name, topic, partition, offset);
    struct tally *tally;
    HASH_FIND_STR(log->records, record, tally);
    free(record);
    free(name);
    return tally ? tally->ran : 0;
}

const struct call_entry *call_log_at(const struct call_log *log, size_t index)
{
    return &(*(struct kept **)utarray_eltptr(&log->entries, index))->entry;
}

const char *call_entry_header(const struct call_entry *entry, const char *name)
{
    size_t length = strlen(name);
    for (char **line = entry->headers; line && *line; line++)
        if (strncasecmp(*line, name, length) == 0 && (*line)[length] == ':')
            return *line + length + 2;
    return NULL;
}

/* ---- waiting ---- */

static void on_time_over(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

/* ended SIZE_MAX: only the time. */
static bool run_until(struct call_log *log, const char *function, size_t ended_count, int64_t ms)
{
    bool over = false;
    uv_timer_t timer;
    uv_update_time(log->loop);
    uv_timer_init(log->loop, &timer);
    timer.data = &over;
    uv_timer_start(&timer, on_time_over, (uint64_t)ms, 0);
    while (call_log_ended(log, function) < ended_count && !over)
        uv_run(log->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(log->loop, UV_RUN_NOWAIT); /* the timer is on our stack: it must be closed by now */
    return call_log_ended(log, function) >= ended_count;
}

bool call_log_await(struct call_log *log, const char *function, size_t ended_count,
                    int64_t timeout_ms)
{
    return run_until(log, function, ended_count, timeout_ms);
}

void call_log_settle(struct call_log *log, int64_t ms)
{
    run_until(log, NULL, SIZE_MAX, ms);
}
