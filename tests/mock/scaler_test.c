/* scaler: what KEDA is answered, on librdkafka's mock brokers: who is scaled for what, what a spike
 * does, and what is said while Kafka is away. */
#include "kafka/mock.h"
#include "tests/harness/await.h"
#include "tests/harness/scaling.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define ORDERS  "topic=orders", "consumerGroup=workers"
#define RETURNS "topic=returns", "consumerGroup=others"
#define QUICK   "samplingInterval=1", "sustainSeconds=2", "scaleDownStabilization=2"
#define AT_ONCE                                                                                    \
    "samplingInterval=1", "sustainSeconds=0", "scaleUpStabilization=0", "scaleDownStabilization=0"

static struct mock *mock;
static struct cluster *workers, *others;

static void open_with(const char *const *flags)
{
    const char *reason = NULL;

    mock = mock_new(1, &reason);
    cr_assert(mock, "%s", reason);
    mock_create_topic(mock, "orders", 2);
    mock_create_topic(mock, "returns", 1);
    workers = cluster_new(mock_bootstrap(mock), "workers");
    others = cluster_new(mock_bootstrap(mock), "others");
    scaling_open(mock_bootstrap(mock), flags);
}

static void tear_down(void)
{
    scaling_close();
    cluster_free(workers);
    cluster_free(others);
    mock_free(mock);
}

TestSuite(scaler, .fini = tear_down, .timeout = 240);

/* So many wait in the first partition, 0 in the other. */
static void backlog(int records)
{
    cluster_commit(workers, "orders", 0, 0);
    cluster_commit(workers, "orders", 1, 0);
    cluster_write(workers, "orders", 0, records);
}

/* ---- answers ---- */

static bool is_active(const struct scaler_answer *answer)
{
    return answer->status == SCALER_OK && answer->active;
}

static bool is_up(const struct scaler_answer *answer)
{
    return is_active(answer) && answer->value > 0;
}

static bool is_idle(const struct scaler_answer *answer)
{
    return answer->status == SCALER_OK && !answer->active;
}

static bool is_known(const struct scaler_answer *answer)
{
    return answer->status == SCALER_OK;
}

static bool is_unknown(const struct scaler_answer *answer)
{
    return answer->status == SCALER_UNAVAILABLE;
}

static bool says(const struct scaler_answer *answer, const char *words)
{
    return strstr(answer->reason, words) != NULL;
}

static bool is_recovering(const struct scaler_answer *answer)
{
    return is_unknown(answer) && strncmp(answer->reason, "recovering: ", 12) == 0 &&
           says(answer, "how long before the start is not known");
}

static bool is_waiting(const struct scaler_answer *answer)
{
    return is_active(answer) && says(answer, "nobody consumes");
}

static bool is_lingering(const struct scaler_answer *answer)
{
    return is_active(answer) && says(answer, "active until no more than 5 wait; 6 do");
}

static bool is_draining_or_short(const struct scaler_answer *answer)
{
    return is_idle(answer) && (says(answer, "not yet for") || says(answer, "it falls"));
}

#define EXPECT(name, metadata, holds)                                                              \
    cr_expect(scaling_await((name), (metadata), (holds)), "%s", scaling_last())

/* ---- who is scaled ---- */

Test(scaler, two_objects_are_answered_each_for_itself)
{
    const char *const orders[] = {ORDERS, AT_ONCE, "lagThreshold=10", NULL};
    const char *const returns[] = {RETURNS, AT_ONCE, "lagThreshold=5", NULL};
    struct scaler_answer answer;

    open_with(NULL);
    backlog(30);
    cluster_commit(others, "returns", 0, 0);
    EXPECT("orders", orders, is_active);
    EXPECT("returns", returns, is_idle);
    answer = scaling_ask("orders", orders);
    cr_expect_eq(answer.value, 20, "two partitions' worth of 30: %s", scaling_last());
    cr_expect_eq(answer.target, 10);
    answer = scaling_ask("returns", returns);
    cr_expect_eq(answer.value, 0);
    cr_expect_eq(answer.target, 5);
    cluster_write(others, "returns", 0, 3);
    EXPECT("returns", returns, is_active);
    cr_expect_eq(scaling_ask("returns", returns).value, 3);
}

Test(scaler, two_triggers_of_one_scaled_object_are_two)
{
    const char *const orders[] = {ORDERS, AT_ONCE, NULL};
    const char *const returns[] = {RETURNS, AT_ONCE, NULL};

    open_with(NULL);
    backlog(30);
    cluster_commit(others, "returns", 0, 0);
    EXPECT("app", orders, is_active);
    EXPECT("app", returns, is_idle);
    EXPECT("app", orders, is_active);
}

