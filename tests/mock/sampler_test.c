/* What kafka/sampler reads of groups and logs, against librdkafka's mock brokers. */
#include "core/lag.h"
#include "kafka/mock.h"
#include "tests/harness/await.h"
#include "tests/harness/sampling.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

enum { API_LIST_OFFSETS = 2, API_OFFSET_FETCH = 9, BROKERS = 3 };

static struct mock *mock;

static void set_up(void)
{
    const char *reason = NULL;

    mock = mock_new(BROKERS, &reason);
    cr_assert_not_null(mock, "%s", reason);
    sampling_open(mock_bootstrap(mock), NULL, 0);
}

static void tear_down(void)
{
    sampling_close();
    mock_free(mock);
}

TestSuite(sampler, .init = set_up, .fini = tear_down, .timeout = 240);

static struct sampler_interest *ask(const char *group, const char *topic)
{
    return sampler_ask(sampling.sampler, group, topic, 10);
}

/* Three partitions of ten records, the group's commit at 4 in the first. */
static struct sampler_interest *orders(void)
{
    mock_create_topic(mock, "orders", 3);
    sampling_produce("orders", 3, 10);
    sampling_commit("workers", "orders", 0, 4);
    return ask("workers", "orders");
}

static int64_t requests(void)
{
    struct sampler_counts counts = sampler_counts(sampling.sampler);
    int64_t all = 0;

    for (int kind = 0; kind < SAMPLER_REQUEST_KINDS; kind++)
        all += counts.requests[kind];
    return all;
}

/* ---- what is read ---- */

static bool has_asked(void *context)
{
    return sampler_counts(sampling.sampler).requests[SAMPLER_OFFSET_FETCH] > *(int64_t *)context;
}

/* It is not in the question that is under way, so nothing says that nothing is committed in it. */
Test(sampler, a_topic_asked_for_while_its_group_is_asked_is_not_taken_for_uncommitted)
{
    struct sampler_interest *first = orders(), *second;
    int64_t questions;

    mock_create_topic(mock, "returns", 1);
    sampling_produce("returns", 1, 5);
    sampling_commit("workers", "returns", 0, 3);
    sampling_await_ticks(1);
    questions = sampler_counts(sampling.sampler).requests[SAMPLER_OFFSET_FETCH];
    for (int broker = 1; broker <= BROKERS; broker++)
        mock_set_delay(mock, broker, 300);
    cr_assert(await(&sampling.loop, has_asked, &questions, SAMPLING_PATIENCE_MS));
    second = ask("workers", "returns");
    while (!sampler_next_topic(second, NULL) || !sampler_next_topic(second, NULL)->count)
        sampling_await_ticks(1);
    cr_expect_neq(sampling_partition(second, 0)->offsets.committed, OFFSET_NONE);
    sampling_await_ticks(1);
    cr_expect_eq(sampling_partition(second, 0)->offsets.committed, 3);
    sampler_drop(second);
    sampler_drop(first);
}

Test(sampler, reads_commits_starts_and_ends)
{
    struct sampler_interest *interest = orders();

    cr_expect_eq(sampler_ticked_ms(sampling.sampler), -1);
    sampling_await_ticks(1);
    cr_expect_null(sampler_fault(sampling.sampler));
    cr_expect_eq(sampler_group_of(interest)->access, SAMPLER_ADMIN);
    cr_expect_str_eq(sampler_next_topic(interest, NULL)->name, "orders");
    cr_assert_eq(sampler_next_topic(interest, NULL)->count, 3);
    cr_expect_eq(sampling_partition(interest, 0)->offsets.committed, 4);
    cr_expect_eq(sampling_partition(interest, 0)->offsets.start, OFFSET_UNKNOWN, "not needed");
    cr_expect_eq(sampling_partition(interest, 0)->offsets.end, 10);
    cr_expect_eq(sampling_partition(interest, 1)->offsets.committed, OFFSET_NONE);
    cr_expect_eq(sampling_partition(interest, 1)->offsets.start, 0);
    cr_expect_eq(sampling_lag(interest, 0), 6);
    cr_expect_eq(sampling_lag(interest, 2), 10);
    cr_expect_eq(sampling_partition(interest, 0)->read_ms, sampler_ticked_ms(sampling.sampler));
    cr_expect_null(sampler_next_topic(interest, sampler_next_topic(interest, NULL)));
    sampler_drop(interest);
}

Test(sampler, follows_what_is_written_and_committed)
{
    struct sampler_interest *interest = orders();
    const struct history *history;

    sampling_await_ticks(2);
    sampling_produce("orders", 3, 5);
    sampling_await_ticks(2);
    cr_expect_eq(sampling_lag(interest, 0), 11);
    sampling_commit("workers", "orders", 0, 15);
    sampling_await_ticks(2);
    cr_expect_eq(sampling_lag(interest, 0), 0);
    history = &sampling_partition(interest, 0)->history;
    cr_assert_geq(history_count(history), 4);
    for (size_t i = 1; i < history_count(history); i++)
        cr_expect_eq(history_at(history, i).at_ms % SAMPLING_INTERVAL_MS, 0,
                     "but for the first, at multiples of the interval");
    sampler_drop(interest);
}

