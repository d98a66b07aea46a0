/*
 * sampler_times: what a log's end was at a time in the past, asked on the sampler's client between
 * two ticks: for who wants to know what was before anybody looked (core/recovery).
 *
 * What is asked until a job begins is asked in one: one ListOffsets a broker for each time that
 * differs, and one DescribeConfigs for all topics. It takes no longer than an answer may and half
 * an interval, so that no tick is put off for long; what is not told by then is not known, and to
 * be asked again.
 */
#ifndef KAFKA_SAMPLER_TIMES_H
#define KAFKA_SAMPLER_TIMES_H

#include "kafka/sampler.h"

struct sampler_look {
    const char *topic; /* borrowed until sampler_look_up returns; when told, until that returns */
    int32_t partition;
    int64_t at_ms; /* of the wall clock; > 0 */
    /* The answer: */
    bool known;
    int64_t offset;   /* of the first record written then or later; -1: there is none */
    bool append_time; /* the broker stamps the topic's records; false where it is not known */
};

struct sampler_times;

/* `told` is called once, on the loop, never from within, with the looks as they were given. Given
 * up by sampler_times_cancel, and when the sampler is closed, which `told` may not do; then nothing
 * is told. count > 0. */
struct sampler_times *
sampler_look_up(struct sampler *sampler, const struct sampler_look *looks, size_t count,
                void (*told)(void *context, const struct sampler_look *looks, size_t count),
                void *context);
/* Not behind sampler_close. */
void sampler_times_cancel(struct sampler_times *times);

#endif