Test(scaler, the_order_of_metadata_is_no_difference)
{
    char *text;

    open_with(NULL);
    scaling_ask("app", SCALING{"topic=orders", "consumerGroup=workers", NULL});
    scaling_ask("app", SCALING{"consumerGroup=workers", "topic=orders", NULL});
    text = metrics_text(scaling.metrics, NULL);
    cr_expect(strstr(text, "\nkafka_connector_scaled_objects 1\n"), "%s", text);
    free(text);
}

Test(scaler, calls_without_metadata_are_about_the_process_own_group)
{
    open_with(SCALING{"--consumerGroup=workers", "--topic=orders", "--sustainSeconds=0",
                      "--samplingInterval=1", "--scaleUpStabilization=0",
                      "--scaleDownStabilization=0", NULL});
    backlog(3);
    EXPECT("whatever", NULL, is_active);
    cr_expect_eq(scaling_ask("anything", NULL).value, 3, "%s", scaling_last());
}

/* The mock brokers tell of no commits where all are asked for: the group has committed nowhere. */
Test(scaler, a_group_that_has_committed_nowhere_has_no_lag)
{
    const char *const all[] = {"consumerGroup=workers", AT_ONCE, NULL};

    open_with(NULL);
    EXPECT("app", all, is_idle);
    cr_expect_eq(scaling_ask("app", all).value, 0, "%s", scaling_last());
}

/* The second object finds the group read, but as the first has asked for it. */
Test(scaler, what_was_read_of_one_topic_is_not_all_of_the_group)
{
    const char *const orders[] = {ORDERS, AT_ONCE, NULL};
    const char *const all[] = {"consumerGroup=workers", AT_ONCE, NULL};
    struct scaler_answer answer;

    open_with(NULL);
    cluster_commit(workers, "orders", 0, 0);
    EXPECT("app", orders, is_known);
    answer = scaling_ask("app", all);
    cr_expect(is_unknown(&answer), "%s", scaling_last());
    cr_expect(says(&answer, "group workers was not read yet"), "%s", scaling_last());
    EXPECT("app", all, is_known);
}

/* ---- metadata ---- */

Test(scaler, metadata_that_is_edited_judges_the_history_that_is_there)
{
    const char *const before[] = {ORDERS, QUICK, "lagThreshold=1000", NULL};
    const char *const after[] = {ORDERS, QUICK, "lagThreshold=10", NULL};
    struct scaler_answer answer;

    open_with(NULL);
    backlog(30);
    EXPECT("app", before, is_waiting);
    answer = scaling_ask("app", after);
    cr_expect(is_active(&answer), "%s", scaling_last());
    cr_expect(says(&answer, "has been over 10 for"), "%s", scaling_last());
    cr_expect_eq(answer.value, 20);
}

/* The value of one that is up is none of nothing only because a line of its YAML was changed. */
Test(scaler, metadata_that_is_edited_does_not_drop_what_is_up)
{
    const char *const before[] = {ORDERS, "samplingInterval=1", "sustainSeconds=2",
                                  "lagThreshold=10", NULL};
    const char *const after[] = {ORDERS, "samplingInterval=1", "sustainSeconds=3",
                                 "lagThreshold=20", NULL};
    struct scaler_answer answer;

    open_with(NULL);
    backlog(30);
    EXPECT("app", before, is_up);
    cluster_commit(workers, "orders", 0, 30);
    cr_expect(scaling_await("app", before, is_known));
    answer = scaling_ask("app", after);
    cr_expect(is_active(&answer), "%s", scaling_last());
    cr_expect_eq(answer.value, 40, "the same two replicas: %s", scaling_last());
}

static void expect_status(const char *part)
{
    struct admin_subject subject = scaler_subject(scaling.scaler);
    json *status = json_object();
    char *text;

    subject.status(subject.context, status);
    text = json_print(status, false);
    cr_expect(strstr(text, part), "no %s in %s", part, text);
    free(text);
    json_free(status);
}

Test(scaler, its_status_tells_the_lag_beside_the_threshold)
{
    const char *const object[] = {ORDERS, AT_ONCE, "lagThreshold=10", NULL};

    open_with(NULL);
    scaling_ask("app", object);
    expect_status("\"highestLag\":-1,\"longestStretchSeconds\":-1");
    backlog(30);
    EXPECT("app", object, is_up);
    expect_status("\"target\":10,\"sustainSeconds\":0");
    expect_status("\"lag\":30,\"highestLag\":30,\"longestStretchSeconds\":");
}

