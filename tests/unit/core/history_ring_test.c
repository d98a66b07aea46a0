/* history_ring: what is read is what was added, however far apart. */
#include "core/history_ring.h"
#include "core/lag.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>

enum { CAPACITY = 40 };

static struct history_ring ring;

static void tear_down(void)
{
    history_ring_release(&ring);
}

TestSuite(history_ring, .fini = tear_down);

static void add(int64_t at_ms, int64_t committed, int64_t end, unsigned missed)
{
    history_ring_add(&ring, CAPACITY, &(struct history_sample){at_ms, committed, end, missed});
}

static void expect(size_t i, const struct history_sample *wanted)
{
    struct history_sample sample = history_ring_at(&ring, i);

    cr_assert(sample.at_ms == wanted->at_ms && sample.committed == wanted->committed &&
              sample.end == wanted->end && sample.missed == wanted->missed);
}

/* ---- near and far ---- */

/* Beside one at 10 s, committed 100 of 5 * 10^9. */
static const struct {
    const char *sentence;
    struct history_sample sample;
    bool wide;
} seconds[] = {
    {"five thousand million wait", {20000, 100, 5000000000, 0}, true},
    {"a usual one", {20000, 4999999000, 5000000100, 0}, false},
    {"nothing committed", {20000, OFFSET_NONE, 5000000100, 0}, false},
    {"it may not be read", {20000, OFFSET_HIDDEN, 5000000100, 0}, false},
    {"as far ahead as goes", {20000, 5000000000, 5000000000 + INT32_MAX, 0}, false},
    {"one more", {20000, 5000000000, 5000000001 + INT32_MAX, 0}, true},
    {"two thousand million wait", {20000, 3000000000, 5000000000, 0}, false},
    {"some more", {20000, 2800000000, 5000000000, 0}, true},
    {"four hours later", {10000 + 4 * 3600 * 1000, 5000000000, 5000000000, 0}, false},
    {"five", {10000 + 5 * 3600 * 1000, 5000000000, 5000000000, 0}, true},
    {"after 255 that were missed", {20000, 5000000000, 5000000000, 255}, false},
    {"after 256", {20000, 5000000000, 5000000000, 256}, true},
    {"the clock was set back", {9000, 5000000000, 5000000000, 0}, true},
};

Test(history_ring, takes_more_memory_only_for_what_is_far)
{
    const struct history_sample first = {10000, 5000000000, 5000000000, 0};

    for (size_t i = 0; i < sizeof(seconds) / sizeof(*seconds); i++) {
        add(first.at_ms, first.committed, first.end, first.missed);
        cr_assert_not(ring.wide);
        history_ring_add(&ring, CAPACITY, &seconds[i].sample);
        cr_expect_eq(ring.wide, seconds[i].wide, "%s", seconds[i].sentence);
        expect(0, &first);
        expect(1, &seconds[i].sample);
        history_ring_release(&ring);
    }
}

Test(history_ring, little_memory_is_enough_again_when_the_far_one_is_gone)
{
    add(0, 0, 0, 0);
    add(1000, 0, INT64_C(1) << 40, 0);
    cr_assert(ring.wide);
    for (int i = 0; i < 2 * CAPACITY; i++)
        add(2000 + i, 7, (INT64_C(1) << 40) - 7, 0);
    cr_expect(ring.wide, "so much waits");
    for (int i = 0; i < 2 * CAPACITY; i++)
        add(3000 + i, (INT64_C(1) << 40) - 7, INT64_C(1) << 40, 0);
    cr_expect_not(ring.wide);
    expect(0,
           &(struct history_sample){3000 + CAPACITY, (INT64_C(1) << 40) - 7, INT64_C(1) << 40, 0});
}

Test(history_ring, goes_on_for_years)
{
    for (int64_t i = 0; i < 1000000; i++) {
        add(i * 60000, i * 10000, i * 10000 + 5, 0);
        expect(ring.count - 1, &(struct history_sample){i * 60000, i * 10000, i * 10000 + 5, 0});
    }
    expect(0, &(struct history_sample){INT64_C(999960) * 60000, 9999600000, 9999600005, 0});
    cr_expect_not(ring.wide);
}

/* ---- anything ---- */

enum { STEPS = 200000, SEED = 1 };

static struct history_sample model[STEPS];
static size_t count; /* of it; the ring has the last of them */

/* Far now and then. */
static int64_t some(uint64_t *random, uint64_t near, uint64_t far)
{
    return (int64_t)random_below(random, random_below(random, 300) ? near : far);
}

static int64_t some_committed(uint64_t *random, int64_t end)
{
    static const int64_t none[] = {OFFSET_NONE, OFFSET_HIDDEN};
    int64_t lag = some(random, 1000, UINT64_C(1) << 40);

    if (random_below(random, 10) == 0)
        return none[random_below(random, 2)];
    return lag < end ? end - lag : 0;
}

static void step(uint64_t *random)
{
    struct history_sample *sample = &model[count];

    if (ring.count && random_below(random, 20) == 0) {
        history_ring_drop_newest(&ring);
        count--;
        return;
    }
    *sample = count ? model[count - 1] : (struct history_sample){0};
    sample->at_ms += some(random, 20000, 100000000);
    sample->end += some(random, 100000, UINT64_C(1) << 33);
    sample->committed = some_committed(random, sample->end);
    sample->missed = (unsigned)some(random, 3, UINT16_MAX + 1);
    history_ring_add(&ring, CAPACITY, sample);
    count++;
}

Test(history_ring, keeps_what_it_was_given)
{
    uint64_t random = SEED;
    size_t wide = 0;

    for (size_t i = 0; i < STEPS; i++) {
        step(&random);
        wide += ring.wide;
        if (i % 100 == 0)
            for (size_t k = 0; k < ring.count; k++)
                expect(k, &model[count - ring.count + k]);
        if (i % 1000 == 999) {
            history_ring_clear(&ring);
            count = 0;
        }
    }
    cr_expect(wide > STEPS / 10 && wide < STEPS * 9 / 10, "%zu", wide);
}
