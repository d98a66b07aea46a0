/*
 * sampler_tick: the steps of a tick, its time, and the end of it all.
 */
#include "kafka/sampler_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_SIZE = 512, SILENT_TICKS = 2, CALM_TICKS = 20 };

/* ---- states ---- */

#define FROM(state) (1u << (state))

static const struct state_row {
    const char *name;
    unsigned from;
} states[] = {
    [SAMPLER_IDLE] = {"idle", FROM(SAMPLER_METADATA_READING) | FROM(SAMPLER_LOGS_READING) |
                                  FROM(SAMPLER_TIMES_READING)},
    [SAMPLER_METADATA_READING] = {"metadata", FROM(SAMPLER_IDLE) | FROM(SAMPLER_GROUPS_READING)},
    [SAMPLER_GROUPS_READING] = {"groups", FROM(SAMPLER_METADATA_READING)},
    [SAMPLER_LOGS_READING] = {"logs",
                              FROM(SAMPLER_METADATA_READING) | FROM(SAMPLER_GROUPS_READING)},
    [SAMPLER_TIMES_READING] = {"times", FROM(SAMPLER_IDLE)},
    [SAMPLER_CLOSING] = {"closing", FROM(SAMPLER_IDLE) | FROM(SAMPLER_METADATA_READING) |
                                        FROM(SAMPLER_GROUPS_READING) | FROM(SAMPLER_LOGS_READING) |
                                        FROM(SAMPLER_TIMES_READING)},
};

static void move(struct sampler *sampler, enum sampler_state to)
{
    assert(states[to].from & FROM(sampler->state));
    log_debug(NULL, "sampler: %s -> %s", states[sampler->state].name, states[to].name);
    sampler->state = to;
}

/* ---- time ---- */

static void on_due(uv_timer_t *timer);

/* Of the next multiple of the interval, but not of the last tick's own time, when that was a little
 * early. */
static void await_next(struct sampler *sampler)
{
    int64_t interval = sampler->setup.interval_ms, now = clock_wall_ms();
    int64_t wait = interval - now % interval;

    if (now + wait == sampler->ticked_ms)
        wait += interval;
    if (sampler->at_once)
        wait = 0;
    uv_timer_start(&sampler->due, on_due, (uint64_t)wait, 0);
}

/* The multiple of the interval that was waited for: a timer may be a little early, and any time
 * late. The first, which was not waited for, has its own time. */
static int64_t time_of_tick(const struct sampler *sampler)
{
    int64_t now = clock_wall_ms(), interval = sampler->setup.interval_ms;

    return sampler->at_once ? now : (now + interval / 10) / interval * interval;
}

static void set_time(struct sampler *sampler)
{
    int64_t passed;

    sampler->tick++;
    sampler->tick_ms = time_of_tick(sampler);
    sampler->began_at = uv_hrtime();
    passed = sampler->ticked_ms < 0 ? 0 : sampler->tick_ms - sampler->ticked_ms;
    sampler->skipped = passed / sampler->setup.interval_ms > 1
                           ? (unsigned)(passed / sampler->setup.interval_ms - 1)
                           : 0;
    sampler->at_once = false;
}

/* ---- the steps ---- */

static void tell_fault(struct sampler *sampler, const char *why)
{
    char *fault = why ? xasprintf("no broker answers (%s)", why) : NULL;

    if (fault && (!sampler->fault || (sampler->refused && strcmp(sampler->fault, fault) != 0)))
        log_warning(NULL, "Kafka is away: %s; asking again", fault);
    if (!fault && sampler->fault)
        log_info(NULL, "Kafka is back");
    free(sampler->fault);
    sampler->fault = fault;
}

static void end_tick(struct sampler *sampler)
{
    sampler->ticked_ms = sampler->tick_ms;
    sampler->counts.ticks++;
    sampler->counts.tick_ms = (int64_t)((uv_hrtime() - sampler->began_at) / 1000000);
    move(sampler, SAMPLER_IDLE);
    sampler_sweep(sampler);
    await_next(sampler);
    sampler->setup.ticked(sampler->setup.context);
    sampler_times_wanted(sampler);
}

void sampler_tick_failed(struct sampler *sampler, rd_kafka_resp_err_t why)
{
    bool silent = why == RD_KAFKA_RESP_ERR__TIMED_OUT;
    const char *text = sampler->refused ? sampler->refused
                       : silent         ? "timed out"
                                        : sampler->newest_error;

    if (silent) {
        sampler->silent++;
        sampler->silent_tick = sampler->tick;
    }
    sampler_note_failure(sampler, rd_kafka_err2str(why));
    tell_fault(sampler, text ? text : rd_kafka_err2str(why));
    end_tick(sampler);
}

void sampler_logs_done(struct sampler *sampler)
{
    free(sampler->refused);
    sampler->refused = NULL;
    sampler_note_all(sampler);
    tell_fault(sampler, NULL);
    end_tick(sampler);
}

static bool has_unknown_topic(const struct sampler *sampler)
{
    for (const struct log_topic *log = sampler->topics; log; log = log->hh.next)
        if (!log->known)
            return true;
    return false;
}

void sampler_groups_done(struct sampler *sampler)
{
    uv_timer_stop(&sampler->late);
    sampler->groups_read = true;
    if (has_unknown_topic(sampler)) {
        move(sampler, SAMPLER_METADATA_READING);
        sampler_read_metadata(sampler);
    } else {
        move(sampler, SAMPLER_LOGS_READING);
        sampler_read_logs(sampler);
    }
}

