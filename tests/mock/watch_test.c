/* watch: the shipped program on mock brokers and a scripted gateway: when it wakes, when not, and
 * what goes wrong. */
#include "kafka/mock.h"
#include "tests/harness/await.h"
#include "tests/harness/watcher.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#define BINDING  "SlimFaasKafka__Bindings__"
#define COOL_0   BINDING "0__CooldownSeconds"
#define SETTINGS (const char *[])

static struct mock *mock;
static struct watcher *watcher;

static void set_up(void)
{
    const char *reason;

    mock = mock_new(1, &reason);
    cr_assert(mock, "%s", reason);
    mock_create_topic(mock, "orders", 2);
    watcher = watcher_new("orders", mock_bootstrap(mock));
}

static void tear_down(void)
{
    watcher_free(watcher);
    mock_free(mock);
}

TestSuite(watch, .init = set_up, .fini = tear_down, .timeout = 240);

/* One with a hour's cool-down. */
static void start_cool(void)
{
    watcher_start(watcher, SETTINGS{COOL_0 "=3600", NULL});
}

static void expect_wakes(size_t count)
{
    cr_expect(watcher_await_wakes(watcher, WATCHER_FUNCTION, count), "%zu of %zu, %s",
              watcher_wakes(watcher, WATCHER_FUNCTION), count, child_output(watcher->program));
}

static void expect_lines(const char *text, size_t count)
{
    cr_expect_eq(child_count(watcher->program, text), count, "not %zu times \"%s\":\n%s", count,
                 text, child_output(watcher->program));
}

static void expect_page(const char *path, const char *part)
{
    char *page = watcher_ask(watcher, "GET", path, NULL);

    cr_expect(strstr(page, part), "no %s in %s", part, page);
    free(page);
}

/* ---- when it wakes ---- */

Test(watch, the_first_record_wakes_at_the_next_check)
{
    static const char checks[] = "kafka_connector_checks_total";
    double before;

    watcher_start(watcher, SETTINGS{COOL_0 "=3600", "Kafka__CheckIntervalSeconds=2", NULL});
    watcher_await_checks(watcher, 1);
    cr_expect_eq(watcher_wakes(watcher, WATCHER_FUNCTION), 0);
    cr_expect_eq(watcher_woken(watcher, "pending"), 0);
    cr_expect_eq(watcher_woken(watcher, "activity"), 0);
    cr_expect_eq(watcher_woken(watcher, "pending_and_activity"), 0);
    cluster_write(watcher->cluster, "orders", 0, 1);
    before = watcher_metric(watcher, checks);
    expect_wakes(1);
    /* one may have been under way and have missed it, another have ended since */
    cr_expect_leq(watcher_metric(watcher, checks) - before, 3);
    cr_expect_eq(faas_replicas(watcher->function), 1);
    cr_expect(watcher_await_woken(watcher, "pending", 1));
    cr_expect_eq(watcher_value(watcher, "slimfaaskafka_pending_messages"), 1);
    expect_lines("Wake-up of sleeper: pending (pending 1, topic orders, group orders)", 1);
}

Test(watch, there_is_no_second_within_the_cool_down)
{
    cluster_write(watcher->cluster, "orders", 0, 3);
    start_cool();
    expect_wakes(1);
    watcher_await_checks(watcher, 5);
    cr_expect_eq(watcher_wakes(watcher, WATCHER_FUNCTION), 1);
    cr_expect(watcher_await_woken(watcher, "pending", 1));
}

Test(watch, when_it_is_over_there_is_another)
{
    cluster_write(watcher->cluster, "orders", 1, 1);
    watcher_start(watcher, SETTINGS{COOL_0 "=1", NULL});
    expect_wakes(3);
    watcher_stop(watcher);
}

/* The group begins at what is committed: 4 of 5. */
Test(watch, a_group_that_consumes_keeps_awake)
{
    cluster_write(watcher->cluster, "orders", 0, 5);
    cluster_commit(watcher->cluster, "orders", 0, 4);
    watcher_start(watcher, SETTINGS{COOL_0 "=0", BINDING "0__MinPendingMessages=9", NULL});
    cr_expect(watcher_await_value(watcher, "slimfaaskafka_pending_messages", 1));
    watcher_await_checks(watcher, 2);
    cr_expect_eq(watcher_wakes(watcher, WATCHER_FUNCTION), 0, "the base line is no activity");
    cr_expect_eq(watcher_value(watcher, "slimfaaskafka_last_activity_timestamp_seconds"), 0);
    cluster_commit(watcher->cluster, "orders", 0, 5);
    expect_wakes(3);
    cr_expect(watcher_await_woken(watcher, "activity", 2));
    cr_expect_eq(watcher_woken(watcher, "pending"), 0);
    cr_expect_gt(watcher_value(watcher, "slimfaaskafka_last_activity_timestamp_seconds"), 1e9);
    cr_expect_eq(watcher_value(watcher, "slimfaaskafka_pending_messages"), 0);
}

