/*
 * replay_run: what the verdict is for: fewer changes, fewer replicas, no more late records than
 * with a static threshold. The limits are what docs/scale.md says of it.
 */
#include "commands/replay_run.h"

#include <criterion/criterion.h>
#include <string.h>

enum { TRACES = 9 };

enum by { BY_STATIC, BY_PERSISTENT, BY_LAG, POLICIES };

static const struct replay_rules rules = {.consumers = {400, 20, 3}, .bounds = {1, 12}};

static void ignore(void *context, int64_t s)
{
    (void)context;
    (void)s;
}

static struct scale_policy policy_by(enum by by)
{
    struct scale_policy policy;
    struct option_group group = {&scale_policy_table, &policy};
    struct option_faults faults = {0};

    option_read(&group, 1, &(struct option_input){.argc = 0}, &faults);
    scale_policy_settle(&policy, true, &faults);
    cr_assert_eq(faults.count, 0);
    if (by == BY_STATIC)
        policy.sustain_ms = policy.up_ms = policy.down_ms = 0;
    if (by == BY_LAG)
        policy.sizing = SIZING_LAG;
    return policy;
}

static struct replay_result play(const char *name, enum by by)
{
    struct scale_policy policy = policy_by(by);
    struct replay_result result;
    struct trace trace;

    cr_assert(trace_build(name, 12, &trace));
    result = replay_run(&trace, &policy, &rules, ignore, NULL);
    trace_release(&trace);
    return result;
}

static bool within(double now, double before, double part)
{
    return now <= before * part;
}

static void expect_within(const char *name, double events, double hours)
{
    struct replay_result before = play(name, BY_STATIC), now = play(name, BY_PERSISTENT);

    cr_expect(within((double)now.events, (double)before.events, events), "%s: %ld of %ld", name,
              (long)now.events, (long)before.events);
    cr_expect(within(now.replica_hours, before.replica_hours, hours), "%s: %g of %g", name,
              now.replica_hours, before.replica_hours);
    cr_expect_leq(now.breaches, before.breaches, "%s", name);
    replay_result_release(&before);
    replay_result_release(&now);
}

static void add(const char *name, int64_t events[POLICIES], int64_t breaches[POLICIES],
                double hours[POLICIES])
{
    for (int by = 0; by < POLICIES; by++) {
        struct replay_result result = play(name, (enum by)by);

        events[by] += result.events;
        breaches[by] += result.breaches;
        hours[by] += result.replica_hours;
        replay_result_release(&result);
    }
}

static void expect_less(const int64_t events[POLICIES], const int64_t breaches[POLICIES],
                        const double hours[POLICIES], double of_events, double of_hours)
{
    cr_expect(within((double)events[BY_PERSISTENT], (double)events[BY_STATIC], of_events),
              "%ld of %ld", (long)events[BY_PERSISTENT], (long)events[BY_STATIC]);
    cr_expect(within(hours[BY_PERSISTENT], hours[BY_STATIC], of_hours), "%g of %g",
              hours[BY_PERSISTENT], hours[BY_STATIC]);
    cr_expect_leq(breaches[BY_PERSISTENT], breaches[BY_STATIC]);
}

Test(replay_run, spares_nine_in_ten_changes_and_a_fifth_of_the_replicas_on_spikes)
{
    expect_within("spikes", 0.1, 0.8);
    expect_within("noisy", 0.1, 0.8);
    expect_within("ramp", 0.1, 0.9);
}

Test(replay_run, spares_nine_in_ten_changes_on_spikes_and_bursts_together)
{
    static const char *const names[] = {"spikes", "bursts"};
    int64_t events[POLICIES] = {0}, breaches[POLICIES] = {0};
    double hours[POLICIES] = {0};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        add(names[i], events, breaches, hours);
    expect_less(events, breaches, hours, 0.1, 0.8);
}

Test(replay_run, costs_less_on_the_whole)
{
    int64_t events[POLICIES] = {0}, breaches[POLICIES] = {0};
    double hours[POLICIES] = {0};

    for (size_t i = 0; trace_name(i); i++)
        add(trace_name(i), events, breaches, hours);
    expect_less(events, breaches, hours, 0.15, 0.75);
    cr_expect(within((double)events[BY_LAG], (double)events[BY_STATIC], 0.7));
    cr_expect_leq(breaches[BY_LAG], breaches[BY_STATIC]);
}

/* The same trace by the same policy is the same, to the last verdict. */
Test(replay_run, is_repeatable)
{
    struct replay_result one = play("noisy", BY_PERSISTENT), two = play("noisy", BY_PERSISTENT);

    cr_expect_eq(one.events, two.events);
    cr_expect_eq(one.verdict_count, two.verdict_count);
    cr_expect_arr_eq(one.lag, two.lag, (size_t)one.seconds * sizeof(*one.lag));
    replay_result_release(&one);
    replay_result_release(&two);
}

static bool has_verdict(const struct replay_result *result, enum scale_reason reason)
{
    for (size_t i = 0; i < result->verdict_count; i++)
        if (result->verdicts[i].reason == reason)
            return true;
    return false;
}

Test(replay_run, knows_a_backlog_that_was_there_before_it)
{
    struct replay_result result = play("drain", BY_PERSISTENT);

    cr_expect_eq(result.verdicts[0].reason, SCALE_SUSTAINED, "at its first sample");
    replay_result_release(&result);
}

Test(replay_run, tells_an_outage_and_a_stuck_consumer)
{
    struct replay_result outage = play("outage", BY_PERSISTENT);
    struct replay_result stuck = play("stuck", BY_PERSISTENT);

    cr_expect(has_verdict(&outage, SCALE_AWAY));
    cr_expect_not(has_verdict(&outage, SCALE_STUCK));
    cr_expect(has_verdict(&stuck, SCALE_STUCK));
    replay_result_release(&outage);
    replay_result_release(&stuck);
}

Test(replay_run, looks_only_at_the_partitions_that_count)
{
    struct scale_policy policy = policy_by(BY_PERSISTENT);
    struct replay_result result;
    struct trace trace;

    cr_assert(partition_limit_parse("0-2,4-11", &policy.limit));
    cr_assert(trace_build("stuck", 12, &trace));
    result = replay_run(&trace, &policy, &rules, ignore, NULL);
    cr_expect_eq(result.events, 0, "what stands in partition 3 is not seen");
    replay_result_release(&result);
    trace_release(&trace);
}

Test(replay_run, wakes_from_zero)
{
    struct replay_rules from_zero = rules;
    struct scale_policy policy = policy_by(BY_PERSISTENT);
    struct replay_result result;
    struct trace trace;

    from_zero.bounds.min = 0;
    cr_assert(trace_build("steady", 12, &trace));
    result = replay_run(&trace, &policy, &from_zero, ignore, NULL);
    cr_expect(has_verdict(&result, SCALE_WAITING) || has_verdict(&result, SCALE_SUSTAINED));
    cr_expect_eq(result.replicas[0], 0);
    cr_expect_geq(result.replicas[result.seconds - 1], 1, "and stays while records come");
    cr_expect_lt(result.left, 1000);
    replay_result_release(&result);
    trace_release(&trace);
}
