/* kafka/dead_letter against librdkafka's mock brokers. */
#include "tests/harness/letters_rig.h"
#include "tests/harness/member.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { API_PRODUCE = 0 };

TestSuite(dead_letter, .init = letters_rig_set_up, .fini = letters_rig_tear_down, .timeout = 120);

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
    cr_expect_eq(letters_rig.seam->under_way, 1);
    await_settled(1);
    cr_expect_eq(letters_rig.seam->under_way, 0);
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
    cr_expect_eq(letters_rig.settled, 1);
    cr_expect_eq(letters_rig.seam->under_way, 1);
    mock_broker_up(member_mock, 1);
    await_settled(2);
    cr_expect_null(letters_rig.seam->fault);
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
    cr_expect_eq(letters_rig.letters->sent, LETTERS_SENT);
    cr_expect_eq(letters_rig.seam->under_way, MANY);
    mock_broker_up(member_mock, 1);
    await_settled(MANY);
    cr_expect_eq(letters_rig.letters->sent, 0);
    cr_expect_eq(letters_rig.letters->sent_bytes, 0);
}

Test(dead_letter, a_refusal_is_followed_by_another_try)
{
    open_letters(NULL);
    mock_push_errors(member_mock, API_PRODUCE, RD_KAFKA_RESP_ERR_POLICY_VIOLATION, 2);
    send_value("value", 5);
    member_await(has_fault, "topic orders.dead: ");
    await_settled(1);
    cr_expect_eq(letters_rig.seam->failures, 2);
    cr_expect_eq(letters_rig.seam->refused, 0);
    cr_expect_null(letters_rig.seam->fault);
}

Test(dead_letter, a_topic_that_does_not_exist_is_named_and_waited_for)
{
    open_letters("topic.metadata.propagation.max.ms=100");
    mock_hide_topic(member_mock, "orders.dead", true);
    send_value("value", 5);
    member_await(has_fault, "topic orders.dead: it does not exist");
    cr_expect_eq(letters_rig.settled, 0);
    cr_expect_eq(letters_rig.seam->refused, 1);
    mock_hide_topic(member_mock, "orders.dead", false);
    await_settled(1);
    cr_expect_null(letters_rig.seam->fault);
}

static bool has_failed(const void *count)
{
    return letters_rig.seam->failures >= *(const int64_t *)count;
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

/* ---- the end ---- */

Test(dead_letter, one_that_is_cancelled_is_not_told_of)
{
    struct letter *sent, *waiting = NULL;

    open_letters(NULL);
    mock_broker_down(member_mock, 1);
    sent = send_value("sent", 4);
    for (int i = 0; i < LETTERS_SENT; i++)
        waiting = send_value("waits", 5);
    letters_rig.seam->calls->cancel(letters_rig.seam, sent);
    letters_rig.seam->calls->cancel(letters_rig.seam, waiting);
    cr_expect_eq(letters_rig.records, LETTERS_SENT - 1, "both records are given back at once");
    mock_broker_up(member_mock, 1);
    await_settled(LETTERS_SENT - 1);
    cr_expect_eq(letters_rig.letters->sent, 0);
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
    letters_rig.seam->calls->cancel(letters_rig.seam, letter);
    dead_letters_close(letters_rig.letters, on_closed, &closed);
    cr_assert(member_run_until(is_true, &closed, 5000));
}

static void note_holds(void *context)
{
    *(unsigned *)context = letters_rig.letters->holds;
}

static bool is_noted(const void *holds)
{
    return *(const unsigned *)holds;
}

/* One that broke may still be on its way out when the next one is closed. */
Test(dead_letter, closing_waits_for_every_handle_that_is_destroyed)
{
    char reason[REASON_SIZE];
    unsigned holds = 0;

    open_letters(NULL);
    letters_shut(letters_rig.letters);
    cr_assert(letters_open(letters_rig.letters, reason), "%s", reason);
    dead_letters_close(letters_rig.letters, note_holds, &holds);
    member_await(is_noted, &holds);
    cr_expect_leq(holds, HANDLES + 1, "but the one that ended last: %u", holds);
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
    first = letters_rig.letters->kafka;
    mock_broker_down(member_mock, 1);
    send_value("meanwhile", 9);
    rd_kafka_test_fatal_error(first, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a test's");
    mock_broker_up(member_mock, 1);
    await_settled(2);
    cr_expect_not(letters_rig.letters->broken);
    cr_expect_null(letters_rig.seam->fault);
    cr_expect_eq(letters_rig.seam->failures, 0, "no letter was refused");
}

/* The first of them are with the client that is lost, the last wait for room in it. */
Test(dead_letter, the_other_client_sends_them_in_the_order_in_which_they_came)
{
    enum { COUNT = LETTERS_SENT + 20 };
    static int32_t numbers[COUNT];
    rd_kafka_t *reader;

    open_letters(NULL);
    send_value("before", 6);
    await_settled(1);
    mock_broker_down(member_mock, 1);
    for (int i = 0; i < COUNT; i++) {
        numbers[i] = i;
        send_letter(
            &(struct record){
                .key = "k", .key_size = 1, .value = &numbers[i], .value_size = sizeof(numbers[i])},
            &exhausted);
    }
    rd_kafka_test_fatal_error(letters_rig.letters->kafka,
                              RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a test's");
    mock_broker_up(member_mock, 1);
    await_settled(1 + COUNT);
    reader = reader_new("orders.dead");
    for (int next = 0; next < COUNT;) {
        rd_kafka_message_t *message = read_letter(reader);
        int32_t number = -1;

        if (message->key) {
            memcpy(&number, message->payload, sizeof(number));
            cr_assert_eq(number, next, "%d instead of %d", number, next);
            next++;
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy_flags(reader, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}
