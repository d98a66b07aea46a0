/*
 * consumer_astray: partitions whose log, a broker says, lacks the position they are read from.
 *
 * It may be true: the records there have expired, or the topic was made anew. Or that broker has
 * fallen behind: one that does not know yet that it leads no more, or not yet how far its
 * predecessor had come. To believe it would have the whole partition repeated; so the worker looks
 * at the log (consumer_start.c) before anything follows. librdkafka has stopped fetching the
 * partition (auto.offset.reset=error) and begins again when it is assigned again.
 */
#include "kafka/consumer_private.h"

#include "base/log.h"

#include <inttypes.h>

/* The tick has it looked at, and whatever else went astray with it. */
void consumer_go_astray(struct consumer *consumer, struct source_partition *partition)
{
    if (partition->astray)
        return;
    partition->astray = true;
    consumer->astray++;
}

/* A log that is too short after all the looks at it is another one: its records tell the sink. What
 * was read on since they began shows that it is the same: a refusal that was in the queue yet when
 * the partition was assigned again is an old one, and `end` may be older than `next`. */
void consumer_settle(struct consumer *consumer, struct source_partition *partition,
                     const struct log_look *look)
{
    struct log_subject subject = {partition->topic, partition->number, -1, NULL};
    int64_t next = partition->next;

    partition->astray = false;
    consumer->astray--;
    consumer->answer_due = true;
    if (next > look->seen)
        return;
    if (next >= look->low && next <= look->end) {
        log_info(&subject, "a broker lacked offset %" PRId64 " for a while: it is read from there",
                 next);
        return;
    }
    partition->next = look->low;
    if (next < look->low)
        consumer->source.sink_calls->expired(consumer->source.sink, partition->sink_partition,
                                             look->low, look->low - next);
    else
        log_warning(&subject,
                    "its log ends at %" PRId64 ", but was read up to %" PRId64
                    ": it is read from its beginning",
                    look->end, next);
}
