/* watch: the shipped program on a real Apache Kafka: groups that fall behind, work, stop and are
 * set back; topics and rights that come and go. */
#include "tests/harness/await.h"
#include "tests/harness/broker.h"
#include "tests/harness/watcher.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define BINDING  "SlimFaasKafka__Bindings__0__"
#define SETTINGS (const char *[])
#define PENDING  "slimfaaskafka_pending_messages"
#define STALE    "slimfaaskafka_stale_seconds"

TestSuite(watch, .timeout = 300);

static struct watcher *open_watcher(const char *name, int partitions)
{
    struct watcher *watcher = watcher_new(name, NULL);

    cluster_create(watcher->cluster, name, partitions);
    return watcher;
}

static void expect_pending(struct watcher *watcher, double pending)
{
    cr_expect(watcher_await_value(watcher, PENDING, pending), "pending is %g, not %g\n%s",
              watcher_value(watcher, PENDING), pending, child_output(watcher->program));
}

static void expect_wakes(struct watcher *watcher, size_t count)
{
    cr_expect(watcher_await_wakes(watcher, WATCHER_FUNCTION, count), "%s",
              child_output(watcher->program));
}

/* ---- a group's day ---- */

Test(watch, lag_rises_a_consumer_works_and_stops)
{
    struct watcher *watcher = open_watcher("day", 3);
    size_t woken;

    watcher_start(watcher,
                  SETTINGS{BINDING "CooldownSeconds=1", BINDING "ActivityKeepAliveSeconds=2",
                           BINDING "MinPendingMessages=5", NULL});
    watcher_await_checks(watcher, 3);
    expect_pending(watcher, 0);
    cr_expect_eq(watcher_wakes(watcher, WATCHER_FUNCTION), 0);
    cluster_write(watcher->cluster, "day", 0, 2);
    cluster_write(watcher->cluster, "day", 2, 2);
    expect_pending(watcher, 4);
    watcher_await_checks(watcher, 2);
    cr_expect_eq(watcher_wakes(watcher, WATCHER_FUNCTION), 0, "below MinPendingMessages");
    cluster_write(watcher->cluster, "day", 1, 1);
    expect_wakes(watcher, 1);
    cr_expect(watcher_await_woken(watcher, "pending", 1));
    cr_expect_eq(watcher_woken(watcher, "activity"), 0);

    cluster_commit(watcher->cluster, "day", 0, 2);
    expect_pending(watcher, 3);
    woken = watcher_wakes(watcher, WATCHER_FUNCTION);
    expect_wakes(watcher, woken + 1);
    cluster_commit(watcher->cluster, "day", 1, 1);
    cluster_commit(watcher->cluster, "day", 2, 2);
    expect_pending(watcher, 0);
    woken = watcher_wakes(watcher, WATCHER_FUNCTION);
    expect_wakes(watcher, woken + 1);
    cr_expect(watcher_await_woken(watcher, "activity", 2));

    watcher_await_checks(watcher, 2 * 1000 / WATCHER_INTERVAL_MS + 2); /* the window ends */
    woken = watcher_wakes(watcher, WATCHER_FUNCTION);
    watcher_await_checks(watcher, 1000 / WATCHER_INTERVAL_MS + 3); /* longer than the cool-down */
    cr_expect_eq(watcher_wakes(watcher, WATCHER_FUNCTION), woken, "it keeps awake for ever");
    watcher_stop(watcher);
    watcher_free(watcher);
}

Test(watch, a_group_that_is_set_back_is_behind_and_active_when_it_works_again)
{
    struct watcher *watcher = open_watcher("set-back", 1);

    cluster_write(watcher->cluster, "set-back", 0, 10);
    cluster_commit(watcher->cluster, "set-back", 0, 10);
    watcher_start(watcher,
                  SETTINGS{BINDING "CooldownSeconds=0", BINDING "MinPendingMessages=100", NULL});
    expect_pending(watcher, 0);
    watcher_await_checks(watcher, 2);
    cluster_commit(watcher->cluster, "set-back", 0, 3);
    expect_pending(watcher, 7);
    watcher_await_checks(watcher, 3);
    cr_expect_eq(watcher_wakes(watcher, WATCHER_FUNCTION), 0, "a fall is no activity");
    cluster_commit(watcher->cluster, "set-back", 0, 5);
    expect_wakes(watcher, 1);
    cr_expect(watcher_await_woken(watcher, "activity", 1));
    cr_expect_eq(watcher_woken(watcher, "pending"), 0);
    watcher_free(watcher);
}

