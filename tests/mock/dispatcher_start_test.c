/* dispatcher_start_test: where the reading of a partition begins, and logs that are not what they
 * were. */
#include "tests/harness/orders.h"

#include "core/lanes.h"
#include "core/progress.h"
#include "core/start.h"

#include <criterion/criterion.h>

TestSuite(dispatcher_start, .init = orders_set_up_without_function, .fini = orders_tear_down,
          .timeout = 60);

/* A log that holds 3 .. 9; one record more is appended once the start is committed. */
Test(dispatcher_start, positions)
{
    static const struct {
        enum initial_offset initial;
        int64_t committed;
        int64_t first; /* the function runs from here on */
        int64_t expired, made_anew;
        const char *sentence;
    } cases[] = {
        {INITIAL_LATEST, -1, 10, 0, 0, "nothing is committed, latest: what comes from now on"},
        {INITIAL_EARLIEST, -1, 3, 0, 0, "nothing is committed, earliest: all there is"},
        {INITIAL_LATEST, 5, 5, 0, 0, "the committed offset"},
        {INITIAL_LATEST, 10, 10, 0, 0, "the committed offset is the log's end"},
        {INITIAL_LATEST, 3, 3, 0, 0, "the committed offset is the log's first"},
        {INITIAL_LATEST, 1, 3, 2, 0, "it has expired: the earliest that is left"},
        {INITIAL_LATEST, 50, 3, 0, 1, "it lies behind the end: the topic was made anew"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (i) {
            orders_tear_down();
            orders_set_up_without_function();
        }
        rig->options.initial_offset = cases[i].initial;
        rig_deploy(rig, "a", "orders", NULL);
        memory_source_fill(rig->source, "orders", 0, 10, 0);
        memory_source_expire(rig->source, "orders", 0, 3);
        if (cases[i].committed >= 0)
            commit_before(0, cases[i].committed, 1);
        rig_start(rig);
        cr_assert(rig_await_committed(rig), "%s", cases[i].sentence);
        memory_source_fill(rig->source, "orders", 0, 1, 0);
        cr_assert(rig_await_committed(rig), "%s", cases[i].sentence);
        for (int64_t offset = 0; offset < 11; offset++)
            cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, offset),
                         offset >= cases[i].first, "%s: %lld", cases[i].sentence,
                         (long long)offset);
        cr_expect_eq(rig_metric(rig, "kafka_connector_records_expired_total"), cases[i].expired,
                     "%s", cases[i].sentence);
        cr_expect_eq(rig_metric(rig, "kafka_connector_partitions_made_anew_total"),
                     cases[i].made_anew, "%s", cases[i].sentence);
    }
}

/* They expire while the window is full. */
Test(dispatcher_start, records_that_expire_before_they_are_taken_are_counted)
{
    function = rig_deploy(rig, "a", "orders", NULL);
    rig->options.partition_window = 5;
    faas_script(function, &held);
    memory_source_fill(rig->source, "orders", 0, 20, 0);
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "a", 1));
    cr_expect_eq(memory_source_taken(rig->source), 5);
    memory_source_expire(rig->source, "orders", 0, 12);
    cr_expect_eq(rig_metric(rig, "kafka_connector_records_expired_total"), 7);
    faas_script(function, &at_once);
    faas_release(function, -1);
    cr_assert(rig_await_committed(rig));
    for (int64_t offset = 0; offset < 20; offset++)
        cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, offset),
                     offset < 5 || offset >= 12, "%lld", (long long)offset);
}

Test(dispatcher_start, a_partition_that_was_added_is_read_from_its_beginning)
{
    memory_source_topic(rig->source, "orders", 2);
    rig->options.initial_offset = INITIAL_LATEST;
    rig_deploy(rig, "a", "orders", NULL);
    memory_source_fill(rig->source, "orders", 0, 5, 0);
    memory_source_fill(rig->source, "orders", 1, 5, 0);
    commit_before(0, 5, 1); /* begun when there was one partition */
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_arrived(rig->calls, NULL), 5);
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 1, 0), 1);
}

