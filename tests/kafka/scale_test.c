/* scale: the shipped scaler on a real Apache Kafka, asked as KEDA asks: the cases of Red Hat's demo
 * of KEDA's kafka scaler by its rule and by ours, restarts, kills, and a Kafka that is away. */
#include "tests/harness/await.h"
#include "tests/harness/broker.h"
#include "tests/harness/keda.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define KEYS (const char *[])
/* KEDA's rule: no state. */
#define AT_ONCE "sustainSeconds=0", "scaleUpStabilization=0", "scaleDownStabilization=0"
/* Ours, within a test's patience. */
#define SUSTAINED "sustainSeconds=3", "scaleUpStabilization=0", "scaleDownStabilization=2"

#define IDLE   "active=false value=0 target=500 replicas=0"
#define WOKEN  "active=true value=0 target=500 replicas=0"
#define ALL_UP "active=true value=1500 target=500 replicas=3"

#define NOT_KNOWN "how long before the start is not known" /* it is recovering */

enum { PARTITIONS = 3, BACKLOG = 2000 /* in each partition */ };

TestSuite(scale, .timeout = 300);

static void commit_all(struct keda *keda, int64_t left)
{
    for (int i = 0; i < PARTITIONS; i++)
        cluster_commit(keda->cluster, keda->name, i,
                       cluster_end(keda->cluster, keda->name, i) - left);
}

static void write_all(struct keda *keda, int records)
{
    for (int i = 0; i < PARTITIONS; i++)
        cluster_write(keda->cluster, keda->name, i, records);
}

/* A topic, with a setting of its own or NULL, and a group that is at its end. */
static struct keda *open_keda_with(const char *name, const char *bootstrap, const char *setting,
                                   const char *value)
{
    struct keda *keda = keda_new(name, bootstrap);

    cluster_create_with(keda->cluster, name, PARTITIONS, setting, value);
    write_all(keda, 1); /* acknowledged by leaders, which a new topic has not at once */
    cr_assert_eq(cluster_partitions(keda->cluster, name), PARTITIONS);
    commit_all(keda, 0);
    return keda;
}

static struct keda *open_keda(const char *name, const char *bootstrap)
{
    return open_keda_with(name, bootstrap, NULL, NULL);
}

#define expect_next(asked, part)                                                                   \
    cr_assert(keda_await_next((asked), (part)), "not \"%s\":\n%s", (part), child_output(asked))

static void expect_none(struct child *asked, const char *part)
{
    cr_expect_eq(child_count(asked, part), 0, "\"%s\":\n%s", part, child_output(asked));
}

/* ---- the demo's cases ---- */

Test(scale, case_1_activates_and_deactivates_at_once_by_kedas_rule)
{
    struct keda *keda = open_keda("scale-case-1", NULL);
    struct child *asked;

    keda_start(keda, NULL);
    asked = keda_ask(keda, KEYS{AT_ONCE, NULL});
    expect_next(asked, IDLE);
    write_all(keda, 66);
    expect_next(asked, "active=true value=198 target=500 replicas=1");
    commit_all(keda, 0);
    expect_next(asked, IDLE);
    child_free(asked);
    keda_stop(keda, SIGTERM);
    keda_free(keda);
}

/* With nobody consuming, what waits activates however little it is; what is consumed in time does
 * not. */
Test(scale, case_1_activates_when_nobody_consumes_for_sustain_seconds)
{
    struct keda *keda = open_keda("scale-case-1s", NULL);
    struct child *asked;

    keda_start(keda, NULL);
    asked = keda_ask(keda, KEYS{SUSTAINED, "activationLagThreshold=5", NULL});
    expect_next(asked, IDLE);
    write_all(keda, 66);
    expect_next(asked, WOKEN);
    commit_all(keda, 2); /* 6 wait: over activationLagThreshold */
    keda_await_answers(keda, asked, 15);
    child_free(asked);
    asked = keda_ask(keda, KEYS{SUSTAINED, "activationLagThreshold=5", NULL});
    keda_await_answers(keda, asked, 10);
    expect_none(asked, "active=false");
    commit_all(keda, 1);
    expect_next(asked, IDLE);
    child_free(asked);
    keda_free(keda);
}

static void up_and_down(const char *name, const char *const *metadata, const char *at_end)
{
    struct keda *keda = open_keda(name, NULL);
    struct child *asked;

    keda_start(keda, NULL);
    asked = keda_ask(keda, metadata);
    expect_next(asked, IDLE);
    write_all(keda, BACKLOG);
    expect_next(asked, ALL_UP);
    commit_all(keda, 100); /* 300 wait */
    expect_next(asked, at_end);
    commit_all(keda, 0);
    expect_next(asked, IDLE);
    child_free(asked);
    keda_free(keda);
}

