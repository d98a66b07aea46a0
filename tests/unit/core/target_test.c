/* target: stories in letters, then random walks that no two probes may come out of. */
#include "core/target.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <inttypes.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/*
 * A story: a letter a step, the clock goes on by 1 ms with each.
 *   +  a call succeeds                 -  a call fails
 *   S  the probe succeeds              F  the probe fails
 *   q  a call is cancelled             Q  the probe is cancelled
 *   >  a call starts                   .  nothing, 10 ms
 * A probe that fails has the next wait for 10 ms.
 */
static const struct {
    const char *sentence, *story;
    uint32_t limit;
    enum target_state state;
    int64_t since;
    bool allows;
} cases[] = {
    {"it begins up", "", 3, TARGET_UP, 0, true},
    {"calls go freely while it is up", ">>>>", 3, TARGET_UP, 0, true},
    {"one failure makes it suspect", "-", 3, TARGET_SUSPECT, 1, true},
    {"further ones do not move since", "--", 3, TARGET_SUSPECT, 1, true},
    {"the limit makes it away", "---", 3, TARGET_AWAY, 3, false},
    {"a limit of one makes it away at once", "-", 1, TARGET_AWAY, 1, false},
    {"a success forgives", "--+--", 3, TARGET_SUSPECT, 4, true},
    {"a success makes a suspect up", "-+", 3, TARGET_UP, 2, true},
    {"a cancelled call says nothing", "--qq", 3, TARGET_SUSPECT, 1, true},
    {"away: nobody goes before the wait is over", "---qqqqqqqqq", 3, TARGET_AWAY, 3, false},
    {"away: one goes when it is", "---.", 3, TARGET_AWAY, 3, true},
    {"away: only one", "---.>", 3, TARGET_AWAY, 3, false},
    {"however long it takes", "---.>......", 3, TARGET_AWAY, 3, false},
    {"the probe's success makes it up", "---.>S", 3, TARGET_UP, 15, true},
    {"its failure has the next wait", "---.>F", 3, TARGET_AWAY, 3, false},
    {"as long as it said", "---.>F.", 3, TARGET_AWAY, 3, true},
    {"a cancelled probe lets another go at once", "---.>Q", 3, TARGET_AWAY, 3, true},
    {"late failures do not move the wait", "---.---", 3, TARGET_AWAY, 3, true},
    {"nor do they end the probe", "---.>---..", 3, TARGET_AWAY, 3, false},
    {"a late cancelled call does not either", "---.>q..", 3, TARGET_AWAY, 3, false},
    {"a late success makes it up", "---+", 3, TARGET_UP, 4, true},
    {"up again, failures are counted from the beginning", "---+--", 3, TARGET_SUSPECT, 5, true},
    {"a probe of last time that fails is a failure like others", "---.>+F", 3, TARGET_SUSPECT, 16,
     true},
    {"a probe of last time is the one probe when it is away again", "---.>+---.", 3, TARGET_AWAY,
     18, false},
    {"when it ends, the next may go after its wait", "---.>+---.F.", 3, TARGET_AWAY, 18, true},
    {"or makes it up", "---.>+---.S", 3, TARGET_UP, 29, true},
};

static int64_t play(struct target *target, const char *story, const char *sentence)
{
    int64_t now = 0;

    for (; *story; story++) {
        enum target_state before = target->state;
        bool probe = *story == 'S' || *story == 'F' || *story == 'Q', changed = false;

        now += *story == '.' ? 10 : 1;
        if (*story == '>')
            cr_expect_eq(target_started(target), before == TARGET_AWAY, "%s", sentence);
        else if (*story == '+' || *story == 'S')
            changed = target_succeeded(target, probe, now);
        else if (*story == '-' || *story == 'F')
            changed = target_failed(target, probe, now, 10);
        else if (*story == 'q' || *story == 'Q')
            target_quit(target, probe);
        cr_expect_eq(changed, before != target->state, "%s: at \"%s\"", sentence, story);
    }
    return now;
}

Test(target, comes_to_a_state_by_how_calls_end)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct target target;
        int64_t now;

        target_init(&target, cases[i].limit, 0);
        now = play(&target, cases[i].story, cases[i].sentence);
        cr_expect_eq(target.state, cases[i].state, "%s: it is %s", cases[i].sentence,
                     target_state_name(target.state));
        cr_expect_eq(target.since_ms, cases[i].since, "%s: since %" PRId64, cases[i].sentence,
                     target.since_ms);
        cr_expect_eq(target_allows(&target, now), cases[i].allows, "%s", cases[i].sentence);
    }
}

Test(target, names_its_states)
{
    cr_expect_str_eq(target_state_name(TARGET_UP), "up");
    cr_expect_str_eq(target_state_name(TARGET_SUSPECT), "suspect");
    cr_expect_str_eq(target_state_name(TARGET_AWAY), "away");
}

enum { CALLS = 8, STEPS = 400, WALKS = 4000 };

struct call {
    bool going, probe;
};

static void end_call(struct target *target, struct call *call, uint64_t *random, int64_t now)
{
    uint64_t die = random_below(random, 10);

    if (die < 1)
        target_quit(target, call->probe);
    else if (die < 3)
        target_succeeded(target, call->probe, now);
    else
        target_failed(target, call->probe, now, (int64_t)random_below(random, 8));
    *call = (struct call){false, false};
}

/* What holds at every moment, whatever went before. */
static void expect_sane(const struct target *target, const struct call calls[], int64_t now,
                        uint64_t seed)
{
    int probes = 0;

    for (int i = 0; i < CALLS; i++)
        probes += calls[i].probe;
    cr_assert_leq(probes, 1, "seed %" PRIu64 ": two probes", seed);
    cr_assert_eq(target->probing, probes == 1, "seed %" PRIu64, seed);
    cr_assert_eq(target->state == TARGET_AWAY, target->failures >= target->limit, "seed %" PRIu64,
                 seed);
    cr_assert_eq(target->state == TARGET_UP, target->failures == 0, "seed %" PRIu64, seed);
    if (target->state == TARGET_AWAY && !probes)
        cr_assert(target_allows(target, now + 8), "seed %" PRIu64 ": stuck", seed);
}

static void walk(uint64_t seed)
{
    struct call calls[CALLS] = {{false, false}};
    uint64_t random = seed;
    struct target target;

    target_init(&target, 1 + (uint32_t)(seed % 4), 0);
    for (int64_t now = 0; now < STEPS; now++) {
        struct call *call = &calls[random_below(&random, CALLS)];

        if (call->going)
            end_call(&target, call, &random, now);
        else if (target_allows(&target, now))
            *call = (struct call){true, target_started(&target)};
        expect_sane(&target, calls, now, seed);
    }
}

Test(target, has_one_probe_at_a_time_and_is_never_stuck)
{
    for (uint64_t seed = 1; seed <= WALKS; seed++)
        walk(seed);
}
