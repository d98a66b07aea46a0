/* kafka/dead_letter against librdkafka's mock brokers. */
#include "kafka/dead_letter_private.h"
#include "tests/harness/member.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { API_PRODUCE = 0, LARGE = 100 * 1000 };

static struct dead_letters *letters;
static struct letters *seam;
static int settled, records; /* letters kept; records not released */

static void set_up(void)
{
    member_set_up();
    settled = records = 0;
}

static void tear_down(void)
{
    dead_letters_free(letters);
    letters = NULL;
    member_tear_down();
    cr_expect_eq(records, 0, "a record was not given back");
}

TestSuite(dead_letter, .init = set_up, .fini = tear_down, .timeout = 120);

static void open_letters(char *property)
{
    char *bootstrap = (char *)mock_bootstrap(member_mock);
    char *properties[] = {"reconnect.backoff.max.ms=200", property};
    struct kafka_options options = {{&bootstrap, 1}, "test", {properties, property ? 2 : 1}};
    struct option_faults faults = {0};

    mock_create_topic(member_mock, "orders.dead", 4);
    letters = dead_letters_new(&member_loop, &options, "{topic}.dead", &faults);
    cr_assert_not_null(letters, "%s", faults.count ? faults.items[0] : "");
    seam = dead_letters_seam(letters);
}

static void on_release(struct record *record)
{
    records--;
    free(record);
}

static struct record *record_new(const struct record *like)
{
    struct record *record = xmalloc(sizeof(*record));

    records++;
    *record = *like;
    record->topic = "orders";
    record->refs = 1;
    record->release = on_release;
    return record;
}

static void on_settled(void *context)
{
    (void)context;
    settled++;
}

static struct letter *send_letter(const struct record *like, const struct letter_why *why)
{
    struct record *record = record_new(like);
    struct letter *letter = seam->calls->send(seam, record, why, on_settled, NULL);

    record_unref(&record);
    return letter;
}

static const struct letter_why exhausted = {"figlet", LETTER_EXHAUSTED, 503, 10};

static struct letter *send_value(const char *value, size_t size)
{
    return send_letter(&(struct record){.partition = 3,
                                        .offset = 17,
                                        .timestamp_ms = 1700000000123,
                                        .value = value,
                                        .value_size = size},
                       &exhausted);
}

static bool all_settled(const void *count)
{
    return settled >= *(const int *)count;
}

static void await_settled(int count)
{
    member_await(all_settled, &count);
    cr_assert_eq(settled, count);
}

static bool has_fault(const void *text)
{
    return seam->fault && strstr(seam->fault, text);
}

/* ---- what is in the topic ---- */

static rd_kafka_t *reader_new(const char *topic)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *reader;

    rd_kafka_conf_set(conf, "bootstrap.servers", mock_bootstrap(member_mock), NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "reader", NULL, 0);
    reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    for (int i = 0; i < 4; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(reader, list);
    rd_kafka_topic_partition_list_destroy(list);
    return reader;
}

static rd_kafka_message_t *read_letter(rd_kafka_t *reader)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, MEMBER_PATIENCE_MS);

    cr_assert_not_null(message);
    cr_assert_eq(message->err, 0);
    return message;
}

/* One letter that is there, and no other. */
static rd_kafka_message_t *read_only_letter(rd_kafka_t *reader)
{
    rd_kafka_message_t *message = read_letter(reader), *more;

    while ((more = rd_kafka_consumer_poll(reader, 200))) {
        cr_assert_neq(more->err, 0, "there is a second letter");
        rd_kafka_message_destroy(more);
    }
    return message;
}