Test(scale, cases_2_and_3_up_by_the_lag_and_down_with_it_by_kedas_rule)
{
    up_and_down("scale-case-2", KEYS{AT_ONCE, NULL}, "active=true value=300 target=500 replicas=1");
}

/* Down to what is called for, which is nothing while no lag lasts; idle with the last record. */
Test(scale, cases_2_and_3_up_when_it_lasts_and_down_behind_it)
{
    up_and_down("scale-case-2s", KEYS{SUSTAINED, "sizing=lag", NULL}, WOKEN);
}

Test(scale, a_spike_that_is_consumed_is_nothing)
{
    struct keda *keda = open_keda("scale-spike", NULL);
    struct child *asked;

    keda_start(keda, NULL);
    asked = keda_ask(keda, KEYS{"sustainSeconds=10", NULL});
    expect_next(asked, IDLE);
    write_all(keda, BACKLOG);
    cr_assert(child_await_text(keda->scaler, "short: ", KEDA_PATIENCE_MS), "%s",
              child_output(keda->scaler));
    commit_all(keda, 0);
    cr_assert(child_await_count(keda->scaler, "calm: ", 2, KEDA_PATIENCE_MS), "%s",
              child_output(keda->scaler));
    keda_await_answers(keda, asked, 5);
    expect_none(asked, "active=true");
    child_free(asked);
    keda_free(keda);
}

/* ---- case 4 ---- */

static void expect_answer(struct keda *keda, const char *const *metadata, const char *answer)
{
    struct child *asked = keda_ask(keda, metadata);

    expect_next(asked, answer);
    child_free(asked);
}

/* 1,000 records of which 400 were deleted, as retention would. */
Test(scale, case_4_a_group_that_has_committed_nothing_by_each_policy)
{
    struct keda *keda = keda_new("scale-case-4", NULL);

    cluster_create(keda->cluster, keda->name, PARTITIONS);
    cluster_write(keda->cluster, keda->name, 0, 1000);
    cluster_delete_records(keda->cluster, keda->name, 0, 400);
    keda_start(keda, NULL);
    expect_answer(keda, KEYS{AT_ONCE, NULL}, "active=true value=3 ");
    expect_answer(keda, KEYS{AT_ONCE, "offsetResetPolicy=latest", NULL}, "active=true value=3 ");
    expect_answer(keda, KEYS{AT_ONCE, "scaleToZeroOnInvalidOffset=true", NULL}, IDLE);
    expect_answer(keda, KEYS{AT_ONCE, "offsetResetPolicy=earliest", NULL},
                  "active=true value=600 ");
    expect_answer(
        keda, KEYS{AT_ONCE, "offsetResetPolicy=earliest", "scaleToZeroOnInvalidOffset=true", NULL},
        IDLE);
    keda_free(keda);
}

/* 6,000 wait in two of three partitions. */
Test(scale, case_4_no_more_replicas_than_each_limit_allows)
{
    struct keda *keda = open_keda("scale-limits", NULL);

    for (int i = 0; i < 2; i++)
        cluster_write(keda->cluster, keda->name, i, 3000);
    keda_start(keda, NULL);
    expect_answer(keda, KEYS{AT_ONCE, NULL}, ALL_UP);
    expect_answer(keda, KEYS{AT_ONCE, "allowIdleConsumers=true", NULL}, "replicas=12\n");
    expect_answer(keda, KEYS{AT_ONCE, "limitToPartitionsWithLag=true", NULL}, "replicas=2\n");
    expect_answer(
        keda, KEYS{AT_ONCE, "lagThreshold=3000", "ensureEvenDistributionOfPartitions=true", NULL},
        "replicas=3\n"); /* not 2, of which one would have two partitions */
    expect_answer(keda, KEYS{AT_ONCE, "partitionLimitation=1-2", NULL}, "value=1000 ");
    /* Commits that do not move from one sample to the next. */
    expect_answer(keda, KEYS{AT_ONCE, "excludePersistentLag=true", NULL}, "active=true value=0 ");
    keda_free(keda);
}

/* ---- several ---- */

