/* The shipped connector's dead letters on a real Apache Kafka. */
#include "base/xalloc.h"
#include "tests/harness/await.h"
#include "tests/harness/broker.h"
#include "tests/harness/scene.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { SOON_MS = 30 * 1000, LONG_MS = 90 * 1000 };

static const int64_t written_ms = INT64_C(1700000000123);

/* ---- records ---- */

static rd_kafka_conf_t *conf_new(const struct scene *scene)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "bootstrap.servers", scene->bootstrap, NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "reader", NULL, 0);
    rd_kafka_conf_set(conf, "message.max.bytes", "2000000", NULL, 0);
    rd_kafka_conf_set(conf, "log_level", "3", NULL, 0);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
    return conf;
}

/* Acknowledged when this returns; with two headers. */
static void write_record(const struct scene *scene, const char *key, const void *value, size_t size)
{
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf_new(scene), NULL, 0);

    cr_assert_eq(
        rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(scene->topic),
                          RD_KAFKA_V_KEY(key, strlen(key)), RD_KAFKA_V_VALUE((void *)value, size),
                          RD_KAFKA_V_TIMESTAMP(written_ms), RD_KAFKA_V_HEADER("trace", "abc", 3),
                          RD_KAFKA_V_HEADER("binary", "\0\1", 2), RD_KAFKA_V_END),
        0);
    cr_assert_eq(rd_kafka_flush(producer, SOON_MS), 0);
    cr_assert_eq(rd_kafka_outq_len(producer), 0);
    rd_kafka_destroy(producer);
}

/* The first record of a topic's only partition; *reader is to be closed by close_reader. */
static rd_kafka_message_t *read_first(const struct scene *scene, const char *topic,
                                      rd_kafka_t **reader)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_message_t *message;

    *reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf_new(scene), NULL, 0);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(*reader, list);
    rd_kafka_topic_partition_list_destroy(list);
    message = rd_kafka_consumer_poll(*reader, SOON_MS);
    cr_assert(message && !message->err);
    return message;
}

