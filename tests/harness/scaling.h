/*
 * scaling: a scaler on a loop, asked as KEDA asks, and a hand on the Kafka it looks at. One a test,
 * which is a program of its own.
 *
 *     scaling_open(bootstrap, (const char *[]){"--min_sampling_interval=1s", NULL});
 *     scaling_await("orders", SCALING{"topic=orders", "consumerGroup=workers", NULL}, is_active);
 *     scaling_close();
 */
#ifndef HARNESS_SCALING_H
#define HARNESS_SCALING_H

#include "scale/scaler.h"
#include "tests/harness/cluster.h"

#define SCALING (const char *[])

enum { SCALING_PATIENCE_MS = 60 * 1000 };

struct scaling {
    uv_loop_t loop;
    struct scale_config config;
    struct option_group groups[SCALE_GROUPS];
    struct metrics *metrics;
    struct scaler *scaler;
    bool closed;
};

extern struct scaling scaling;

/* Flags, NULL-ended, or NULL. They must be good. */
void scaling_open(const char *bootstrap, const char *const *flags);
/* Fails the test when a handle is left behind. */
void scaling_close(void);
/* As a process that ends and one that starts with the same options. */
void scaling_restart(void);

/* One entry of metadata after the other, "key=value", NULL-ended; NULL: no metadata. */
struct scaler_answer scaling_ask(const char *name, const char *const *metadata);
/* Those entries as a reference; good until the next. */
struct scaler_ref scaling_ref(const char *name, const char *const *metadata);

/* Asks again and again until an answer holds. False: patience is over; scaling_last says what. */
bool scaling_await(const char *name, const char *const *metadata,
                   bool (*holds)(const struct scaler_answer *answer));
/* The same, and no answer before that may be one that `never` holds of. */
bool scaling_await_without(const char *name, const char *const *metadata,
                           bool (*holds)(const struct scaler_answer *answer),
                           bool (*never)(const struct scaler_answer *answer));

/* The last answer in words. Borrowed until the next. */
const char *scaling_last(void);

#endif
