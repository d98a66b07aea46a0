/*
 * pace: how many replicas what is written needs, by what one was seen to consume (sizing=pace).
 *
 * Where each threshold of lag calls for a replica (sizing=lag), a backlog of any size calls for
 * every replica there may be, though a few would do; and when it is gone for none, though what is
 * written may need them. So here: while lag lasts in every partition all consumers are busy, and
 * what one consumes is what all do by their number. From then on the value is lagThreshold times
 * the replicas that keep up with what is written, and consume what waits within drainSeconds: the
 * more of the two, because a log is consumed from its front. A rise adds at least one, unless more
 * is consumed than is written, and is never above KEDA's value. A fall waits until half of the
 * replicas are spare, by what was written in scaleDownStabilization, and until that is what is
 * written of late too: it is one fall then, not one for each step of an average that goes down.
 *
 * How many replicas there are nobody tells a scaler. They are taken to be those that the value
 * called for, once it has stood for long enough. Where the autoscaler has bounds of its own that is
 * wrong, and mends itself: while lag lasts the value goes on rising. Nor is a rate true for ever.
 * It is believed to be twice as high for each PACE_DOUBLED_MS that nobody was busy, so that after
 * a slow day, too, the value comes down to where lag would begin again.
 *
 * A consumer takes whole partitions. With 12 of them 7 to 11 consumers are no faster than 6, as one
 * has two of them in either case, so what counts is how many partitions one can bear.
 */
#ifndef CORE_PACE_H
#define CORE_PACE_H

#include "core/evaluator.h"
#include "core/stabilizer.h"

#include <stdint.h>

enum {
    PACE_DOUBLED_MS = 2 * 60 * 60 * 1000,
    /* A value has stood for long enough so long after scaleUpStabilization, for replicas to start
     * and share the partitions; and so long after a fall, which the autoscaler follows late. */
    PACE_RISEN_MS = 30 * 1000,
    PACE_FALLEN_MS = 6 * 60 * 1000,
};

struct pace {
    double rate;     /* records a second that one replica consumes; 0: not seen yet */
    int64_t seen_ms; /* when */
};

/* The value that is called for. kedas: KEDA's; it is that as long as no rate was seen. stabilizer:
 * what the value is, and since when. */
int64_t pace_wanted(struct pace *pace, const struct scale_policy *policy,
                    const struct evaluation *evaluation, const struct stabilizer *stabilizer,
                    int64_t kedas, int64_t now_ms);

/* Consumers of so many partitions, evenly filled, that need at least so many times the rate of one:
 * 2.5 of 12 partitions are 3, 6.1 are 12. At most one a partition. */
int64_t pace_consumers(double times, int64_t partitions);

#endif