Test(watch, activity_on_start_takes_what_is_committed_for_activity)
{
    cluster_write(watcher->cluster, "orders", 0, 5);
    cluster_commit(watcher->cluster, "orders", 0, 5);
    watcher_start(watcher, SETTINGS{"activity_on_start=true", NULL});
    expect_wakes(1);
    cr_expect(watcher_await_woken(watcher, "activity", 1));
}

/* ---- who does not answer ---- */

Test(watch, a_wake_up_that_failed_is_sent_again_at_the_next_check)
{
    struct faas_function *wake = faas_wake(watcher->function);

    faas_next(wake, 2, &(struct faas_reply){.status = 500});
    faas_next(wake, 1, &(struct faas_reply){.end = FAAS_CUT_BEFORE});
    cluster_write(watcher->cluster, "orders", 0, 1);
    start_cool();
    expect_wakes(4);
    cr_expect(watcher_await_value(watcher, "slimfaaskafka_wakeup_failures_total", 3));
    watcher_await_checks(watcher, 3);
    cr_expect_eq(watcher_wakes(watcher, WATCHER_FUNCTION), 4, "the fourth was accepted");
    cr_expect(watcher_await_woken(watcher, "pending", 1));
    expect_lines("it cannot be woken: status 500", 1);
    expect_lines("it cannot be woken: ", 2);
}

Test(watch, a_server_that_is_away_is_called_when_it_is_back)
{
    char *reason;

    faas_gateway_down(watcher->gateway);
    cluster_write(watcher->cluster, "orders", 0, 1);
    start_cool();
    watcher_await_checks(watcher, 3);
    cr_expect_geq(watcher_value(watcher, "slimfaaskafka_wakeup_failures_total"), 2);
    expect_lines("it cannot be woken: ", 1);
    expect_page("/bindings", "cannot connect");
    expect_page("/bindings", "\"awakeBecause\":\t\"pending\"");
    cr_assert(faas_gateway_up(watcher->gateway, &reason));
    expect_wakes(1);
    cr_expect(watcher_await_woken(watcher, "pending", 1));
    expect_page("/bindings", "\"wakeUps\":\t{\n\t\t\t\t\"pending\":\t1,");
    expect_page("/bindings", "\"wakeUpFault\":\tnull");
}

Test(watch, a_function_that_hangs_holds_up_no_other)
{
    mock_create_topic(mock, "returns", 1);
    watcher_deploy(watcher, "other");
    faas_next(faas_wake(watcher->function), 1, &(struct faas_reply){.latency_ms = FAAS_HELD});
    cluster_write(watcher->cluster, "orders", 0, 1);
    cluster_write(watcher->cluster, "returns", 0, 1);
    watcher_start(watcher,
                  SETTINGS{COOL_0 "=0", BINDING "1__Topic=returns",
                           BINDING "1__ConsumerGroupId=returns", BINDING "1__FunctionName=other",
                           BINDING "1__CooldownSeconds=0", NULL});
    cr_expect(watcher_await_wakes(watcher, "other", 4));
    cr_expect_eq(call_log_arrived(watcher->log, WATCHER_FUNCTION ".openfaas-fn/wake"), 1,
                 "one on its way is enough");
    cr_expect_eq(faas_release(faas_wake(watcher->function), -1), 1);
    expect_wakes(2);
}

Test(watch, a_wake_up_ends_by_its_own_timeout)
{
    faas_next(faas_wake(watcher->function), 1, &(struct faas_reply){.latency_ms = FAAS_HELD});
    cluster_write(watcher->cluster, "orders", 0, 1);
    watcher_start(watcher, SETTINGS{COOL_0 "=3600", "SlimFaas__HttpTimeoutSeconds=300ms", NULL});
    cr_expect(child_await_text(watcher->program, "it cannot be woken", WATCHER_PATIENCE_MS));
    cr_expect(child_await_text(watcher->program, "Wake-up of sleeper", WATCHER_PATIENCE_MS), "%s",
              child_output(watcher->program));
    faas_release(faas_wake(watcher->function), -1);
}

Test(watch, an_unknown_function_is_told_once_and_woken_when_it_is_there)
{
    cluster_write(watcher->cluster, "orders", 0, 1);
    watcher_start(watcher, SETTINGS{COOL_0 "=0", BINDING "0__FunctionName=late/comer", NULL});
    watcher_await_checks(watcher, 4);
    expect_lines("it cannot be woken: status 404: no such function", 1);
    watcher_deploy(watcher, "late/comer");
    cr_expect(child_await_text(watcher->program, "Wake-up of late/comer", WATCHER_PATIENCE_MS));
}

Test(watch, an_openfaas_function_is_scaled_from_zero_and_never_down)
{
    cluster_write(watcher->cluster, "orders", 0, 1);
    watcher_start(watcher, SETTINGS{COOL_0 "=0", "wake_target=openfaas", NULL});
    expect_wakes(1);
    cr_expect_eq(faas_replicas(watcher->function), 1);
    faas_set_replicas(watcher->function, 5);
    watcher_await_checks(watcher, 3);
    cr_expect_eq(faas_replicas(watcher->function), 5);
    cr_expect_eq(watcher_wakes(watcher, WATCHER_FUNCTION), 1);
    cr_expect(strstr(child_output(watcher->program), "; it is awake"));
}