static void close_reader(rd_kafka_t *reader, rd_kafka_message_t *message)
{
    rd_kafka_message_destroy(message);
    rd_kafka_destroy_flags(reader, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void expect_header(const rd_kafka_message_t *message, size_t index, const char *name,
                          const char *value)
{
    rd_kafka_headers_t *headers = NULL;
    const char *found = "";
    const void *bytes;
    size_t size;

    rd_kafka_message_headers(message, &headers);
    cr_assert_eq(rd_kafka_header_get_all(headers, index, &found, &bytes, &size), 0, "no %s", name);
    cr_expect_str_eq(found, name);
    if (!value) {
        cr_expect_null(bytes, "%s", name);
        return;
    }
    cr_expect_eq(size, strlen(value), "%s", name);
    cr_expect_eq(memcmp(bytes, value, size), 0, "%s: %.*s", name, (int)size, (const char *)bytes);
}

static size_t header_count(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;

    rd_kafka_message_headers(message, &headers);
    return rd_kafka_header_cnt(headers);
}

Test(dead_letter, is_the_record_with_the_reason_behind_its_headers)
{
    static const struct record_header headers[] = {{"trace", "abc", 3},
                                                   {"x-dead-letter-reason", "of old", 6},
                                                   {"none", NULL, 0},
                                                   {"trace", "def", 3}};
    rd_kafka_timestamp_type_t type;
    rd_kafka_message_t *message;
    rd_kafka_t *reader;

    open_letters(NULL);
    send_letter(&(struct record){.partition = 3,
                                 .offset = 17,
                                 .timestamp_ms = 1700000000123,
                                 .key = "k\0y",
                                 .key_size = 3,
                                 .value = "v\0lue",
                                 .value_size = 5,
                                 .headers = headers,
                                 .header_count = 4},
                &exhausted);
    cr_expect_eq(seam->under_way, 1);
    await_settled(1);
    cr_expect_eq(seam->under_way, 0);
    reader = reader_new("orders.dead");
    message = read_only_letter(reader);
    cr_expect_eq(message->key_len, 3);
    cr_expect_eq(memcmp(message->key, "k\0y", 3), 0);
    cr_expect_eq(message->len, 5);
    cr_expect_eq(memcmp(message->payload, "v\0lue", 5), 0);
    cr_expect_eq(rd_kafka_message_timestamp(message, &type), 1700000000123);
    cr_assert_eq(header_count(message), 10);
    expect_header(message, 0, "trace", "abc");
    expect_header(message, 1, "none", NULL);
    expect_header(message, 2, "trace", "def");
    expect_header(message, 3, "x-dead-letter-topic", "orders");
    expect_header(message, 4, "x-dead-letter-partition", "3");
    expect_header(message, 5, "x-dead-letter-offset", "17");
    expect_header(message, 6, "x-dead-letter-function", "figlet");
    expect_header(message, 7, "x-dead-letter-reason", "exhausted");
    expect_header(message, 8, "x-dead-letter-status", "503");
    expect_header(message, 9, "x-dead-letter-attempts", "10");
    close_reader(reader, message);
}

Test(dead_letter, nothing_stays_nothing)
{
    rd_kafka_message_t *message;
    rd_kafka_t *reader;

    open_letters(NULL);
    send_letter(&(struct record){.timestamp_ms = -1},
                &(struct letter_why){"figlet.fn", LETTER_UNANSWERED, 0, 2});
    await_settled(1);
    reader = reader_new("orders.dead");
    message = read_only_letter(reader);
    cr_expect_null(message->key);
    cr_expect_null(message->payload);
    cr_assert_eq(header_count(message), 6, "no status is known");
    expect_header(message, 4, "x-dead-letter-reason", "unanswered");
    expect_header(message, 5, "x-dead-letter-attempts", "2");
    close_reader(reader, message);
}

/* ---- the broker ---- */

Test(dead_letter, a_broker_that_is_away_is_waited_for)
{
    rd_kafka_t *reader;

    open_letters(NULL);
    send_value("before", 6);
    await_settled(1);
    mock_broker_down(member_mock, 1);
    send_value("meanwhile", 9);
    member_await(has_fault, "brokers: ");
    cr_expect_eq(settled, 1);
    cr_expect_eq(seam->under_way, 1);
    mock_broker_up(member_mock, 1);
    await_settled(2);
    cr_expect_null(seam->fault);
    reader = reader_new("orders.dead");
    rd_kafka_message_destroy(read_letter(reader));
    close_reader(reader, read_only_letter(reader));
}

Test(dead_letter, many_go_in_turn_and_no_more_at_once_than_is_said)
{
    enum { MANY = 4 * LETTERS_SENT };

    open_letters(NULL);
    mock_broker_down(member_mock, 1);
    for (int i = 0; i < MANY; i++)
        send_value("value", 5);
    cr_expect_eq(letters->sent, LETTERS_SENT);
    cr_expect_eq(seam->under_way, MANY);
    mock_broker_up(member_mock, 1);
    await_settled(MANY);
    cr_expect_eq(letters->sent, 0);
    cr_expect_eq(letters->sent_bytes, 0);
}

Test(dead_letter, a_refusal_is_followed_by_another_try)
{
    open_letters(NULL);
    mock_push_errors(member_mock, API_PRODUCE, RD_KAFKA_RESP_ERR_POLICY_VIOLATION, 2);
    send_value("value", 5);
    member_await(has_fault, "topic orders.dead: ");
    await_settled(1);
    cr_expect_eq(seam->failures, 2);
    cr_expect_eq(seam->refused, 0);
    cr_expect_null(seam->fault);
}

Test(dead_letter, a_topic_that_does_not_exist_is_named_and_waited_for)
{
    open_letters("topic.metadata.propagation.max.ms=100");
    mock_hide_topic(member_mock, "orders.dead", true);
    send_value("value", 5);
    member_await(has_fault, "topic orders.dead: it does not exist");
    cr_expect_eq(settled, 0);
    cr_expect_eq(seam->refused, 1);
    mock_hide_topic(member_mock, "orders.dead", false);
    await_settled(1);
    cr_expect_null(seam->fault);
}

static bool has_failed(const void *count)
{
    return seam->failures >= *(const int64_t *)count;
}

/* Of the same fault one try is told by its report and the next by librdkafka at once, each with a
 * code of its own. */
Test(dead_letter, a_topic_that_does_not_exist_is_told_of_once)
{
    static const char line[] = "dead letters wait: topic orders.dead: it does not exist";
    struct log_options options = {LOG_FORMAT_CONSOLE, LOG_LEVEL_WARNING};
    int64_t failures = 4;
    size_t size, told = 0;
    char *text = NULL;
    FILE *to = open_memstream(&text, &size);

    log_configure(&options, to);
    open_letters("topic.metadata.propagation.max.ms=100");
    mock_hide_topic(member_mock, "orders.dead", true);
    send_value("value", 5);
    member_await(has_failed, &failures);
    mock_hide_topic(member_mock, "orders.dead", false);
    await_settled(1);
    log_configure(&options, stderr);
    fclose(to);
    for (const char *at = text; (at = strstr(at, line)); at++)
        told++;
    cr_expect_eq(told, 1, "%s", text);
    free(text);
}

/* ---- too large ---- */

static void expect_cut(size_t size)
{
    rd_kafka_t *reader = reader_new("orders.dead");
    rd_kafka_message_t *message = read_only_letter(reader);

    cr_expect_eq(message->len, size, "%zu", message->len);
    for (size_t i = 0; i < message->len; i++)
        cr_assert_eq(((char *)message->payload)[i], 'x');
    cr_assert_eq(header_count(message), 8);
    expect_header(message, 7, "x-dead-letter-truncated", "100000");
    cr_expect_eq(seam->truncated, 1);
    close_reader(reader, message);
}

static char *large_value(void)
{
    return memset(xmalloc(LARGE), 'x', LARGE);
}

Test(dead_letter, too_large_for_the_client_it_is_cut)
{
    char *value = large_value();

    open_letters("message.max.bytes=30000");
    send_value(value, LARGE);
    await_settled(1);
    expect_cut(LARGE / 4);
    cr_expect_eq(seam->failures, 0);
    free(value);
}

Test(dead_letter, too_large_for_the_broker_it_is_cut)
{
    char *value = large_value();

    open_letters(NULL);
    mock_push_errors(member_mock, API_PRODUCE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 3);
    send_value(value, LARGE);
    await_settled(1);
    expect_cut(LARGE / 8);
    free(value);
}

/* The broker judges a batch: small letters must not be cut for having been sent together. */
Test(dead_letter, those_too_large_together_are_sent_one_by_one)
{
    open_letters(NULL);
    mock_push_errors(member_mock, API_PRODUCE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1);
    for (int i = 0; i < 20; i++)
        send_value("small", 5);
    await_settled(20);
    cr_expect_eq(seam->truncated, 0);
    cr_expect_eq(seam->failures, 0);
}

Test(dead_letter, too_large_without_its_value_it_waits)
{
    open_letters(NULL);
    mock_push_errors(member_mock, API_PRODUCE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 5);
    send_value("abc", 3); /* 3 bytes, alone, 1, 0, and once more */
    member_await(has_fault, "even without its value");
    await_settled(1);
    cr_expect_eq(seam->failures, 2);
    cr_expect_eq(seam->truncated, 1);
}

/* ---- the end ---- */

Test(dead_letter, one_that_is_cancelled_is_not_told_of)
{
    struct letter *sent, *waiting = NULL;

    open_letters(NULL);
    mock_broker_down(member_mock, 1);
    sent = send_value("sent", 4);
    for (int i = 0; i < LETTERS_SENT; i++)
        waiting = send_value("waits", 5);
    seam->calls->cancel(seam, sent);
    seam->calls->cancel(seam, waiting);
    cr_expect_eq(records, LETTERS_SENT - 1, "both records are given back at once");
    mock_broker_up(member_mock, 1);
    await_settled(LETTERS_SENT - 1);
    cr_expect_eq(letters->sent, 0);
}

static void on_closed(void *context)
{
    *(bool *)context = true;
}

static bool is_true(const void *closed)
{
    return *(const bool *)closed;
}

Test(dead_letter, closing_does_not_wait_for_brokers)
{
    bool closed = false;
    struct letter *letter;

    open_letters(NULL);
    mock_broker_down(member_mock, 1);
    letter = send_value("value", 5);
    seam->calls->cancel(seam, letter);
    dead_letters_close(letters, on_closed, &closed);
    cr_assert(member_run_until(is_true, &closed, 5000));
}

Test(dead_letter, freeing_in_a_hurry_frees_all)
{
    open_letters(NULL);
    mock_broker_down(member_mock, 1);
    for (int i = 0; i < 2 * LETTERS_SENT; i++)
        send_value("value", 5);
}

Test(dead_letter, after_a_fatal_error_another_client_takes_over)
{
    rd_kafka_t *first;

    open_letters(NULL);
    send_value("before", 6);
    await_settled(1);
    first = letters->kafka;
    mock_broker_down(member_mock, 1);
    send_value("meanwhile", 9);
    rd_kafka_test_fatal_error(first, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a test's");
    mock_broker_up(member_mock, 1);
    await_settled(2);
    cr_expect_not(letters->broken);
    cr_expect_null(seam->fault);
    cr_expect_eq(seam->failures, 0, "no letter was refused");
}

/* ---- settings ---- */

Test(dead_letter, properties_of_consumers_do_no_harm_and_those_it_depends_on_are_refused)
{
    static const struct {
        char *property;
        bool good;
    } cases[] = {
        {"fetch.wait.max.ms=7", true},      {"session.timeout.ms=7000", true},
        {"compression.type=lz4", true},     {"security.protocol=SASL_PLAINTEXT", true},
        {"message.max.bytes=5000", true},   {"acks=1", false},
        {"request.required.acks=1", false}, {"enable.idempotence=false", false},
        {"message.timeout.ms=1000", false}, {"delivery.timeout.ms=1000", false},
        {"transactional.id=x", false},      {"batch.size=100000", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *bootstrap = "kafka", *property = cases[i].property;
        struct kafka_options options = {{&bootstrap, 1}, "test", {&property, 1}};
        struct option_faults faults = {0};

        dead_letters_check(&options, &faults);
        cr_expect_eq(faults.count, !cases[i].good, "%s: %s", property,
                     faults.count ? faults.items[0] : "no fault");
        option_faults_release(&faults);
    }
}
