/* dispatcher_commit_test: what is committed, and when. */
#include "tests/harness/orders.h"

#include "core/lanes.h"
#include "core/progress.h"

#include <criterion/criterion.h>

TestSuite(dispatcher_commit, .init = orders_set_up_without_function, .fini = orders_tear_down,
          .timeout = 60);

static struct faas_reply hold_one(void *context, const struct faas_call *call)
{
    return call->offset == *(const int64_t *)context ? held : at_once;
}

static bool reads_progress(int partition, struct progress *progress)
{
    progress_clear(progress);
    return progress_decode(memory_source_metadata(rig->source, "orders", partition),
                           memory_source_committed(rig->source, "orders", partition), progress);
}

Test(dispatcher_commit, the_lowest_offset_not_done_by_all)
{
    int64_t of_a = 7, of_b = 3;
    struct faas_function *a = rig_deploy(rig, "a", "orders", NULL);
    struct faas_function *b = rig_deploy(rig, "b", "orders", NULL);

    faas_decide(a, hold_one, &of_a);
    faas_decide(b, hold_one, &of_b);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, NULL, 18));
    rig_settle(rig, 50);
    cr_expect_eq(committed(), 3);
    faas_release(b, -1);
    cr_assert(rig_await_ran(rig, NULL, 19));
    rig_settle(rig, 50);
    cr_expect_eq(committed(), 7);
    faas_release(a, -1);
    cr_assert(rig_await_committed(rig));
}

static bool some_committed(struct rig *it)
{
    return memory_source_committed(it->source, "orders", 0) > 0;
}

Test(dispatcher_commit, after_1024_finished_whatever_the_interval)
{
    commit_before(0, 0, 1);
    rig->options.commit_interval = 60 * 1000;
    rig->options.order = ORDER_PARTITION;
    rig_deploy(rig, "a", "orders", NULL);
    memory_source_fill(rig->source, "orders", 0, 1023, 0);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "a", 1023));
    rig_settle(rig, 50);
    cr_expect_eq(memory_source_batches(rig->source), 0);
    memory_source_fill(rig->source, "orders", 0, 45, 0);
    cr_assert(rig_await(rig, some_committed));
    cr_expect_eq(committed(), 1024);
    cr_assert(rig_await_ran(rig, "a", 1068));
    rig_settle(rig, 50);
    cr_expect_eq(memory_source_batches(rig->source), 1);
}

Test(dispatcher_commit, the_interval_gathers_what_is_done)
{
    static const struct faas_reply soon = {.latency_ms = 5};

    commit_before(0, 0, 1);
    rig->options.commit_interval = 300;
    rig->options.order = ORDER_PARTITION;
    faas_script(rig_deploy(rig, "a", "orders", NULL), &soon);
    memory_source_fill(rig->source, "orders", 0, 20, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_expect_leq(memory_source_batches(rig->source), 2);
}

Test(dispatcher_commit, one_that_fails_is_sent_again)
{
    rig_deploy(rig, "a", "orders", NULL);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    memory_source_refuse(rig->source, 2, SOURCE_UNREACHED);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(rig_metric(rig, "kafka_connector_commit_failures_total"), 2);
    cr_expect(rig_ran_each(rig, "a", "orders", 20, 1));
}

Test(dispatcher_commit, nothing_when_nothing_changed)
{
    size_t batches;

    rig_deploy(rig, "a", "orders", NULL);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    batches = memory_source_batches(rig->source);
    rig_settle(rig, 100);
    rig_kill(rig);
    rig_start(rig); /* a member that goes on where another ended has nothing to say either */
    rig_settle(rig, 100);
    cr_expect_eq(memory_source_batches(rig->source), batches);
    cr_expect_eq(call_log_arrived(rig->calls, NULL), 10);
}

Test(dispatcher_commit, only_the_partitions_that_changed)
{
    memory_source_topic(rig->source, "orders", 3);
    for (int i = 0; i < 3; i++)
        commit_before(i, 0, 3);
    rig_deploy(rig, "a", "orders", NULL);
    rig_start(rig);
    memory_source_append(rig->source, "orders", 1, NULL, "value");
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(memory_source_positions(rig->source), 1);
}

Test(dispatcher_commit, metadata_says_when_the_partition_was_born)
{
    struct progress progress = {0};

    memory_source_topic(rig->source, "orders", 3);
    rig_deploy(rig, "a", "orders", NULL);
    memory_source_fill(rig->source, "orders", 2, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_assert(reads_progress(2, &progress));
    cr_expect_eq(progress.born, 3);
    rig_kill(rig);
    memory_source_topic(rig->source, "orders", 5);
    memory_source_fill(rig->source, "orders", 2, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_assert(reads_progress(2, &progress));
    cr_expect_eq(progress.born, 3, "it is as old as before");
    cr_assert(reads_progress(4, &progress));
    cr_expect_eq(progress.born, 5, "one that was added is not");
}

Test(dispatcher_commit, metadata_that_is_not_ours_is_replaced)
{
    static const char *const texts[] = {NULL, "", "somebody else's", "kc1:AAAA"};
    struct progress progress = {0};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (i) {
            orders_tear_down();
            orders_set_up_without_function();
        }
        rig_deploy(rig, "a", "orders", NULL);
        memory_source_fill(rig->source, "orders", 0, 10, 0);
        memory_source_set_committed(rig->source, "orders", 0, 10, texts[i]);
        rig_start(rig);
        rig_settle(rig, 50);
        cr_expect_eq(memory_source_positions(rig->source), 1);
        cr_assert(reads_progress(0, &progress));
        cr_expect_eq(call_log_arrived(rig->calls, NULL), 0);
    }
}

Test(dispatcher_commit, the_end_of_the_log_when_nothing_is_unfinished)
{
    int64_t fourth = 4;

    function = rig_deploy(rig, "a", "orders", NULL);
    faas_decide(function, hold_one, &fourth);
    memory_source_fill(rig->source, "orders", 0, 5, 0);
    memory_source_gap(rig->source, "orders", 0, 2);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "a", 4));
    rig_settle(rig, 50);
    cr_expect_eq(committed(), 4);
    faas_release(function, -1);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(committed(), 7);
    cr_expect_eq(rig_metric(rig, "kafka_connector_partition_lag{topic=\"orders\",partition=\"0\"}"),
                 0);
    memory_source_gap(rig->source, "orders", 0, 1);
    cr_assert(rig_await_committed(rig), "a marker alone");
}

