/*
 * scaler_turn: judges the objects whose sample is there, a millisecond's worth in each turn of the
 * loop, so that ten thousand of them hold up no answer; and forgets those that nobody asks about.
 */
#include "scale/scaler_private.h"

#include <utlist.h>

enum { SLICE_NS = 1000000, LOOK_AT_CLOCK = 4, SWEEPS_A_TTL = 10, SWEEP_MOST_MS = 60 * 1000 };

/* ---- judging ---- */

static void judge_next(struct scaler *scaler)
{
    struct entry *entry = scaler->due;

    DL_DELETE2(scaler->due, entry, due_prev, due_next);
    entry->is_due = false;
    scaled_object_judge(entry->object);
}

static void on_turn(uv_idle_t *idle)
{
    struct scaler *scaler = idle->data;
    uint64_t until = uv_hrtime() + SLICE_NS;

    while (scaler->due && uv_hrtime() < until)
        for (int i = 0; i < LOOK_AT_CLOCK && scaler->due; i++)
            judge_next(scaler);
    if (!scaler->due)
        uv_idle_stop(idle);
}

void scaler_ticked(void *context, struct cluster *cluster)
{
    struct scaler *scaler = context;

    for (struct entry *entry = scaler->entries; entry; entry = entry->hh.next) {
        if (entry->object->cluster != cluster || entry->is_due)
            continue;
        entry->is_due = true;
        DL_APPEND2(scaler->due, entry, due_prev, due_next);
    }
    if (scaler->due)
        uv_idle_start(&scaler->turn, on_turn);
}

/* ---- forgetting ---- */

static bool is_forgotten(const struct scaler *scaler, const struct entry *entry)
{
    uint64_t ttl = (uint64_t)scaler->setup.config->scale.object_ttl_ms;

    return entry != scaler->own && !entry->object->watchers &&
           uv_now(scaler->setup.loop) - entry->asked_at >= ttl;
}

static void on_sweep(uv_timer_t *timer)
{
    struct scaler *scaler = timer->data;
    struct entry *entry, *next;

    HASH_ITER (hh, scaler->entries, entry, next)
        if (is_forgotten(scaler, entry))
            scaler_forget(scaler, entry);
}

/* ---- handles ---- */

void scaler_open_handles(struct scaler *scaler)
{
    uint64_t every = (uint64_t)scaler->setup.config->scale.object_ttl_ms / SWEEPS_A_TTL;

    every = every < SWEEP_MOST_MS ? every : SWEEP_MOST_MS;
    uv_idle_init(scaler->setup.loop, &scaler->turn);
    uv_timer_init(scaler->setup.loop, &scaler->sweep);
    scaler->turn.data = scaler->sweep.data = scaler;
    uv_timer_start(&scaler->sweep, on_sweep, every, every);
    scaler->holds = SCALER_HANDLES + 1;
}

static void on_handle_closed(uv_handle_t *handle)
{
    scaler_unhold(handle->data);
}

void scaler_close_handles(struct scaler *scaler)
{
    uv_close((uv_handle_t *)&scaler->turn, on_handle_closed);
    uv_close((uv_handle_t *)&scaler->sweep, on_handle_closed);
}
