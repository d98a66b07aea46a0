/*
 * scaler_private: what the parts of the scaler share. scaler.c finds or makes the object that is
 * asked about; scaler_turn.c judges them, some in each turn of the loop, and forgets them;
 * scaler_report.c is what is told of them all.
 */
#ifndef SCALE_SCALER_PRIVATE_H
#define SCALE_SCALER_PRIVATE_H

#include "scale/clusters.h"
#include "scale/partitions.h"
#include "scale/scaled_object.h"
#include "scale/scaler.h"

#include <uthash.h>
#include <utstring.h>

enum {
    SCALER_HANDLES = 2, /* of libuv: turn, sweep */
    REFUSED_SLOTS = 64,
    REFUSALS_LOGGED = 60, /* a minute */
};

/* An object and how it is found. */
struct entry {
    struct scaled_object *object;
    char *key;
    size_t key_size;
    uint64_t asked_at; /* of uv_now: the last time */
    bool is_due;       /* it waits to be judged */
    struct entry *due_next, *due_prev;
    size_t name_size;       /* of the key's beginning: namespace and name */
    struct entry *namesake; /* of the same: the next older one */
    UT_hash_handle hh;
    UT_hash_handle hh_named; /* of the newest of its name */
};

struct scaler {
    struct scaler_setup setup;
    struct clusters *clusters;
    struct judging judging;
    struct entry *entries;           /* by key */
    struct entry *named;             /* the newest of each name */
    struct entry *due;               /* a list: those to be judged, the first first */
    struct entry *own;               /* that without metadata; NULL: there is none */
    UT_string key;                   /* room to make one */
    char *reason;                    /* of the last answer that no object gave */
    uint32_t refused[REFUSED_SLOTS]; /* what was logged of refusals, by hash */
    int64_t refusals;
    uint64_t logged_since; /* of uv_now: a minute in which so many were logged, or left out */
    size_t logged;
    size_t measured; /* objects with metrics */

    uv_idle_t turn;
    uv_timer_t sweep;
    unsigned holds; /* open handles, and the clusters: the last frees the memory */
    bool stopping;
    void (*closed)(void *context);
    void *closed_context;

    struct partitions *partitions;
    struct metrics_instance *values;
};

/* scaler.c */
void scaler_unhold(struct scaler *scaler);
void scaler_forget(struct scaler *scaler, struct entry *entry);

/* scaler_turn.c */
void scaler_open_handles(struct scaler *scaler);
void scaler_close_handles(struct scaler *scaler);
/* All objects of the cluster are to be judged, soon. */
void scaler_ticked(void *context, struct cluster *cluster);

/* scaler_report.c */
void scaler_begin_report(struct scaler *scaler);
void scaler_end_report(struct scaler *scaler);

#endif