Test(scaler, a_spec_needs_no_sample)
{
    struct scaler_ref ref;
    struct scaler_answer answer;

    open_with(NULL);
    ref = scaling_ref("app", SCALING{ORDERS, "lagThreshold=77", NULL});
    answer = scaler_spec(scaling.scaler, &ref);
    cr_expect_eq(answer.status, SCALER_OK);
    cr_expect_eq(answer.target, 77);
}

Test(scaler, as_much_metadata_is_read_as_gRPC_lets_through)
{
    struct scaler_entry entries[SCALER_ENTRIES_MAX];
    struct scaler_ref ref = {"default", "app", entries, SCALER_ENTRIES_MAX};
    char keys[SCALER_ENTRIES_MAX][16];
    struct scaler_answer answer;

    for (int i = 0; i < SCALER_ENTRIES_MAX; i++) {
        snprintf(keys[i], sizeof(keys[i]), "key%d", i);
        entries[i] = (struct scaler_entry){keys[i], "x"};
    }
    entries[0] = (struct scaler_entry){"consumerGroup", "workers"};
    entries[1] = (struct scaler_entry){"lagThreshold", "77"};
    open_with(NULL);
    answer = scaler_spec(scaling.scaler, &ref);
    cr_expect_eq(answer.status, SCALER_OK, "%s", answer.reason);
    cr_expect_eq(answer.target, 77);
}

/* ---- a lag through time ---- */

Test(scaler, two_hundred_records_wake_a_target_from_nothing)
{
    const char *const object[] = {ORDERS, QUICK, "activationLagThreshold=5", NULL};

    open_with(NULL);
    backlog(200);
    EXPECT("app", object, is_waiting);
    cr_expect_eq(scaling_ask("app", object).value, 0, "under 500 no more than one is called for");
    cluster_commit(workers, "orders", 0, 194);
    cr_expect(scaling_await_without("app", object, is_lingering, is_idle), "%s", scaling_last());
    cluster_commit(workers, "orders", 0, 195);
    EXPECT("app", object, is_idle);
}

Test(scaler, a_lag_that_lasts_is_scaled_for_and_then_not)
{
    const char *const object[] = {ORDERS, QUICK, "lagThreshold=10", NULL};

    open_with(NULL);
    cluster_commit(workers, "orders", 0, 0);
    cluster_commit(workers, "orders", 1, 0);
    EXPECT("app", object, is_idle);
    cluster_write(workers, "orders", 0, 30);
    EXPECT("app", object, is_draining_or_short);
    EXPECT("app", object, is_up);
    cluster_commit(workers, "orders", 0, 30);
    EXPECT("app", object, is_idle);
    cr_expect_eq(scaling_ask("app", object).value, 0);
}

Test(scaler, after_a_restart_a_lag_of_unknown_age_is_no_idle_answer)
{
    const char *const object[] = {ORDERS, QUICK, "lagThreshold=10", NULL};

    open_with(NULL);
    backlog(30);
    EXPECT("app", object, is_active);
    scaling_restart();
    cr_expect(scaling_await_without("app", object, is_recovering, is_idle), "%s", scaling_last());
    cr_expect(scaling_await_without("app", object, is_active, is_idle), "%s", scaling_last());
}

/* ---- Kafka away ---- */

static bool names_the_fault(const struct scaler_answer *answer)
{
    return is_unknown(answer) && says(answer, "no broker answers");
}

Test(scaler, while_kafka_is_away_the_last_answer_stands_and_then_none)
{
    const char *const object[] = {ORDERS, AT_ONCE, NULL};

    open_with(NULL);
    backlog(30);
    EXPECT("app", object, is_active);
    mock_broker_down(mock, 1);
    cr_expect(scaling_await_without("app", object, names_the_fault, is_idle), "%s", scaling_last());
    mock_broker_up(mock, 1);
    cr_expect(scaling_await_without("app", object, is_active, is_idle), "%s", scaling_last());
    cr_expect_eq(scaling_ask("app", object).value, 30);
}

static bool is_missing(const struct scaler_answer *answer)
{
    return is_unknown(answer) && says(answer, "topic returns does not exist");
}

Test(scaler, a_topic_that_is_not_there_is_no_lag_of_nothing)
{
    const char *const object[] = {RETURNS, AT_ONCE, NULL};

    open_with(NULL);
    mock_hide_topic(mock, "returns", true);
    cr_expect(scaling_await_without("app", object, is_missing, is_known), "%s", scaling_last());
    mock_hide_topic(mock, "returns", false);
    EXPECT("app", object, is_known);
}

/* ---- who is forgotten ---- */

