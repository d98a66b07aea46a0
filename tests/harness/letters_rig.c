/* letters_rig: see letters_rig.h. */
#include "tests/harness/letters_rig.h"

#include "base/xalloc.h"
#include "tests/harness/member.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct letters_rig letters_rig;

void letters_rig_set_up(void)
{
    member_set_up();
    letters_rig = (struct letters_rig){0};
}

void letters_rig_tear_down(void)
{
    dead_letters_free(letters_rig.letters);
    letters_rig.letters = NULL;
    member_tear_down();
    cr_expect_eq(letters_rig.records, 0, "a record was not given back");
}

void open_letters(char *property)
{
    char *bootstrap = (char *)mock_bootstrap(member_mock);
    char *properties[] = {"reconnect.backoff.max.ms=200", property};
    struct kafka_options options = {{&bootstrap, 1}, "test", {properties, property ? 2 : 1}};
    struct option_faults faults = {0};

    mock_create_topic(member_mock, "orders.dead", 4);
    letters_rig.letters = dead_letters_new(&member_loop, &options, "{topic}.dead", &faults);
    cr_assert_not_null(letters_rig.letters, "%s", faults.count ? faults.items[0] : "");
    letters_rig.seam = dead_letters_seam(letters_rig.letters);
}

static void on_release(struct record *record)
{
    letters_rig.records--;
    free(record);
}

static struct record *record_new(const struct record *like)
{
    struct record *record = xmalloc(sizeof(*record));

    letters_rig.records++;
    *record = *like;
    record->topic = "orders";
    record->refs = 1;
    record->release = on_release;
    return record;
}

static void on_settled(void *context)
{
    (void)context;
    letters_rig.settled++;
}

struct letter *send_letter(const struct record *like, const struct letter_why *why)
{
    struct record *record = record_new(like);
    struct letter *letter =
        letters_rig.seam->calls->send(letters_rig.seam, record, why, on_settled, NULL);

    record_unref(&record);
    return letter;
}

const struct letter_why exhausted = {"figlet", LETTER_EXHAUSTED, 503, 10};

struct letter *send_value(const char *value, size_t size)
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
    return letters_rig.settled >= *(const int *)count;
}

void await_settled(int count)
{
    member_await(all_settled, &count);
    cr_assert_eq(letters_rig.settled, count);
}

bool has_fault(const void *text)
{
    return letters_rig.seam->fault && strstr(letters_rig.seam->fault, text);
}

/* ---- what is in the topic ---- */

rd_kafka_t *reader_new(const char *topic)
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

rd_kafka_message_t *read_letter(rd_kafka_t *reader)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, MEMBER_PATIENCE_MS);

    cr_assert_not_null(message);
    cr_assert_eq(message->err, 0);
    return message;
}

/* One letter that is there, and no other. */
rd_kafka_message_t *read_only_letter(rd_kafka_t *reader)
{
    rd_kafka_message_t *message = read_letter(reader), *more;

    while ((more = rd_kafka_consumer_poll(reader, 200))) {
        cr_assert_neq(more->err, 0, "there is a second letter");
        rd_kafka_message_destroy(more);
    }
    return message;
}

void close_reader(rd_kafka_t *reader, rd_kafka_message_t *message)
{
    rd_kafka_message_destroy(message);
    rd_kafka_destroy_flags(reader, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void expect_header(const rd_kafka_message_t *message, size_t index, const char *name,
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

size_t header_count(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;

    rd_kafka_message_headers(message, &headers);
    return rd_kafka_header_cnt(headers);
}
