/*
 * replay_autoscaler: what Kubernetes and KEDA make of a value: the replicas of a deployment.
 *
 * The horizontal autoscaler (pkg/controller/podautoscaler) asks every AUTOSCALER_SYNC_S: so many
 * replicas as value / target, rounded up; none other where that is within a tenth of what is there;
 * at most four more, or twice as many, at once (its default scale-up policy in 15 s); fewer only to
 * the highest of the last AUTOSCALER_DOWN_S. Without a value it does nothing, and with no replicas
 * neither: from and to zero is KEDA's (pkg/scaling/executor), which polls every
 * AUTOSCALER_POLL_S, and goes to zero AUTOSCALER_COOLDOWN_S after it was active.
 */
#ifndef COMMANDS_REPLAY_AUTOSCALER_H
#define COMMANDS_REPLAY_AUTOSCALER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AUTOSCALER_SYNC_S = 15,
    AUTOSCALER_DOWN_S = 300,
    AUTOSCALER_POLL_S = 30,
    AUTOSCALER_COOLDOWN_S = 300,
    AUTOSCALER_MEMORY = AUTOSCALER_DOWN_S / AUTOSCALER_SYNC_S,
};

struct autoscaler_bounds {
    int64_t min, max;
};

struct autoscaler {
    struct autoscaler_bounds bounds;
    int64_t target; /* the value for one replica */
    int64_t replicas;
    int64_t wanted[AUTOSCALER_MEMORY]; /* at the last syncs, a ring */
    size_t count;                      /* of syncs */
    int64_t active_s;                  /* when it was active the last time */
    int64_t events;                    /* changes of replicas */
};

/* What a scaler answers. */
struct replay_answer {
    bool known;
    bool active;
    int64_t value;
};

void autoscaler_init(struct autoscaler *autoscaler, const struct autoscaler_bounds *bounds,
                     int64_t target);

/* Whether it asks in second s. */
bool autoscaler_asks(int64_t s);

void autoscaler_step(struct autoscaler *autoscaler, const struct replay_answer *answer, int64_t s);

#endif