static bool is_forgotten(void *context)
{
    char *text = metrics_text(scaling.metrics, NULL);
    bool gone = strstr(text, "\nkafka_connector_scaled_objects 0\n");

    (void)context;
    free(text);
    return gone;
}

Test(scaler, who_is_not_asked_about_is_forgotten_with_its_cluster)
{
    const char *const object[] = {ORDERS, AT_ONCE, NULL};
    char *text;

    open_with(SCALING{"--object_ttl=1s", NULL});
    EXPECT("app", object, is_known);
    text = metrics_text(scaling.metrics, NULL);
    cr_expect(strstr(text, "kafka_consumergroup_lag{consumergroup=\"workers\",topic=\"orders\""),
              "%s", text);
    free(text);
    cr_expect(await(&scaling.loop, is_forgotten, NULL, SCALING_PATIENCE_MS));
    text = metrics_text(scaling.metrics, NULL);
    cr_expect_null(strstr(text, "orders"), "%s", text);
    cr_expect(strstr(text, "\nkafka_connector_clusters 0\n"), "%s", text);
    free(text);
    EXPECT("app", object, is_known);
}

static bool is_one_left(void *context)
{
    char *text = metrics_text(scaling.metrics, NULL);
    bool one = strstr(text, "\nkafka_connector_scaled_objects 1\n");

    free(text);
    scaling_ask("app", context);
    return one;
}

Test(scaler, of_many_edits_of_one_the_one_asked_about_stays)
{
    static const char *edited[] = {ORDERS, AT_ONCE, "lagThreshold=2", NULL};

    open_with(SCALING{"--object_ttl=1s", NULL});
    scaling_ask("app", SCALING{ORDERS, AT_ONCE, "lagThreshold=1", NULL});
    scaling_ask("app", edited);
    scaling_ask("app", SCALING{ORDERS, AT_ONCE, "lagThreshold=3", NULL});
    scaling_ask("app", SCALING{ORDERS, AT_ONCE, "lagThreshold=4", NULL});
    cr_expect(await(&scaling.loop, is_one_left, edited, SCALING_PATIENCE_MS));
    scaling_ask("app", SCALING{ORDERS, AT_ONCE, "lagThreshold=5", NULL});
    EXPECT("app", edited, is_known);
}

static int told;

static void count_told(void *context, const struct scaler_answer *answer)
{
    (void)context;
    (void)answer;
    told++;
}

static bool is_told(void *context)
{
    return told >= *(int *)context;
}

Test(scaler, who_watches_is_told_of_changes_and_not_forgotten)
{
    struct scaler_watcher *watcher;
    struct scaler_answer first;
    struct scaler_ref ref;

    open_with(SCALING{"--object_ttl=1s", NULL});
    cluster_commit(workers, "orders", 0, 0);
    cluster_commit(workers, "orders", 1, 0);
    ref = scaling_ref("app", SCALING{ORDERS, AT_ONCE, NULL});
    watcher = scaler_watch(scaling.scaler, &ref, count_told, NULL, &first);
    cr_assert(watcher);
    cr_expect_eq(first.status, SCALER_UNAVAILABLE, "not read yet");
    cr_expect(await(&scaling.loop, is_told, &(int){1}, SCALING_PATIENCE_MS), "known, idle");
    await_time(&scaling.loop, 2500); /* longer than object_ttl */
    cr_expect_eq(told, 1, "nothing has changed");
    cluster_write(workers, "orders", 0, 3);
    cr_expect(await(&scaling.loop, is_told, &(int){2}, SCALING_PATIENCE_MS), "active");
    cluster_commit(workers, "orders", 0, 3);
    cr_expect(await(&scaling.loop, is_told, &(int){3}, SCALING_PATIENCE_MS), "idle");
    scaler_unwatch(watcher);
    cr_expect(await(&scaling.loop, is_forgotten, NULL, SCALING_PATIENCE_MS));
}

Test(scaler, metadata_at_fault_is_not_watched)
{
    struct scaler_answer first;
    struct scaler_ref ref;

    open_with(NULL);
    ref = scaling_ref("app", SCALING{"topic=orders", NULL});
    cr_expect_null(scaler_watch(scaling.scaler, &ref, count_told, NULL, &first));
    cr_expect_eq(first.status, SCALER_INVALID);
}

Test(scaler, what_is_too_many_is_told_so)
{
    open_with(SCALING{"--max_objects=1", NULL});
    scaling_ask("app", SCALING{ORDERS, NULL});
    cr_expect_eq(scaling_ask("other", SCALING{ORDERS, NULL}).status, SCALER_UNAVAILABLE);
    cr_expect(strstr(scaling_last(), "there are 1 already (max_objects)"), "%s", scaling_last());
}
