/* replay_consumers: what a group consumes, when, and how old it is then. */
#include "commands/replay_consumers.h"

#include <criterion/criterion.h>

static const struct consumers_rules rules = {.rate = 10, .startup_s = 5, .pause_s = 2};

/* Two partitions, to each of which so many records are written in each second. */
static struct trace even_trace(int64_t seconds, int64_t a, int64_t b)
{
    struct trace trace;

    trace_init(&trace, "test", 2, seconds);
    for (int64_t s = 0; s <= seconds; s++) {
        trace.ends[s] = s * a;
        trace.ends[seconds + 1 + s] = s * b;
    }
    return trace;
}

static void run(struct consumers *consumers, int64_t from, int64_t until)
{
    for (int64_t s = from; s < until; s++)
        consumers_step(consumers, s);
}

Test(replay_consumers, keeps_up_a_second_late)
{
    struct trace trace = even_trace(100, 4, 5);
    struct consumers consumers;

    consumers_init(&consumers, &trace, &rules, 1);
    run(&consumers, 0, 100);
    cr_expect_eq(consumers_lag(&consumers, 100), 9, "what was written in the last second");
    consumers_close(&consumers);
    cr_expect_eq(consumers_age(&consumers, 1), 1);
    cr_expect_eq(consumers_late(&consumers), 0);
    consumers_release(&consumers);
    trace_release(&trace);
}

Test(replay_consumers, spends_on_one_partition_what_the_other_does_not_need)
{
    struct trace trace = even_trace(100, 1, 9);
    struct consumers consumers;

    consumers_init(&consumers, &trace, &rules, 1);
    run(&consumers, 0, 100);
    cr_expect_eq(consumers_lag(&consumers, 100), 10);
    consumers_release(&consumers);
    trace_release(&trace);
}

Test(replay_consumers, consumes_no_faster_than_its_members)
{
    struct trace trace = even_trace(100, 15, 15);
    struct consumers consumers;

    consumers_init(&consumers, &trace, &rules, 1);
    run(&consumers, 0, 100);
    cr_expect_eq(consumers_lag(&consumers, 100), 3000 - 10 * 99, "nothing is there at first");
    consumers_scale(&consumers, 3, 50);
    consumers_close(&consumers);
    consumers_release(&consumers);
    trace_release(&trace);
}

Test(replay_consumers, starts_replicas_and_pauses_all)
{
    struct trace trace = even_trace(100, 10, 10);
    struct consumers consumers;

    consumers_init(&consumers, &trace, &rules, 1);
    run(&consumers, 0, 10);
    cr_expect_eq(consumers_lag(&consumers, 10), 200 - 90);
    consumers_scale(&consumers, 2, 9);
    cr_expect_eq(consumers_replicas(&consumers), 2);
    run(&consumers, 10, 14);
    cr_expect_eq(consumers_lag(&consumers, 14), 280 - 130, "it is not there yet");
    run(&consumers, 14, 16);
    cr_expect_eq(consumers_lag(&consumers, 16), 320 - 130, "both pause for 2 s");
    run(&consumers, 16, 20);
    cr_expect_eq(consumers_lag(&consumers, 20), 400 - 210, "two consume");
    consumers_scale(&consumers, 1, 19);
    run(&consumers, 20, 22);
    cr_expect_eq(consumers_lag(&consumers, 22), 440 - 220, "one pauses until 21");
    consumers_release(&consumers);
    trace_release(&trace);
}

Test(replay_consumers, takes_back_replicas_that_have_not_started)
{
    struct trace trace = even_trace(100, 10, 0);
    struct consumers consumers;

    consumers_init(&consumers, &trace, &rules, 1);
    consumers_scale(&consumers, 4, 0);
    consumers_scale(&consumers, 1, 3);
    run(&consumers, 0, 100);
    cr_expect_eq(consumers_replicas(&consumers), 1);
    cr_expect_eq(consumers_lag(&consumers, 100), 10, "nobody has paused");
    consumers_release(&consumers);
    trace_release(&trace);
}

/* 1000 s; consumption begins when they are over, but for the last. */
Test(replay_consumers, counts_late_records_and_breaches)
{
    struct trace trace = even_trace(1000, 1, 0);
    struct consumers consumers;

    trace.away = (struct trace_span){0, 700};
    consumers_init(&consumers, &trace, &rules, 1);
    run(&consumers, 0, 1000);
    consumers_close(&consumers);
    cr_expect_eq(consumers_age(&consumers, 1), 700, "the first, when all is there again");
    cr_expect(consumers_late(&consumers) > 300 && consumers_late(&consumers) < 500);
    cr_expect_eq(consumers_breaches(&consumers), 2, "of four windows of 300 s");
    consumers_release(&consumers);
    trace_release(&trace);
}

Test(replay_consumers, counts_what_is_never_consumed)
{
    struct trace trace = even_trace(1000, 1, 0);
    struct consumers consumers;

    trace.away = (struct trace_span){0, 1000};
    consumers_init(&consumers, &trace, &rules, 1);
    run(&consumers, 0, 1000);
    consumers_close(&consumers);
    cr_expect_eq(consumers_late(&consumers), 700, "the last 300 s may yet be");
    cr_expect_eq(consumers_breaches(&consumers), 3);
    consumers_release(&consumers);
    trace_release(&trace);
}

Test(replay_consumers, a_stuck_partition_is_not_consumed)
{
    struct trace trace = even_trace(100, 1, 1);
    struct consumers consumers;

    trace.stuck = (struct trace_span){10, 50};
    trace.stuck_partition = 1;
    consumers_init(&consumers, &trace, &rules, 1);
    run(&consumers, 0, 50);
    cr_expect_eq(consumers.committed[1], 9);
    cr_expect_eq(consumers.committed[0], 49);
    run(&consumers, 50, 100);
    cr_expect_eq(consumers_lag(&consumers, 100), 2);
    consumers_release(&consumers);
    trace_release(&trace);
}