Test(sampler, groups_share_a_topic_and_nothing_else)
{
    struct sampler_interest *workers = orders(), *others = ask("others", "orders"),
                            *again = ask("workers", "orders");

    sampling_await_ticks(1);
    cr_expect_eq(sampling_lag(workers, 0), 6);
    cr_expect_eq(sampling_lag(others, 0), 10);
    cr_expect_eq(sampler_next_topic(workers, NULL), sampler_next_topic(again, NULL));
    sampler_drop(workers);
    sampling_await_ticks(2);
    cr_expect_eq(sampling_lag(again, 0), 6, "still asked for");
    cr_expect_gt(history_count(&sampling_partition(again, 0)->history), 1);
    sampler_drop(again);
    sampler_drop(others);
}

Test(sampler, asks_once_for_everybody)
{
    enum { ALL = 250, TICKS = 5 };
    struct sampler_interest *interests[ALL];
    int64_t before;

    mock_create_topic(mock, "orders", 3);
    mock_create_topic(mock, "returns", 3);
    for (int i = 0; i < ALL; i++) {
        char group[32];

        snprintf(group, sizeof(group), "group-%d", i);
        interests[i] = ask(group, i % 2 ? "orders" : "returns");
    }
    sampling_await_ticks(1);
    cr_expect_leq(requests(), 2 * ALL + 50, "with the starts: %d", (int)requests());
    for (int i = 0; i < TICKS; i++) {
        before = requests();
        sampling_await_ticks(1);
        cr_expect_leq(requests() - before, 2 * ALL + BROKERS + 1, "%d", (int)(requests() - before));
    }
    for (int i = 0; i < ALL; i++) {
        cr_expect_eq(sampling_lag(interests[i], 0), 0);
        sampler_drop(interests[i]);
    }
}

/* What the client asks when it connects is librdkafka's own. */
Test(sampler, without_interests_asks_nothing)
{
    sampler_drop(orders());
    await_time(&sampling.loop, 6 * SAMPLING_INTERVAL_MS);
    cr_expect_eq(sampling.ticks, 0);
    cr_expect_eq(sampler_counts(sampling.sampler).requests[SAMPLER_LIST_OFFSETS], 0);
    cr_expect_eq(sampler_counts(sampling.sampler).requests[SAMPLER_OFFSET_FETCH], 0);
}

static void on_ticked(void *context)
{
    (void)context;
}

Test(sampler, a_client_that_cannot_be_made_is_a_fault)
{
    char *broker = "127.0.0.1:9092";
    char *properties[] = {"security.protocol=SSL", "ssl.ca.location=/nonexistent/ca.pem"};
    struct kafka_options kafka = {{&broker, 1}, "test", {properties, 2}};
    const struct sampler_setup setup = {.loop = &sampling.loop,
                                        .kafka = &kafka,
                                        .interval_ms = 1000,
                                        .timeout_ms = 1000,
                                        .ticked = on_ticked};
    struct option_faults faults = {0};

    cr_expect_null(sampler_new(&setup, &faults));
    cr_assert_eq(faults.count, 1);
    cr_expect_not_null(strstr(faults.items[0], "ssl.ca.location"), "%s", faults.items[0]);
    option_faults_release(&faults);
}

/* Their answers come when nobody waits for them any more. */
Test(sampler, interests_may_go_while_they_are_asked_about)
{
    for (int i = 0; i < 20; i++) {
        struct sampler_interest *interest = i ? ask("workers", "orders") : orders();

        await_time(&sampling.loop, 1 + 13 * (i % 10));
        sampler_drop(interest);
        await_time(&sampling.loop, 1 + 7 * (i % 5));
    }
    cr_expect_gt(sampling.ticks, 0);
}

/* ---- what cannot be read ---- */

Test(sampler, a_group_that_may_not_be_read_is_hidden_not_at_zero)
{
    struct sampler_interest *interest = orders();

    mock_push_errors(mock, API_OFFSET_FETCH, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 1);
    sampling_await_ticks(1);
    cr_expect_eq(sampler_group_of(interest)->access, SAMPLER_NO_ACL);
    cr_expect_null(sampler_group_of(interest)->error);
    cr_expect_eq(sampling_partition(interest, 0)->offsets.committed, OFFSET_HIDDEN);
    cr_expect_eq(sampling_lag(interest, 0), 10, "the whole log");
    sampling_await_ticks(1);
    cr_expect_eq(sampler_group_of(interest)->access, SAMPLER_ADMIN, "the right was granted");
    cr_expect_eq(sampling_lag(interest, 0), 6);
    sampler_drop(interest);
}