static void close_reader(rd_kafka_t *reader, rd_kafka_message_t *message)
{
    rd_kafka_message_destroy(message);
    rd_kafka_destroy_flags(reader, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void expect_header(const rd_kafka_message_t *message, const char *name, const void *value,
                          size_t value_size)
{
    rd_kafka_headers_t *headers = NULL;
    const void *bytes;
    size_t size;

    rd_kafka_message_headers(message, &headers);
    cr_assert_eq(rd_kafka_header_get_last(headers, name, &bytes, &size), 0, "no %s", name);
    cr_expect(size == value_size && memcmp(bytes, value, size) == 0, "%s: %.*s", name, (int)size,
              (const char *)bytes);
}

static void expect_text(const rd_kafka_message_t *message, const char *name, const char *value)
{
    expect_header(message, name, value, strlen(value));
}

/* ---- waiting ---- */

struct expected {
    struct scene *scene;
    const char *topic;
    int64_t letters;
};

static bool is_done(void *context)
{
    struct expected *expected = context;

    return cluster_records(expected->scene->cluster, expected->topic) >= expected->letters &&
           cluster_all_committed(expected->scene->cluster, expected->scene->topic);
}

static bool await_letters(struct scene *scene, const char *topic, int64_t letters)
{
    return await(&scene->loop, is_done, &(struct expected){scene, topic, letters}, SOON_MS);
}

/* ---- the tests ---- */

static struct faas_reply poison_fails(void *context, const struct faas_call *call)
{
    (void)context;
    if (call->key && strcmp(call->key, "poison") == 0)
        return (struct faas_reply){.status = 503, .header = "Retry-After: 1"};
    return (struct faas_reply){.status = 200};
}

static size_t calls_for(const struct scene *scene, const char *key)
{
    size_t count = 0;

    for (size_t i = 0; i < call_log_arrived(scene->log, NULL); i++)
        count += strcmp(call_log_at(scene->log, i)->key, key) == 0;
    return count;
}

Test(dead_letter, attempts_outlive_ten_rebalances_and_end_in_one_letter)
{
    struct scene *scene = scene_new("poisoned", NULL, 3);
    struct child *stays =
        scene_connector(scene, (const char *[]){"dead_letter_topic={topic}.dead", NULL});
    rd_kafka_message_t *letter;
    rd_kafka_t *reader;

    cluster_create(scene->cluster, "poisoned.dead", 1);
    faas_annotate(scene->function, "com.openfaas.retry.attempts", "5");
    faas_decide(scene->function, poison_fails, NULL);
    write_record(scene, "poison", "to be kept", 10);
    write_record(scene, "food", "to be eaten", 11);
    scene_await_assigned(stays, 1);
    for (size_t i = 0; i < 5; i++) {
        struct child *guest =
            scene_connector(scene, (const char *[]){"dead_letter_topic={topic}.dead", NULL});

        scene_await_assigned(guest, 1);
        scene_stop(guest);
        scene_await_assigned(stays, 3 + 2 * i); /* it came, it went */
    }
    cr_assert(await_letters(scene, "poisoned.dead", 1), "%s", child_output(stays));
    await_time(&scene->loop, 2000);
    cr_expect_eq(calls_for(scene, "poison"), 5);
    cr_expect_eq(calls_for(scene, "food"), 1);
    cr_expect_eq(cluster_records(scene->cluster, "poisoned.dead"), 1);
    letter = read_first(scene, "poisoned.dead", &reader);
    cr_expect(letter->key_len == 6 && memcmp(letter->key, "poison", 6) == 0);
    cr_expect(letter->len == 10 && memcmp(letter->payload, "to be kept", 10) == 0);
    cr_expect_eq(rd_kafka_message_timestamp(letter, &(rd_kafka_timestamp_type_t){0}), written_ms);
    expect_text(letter, "trace", "abc");
    expect_header(letter, "binary", "\0\1", 2);
    expect_text(letter, "x-dead-letter-topic", "poisoned");
    expect_text(letter, "x-dead-letter-offset", "0");
    expect_text(letter, "x-dead-letter-function", SCENE_FUNCTION "." FAAS_NAMESPACE);
    expect_text(letter, "x-dead-letter-reason", "exhausted");
    expect_text(letter, "x-dead-letter-attempts", "5");
    close_reader(reader, letter);
    scene_stop(stays);
    scene_free(scene);
}

/* A record that fills the broker's max.message.bytes: with its reason it is too large. */
Test(dead_letter, one_that_its_reason_makes_too_large_is_cut)
{
    enum { SIZE = 1048588 - 150, LETTER = SIZE / 2 };
    struct scene *scene = scene_new("large", NULL, 1);
    struct child *connector =
        scene_connector(scene, (const char *[]){"dead_letter_topic=large-dead", NULL});
    char *value = memset(xmalloc(SIZE), 'x', SIZE);
    rd_kafka_message_t *letter;
    rd_kafka_t *reader;

    cluster_create(scene->cluster, "large-dead", 1);
    faas_script(scene->function, &(struct faas_reply){.status = 422});
    write_record(scene, "k", value, SIZE);
    cr_assert(await_letters(scene, "large-dead", 1), "%s", child_output(connector));
    letter = read_first(scene, "large-dead", &reader);
    cr_expect_eq(letter->len, LETTER, "%zu", letter->len);
    expect_text(letter, "x-dead-letter-reason", "status");
    expect_text(letter, "x-dead-letter-status", "422");
    expect_text(letter, "x-dead-letter-truncated", "1048438");
    close_reader(reader, letter);
    free(value);
    scene_stop(connector);
    scene_free(scene);
}

Test(dead_letter, a_topic_that_does_not_exist_is_told_of_and_waited_for)
{
    struct scene *scene = scene_new("early", NULL, 1);
    struct child *connector =
        scene_connector(scene, (const char *[]){"dead_letter_topic=late", NULL});

    faas_script(scene->function, &(struct faas_reply){.status = 500});
    write_record(scene, "k", "value", 5);
    cr_assert(
        child_await_text(connector, "dead letters wait: topic late: it does not exist", SOON_MS),
        "%s", child_output(connector));
    cr_expect_neq(cluster_committed(scene->cluster, "early", 0), 1);
    cluster_create(scene->cluster, "late", 1);
    cr_assert(await_letters(scene, "late", 1), "%s", child_output(connector));
    cr_expect_eq(call_log_arrived(scene->log, NULL), 1);
    scene_stop(connector);
    scene_free(scene);
}

Test(dead_letter, what_is_written_by_it_is_never_read_by_it)
{
    static const char *const settings[] = {"dead_letter_topic={topic}.dead", "topics=^everything.*",
                                           NULL};
    struct scene *scene = scene_new("everything", NULL, 1);
    struct child *connector;

    cluster_create(scene->cluster, "everything.dead", 1);
    faas_deploy(scene->gateway, "nosy", NULL, "everything.dead");
    connector = scene_connector(scene, settings);
    faas_script(scene->function, &(struct faas_reply){.status = 500});
    write_record(scene, "k", "value", 5);
    cr_assert(await_letters(scene, "everything.dead", 1), "%s", child_output(connector));
    await_time(&scene->loop, 3000); /* the client looks for new topics every 2 s */
    cr_expect_eq(call_log_arrived(scene->log, "nosy"), 0);
    cr_expect_eq(child_count(connector, "everything.dead:["), 0, "%s", child_output(connector));
    scene_stop(connector);
    scene_free(scene);
}

/* Every record of the load becomes a letter, and the broker is killed in the midst of it. */
Test(dead_letter, a_broker_that_is_killed_loses_and_doubles_none)
{
    static const char *const settings[] = {"kafka_session_timeout_ms=45000",
                                           "kafka_reconnect_backoff_max_ms=500",
                                           "dead_letter_topic=letters", NULL};
    static const char *const arguments[] = {"-X=reconnect.backoff.max.ms=500", NULL};
    uv_loop_t loop; /* the broker's own: it outlives the scene */
    struct child *connector, *load;
    struct broker *broker;
    struct scene *scene;
    int64_t records;

    uv_loop_init(&loop);
    broker = broker_new(&loop);
    scene = scene_new("all-fail", broker_bootstrap(broker), 3);
    cluster_create(scene->cluster, "letters", 3);
    faas_script(scene->function, &(struct faas_reply){.status = 500});
    connector = scene_connector(scene, settings);
    load = scene_load(scene, 4000, 1000, arguments);
    cr_assert(scene_await_ran(scene, 1500, SOON_MS), "%s", child_output(connector));
    broker_stop(broker, SIGKILL);
    await_time(&scene->loop, 1000);
    broker_restart(broker);
    cr_expect(scene_await_done(scene, load, LONG_MS), "%s", child_output(connector));
    records = cluster_records(scene->cluster, scene->topic);
    cr_expect_geq(records, 4000);
    cr_expect_eq(cluster_records(scene->cluster, "letters"), records);
    scene_stop(connector);
    child_free(load);
    scene_free(scene);
    broker_free(broker);
    await_close(&loop);
}

/* ---- before the start ---- */

static bool is_there(void *context)
{
    struct scene *scene = context;

    return cluster_partitions(scene->cluster, scene->topic) > 0;
}

/* Of topics=checked-all,nope nobody looked for either: a slip of the pen was said to be well. */
Test(dead_letter, check_tells_which_topics_are_missing)
{
    struct scene *scene = scene_new("checked-all", NULL, 1);
    const char *const settings[] = {"topics=checked-all,nope", NULL};
    struct child *check;
    int status;

    cr_assert(await(&scene->loop, is_there, scene, SOON_MS), "a new topic is not shown at once");
    check = scene_check(scene, settings);
    cr_assert(child_await_end(check, SOON_MS, &status));
    cr_expect_eq(status, 1, "%s", child_output(check));
    cr_expect_eq(child_count(check, "topic nope: missing"), 1, "%s", child_output(check));
    cr_expect_eq(child_count(check, "topic checked-all"), 0, "%s", child_output(check));
    child_free(check);
    cr_expect_eq(cluster_partitions(scene->cluster, "nope"), 0, "it was made");
    scene_free(scene);
}

Test(dead_letter, check_tells_whether_the_topic_for_them_is_there)
{
    struct scene *scene = scene_new("checked", NULL, 1);
    const char *const settings[] = {"dead_letter_topic={topic}.dead", NULL};
    const char *const others[] = {"dead_letter_topic={topic}.dead", "topics=^un", NULL};
    struct child *check = scene_check(scene, others);
    int status;

    cr_assert(child_await_end(check, SOON_MS, &status));
    cr_expect_eq(status, 0, "%s", child_output(check));
    cr_expect_eq(child_count(check, "dead-letter topic"), 0, "%s", child_output(check));
    child_free(check);
    check = scene_check(scene, settings);

    cr_assert(child_await_end(check, SOON_MS, &status));
    cr_expect_eq(status, 1, "%s", child_output(check));
    cr_expect_eq(child_count(check, "dead-letter topic checked.dead: missing, and the brokers do "
                                    "not make it by themselves"),
                 1, "%s", child_output(check));
    child_free(check);
    cr_expect_eq(cluster_partitions(scene->cluster, "checked.dead"), 0, "it was made");
    cluster_create(scene->cluster, "checked.dead", 2);
    check = scene_check(scene, settings);
    cr_assert(child_await_end(check, SOON_MS, &status));
    cr_expect_eq(status, 0, "%s", child_output(check));
    cr_expect_eq(child_count(check, "dead-letter topic checked.dead: partitions: 2"), 1, "%s",
                 child_output(check));
    child_free(check);
    scene_free(scene);
}