/* A partition that begins when a commit is answered may send the next at once: what that one says
 * is not yet committed. */
Test(dispatcher_commit, a_commit_sent_while_another_is_answered_is_not_taken_for_it)
{
    memory_source_topic(rig->source, "orders", 2);
    commit_before(1, 0, 2);
    rig_deploy(rig, "a", "orders", NULL);
    memory_source_append(rig->source, "orders", 0, "k", NULL);
    memory_source_fill(rig->source, "orders", 1, 1200, 0);
    memory_source_hold_commits(rig->source, true);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "a", 1200));
    rig_settle(rig, 20);
    cr_assert(memory_source_committing(rig->source));
    memory_source_answer(rig->source, SOURCE_COMMITTED);
    cr_assert(memory_source_committing(rig->source));
    memory_source_answer(rig->source, SOURCE_UNREACHED);
    memory_source_hold_commits(rig->source, false);
    cr_expect(rig_await_committed(rig));
}

/* ---- one bad topic ---- */

static bool orders_committed(struct rig *it)
{
    return memory_source_committed(it->source, "orders", 0) == 20;
}

/* It may be described and not read: Kafka refuses its commits and takes the others'. */
Test(dispatcher_commit, a_topic_that_is_refused_holds_up_no_other)
{
    memory_source_topic(rig->source, "secrets", 1);
    rig_deploy(rig, "a", "orders,secrets", NULL);
    memory_source_fill(rig->source, "orders", 0, 20, 0);
    memory_source_fill(rig->source, "secrets", 0, 20, 0);
    memory_source_refuse_topic(rig->source, "secrets");
    rig_start(rig);
    cr_assert(rig_await(rig, orders_committed));
    cr_expect(rig_ran_each(rig, "a", "orders", 20, 1));
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "secrets", 0, 0), 0,
                 "its start is not committed");
    cr_expect_null(dispatcher_fault(rig->dispatcher), "the others work");
    memory_source_refuse_topic(rig->source, NULL);
    cr_assert(rig_await_committed(rig), "it is sent again");
    cr_expect(rig_ran_each(rig, "a", "secrets", 20, 1));
}

Test(dispatcher_commit, a_topic_that_is_refused_is_sent_seldom_and_the_others_as_ever)
{
    static const struct faas_reply soon = {.latency_ms = 5};
    size_t positions;

    memory_source_topic(rig->source, "secrets", 1);
    rig->options.order = ORDER_PARTITION;
    faas_script(rig_deploy(rig, "a", "orders,secrets", NULL), &soon);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    memory_source_refuse_topic(rig->source, "secrets");
    memory_source_fill(rig->source, "secrets", 0, 5, 0);
    memory_source_fill(rig->source, "orders", 0, 20, 0);
    positions = memory_source_positions(rig->source);
    cr_assert(rig_await(rig, orders_committed)); /* not before 100 ms have passed, 10 intervals */
    positions = memory_source_positions(rig->source) - positions;
    cr_expect_geq(positions, 5, "%zu: orders wait for no back-off", positions);
    cr_expect_leq(positions, 20 + 2, "%zu: secrets back off", positions);
    cr_expect_leq(memory_source_committed(rig->source, "secrets", 0), 0);
    memory_source_refuse_topic(rig->source, NULL);
    cr_assert(rig_await_committed(rig));
}

