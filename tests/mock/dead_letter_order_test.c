/* kafka/dead_letter against librdkafka's mock brokers: the order in which letters are kept. */
#include "kafka/dead_letter_private.h"
#include "tests/harness/member.h"

#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = LETTERS_SENT + 20 };

static int32_t numbers[COUNT]; /* the records' values, that letters refer to */
static int settled;

TestSuite(dead_letter_order, .init = member_set_up, .fini = member_tear_down, .timeout = 120);

static struct dead_letters *open_letters(void)
{
    char *bootstrap = (char *)mock_bootstrap(member_mock);
    char *properties[] = {"reconnect.backoff.max.ms=200"};
    struct kafka_options options = {{&bootstrap, 1}, "test", {properties, 1}};
    struct option_faults faults = {0};
    struct dead_letters *letters;

    mock_create_topic(member_mock, "orders.dead", 4);
    letters = dead_letters_new(&member_loop, &options, "{topic}.dead", &faults);
    cr_assert_not_null(letters, "%s", faults.count ? faults.items[0] : "");
    return letters;
}

static void on_release(struct record *record)
{
    free(record);
}

static void on_settled(void *context)
{
    (void)context;
    settled++;
}

/* All of one key, so that they are in one partition. */
static void send_number(struct dead_letters *letters, int number)
{
    static const struct letter_why why = {"figlet", LETTER_EXHAUSTED, 503, 10};
    struct letters *seam = dead_letters_seam(letters);
    struct record *record = xcalloc(1, sizeof(*record));

    numbers[number] = number;
    *record = (struct record){.topic = "orders",
                              .refs = 1,
                              .key = "k",
                              .key_size = 1,
                              .value = &numbers[number],
                              .value_size = sizeof(numbers[number]),
                              .release = on_release};
    seam->calls->send(seam, record, &why, on_settled, NULL);
    record_unref(&record);
}

static bool are_settled(const void *count)
{
    return settled >= *(const int *)count;
}

static void await_settled(int count)
{
    member_await(are_settled, &count);
    cr_assert_eq(settled, count);
}

static rd_kafka_t *reader_new(void)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *reader;

    rd_kafka_conf_set(conf, "bootstrap.servers", mock_bootstrap(member_mock), NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "reader", NULL, 0);
    reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    for (int i = 0; i < 4; i++)
        rd_kafka_topic_partition_list_add(list, "orders.dead", i)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(reader, list);
    rd_kafka_topic_partition_list_destroy(list);
    return reader;
}

static void expect_in_order(void)
{
    rd_kafka_t *reader = reader_new();

    for (int next = 0; next < COUNT; next++) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, MEMBER_PATIENCE_MS);
        int32_t number;

        cr_assert_not_null(message);
        cr_assert_eq(message->len, sizeof(number));
        memcpy(&number, message->payload, sizeof(number));
        rd_kafka_message_destroy(message);
        cr_assert_eq(number, next, "%d instead of %d", number, next);
    }
    rd_kafka_destroy_flags(reader, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

/* The first of them are with the client that is lost, the last wait for room in it. */
Test(dead_letter_order, another_client_sends_them_in_the_order_in_which_they_came)
{
    struct dead_letters *letters = open_letters();

    send_number(letters, 0);
    await_settled(1);
    mock_broker_down(member_mock, 1);
    for (int i = 1; i < COUNT; i++)
        send_number(letters, i);
    rd_kafka_test_fatal_error(letters->kafka, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                              "a test's");
    mock_broker_up(member_mock, 1);
    await_settled(COUNT);
    expect_in_order();
    dead_letters_free(letters);
}
