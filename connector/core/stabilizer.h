/*
 * stabilizer: a value through time: it rises at most once in a time, and falls only to the highest
 * that was called for in another.
 *
 * The highest of a time is kept as the values that may yet become it: each lower than the one
 * before it and later. Of those within one STABILIZER_SLOTS-th of the time only the highest is
 * kept, as if it were the last: the value may fall that much late, never early.
 */
#ifndef CORE_STABILIZER_H
#define CORE_STABILIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STABILIZER_SLOTS = 64 };

/* Zero-initialised: the value is 0 and has never risen. */
struct stabilizer {
    int64_t value;
    bool has_risen;
    int64_t risen_ms; /* the last time */
    bool has_fallen;
    int64_t fallen_ms; /* the last time */
    struct {
        int64_t at_ms, value;
    } called[STABILIZER_SLOTS + 2]; /* a time begins and ends within one */
    size_t count;
};

struct stabilizer_times {
    int64_t up_ms, down_ms; /* 0: at once */
};

/* `wanted` is called for now; may_rise: it may be more than it is. Returns the value. Times do not
 * fall. */
int64_t stabilizer_step(struct stabilizer *stabilizer, const struct stabilizer_times *times,
                        int64_t wanted, bool may_rise, int64_t now_ms);

/* The value is 0 and nothing was called for. When it rose the last time stays. */
void stabilizer_drop(struct stabilizer *stabilizer);

/* Values are counted in another unit: each is multiplied by `by`, and divided by `over` (> 0). */
void stabilizer_scale(struct stabilizer *stabilizer, int64_t by, int64_t over);

/* The clock was set back: the value is as if it had risen to what it is now. */
void stabilizer_set_back(struct stabilizer *stabilizer, int64_t now_ms);

#endif