Test(dispatcher_start, no_record_is_taken_before_the_start_is_committed)
{
    rig_deploy(rig, "a", "orders", NULL);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    memory_source_hold_commits(rig->source, true);
    rig->options.commit_interval = 60 * 1000; /* which the start does not wait for */
    rig_start(rig);
    rig_settle(rig, 300);
    cr_assert(memory_source_committing(rig->source));
    cr_expect_eq(memory_source_taken(rig->source), 0);
    memory_source_answer(rig->source, SOURCE_UNREACHED);
    rig_settle(rig, 50);
    cr_expect_eq(memory_source_taken(rig->source), 0);
    memory_source_hold_commits(rig->source, false);
    cr_assert(rig_await_ran(rig, "a", 10));
    cr_expect_eq(memory_source_committed(rig->source, "orders", 0), 0);
}

/* Killed after its first record was called: the next member goes on from the start, not from the
 * log's end of then. */
Test(dispatcher_start, latest_is_latest_of_the_first_start)
{
    function = rig_deploy(rig, "a", "orders", NULL);
    rig->options.initial_offset = INITIAL_LATEST;
    faas_script(function, &held);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    memory_source_fill(rig->source, "orders", 0, 5, 0);
    cr_assert(rig_await_arrived(rig, "a", 5));
    rig_kill(rig);
    memory_source_fill(rig->source, "orders", 0, 5, 0);
    faas_script(function, &at_once);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    for (int64_t offset = 10; offset < 20; offset++)
        cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, offset), 1);
}

Test(dispatcher_start, a_topic_made_anew_is_read_from_its_beginning)
{
    rig_deploy(rig, "a", "orders", NULL);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    memory_source_make_anew(rig->source, "orders", 0);
    memory_source_fill(rig->source, "orders", 0, 4, 0);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(memory_source_committed(rig->source, "orders", 0), 4, "below the old one");
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 3), 2);
    cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 4), 1);
    cr_expect_eq(rig_metric(rig, "kafka_connector_partitions_made_anew_total"), 1);
}

/* Kafka drops the commits of a topic that is deleted. What it has when it is there again was
 * written to be read, whatever initial_offset says. */
Test(dispatcher_start, a_topic_whose_commits_are_gone_is_read_from_its_beginning)
{
    rig->options.initial_offset = INITIAL_LATEST;
    rig_deploy(rig, "a", "orders", NULL);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 0, "they were there before the group");
    memory_source_make_anew(rig->source, "orders", 0);
    memory_source_set_committed(rig->source, "orders", 0, -1, NULL);
    memory_source_fill(rig->source, "orders", 0, 4, 0);
    memory_source_assign(rig->source);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(rig_metric(rig, "kafka_connector_partitions_made_anew_total"), 1);
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 4);
}

/* What runs for the old log ends among what runs for the new one. */
Test(dispatcher_start, a_topic_made_anew_while_the_old_one_is_under_way)
{
    static const enum order orders[] = {ORDER_NONE, ORDER_KEY, ORDER_PARTITION};

    for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
        if (i) {
            orders_tear_down();
            orders_set_up_without_function();
        }
        rig->options.order = orders[i];
        function = rig_deploy(rig, "a", "orders", NULL);
        memory_source_fill(rig->source, "orders", 0, 10, 5);
        rig_start(rig);
        cr_assert(rig_await_committed(rig));
        faas_script(function, &held);
        memory_source_fill(rig->source, "orders", 0, 10, 5);
        cr_assert(rig_await_arrived(rig, "a", 10 + (orders[i] == ORDER_PARTITION ? 1 : 5)));
        memory_source_make_anew(rig->source, "orders", 0);
        memory_source_fill(rig->source, "orders", 0, 8, 5);
        rig_settle(rig, 30);
        faas_script(function, &at_once);
        faas_release(function, -1);
        cr_assert(rig_await_committed(rig));
        cr_expect_eq(memory_source_committed(rig->source, "orders", 0), 8);
        cr_assert(rig_await_ran(rig, "a", 28));
        rig_settle(rig, 30);
        cr_expect_eq(memory_source_held(rig->source), 0);
        cr_expect_eq(rig_metric(rig, "kafka_connector_buffered_bytes"), 0);
    }
}

Test(dispatcher_start, repeated_records_are_passed_over)
{
    function = rig_deploy(rig, "a", "orders", NULL);
    rig->options.order = ORDER_PARTITION;
    faas_script(function, &held);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "a", 1));
    memory_source_rewind(rig->source, "orders", 0, 4);
    rig_settle(rig, 30);
    faas_script(function, &at_once);
    faas_release(function, -1);
    cr_assert(rig_await_committed(rig));
    cr_expect(rig_ran_each(rig, "a", "orders", 10, 1));
    cr_expect_eq(rig_metric(rig, "kafka_connector_records_repeated_total"), 6);
}