Test(scale, objects_of_one_scaler_are_answered_each_by_its_own_metadata)
{
    struct keda *keda = open_keda("scale-several", NULL);
    struct child *small, *large;

    cluster_create(keda->cluster, "scale-several-2", 1);
    cluster_write(keda->cluster, "scale-several-2", 0, 1);
    cluster_commit(keda->cluster, "scale-several-2", 0, 1);
    cluster_write(keda->cluster, keda->name, 0, 300);
    keda_start(keda, NULL);
    small = keda_ask(keda, KEYS{AT_ONCE, "lagThreshold=100", NULL});
    large = keda_ask(keda, KEYS{AT_ONCE, "topic=scale-several-2", NULL});
    expect_next(small, "active=true value=300 target=100 replicas=3");
    expect_next(large, IDLE);
    expect_none(large, "active=true"); /* its topic was asked for while the group was asked */
    cluster_write(keda->cluster, "scale-several-2", 0, 700);
    /* One partition: KEDA's cap counts whole thresholds, so this passes under it. */
    expect_next(large, "active=true value=700 target=500 replicas=2");
    expect_next(small, "active=true value=300 target=100 replicas=3");
    expect_none(large, "target=100");
    expect_none(small, "target=500");
    child_free(large);
    child_free(small);
    keda_free(keda);
}

Test(scale, metadata_at_fault_is_refused_by_key_and_value)
{
    static const struct {
        const char *pair, *part;
    } cases[] = {
        {"lagThreshold=abc", "lagThreshold: \"abc\""},
        {"lagThreshold=0", "lagThreshold: \"0\""},
        {"lagThreshold=-1", "lagThreshold: \"-1\""},
        {"windowSize=3", "windowSize"},
        {"sasl=plaintext", "sasl"},
        {"offsetResetPolicy=none", "offsetResetPolicy: \"none\""},
    };
    struct keda *keda = open_keda("scale-faults", NULL);

    keda_start(keda, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct child *asked = keda_ask(keda, KEYS{cases[i].pair, NULL});

        expect_next(asked, "INVALID_ARGUMENT: ");
        cr_expect(child_count(asked, cases[i].part), "%s:\n%s", cases[i].pair, child_output(asked));
        expect_none(asked, "active=");
        child_free(asked);
    }
    keda_free(keda);
}

/* ---- restarts ---- */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Records with old timestamps, written just now: nothing says how long they have waited. */
Test(scale, a_backfill_with_old_timestamps_does_not_prove_at_a_restart_that_lag_lasted)
{
    static const char *const metadata[] = {"sustainSeconds=12", NULL};
    struct keda *keda = open_keda("scale-backfill", NULL);
    uint64_t started;
    struct child *asked;

    keda_start(keda, NULL);
    asked = keda_ask(keda, metadata);
    expect_next(asked, IDLE);
    for (int i = 0; i < PARTITIONS; i++)
        cluster_write_at(keda->cluster, keda->name, i, 3400, now_ms() - 60 * 60 * 1000);
    keda_stop(keda, SIGKILL);
    child_free(asked);
    started = uv_hrtime();
    keda_start(keda, NULL);
    asked = keda_ask(keda, metadata);
    expect_next(asked, NOT_KNOWN);
    expect_next(asked, "active=true");
    cr_expect_geq(uv_hrtime() - started, (uint64_t)12 * 1000 * 1000 * 1000,
                  "up before it was seen to last:\n%s", child_output(asked));
    expect_none(asked, "active=false");
    child_free(asked);
    keda_free(keda);
}

/* The brokers' own timestamps say how long: after a kill it is up at its first sample. */
Test(scale, killed_in_a_backlog_it_is_up_again_at_once_where_brokers_have_the_time)
{
    static const char *const metadata[] = {"sustainSeconds=30", "scaleUpStabilization=0", NULL};
    struct keda *keda =
        open_keda_with("scale-proved", NULL, "message.timestamp.type", "LogAppendTime");
    uint64_t written;
    struct child *asked;

    write_all(keda, BACKLOG);
    written = uv_hrtime();
    keda_start(keda, NULL);
    asked = keda_ask(keda, metadata);
    expect_next(asked, "active=true");
    cr_expect_geq(uv_hrtime() - written, (uint64_t)29 * 1000 * 1000 * 1000, "%s",
                  child_output(asked));
    keda_stop(keda, SIGKILL);
    expect_next(asked, "UNAVAILABLE: ");
    child_free(asked);
    keda_start(keda, NULL);
    asked = keda_ask(keda, metadata);
    expect_next(asked, "active=true");
    expect_none(asked, NOT_KNOWN);
    expect_none(asked, "active=false");
    cr_expect(child_count(keda->scaler, "proved"), "%s", child_output(keda->scaler));
    child_free(asked);
    keda_free(keda);
}

