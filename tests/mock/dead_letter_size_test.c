/* kafka/dead_letter: a letter that is too large is cut, or waits. */
#include "tests/harness/letters_rig.h"
#include "tests/harness/member.h"

#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { API_PRODUCE = 0, LARGE = 100 * 1000 };

TestSuite(dead_letter_size, .init = letters_rig_set_up, .fini = letters_rig_tear_down,
          .timeout = 120);

static void expect_cut(size_t size)
{
    rd_kafka_t *reader = reader_new("orders.dead");
    rd_kafka_message_t *message = read_only_letter(reader);

    cr_expect_eq(message->len, size, "%zu", message->len);
    for (size_t i = 0; i < message->len; i++)
        cr_assert_eq(((char *)message->payload)[i], 'x');
    cr_assert_eq(header_count(message), 8);
    expect_header(message, 7, "x-dead-letter-truncated", "100000");
    cr_expect_eq(letters_rig.seam->truncated, 1);
    close_reader(reader, message);
}

static char *large_value(void)
{
    return memset(xmalloc(LARGE), 'x', LARGE);
}

Test(dead_letter_size, too_large_for_the_client_it_is_cut)
{
    char *value = large_value();

    open_letters("message.max.bytes=30000");
    send_value(value, LARGE);
    await_settled(1);
    expect_cut(LARGE / 4);
    cr_expect_eq(letters_rig.seam->failures, 0);
    free(value);
}

Test(dead_letter_size, too_large_for_the_broker_it_is_cut)
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
Test(dead_letter_size, those_too_large_together_are_sent_one_by_one)
{
    open_letters(NULL);
    mock_push_errors(member_mock, API_PRODUCE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1);
    for (int i = 0; i < 20; i++)
        send_value("small", 5);
    await_settled(20);
    cr_expect_eq(letters_rig.seam->truncated, 0);
    cr_expect_eq(letters_rig.seam->failures, 0);
}

Test(dead_letter_size, too_large_without_its_value_it_waits)
{
    open_letters(NULL);
    mock_push_errors(member_mock, API_PRODUCE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 5);
    send_value("abc", 3); /* 3 bytes, alone, 1, 0, and once more */
    member_await(has_fault, "even without its value");
    await_settled(1);
    cr_expect_eq(letters_rig.seam->failures, 2);
    cr_expect_eq(letters_rig.seam->truncated, 1);
}
