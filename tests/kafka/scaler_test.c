/* The scaler with a real Kafka: what it finds out of the time before its start, and groups whose
 * topics nobody names. */
#include "base/xalloc.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"
#include "tests/harness/kafka_client.h"
#include "tests/harness/scaling.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 30 * 1000, HOUR_MS = 60 * 60 * 1000 };

static struct cluster *workers;

static const char *bootstrap(void)
{
    const char *given = getenv("KAFKA_BOOTSTRAP");

    if (!given)
        fail("there is no KAFKA_BOOTSTRAP; run by tests/kafka/run.sh");
    return given;
}

static rd_kafka_t *writer_new(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];
    rd_kafka_t *writer;

    kafka_client_set(conf, "bootstrap.servers", bootstrap());
    writer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (!writer)
        fail("%s", reason);
    return writer;
}

static void make_topic(rd_kafka_t *client, const char *name, const char *stamps)
{
    char reason[256];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, 1, 1, reason, sizeof(reason));
    rd_kafka_event_t *event;

    rd_kafka_NewTopic_set_config(topic, "message.timestamp.type", stamps);
    rd_kafka_CreateTopics(client, &topic, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, WAIT_MS);
    if (!event || kafka_client_topic_error(event))
        fail("topic %s cannot be made", name);
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
}

static void write_stamped(rd_kafka_t *writer, const char *topic, int count, int64_t at_ms)
{
    for (int i = 0; i < count; i++)
        while (rd_kafka_producev(writer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                                 RD_KAFKA_V_VALUE("x", 1), RD_KAFKA_V_TIMESTAMP(at_ms),
                                 RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(writer, 100);
    if (rd_kafka_flush(writer, WAIT_MS))
        fail("%s is not written", topic);
}

static void set_up(void)
{
    workers = cluster_new(bootstrap(), "scaler-workers");
    scaling_open(bootstrap(), NULL);
}

static void tear_down(void)
{
    scaling_close();
    cluster_free(workers);
}

TestSuite(scaler, .init = set_up, .fini = tear_down, .timeout = 240);

#define GROUP "consumerGroup=scaler-workers"

static bool is_up(const struct scaler_answer *answer)
{
    return answer->status == SCALER_OK && answer->active && answer->value > 0;
}

static bool is_idle(const struct scaler_answer *answer)
{
    return answer->status == SCALER_OK && !answer->active;
}

static bool is_known(const struct scaler_answer *answer)
{
    return answer->status == SCALER_OK;
}

static bool is_recovering(const struct scaler_answer *answer)
{
    return answer->status == SCALER_UNAVAILABLE && strstr(answer->reason, "before the start");
}

static double samples(void)
{
    static const char name[] = "\nkafka_connector_cluster_samples_total{";
    char *text = metrics_text(scaling.metrics, NULL), *at = strstr(text, name);
    double value = at && (at = strchr(at, ' ')) ? strtod(at, NULL) : -1;

    free(text);
    return value;
}

/* Without a proof it would take eleven samples. */
Test(scaler, a_backlog_that_lasted_before_the_start_is_proved)
{
    const char *const object[] = {"topic=stamped",     GROUP,
                                  "lagThreshold=100",  "samplingInterval=2",
                                  "sustainSeconds=20", NULL};
    rd_kafka_t *writer = writer_new();

    make_topic(writer, "stamped", "LogAppendTime");
    write_stamped(writer, "stamped", 500, 0);
    cluster_commit(workers, "stamped", 0, 0);
    cr_expect(scaling_await("app", object, is_up), "%s", scaling_last());
    scaling_restart();
    cr_expect(scaling_await_without("app", object, is_up, is_idle), "%s", scaling_last());
    cr_expect_lt(samples(), 10, "%s", scaling_last());
    rd_kafka_destroy(writer);
}

/* Its records say that they are an hour old. They were written a moment ago. */
Test(scaler, a_backfill_with_old_timestamps_proves_nothing)
{
    const char *const object[] = {"topic=backfill",     GROUP,
                                  "lagThreshold=100",   "samplingInterval=1",
                                  "sustainSeconds=600", NULL};
    rd_kafka_t *writer = writer_new();
    int64_t now_ms = (int64_t)time(NULL) * 1000;

    make_topic(writer, "backfill", "CreateTime");
    write_stamped(writer, "backfill", 10000, now_ms - HOUR_MS);
    cluster_commit(workers, "backfill", 0, 0);
    cr_expect(scaling_await_without("app", object, is_recovering, is_known), "%s", scaling_last());
    scaling_restart();
    cr_expect(scaling_await_without("app", object, is_recovering, is_known), "%s", scaling_last());
    await_time(&scaling.loop, 3000);
    scaling_ask("app", object);
    cr_expect(strstr(scaling_last(), "UNAVAILABLE"), "%s", scaling_last());
    rd_kafka_destroy(writer);
}

/* A writer's own timestamps, spread as those of a writer that was there all the time. */
Test(scaler, a_backlog_by_its_writers_timestamps_is_likely)
{
    const char *const object[] = {"topic=written",      GROUP,
                                  "lagThreshold=100",   "samplingInterval=1",
                                  "sustainSeconds=600", NULL};
    rd_kafka_t *writer = writer_new();
    int64_t now_ms = (int64_t)time(NULL) * 1000;

    make_topic(writer, "written", "CreateTime");
    for (int s = 900; s > 0; s -= 10)
        write_stamped(writer, "written", 10, now_ms - s * 1000);
    cluster_commit(workers, "written", 0, 0);
    cr_expect(scaling_await("app", object, is_up), "%s", scaling_last());
    rd_kafka_destroy(writer);
}

Test(scaler, a_group_without_a_topic_is_all_of_its_topics)
{
    const char *const object[] = {"consumerGroup=scaler-all", "samplingInterval=1",
                                  "sustainSeconds=0",         "scaleUpStabilization=0",
                                  "scaleDownStabilization=0", NULL};
    struct cluster *all = cluster_new(bootstrap(), "scaler-all");

    cluster_create(all, "all-a", 2);
    cluster_create(all, "all-b", 1);
    cr_expect(scaling_await("app", object, is_idle), "nothing is committed: %s", scaling_last());
    cluster_write(all, "all-a", 1, 3); /* waits until the topics are there */
    cluster_write(all, "all-b", 0, 4);
    cluster_commit(all, "all-a", 0, 0); /* where nothing is committed one waits, as with KEDA */
    cluster_commit(all, "all-a", 1, 0);
    cluster_commit(all, "all-b", 0, 0);
    cr_expect(scaling_await("app", object, is_up), "%s", scaling_last());
    cluster_commit(all, "all-a", 1, 3);
    cluster_commit(all, "all-b", 0, 4);
    cr_expect(scaling_await("app", object, is_idle), "%s", scaling_last());
    cluster_free(all);
}
