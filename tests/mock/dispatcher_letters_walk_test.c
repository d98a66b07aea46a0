/* dispatcher_letters_walk_test: owners come and go in every way while functions fail and letters
 * are on their way: each record ends where it belongs. */
#include "tests/harness/rig.h"

#include "base/xalloc.h"
#include "core/lanes.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS = 300, WALKS = 6, LIVES = 12, ATTEMPTS = 3 };

static struct rig *rig;
static char dead[] = "{topic}.dead";

static void set_up(void)
{
    rig = rig_new();
    rig->options.dead_letter_topic = dead;
    rig->options.retry_attempts = ATTEMPTS;
    memory_source_topic(rig->source, "orders", 1);
    memory_source_fill(rig->source, "orders", 0, RECORDS, 10);
}

static void tear_down(void)
{
    rig_free(rig);
}

TestSuite(dispatcher_letters_walk, .init = set_up, .fini = tear_down, .timeout = 120);

struct walk {
    uint64_t random;
    bool recovered;          /* the one that was away is back */
    size_t done[2][RECORDS]; /* calls answered by 200: of "mixed", of "gone" */
    size_t calls[RECORDS];   /* of "mixed" */
    size_t kills;            /* what was used up may not have been told */
};

/* Of every five records one is refused for now, again and again, and one for good. */
static struct faas_reply mixed(void *context, const struct faas_call *call)
{
    struct walk *walk = context;
    int status = call->offset % 5 == 0 ? 503 : call->offset % 5 == 1 ? 422 : 200;

    walk->calls[call->offset]++;
    walk->done[0][call->offset] += status == 200;
    return (struct faas_reply){.status = status,
                               .latency_ms = (int64_t)random_below(&walk->random, 4)};
}

static struct faas_reply gone(void *context, const struct faas_call *call)
{
    struct walk *walk = context;

    walk->done[1][call->offset] += walk->recovered;
    return (struct faas_reply){.status = walk->recovered ? 200 : 404};
}

static void hand_over(void)
{
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
    memory_source_assign(rig->source);
}

static void lose(struct walk *walk)
{
    walk->kills++;
    memory_source_lose(rig->source);
    memory_source_assign(rig->source);
}

static void live(struct walk *walk)
{
    rig->options.partition_window = (int64_t)(1 + random_below(&walk->random, 60));
    rig->drain_timeout_ms = (int64_t)random_below(&walk->random, 30);
    letter_box_hold(rig->letters, random_below(&walk->random, 2));
    rig_start(rig);
    for (int i = 0; i < 3; i++) {
        rig_settle(rig, (int64_t)random_below(&walk->random, 30));
        letter_box_keep(rig->letters, (int)random_below(&walk->random, 20));
        if (random_below(&walk->random, 2))
            hand_over();
        else
            lose(walk);
    }
    walk->kills++;
    rig_kill(rig);
}

/* A function that fails often may be taken for away. */
static void expect_reasons(int number)
{
    static const enum letter_reason reasons[] = {LETTER_EXHAUSTED, LETTER_STATUS};

    for (size_t i = 0; i < letter_box_kept(rig->letters); i++) {
        const struct kept_letter *letter = letter_box_at(rig->letters, i);
        int64_t kind = letter->offset % 5;

        if (letter->reason != LETTER_FUNCTION_AWAY && strcmp(letter->function, "mixed") == 0)
            cr_assert(kind < 2 && letter->reason == reasons[kind], "walk %d: %ld is dead: %s",
                      number, (long)letter->offset, letter_reason_name(letter->reason));
    }
}

static void expect_mixed(const struct walk *walk, int number)
{
    for (int64_t i = 0; i < RECORDS; i++) {
        cr_assert(walk->done[0][i] + letter_box_kept_of(rig->letters, "mixed", i) >= 1,
                  "walk %d: %ld is neither done nor dead", number, (long)i);
        if (i % 5 == 0)
            cr_assert_leq(walk->calls[i], ATTEMPTS * (1 + walk->kills), "walk %d: %ld", number,
                          (long)i);
    }
}

static void expect_gone(const struct walk *walk, int number)
{
    for (int64_t i = 0; i < RECORDS; i++)
        cr_assert(walk->done[1][i] + letter_box_kept_of(rig->letters, "gone", i) >= 1,
                  "walk %d: %ld is neither done nor dead", number, (long)i);
}

static void walk_through(int number)
{
    struct walk *walk = xcalloc(1, sizeof(*walk));

    walk->random = (uint64_t)number;
    faas_decide(rig_deploy(rig, "mixed", "orders", NULL), mixed, walk);
    faas_decide(rig_deploy(rig, "gone", "orders", NULL), gone, walk);
    for (int i = 0; i < LIVES; i++)
        live(walk);
    walk->recovered = true;
    letter_box_hold(rig->letters, false);
    rig_start(rig);
    cr_assert(rig_await_committed(rig), "walk %d", number);
    expect_reasons(number);
    expect_mixed(walk, number);
    expect_gone(walk, number);
    rig_kill(rig);
    free(walk);
}

Test(dispatcher_letters_walk, every_record_is_done_or_dead)
{
    for (int number = 1; number <= WALKS; number++) {
        if (number > 1) {
            tear_down();
            set_up();
        }
        walk_through(number);
    }
}