Test(watch, of_a_group_that_has_committed_nothing_the_whole_log_waits)
{
    struct watcher *watcher = open_watcher("fresh", 2);

    cluster_write(watcher->cluster, "fresh", 0, 3);
    cluster_write(watcher->cluster, "fresh", 1, 4);
    watcher_start(watcher, NULL);
    expect_wakes(watcher, 1);
    expect_pending(watcher, 7);
    watcher_free(watcher);
}

/* Eight bindings, three groups, two topics: each has its own figures. */
Test(watch, bindings_share_what_is_read)
{
    struct watcher *watcher = open_watcher("shared", 2);
    double before, checks;

    watcher_deploy(watcher, "second");
    cluster_write(watcher->cluster, "shared", 0, 3);
    watcher_start(watcher, SETTINGS{BINDING "CooldownSeconds=3600",
                                    "SlimFaasKafka__Bindings__1__Topic=shared",
                                    "SlimFaasKafka__Bindings__1__ConsumerGroupId=shared",
                                    "SlimFaasKafka__Bindings__1__FunctionName=second",
                                    "SlimFaasKafka__Bindings__1__CooldownSeconds=3600", NULL});
    expect_wakes(watcher, 1);
    cr_expect(watcher_await_wakes(watcher, "second", 1));
    watcher_await_checks(watcher, 2);
    checks = watcher_metric(watcher, "kafka_connector_checks_total");
    before =
        watcher_metric(watcher, "kafka_connector_kafka_requests_total{request=\"OffsetFetch\"}");
    watcher_await_checks(watcher, 5);
    checks = watcher_metric(watcher, "kafka_connector_checks_total") - checks;
    before =
        watcher_metric(watcher, "kafka_connector_kafka_requests_total{request=\"OffsetFetch\"}") -
        before;
    cr_expect_leq(before, checks + 2, "%g requests in %g checks", before, checks);
    watcher_free(watcher);
}

/* ---- topics ---- */

Test(watch, a_topic_that_is_missing_is_awaited)
{
    struct watcher *watcher = watcher_new("late-topic", NULL);

    watcher_start(watcher, SETTINGS{"Kafka__AllowAutoCreateTopics=false", NULL});
    watcher_await_checks(watcher, 3);
    cr_expect_eq(watcher_value(watcher, PENDING), 0);
    cr_expect_eq(watcher_wakes(watcher, WATCHER_FUNCTION), 0);
    cluster_create(watcher->cluster, "late-topic", 1);
    cluster_write(watcher->cluster, "late-topic", 0, 2);
    expect_wakes(watcher, 1);
    expect_pending(watcher, 2);
    watcher_free(watcher);
}

Test(watch, a_topic_deleted_and_made_anew_begins_anew)
{
    struct watcher *watcher = open_watcher("anew-topic", 2);

    cluster_write(watcher->cluster, "anew-topic", 0, 20);
    watcher_start(watcher, SETTINGS{BINDING "CooldownSeconds=0", NULL});
    expect_pending(watcher, 20);
    cluster_delete(watcher->cluster, "anew-topic");
    expect_pending(watcher, 0);
    cluster_create(watcher->cluster, "anew-topic", 1);
    watcher_await_checks(watcher, 3);
    expect_pending(watcher, 0);
    cluster_write(watcher->cluster, "anew-topic", 0, 4);
    expect_pending(watcher, 4);
    expect_wakes(watcher, watcher_wakes(watcher, WATCHER_FUNCTION) + 1);
    watcher_free(watcher);
}

Test(watch, partitions_that_are_added_count)
{
    struct watcher *watcher = open_watcher("grown-topic", 1);

    watcher_start(watcher, SETTINGS{BINDING "CooldownSeconds=3600", NULL});
    expect_pending(watcher, 0);
    cluster_grow(watcher->cluster, "grown-topic", 4);
    cluster_write(watcher->cluster, "grown-topic", 3, 6);
    expect_pending(watcher, 6);
    expect_wakes(watcher, 1);
    watcher_free(watcher);
}