Test(sampler, a_group_without_an_answer_keeps_what_was_known)
{
    struct sampler_interest *interest = orders();
    const struct sampler_partition *partition;

    sampling_await_ticks(2);
    sampling_produce("orders", 3, 5);
    mock_push_errors(mock, API_OFFSET_FETCH, RD_KAFKA_RESP_ERR_UNKNOWN, 1);
    do
        sampling_await_ticks(1);
    while (!sampler_group_of(interest)->error);
    partition = sampling_partition(interest, 0);
    cr_expect_not_null(partition->error);
    cr_expect_eq(partition->offsets.committed, 4);
    cr_expect_lt(partition->read_ms, sampler_ticked_ms(sampling.sampler));
    cr_expect_geq(history_missed(&partition->history), 1);
    sampling_await_ticks(1);
    cr_expect_null(sampler_group_of(interest)->error);
    cr_expect_eq(sampling_lag(interest, 0), 11);
    cr_expect_eq(history_missed(&sampling_partition(interest, 0)->history), 0);
    sampler_drop(interest);
}

Test(sampler, a_partition_without_a_leader_holds_up_no_other)
{
    struct sampler_interest *interest = orders();

    sampling_await_ticks(1);
    mock_set_leader(mock, "orders", 1, 0);
    sampling_await_ticks(2);
    sampling_produce("orders", 1, 5);
    sampling_await_ticks(2);
    cr_expect_eq(sampling_lag(interest, 0), 11);
    cr_expect_null(sampling_partition(interest, 0)->error);
    cr_expect_str_eq(sampling_partition(interest, 1)->error, "it has no leader");
    cr_expect_eq(sampling_lag(interest, 1), 10, "the last value");
    mock_set_leader(mock, "orders", 1, 2);
    sampling_await_ticks(2);
    cr_expect_null(sampling_partition(interest, 1)->error);
    sampler_drop(interest);
}

/* A broker-side error on any entry loses librdkafka's whole call. */
Test(sampler, an_error_of_one_broker_loses_only_its_own)
{
    struct sampler_interest *interest = orders();

    sampling_await_ticks(1);
    sampling_produce("orders", 3, 5);
    mock_push_errors(mock, API_LIST_OFFSETS, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, 1);
    sampling_await_ticks(2);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_null(sampling_partition(interest, i)->error);
        cr_expect_eq(sampling_partition(interest, i)->offsets.end, 15);
    }
    sampler_drop(interest);
}

static bool is_missing(void *interest)
{
    return sampler_next_topic(interest, NULL)->missing;
}

static bool has_partitions(void *interest)
{
    return sampler_next_topic(interest, NULL)->count > 0 &&
           !sampler_next_topic(interest, NULL)->missing;
}

Test(sampler, a_missing_topic_has_nothing_that_waits)
{
    struct sampler_interest *interest = orders();

    mock_hide_topic(mock, "orders", true);
    sampling_await_ticks(1);
    cr_expect(is_missing(interest));
    cr_expect_eq(sampler_next_topic(interest, NULL)->count, 0);
    mock_hide_topic(mock, "orders", false);
    cr_assert(sampling_await(has_partitions, interest));
    cr_expect_eq(sampling_lag(interest, 0), 6);
    sampler_drop(interest);
}

Test(sampler, a_topic_is_believed_to_be_gone_when_it_is_said_twice)
{
    struct sampler_interest *interest = orders();
    unsigned ticks;

    sampling_await_ticks(1);
    mock_hide_topic(mock, "orders", true);
    ticks = sampling.ticks;
    cr_assert(sampling_await(is_missing, interest));
    cr_expect_geq(sampling.ticks, ticks + 2);
    cr_expect_eq(sampler_next_topic(interest, NULL)->count, 0);
    sampler_drop(interest);
}

/* ---- brokers that go ---- */

static bool has_fault(void *context)
{
    (void)context;
    return sampler_fault(sampling.sampler) != NULL;
}

static void all_brokers(void (*what)(struct mock *mock, int32_t broker))
{
    for (int32_t broker = 1; broker <= BROKERS; broker++)
        what(mock, broker);
}

Test(sampler, waits_for_brokers_that_are_away_at_its_start)
{
    struct sampler_interest *interest = orders();

    all_brokers(mock_broker_down);
    cr_assert(sampling_await(has_fault, NULL));
    cr_expect_eq(sampler_group_of(interest)->access, SAMPLER_UNREAD);
    cr_expect_null(sampling_partition(interest, 0));
    all_brokers(mock_broker_up);
    cr_assert(sampling_await(sampling_is_read, interest));
    cr_expect_eq(sampling_lag(interest, 0), 6);
    sampler_drop(interest);
}

