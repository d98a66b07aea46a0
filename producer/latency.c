/* latency: see latency.h. A bucket's number is its value's 7 leading bits and their place: values
 * with the same ones share a bucket, 64 buckets between a power of two and the next. */
#include "producer/latency.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

enum { SUB_BITS = 6, MAX_BITS = 36 };

static const int64_t MAX_US = ((int64_t)1 << MAX_BITS) - 1;

static int shift_of(int64_t us)
{
    int bits = us > 0 ? 64 - __builtin_clzll((unsigned long long)us) : 0;

    return bits > SUB_BITS + 1 ? bits - SUB_BITS - 1 : 0;
}

static size_t bucket_of(int64_t us)
{
    int shift = shift_of(us);

    return ((size_t)shift << SUB_BITS) + (size_t)(us >> shift);
}

/* The highest value of a bucket. */
static int64_t bucket_end(size_t bucket)
{
    size_t shift = bucket >> SUB_BITS;

    shift = shift > 0 ? shift - 1 : 0; /* the leading bit of 7 counts as one shift */
    return ((int64_t)(bucket - (shift << SUB_BITS) + 1) << shift) - 1;
}

void latency_add(struct latency *latency, int64_t us)
{
    us = us < 0 ? 0 : us > MAX_US ? MAX_US : us;
    assert(bucket_of(us) < LATENCY_BUCKETS);
    latency->counts[bucket_of(us)]++;
    latency->count++;
    latency->sum_us += us;
    if (us > latency->max_us)
        latency->max_us = us;
}

double latency_average_us(const struct latency *latency)
{
    return latency->count ? (double)latency->sum_us / (double)latency->count : 0;
}

int64_t latency_percentile_us(const struct latency *latency, double share)
{
    uint64_t wanted = (uint64_t)ceil(share * (double)latency->count), seen = 0;

    for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
        seen += latency->counts[i];
        if (seen >= wanted && seen > 0)
            return bucket_end(i) < latency->max_us ? bucket_end(i) : latency->max_us;
    }
    return 0;
}