/* Of brokers that make topics; with AllowAutoCreateTopics off nobody asks them to. */
static void missing_topic(struct broker *broker, const char *name, const char *setting, bool made)
{
    struct watcher *watcher = watcher_new(name, broker_bootstrap(broker));

    watcher_start(watcher, SETTINGS{setting, NULL});
    watcher_await_checks(watcher, 5);
    cr_expect_eq(cluster_partitions(watcher->cluster, name) > 0, made, "%s", setting);
    cr_expect_eq(watcher_value(watcher, PENDING), 0);
    watcher_free(watcher);
}

Test(watch, a_topic_that_is_missing_is_made_where_brokers_make_topics)
{
    uv_loop_t loop; /* the broker's own: it outlives the watchers */
    struct broker *broker;

    uv_loop_init(&loop);
    broker = broker_new_making_topics(&loop);
    missing_topic(broker, "not-made", "Kafka__AllowAutoCreateTopics=false", false);
    missing_topic(broker, "made", "Kafka__AllowAutoCreateTopics=true", true);
    broker_free(broker);
    await_close(&loop);
}

/* ---- rights ---- */

Test(watch, without_the_right_to_the_group_the_ends_are_what_waits)
{
    struct watcher *watcher = open_watcher("no-right", 1);
    char *page;

    cluster_write(watcher->cluster, "no-right", 0, 5);
    cluster_commit(watcher->cluster, "no-right", 0, 5);
    cluster_forbid_group(watcher->cluster, "no-right");
    watcher_start(watcher, SETTINGS{BINDING "CooldownSeconds=0", NULL});
    expect_pending(watcher, 5);
    expect_wakes(watcher, 3);
    cr_expect_eq(watcher_woken(watcher, "activity"), 0);
    cr_expect_eq(watcher_value(watcher, STALE), 0);
    page = watcher_ask(watcher, "GET", "/bindings", NULL);
    cr_expect(strstr(page, "\"groupReadable\":\tfalse"), "%s", page);
    free(page);
    cr_expect_eq(child_count(watcher->program, "DESCRIBE"), 1, "%s",
                 child_output(watcher->program));
    watcher_free(watcher);
}

/* ---- brokers ---- */

Test(watch, a_broker_that_is_away_is_awaited_at_the_start_and_later)
{
    uv_loop_t loop; /* the broker's own: it outlives the watcher */
    struct broker *broker;
    struct watcher *watcher;

    uv_loop_init(&loop);
    broker = broker_new(&loop);
    watcher = watcher_new("outage", broker_bootstrap(broker));
    cluster_create(watcher->cluster, "outage", 2);
    cluster_write(watcher->cluster, "outage", 0, 3);
    broker_stop(broker, SIGKILL);
    watcher_start(watcher, SETTINGS{BINDING "CooldownSeconds=3600", "Kafka__KafkaTimeoutSeconds=1",
                                    "kafka_reconnect_backoff_max_ms=500", NULL});
    cr_expect(child_await_text(watcher->program, "Kafka is away", WATCHER_PATIENCE_MS));
    cr_expect_eq(watcher_value(watcher, STALE), -1);
    broker_restart(broker);
    expect_wakes(watcher, 1);
    expect_pending(watcher, 3);
    broker_stop(broker, SIGKILL);
    cr_expect(child_await_count(watcher->program, "Kafka is away", 2, WATCHER_PATIENCE_MS));
    cr_expect_eq(watcher_value(watcher, PENDING), 3, "what was known holds");
    cr_expect_gt(watcher_value(watcher, STALE), 0);
    broker_restart(broker);
    cr_expect(watcher_await_value(watcher, STALE, 0), "%s", child_output(watcher->program));
    cluster_write(watcher->cluster, "outage", 1, 2);
    expect_pending(watcher, 5);
    cr_expect_eq(watcher_wakes(watcher, WATCHER_FUNCTION), 1, "the cool-down outlasts an outage");
    watcher_stop(watcher);
    watcher_free(watcher);
    broker_free(broker);
    await_close(&loop);
}