/* With the writers' timestamps it is not told idle either. */
Test(scale, killed_in_a_backlog_it_is_never_idle)
{
    static const char *const metadata[] = {SUSTAINED, NULL};
    struct keda *keda = open_keda("scale-killed", NULL);
    struct child *asked;

    write_all(keda, BACKLOG);
    keda_start(keda, NULL);
    asked = keda_ask(keda, metadata);
    expect_next(asked, ALL_UP);
    child_free(asked);
    asked = keda_ask(keda, metadata);
    expect_next(asked, ALL_UP);
    for (int i = 0; i < 3; i++) {
        keda_stop(keda, SIGKILL);
        expect_next(asked, "UNAVAILABLE: ");
        keda_start(keda, NULL);
        expect_next(asked, ALL_UP);
    }
    expect_none(asked, "active=false");
    expect_none(asked, " value=0 ");
    child_free(asked);
    keda_free(keda);
}

/* ---- Kafka away ---- */

Test(scale, while_kafka_is_away_the_last_answer_stands_and_then_the_reason)
{
    static const char *const metadata[] = {SUSTAINED, NULL};
    uv_loop_t loop; /* the broker's own: it outlives what looks at it */
    struct broker *broker;
    struct keda *keda;
    struct child *asked;

    uv_loop_init(&loop);
    broker = broker_new(&loop);
    keda = open_keda("scale-away", broker_bootstrap(broker));
    write_all(keda, BACKLOG);
    keda_start(keda, KEYS{"kafka_reconnect_backoff_max_ms=500", "sample_timeout=1s", NULL});
    asked = keda_ask(keda, metadata);
    expect_next(asked, ALL_UP);
    child_free(asked);
    asked = keda_ask(keda, metadata);
    expect_next(asked, ALL_UP);
    broker_stop(broker, SIGKILL);
    expect_next(asked, ALL_UP); /* the last answer */
    expect_next(asked, "UNAVAILABLE: ");
    keda_await_answers(keda, asked, 10);
    broker_restart(broker);
    expect_next(asked, ALL_UP);
    expect_none(asked, "active=false");
    expect_none(asked, " value=0 ");
    child_free(asked);
    keda_stop(keda, SIGTERM);
    keda_free(keda);
    broker_free(broker);
    await_close(&loop);
}

Test(scale, a_kafka_that_is_away_at_the_start_is_awaited)
{
    uv_loop_t loop;
    struct broker *broker;
    struct keda *keda;
    struct child *asked;

    uv_loop_init(&loop);
    broker = broker_new(&loop);
    keda = open_keda("scale-away-first", broker_bootstrap(broker));
    write_all(keda, 100);
    broker_stop(broker, SIGKILL);
    keda_start(keda, KEYS{"kafka_reconnect_backoff_max_ms=500", "sample_timeout=1s", NULL});
    asked = keda_ask(keda, KEYS{AT_ONCE, NULL});
    expect_next(asked, "UNAVAILABLE: ");
    broker_restart(broker);
    expect_next(asked, "active=true value=300 ");
    expect_none(asked, "active=false");
    child_free(asked);
    keda_free(keda);
    broker_free(broker);
    await_close(&loop);
}

/* ---- the Persistent Kafka Lag Scaler's deployment ---- */

Test(scale, the_environment_of_the_persistent_kafka_lag_scaler_is_enough)
{
    struct keda *keda = open_keda("scale-environment", NULL);
    char *path = child_program("kafka-connector");
    const char *arguments[] = {path, "ask", NULL, NULL};
    char scaler[64];
    struct child *asked;
    int status;

    keda_start(keda, KEYS{"KAFKA_TOPIC=scale-environment", "KAFKA_GROUP_ID=scale-environment",
                          "LAG_THRESHOLD=500", "SUSTAIN_SECONDS=120", "SAMPLING_INTERVAL=10",
                          "WINDOW_SIZE=30", NULL});
    cr_assert(child_await_text(keda->scaler, "Collected 3 lag samples (window size: 3)",
                               KEDA_PATIENCE_MS),
              "%s", child_output(keda->scaler));
    snprintf(scaler, sizeof(scaler), "--scaler=%s", keda->address);
    arguments[2] = scaler;
    asked = child_start(&keda->loop, arguments, NULL); /* without metadata */
    cr_assert(child_await_end(asked, KEDA_PATIENCE_MS, &status));
    cr_expect_eq(status, 0);
    cr_expect_str_eq(child_output(asked), IDLE "\n");
    child_free(asked);
    free(path);
    keda_free(keda);
}