/* Its first record is not done, so nothing that comes can lie below what may be committed: only
 * what the records are tells that this is another log. */
Test(dispatcher_start, a_topic_made_anew_before_its_first_record_was_done)
{
    static const char *const firsts[] = {"0", "another", NULL};

    for (size_t i = 0; i < sizeof(firsts) / sizeof(*firsts); i++) {
        if (i) {
            orders_tear_down();
            orders_set_up_without_function();
        }
        function = rig_deploy(rig, "a", "orders", NULL);
        faas_script(function, &held);
        memory_source_fill(rig->source, "orders", 0, 10, 0);
        rig_start(rig);
        cr_assert(rig_await_arrived(rig, "a", 10));
        memory_source_make_anew(rig->source, "orders", 0);
        memory_source_append(rig->source, "orders", 0, NULL, firsts[i]);
        memory_source_fill(rig->source, "orders", 0, 3, 0);
        rig_settle(rig, 30);
        faas_script(function, &at_once);
        faas_release(function, -1);
        cr_assert(rig_await_committed(rig));
        cr_expect_eq(memory_source_committed(rig->source, "orders", 0), 4);
        cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, 0), firsts[i] ? 2 : 1);
        for (int64_t offset = 1; offset < 4; offset++)
            cr_expect_eq(call_log_ran_on(rig->calls, "a", "orders", 0, offset), 2, "%lld",
                         (long long)offset);
        cr_expect_eq(rig_metric(rig, "kafka_connector_partitions_made_anew_total"), 1);
    }
}

Test(dispatcher_start, repeated_records_that_were_skipped_are_skipped_again)
{
    function = rig_deploy(rig, "a", "orders", NULL);
    faas_script(function, &held);
    memory_source_fill(rig->source, "orders", 0, 2, 0);
    memory_source_append(rig->source, "orders", 0, NULL, NULL);
    memory_source_fill(rig->source, "orders", 0, 2, 0);
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "a", 4));
    memory_source_rewind(rig->source, "orders", 0, 0);
    cr_assert(rig_await_metric(rig, "kafka_connector_records_repeated_total", 5));
    faas_script(function, &at_once);
    faas_release(function, -1);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 4);
    cr_expect_eq(rig_metric(rig, "kafka_connector_partitions_made_anew_total"), 0);
}

/* Of one topic nothing can be read at first. */
Test(dispatcher_start, partitions_that_follow_later_join_those_that_work)
{
    rig_deploy(rig, "a", "orders,late", NULL);
    memory_source_topic(rig->source, "late", 2);
    memory_source_fill(rig->source, "orders", 0, 20, 0);
    memory_source_fill(rig->source, "late", 0, 20, 0);
    memory_source_unread(rig->source, "late");
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "a", 20));
    cr_expect_eq(rig_metric(rig, "kafka_connector_partitions"), 1);
    memory_source_fill(rig->source, "orders", 0, 20, 0);
    memory_source_assign_rest(rig->source);
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(rig_metric(rig, "kafka_connector_partitions"), 3);
    cr_expect(rig_ran_each(rig, "a", "orders", 40, 1));
    cr_expect(rig_ran_each(rig, "a", "late", 20, 1));
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
}

Test(dispatcher_start, partitions_that_follow_while_stopping_are_left_alone)
{
    function = rig_deploy(rig, "a", "orders,late", NULL);
    faas_script(function, &held);
    memory_source_topic(rig->source, "late", 1);
    memory_source_fill(rig->source, "orders", 0, 1, 0);
    memory_source_fill(rig->source, "late", 0, 20, 0);
    memory_source_unread(rig->source, "late");
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "a", 1));
    rig_stop(rig, RIG_PATIENCE_MS);
    memory_source_assign_rest(rig->source);
    faas_release(function, -1);
    cr_assert(rig_await_stopped(rig));
    cr_expect_eq(call_log_arrived(rig->calls, "a"), 1);
    cr_expect_eq(memory_source_committed(rig->source, "orders", 0), 1);
}
