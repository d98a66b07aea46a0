/* random: numbers that a seed decides, the same on every machine. */
#ifndef FAULTS_RANDOM_H
#define FAULTS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state; /* any: the seed */
};

/* splitmix64 */
static inline uint64_t random_next(struct random *random)
{
    uint64_t x = random->state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* From least to most, both included. */
static inline int random_between(struct random *random, int least, int most)
{
    return least + (int)(random_next(random) % (uint64_t)(most - least + 1));
}

static inline bool random_percent(struct random *random, int percent)
{
    return random_between(random, 0, 99) < percent;
}

#endif