/* ---- Kafka that is away ---- */

Test(watch, a_broker_that_is_away_at_the_start_is_awaited)
{
    cluster_write(watcher->cluster, "orders", 0, 1);
    mock_broker_down(mock, 1);
    watcher_start(watcher, SETTINGS{COOL_0 "=3600", "Kafka__KafkaTimeoutSeconds=500ms",
                                    "kafka_reconnect_backoff_max_ms=200", NULL});
    cr_expect(child_await_text(watcher->program, "Kafka is away", WATCHER_PATIENCE_MS));
    watcher_await_checks(watcher, 2);
    expect_lines("Kafka is away", 1);
    expect_page("/health", "\"stale\":\ttrue");
    expect_page("/health", "\"ok\"");
    expect_page("/ready", "unavailable");
    cr_expect_eq(watcher_value(watcher, "slimfaaskafka_stale_seconds"), -1);
    mock_broker_up(mock, 1);
    expect_wakes(1);
    cr_expect(watcher_await_value(watcher, "slimfaaskafka_stale_seconds", 0));
    expect_page("/ready", "\"ok\"");
}

Test(watch, while_a_broker_is_away_what_was_known_holds_and_is_marked_stale)
{
    cluster_write(watcher->cluster, "orders", 0, 7);
    watcher_start(watcher, SETTINGS{COOL_0 "=0", "Kafka__KafkaTimeoutSeconds=500ms",
                                    "kafka_reconnect_backoff_max_ms=200", NULL});
    cr_expect(watcher_await_value(watcher, "slimfaaskafka_pending_messages", 7));
    expect_page("/health", "\"ok\"");
    mock_broker_down(mock, 1);
    cr_expect(child_await_text(watcher->program, "Kafka is away", WATCHER_PATIENCE_MS));
    expect_wakes(watcher_wakes(watcher, WATCHER_FUNCTION) + 2);
    cr_expect_eq(watcher_value(watcher, "slimfaaskafka_pending_messages"), 7);
    cr_expect_gt(watcher_value(watcher, "slimfaaskafka_stale_seconds"), 0);
    cr_expect_eq(watcher_metric(watcher, "kafka_connector_kafka_fault"), 1);
    expect_page("/health", "\"stale_bindings\":\t1");
    expect_page("/bindings", "\"stale\":\t\"Kafka does not answer\"");
    mock_broker_up(mock, 1);
    cr_expect(watcher_await_value(watcher, "slimfaaskafka_stale_seconds", 0));
    expect_lines("Kafka is back", 1);
}

/* ---- what is asked and done by hand ---- */

Test(watch, who_shows_the_token_wakes_by_hand)
{
    long status;
    char *answer;

    start_cool();
    answer = watcher_ask(watcher, "POST", "/wake/sleeper", &status);
    cr_expect_eq(status, 202, "%s", answer);
    free(answer);
    expect_wakes(1);
    answer = watcher_ask(watcher, "POST", "/wake/nobody", &status);
    cr_expect_eq(status, 202, "%s", answer);
    free(answer);
    cr_expect(child_await_text(watcher->program, "it cannot be woken by hand: status 404",
                               WATCHER_PATIENCE_MS));
    expect_lines("Wake-up of sleeper: by hand", 1);
    cluster_write(watcher->cluster, "orders", 0, 1);
    expect_wakes(2); /* by hand begins no cool-down */
}

Test(watch, it_tells_its_bindings)
{
    start_cool();
    expect_page("/bindings", "\"topic\":\t\"orders\"");
    expect_page("/bindings", "\"consumerGroupId\":\t\"orders\"");
    expect_page("/bindings", "\"functionName\":\t\"sleeper\"");
    expect_page("/bindings", "\"cooldownSeconds\":\t3600");
    expect_page("/bindings", "\"awakeBecause\":\t\"none\"");
    expect_page("/bindings", "\"wakeUpFailures\":\t0");
    expect_page("/status", "\"mode\":\t\"watch\"");
    expect_page("/health", "\"status\":\t\"ok\"");
}

Test(watch, without_bindings_it_warns_and_goes_on)
{
    watcher_start_bare(watcher, NULL);
    cr_expect(child_await_text(watcher->program, "There are no bindings", WATCHER_PATIENCE_MS));
    expect_page("/bindings", "\"bindings\":\t[]");
    expect_page("/ready", "\"ok\"");
    watcher_stop(watcher);
}

Test(watch, a_signal_ends_it_in_order_while_wake_ups_hang)
{
    faas_script(faas_wake(watcher->function), &(struct faas_reply){.latency_ms = FAAS_HELD});
    cluster_write(watcher->cluster, "orders", 0, 1);
    watcher_start(watcher, SETTINGS{COOL_0 "=0", NULL});
    watcher_await_checks(watcher, 1);
    watcher_stop(watcher);
}