Test(sampler, keeps_what_it_knew_while_all_brokers_are_away)
{
    struct sampler_interest *interest = orders();

    sampling_await_ticks(2);
    all_brokers(mock_broker_down);
    cr_assert(sampling_await(has_fault, NULL));
    cr_expect_eq(sampling_lag(interest, 0), 6);
    cr_expect_not_null(sampling_partition(interest, 0)->error);
    cr_expect_gt(history_missed(&sampling_partition(interest, 0)->history), 0);
    all_brokers(mock_broker_up);
    cr_assert(sampling_await(sampling_is_read, interest));
    cr_expect_eq(sampling_lag(interest, 0), 6);
    sampler_drop(interest);
}

static bool is_third_unread(void *context)
{
    const struct sampler_interest *interest = context;
    const struct sampler_partition *third = sampling_partition(interest, 2);

    return !sampler_fault(sampling.sampler) && !sampler_group_of(interest)->error && third->error &&
           !sampling_partition(interest, 0)->error;
}

/* For so many ticks in a row; before that it may be asked for metadata, in vain. */
static bool stays_third_unread(void *interest)
{
    enum { IN_A_ROW = 16, MOST = 60 };
    int good = 0;

    for (int tick = 0; tick < MOST && good < IN_A_ROW; tick++) {
        sampling_await_ticks(1);
        good = is_third_unread(interest) ? good + 1 : 0;
    }
    return good == IN_A_ROW;
}

/* Frozen, not gone: its answers come too late. It is left alone even when it is the one that was
 * asked for metadata and coordinators until then. */
static void freeze(int32_t broker)
{
    struct sampler_interest *interest = orders();

    for (int32_t i = 0; i < 3; i++)
        mock_set_leader(mock, "orders", i, i == 2 ? broker : broker % BROKERS + 1);
    mock_set_coordinator(mock, "workers", broker % BROKERS + 1);
    sampling_await_ticks(2);
    mock_set_delay(mock, broker, 20 * SAMPLING_TIMEOUT_MS);
    cr_assert(sampling_await(is_third_unread, interest));
    sampling_produce("orders", 2, 5);
    cr_assert(stays_third_unread(interest), "the others are read");
    cr_expect_eq(sampling_lag(interest, 0), 11);
    cr_expect_eq(sampling_lag(interest, 2), 10);
    mock_set_delay(mock, broker, 0);
    cr_assert(sampling_await(sampling_is_read, interest));
    sampler_drop(interest);
}

Test(sampler, a_frozen_broker_holds_up_only_what_is_its)
{
    freeze(3);
}

Test(sampler, whichever_it_is)
{
    freeze(1);
}

static bool is_group_late(void *interest)
{
    return sampler_group_of(interest)->error != NULL;
}

/* It is the coordinator, and stays frozen: for ten minutes its group's question is not answered,
 * and no other put. */
Test(sampler, a_group_that_is_never_answered_has_the_client_replaced)
{
    struct sampler_interest *interest;

    sampling_close();
    sampling = (struct sampling){.unanswered_ms = 3000};
    sampling_open(mock_bootstrap(mock), NULL, 0);
    interest = orders();
    for (int32_t i = 0; i < 3; i++)
        mock_set_leader(mock, "orders", i, 1);
    mock_set_coordinator(mock, "workers", 3);
    sampling_await_ticks(2);
    mock_set_delay(mock, 3, 600000);
    cr_assert(sampling_await(is_group_late, interest));
    mock_set_coordinator(mock, "workers", 2);
    cr_assert(sampling_await(sampling_is_read, interest));
    cr_expect_geq(sampler_counts(sampling.sampler).replaced, 1);
    sampler_drop(interest);
}

Test(sampler, a_coordinator_that_has_moved_is_followed_within_the_tick)
{
    struct sampler_interest *interest = orders();

    sampling_await_ticks(1);
    mock_push_errors(mock, API_OFFSET_FETCH, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, 1);
    sampling_commit("workers", "orders", 0, 7);
    sampling_await_ticks(2);
    cr_expect_null(sampler_group_of(interest)->error);
    cr_expect_eq(history_count(&sampling_partition(interest, 0)->history), 3, "none was missed");
    cr_expect_eq(sampling_lag(interest, 0), 3);
    sampler_drop(interest);
}

Test(sampler, follows_a_coordinator_that_moves)
{
    struct sampler_interest *interest = orders();

    for (int32_t i = 0; i < 10; i++) {
        mock_set_coordinator(mock, "workers", i % BROKERS + 1);
        sampling_commit("workers", "orders", 0, 4 + i % 6);
        sampling_await_ticks(2);
        cr_assert(sampling_await(sampling_is_read, interest));
        cr_expect_eq(sampling_lag(interest, 0), 6 - i % 6);
    }
    sampler_drop(interest);
}
