/*
 * recovery: whether a partition's lag was over its threshold before anybody looked: after a start,
 * or an outage of more samples than a stretch outlasts.
 *
 * Commits and ends only grow. So if the log's end was, a time ago, already a threshold beyond what
 * is committed now, the lag has been over in all that time. What the end was then one look-up of
 * an offset by its timestamp tells, where the broker itself stamps the records (LogAppendTime).
 * Where their writers do (CreateTime) a backfill with old timestamps would prove anything, so it
 * is only likely, and only when look-ups at four points of that time each find a record and none
 * the same one.
 */
#ifndef CORE_RECOVERY_H
#define CORE_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

enum { RECOVERY_LOOKS = 4 };

struct recovery_question {
    int64_t committed; /* now; < 0: none, and nothing is told from it */
    int64_t end;       /* now */
    int64_t threshold;
    bool append_time; /* the topic's message.timestamp.type is LogAppendTime */
    /* The offset of the first record that was written at a time or later, as Kafka's ListOffsets
     * tells it: sustainSeconds ago, and then at even distances up to now. -1: there is none. Only
     * the first is looked at with append_time. */
    int64_t found[RECOVERY_LOOKS];
};

enum recovery { RECOVERY_NOT, RECOVERY_LIKELY, RECOVERY_PROVED };

enum recovery recovery_judge(const struct recovery_question *question);

/* When look number i is for: now_ms - sustain_ms the first. */
int64_t recovery_look_ms(int64_t now_ms, int64_t sustain_ms, int i);

#endif