void sampler_metadata_done(struct sampler *sampler)
{
    if (sampler->groups_read) {
        move(sampler, SAMPLER_LOGS_READING);
        sampler_read_logs(sampler);
    } else {
        move(sampler, SAMPLER_GROUPS_READING);
        sampler_read_groups(sampler);
    }
}

/* Another one has connections of its own, and begins with any of the brokers. */
static void replace_client(struct sampler *sampler)
{
    char reason[REASON_SIZE];

    if (!sampler_client_open(sampler, reason, sizeof(reason))) {
        log_error(NULL, "No other Kafka client: %s", reason);
        return;
    }
    log_debug(NULL, "sampler: with another Kafka client from here on");
    sampler_forget_requests(sampler);
    sampler->silent = 0;
    sampler->misled = false;
    sampler->counts.replaced++;
}

/* A broker that is there and silent (frozen) is asked for metadata again and again: librdkafka
 * takes any of those that it has used within the last second, so a tick in between may be good. A
 * client that is new has no connection to it that counts. */
static bool is_silenced(struct sampler *sampler)
{
    if (sampler->tick - sampler->silent_tick > CALM_TICKS)
        sampler->silent = 0;
    return sampler->silent >= SILENT_TICKS;
}

static void begin_tick(struct sampler *sampler)
{
    set_time(sampler);
    sampler->groups_read = false;
    for (struct log_topic *log = sampler->topics; log; log = log->hh.next)
        log->known = false;
    if (sampler->misled || is_silenced(sampler) || sampler_is_unanswered(sampler))
        replace_client(sampler);
    credentials_look(&sampler->credentials, uv_now(sampler->setup.loop), sampler->kafka,
                     sampler->conf);
    move(sampler, SAMPLER_METADATA_READING);
    sampler_read_metadata(sampler);
}

static void on_due(uv_timer_t *timer)
{
    struct sampler *sampler = timer->data;

    sampler->is_due = sampler->state == SAMPLER_TIMES_READING;
    if (sampler->is_due)
        return;
    sampler_sweep(sampler);
    if (sampler->groups) {
        begin_tick(sampler);
        return;
    }
    sampler->at_once = false;
    await_next(sampler);
}

void sampler_wait_anew(struct sampler *sampler)
{
    bool waits = sampler->state == SAMPLER_IDLE || sampler->state == SAMPLER_TIMES_READING;

    if (sampler->begun && waits && !sampler->is_due)
        await_next(sampler);
}

void sampler_times_wanted(struct sampler *sampler)
{
    if (sampler->state != SAMPLER_IDLE || !sampler->times || !sampler->kafka)
        return;
    move(sampler, SAMPLER_TIMES_READING);
    sampler_read_times(sampler);
}

/* A tick that became due meanwhile goes first. */
void sampler_times_done(struct sampler *sampler)
{
    move(sampler, SAMPLER_IDLE);
    if (sampler->is_due)
        on_due(&sampler->due);
    else
        sampler_times_wanted(sampler);
}

void sampler_begin_soon(struct sampler *sampler)
{
    sampler->begun = true;
    sampler->at_once = true;
    await_next(sampler);
}

/* ---- the worker ---- */

static void job_work(uv_work_t *uv)
{
    struct job *job = (struct job *)uv;

    if (!atomic_load(job->abandoned))
        job->work(job);
}

static void job_over(uv_work_t *uv, int status)
{
    struct job *job = (struct job *)uv;
    struct sampler *sampler = job->sampler;

    (void)status; /* never cancelled */
    if (sampler->state == SAMPLER_CLOSING)
        sampler_client_close(sampler);
    else
        job->over(job);
    job->free(job);
    sampler_unhold(sampler);
}

void sampler_start_job(struct sampler *sampler, struct job *job)
{
    job->sampler = sampler;
    job->kafka = sampler->kafka;
    job->timeout_ms = (int)sampler->setup.timeout_ms;
    job->abandoned = &sampler->abandoned;
    sampler->holds++;
    uv_queue_work(sampler->setup.loop, &job->uv, job_work, job_over);
}

/* ---- beginning and end ---- */

void sampler_open_handles(struct sampler *sampler)
{
    kafka_wake_open(&sampler->wake, sampler->setup.loop, sampler_on_woken, sampler);
    uv_timer_init(sampler->setup.loop, &sampler->due);
    uv_timer_init(sampler->setup.loop, &sampler->late);
    sampler->due.data = sampler->late.data = sampler;
    sampler->holds = SAMPLER_HANDLES;
}

void sampler_unhold(struct sampler *sampler)
{
    if (--sampler->holds > 0)
        return;
    kafka_wake_release(&sampler->wake);
    if (sampler->closed)
        sampler->closed(sampler->closed_context);
    sampler_free(sampler);
}

static void on_wake_closed(void *context)
{
    sampler_unhold(context);
}

static void on_handle_closed(uv_handle_t *handle)
{
    sampler_unhold(handle->data);
}

/* What the worker does now uses the client: its end is then the client's. */
void sampler_close(struct sampler *sampler, void (*closed)(void *context), void *context)
{
    bool working = sampler->state == SAMPLER_METADATA_READING ||
                   sampler->state == SAMPLER_LOGS_READING ||
                   sampler->state == SAMPLER_TIMES_READING;

    move(sampler, SAMPLER_CLOSING);
    sampler->closed = closed;
    sampler->closed_context = context;
    atomic_store(&sampler->abandoned, true);
    kafka_wake_close(&sampler->wake, on_wake_closed);
    uv_close((uv_handle_t *)&sampler->due, on_handle_closed);
    uv_close((uv_handle_t *)&sampler->late, on_handle_closed);
    if (!working && sampler->kafka)
        sampler_client_close(sampler);
}