/* What a refused topic's partition is told must be about a position of its own. */
Test(dispatcher_commit, the_answers_of_others_are_not_those_of_a_topic_made_anew)
{
    rig->options.commit_interval = 50; /* both topics' records are done within it */
    memory_source_topic(rig->source, "secrets", 1);
    rig_deploy(rig, "a", "orders,secrets", NULL);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    memory_source_refuse_topic(rig->source, "secrets");
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    memory_source_fill(rig->source, "secrets", 0, 10, 0);
    cr_assert(rig_await_metric(rig, "kafka_connector_commit_failures_total", 1));
    memory_source_make_anew(rig->source, "secrets", 0);
    memory_source_fill(rig->source, "secrets", 0, 3, 0);
    cr_assert(rig_await_metric(rig, "kafka_connector_partitions_made_anew_total", 1));
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    cr_assert(rig_await(rig, orders_committed));
    cr_expect_eq(rig_metric(rig, "kafka_connector_partition_committed_offset"
                                 "{topic=\"secrets\",partition=\"0\"}"),
                 0);
    memory_source_refuse_topic(rig->source, NULL);
    cr_assert(rig_await_committed(rig));
}

Test(dispatcher_commit, a_group_that_is_not_reached_is_a_fault_until_it_is)
{
    rig_deploy(rig, "a", "orders", NULL);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    memory_source_refuse(rig->source, 1000, SOURCE_UNREACHED);
    memory_source_fill(rig->source, "orders", 0, 20, 0);
    cr_assert(rig_await_metric(rig, "kafka_connector_commit_failures_total", 1));
    cr_expect_not_null(dispatcher_fault(rig->dispatcher));
    memory_source_refuse(rig->source, 0, SOURCE_COMMITTED);
    cr_assert(rig_await_committed(rig));
    cr_expect_null(dispatcher_fault(rig->dispatcher));
}

/* The answer to a commit that did not name a partition says nothing of it,
 * whatever came to it meanwhile. */
Test(dispatcher_commit, an_answer_is_for_those_it_names)
{
    static const char sample[] = "kafka_connector_partition_committed_offset{"
                                 "topic=\"orders\",partition=\"0\"}";

    memory_source_topic(rig->source, "bills", 1);
    rig_deploy(rig, "a", "orders,bills", NULL);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    memory_source_hold_commits(rig->source, true);
    memory_source_fill(rig->source, "bills", 0, 1, 0);
    cr_assert(rig_await_ran(rig, "a", 11));
    rig_settle(rig, 50);
    cr_assert(memory_source_committing(rig->source));
    memory_source_make_anew(rig->source, "orders", 0);
    memory_source_fill(rig->source, "orders", 0, 3, 0);
    cr_assert(rig_await_ran(rig, "a", 14));
    memory_source_answer(rig->source, SOURCE_COMMITTED);
    cr_expect_eq(rig_metric(rig, sample), 10);
    memory_source_hold_commits(rig->source, false);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(rig_metric(rig, sample), 3);
}

/* The answer to a commit of the old log's admits nothing of the new one's,
 * however high it was. */
Test(dispatcher_commit, a_commit_of_a_log_that_is_gone_admits_nothing)
{
    json *answer = json_object();

    rig->options.delivery = DELIVERY_AT_MOST_ONCE;
    rig_deploy(rig, "a", "orders", NULL);
    memory_source_fill(rig->source, "orders", 0, 50, 0);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "a", 50));
    memory_source_hold_commits(rig->source, true);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    rig_settle(rig, 50);
    cr_assert(memory_source_committing(rig->source));
    memory_source_make_anew(rig->source, "orders", 0);
    memory_source_fill(rig->source, "orders", 0, 20, 0);
    cr_assert(rig_await_metric(rig, "kafka_connector_partitions_made_anew_total", 1));
    memory_source_answer(rig->source, SOURCE_COMMITTED);
    rig_settle(rig, 50);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 60, "none of the new log's");
    dispatcher_pause(rig->dispatcher, NULL, NULL, answer);
    dispatcher_resume(rig->dispatcher, NULL, NULL, answer);
    json_free(answer);
    memory_source_hold_commits(rig->source, false);
    cr_assert(rig_await_committed(rig));
    cr_assert(rig_await_ran(rig, "a", 80));
    cr_expect(rig_ran_each(rig, "a", "orders", 20, 2));
}
