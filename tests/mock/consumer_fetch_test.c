/* How kafka/consumer keeps records coming, against librdkafka's mock brokers. These do not end a
 * fetch that waits when a record comes: up to fetch.wait.max.ms of what is measured is theirs. */
#include "tests/harness/member.h"

#include <criterion/criterion.h>

enum { RECORD_SIZE = 8000, BACKLOG = 300, RECORDS = 20 };

TestSuite(consumer_fetch, .init = member_set_up, .fini = member_tear_down, .timeout = 120);

static size_t wanted;

static bool took_wanted(const void *of)
{
    return ((const struct member *)of)->taken >= wanted;
}

static bool never(const void *of)
{
    (void)of;
    return false;
}

static void produce(rd_kafka_t *producer, size_t size)
{
    static char value[RECORD_SIZE];

    cr_assert_eq(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("orders"), RD_KAFKA_V_PARTITION(0),
                                   RD_KAFKA_V_VALUE(value, size), RD_KAFKA_V_END),
                 0);
    cr_assert_eq(rd_kafka_flush(producer, MEMBER_PATIENCE_MS), 0);
}

/* Takes one record after another of the first partition; how long one takes, in ms. */
static uint64_t mean_latency(int partitions)
{
    rd_kafka_t *producer = member_producer_new();
    struct member *member;
    uint64_t waited = 0;

    mock_create_topic(member_mock, "orders", partitions);
    member = member_join("orders");
    for (wanted = 1; wanted <= RECORDS; wanted++) {
        uint64_t began;

        produce(producer, 1);
        began = uv_hrtime();
        member_await(took_wanted, member);
        waited += wanted > 1 ? uv_hrtime() - began : 0; /* the first waits for the group */
        member_run_until(never, NULL, 100);
    }
    rd_kafka_destroy(producer);
    member_leave(member);
    return waited / (RECORDS - 1) / 1000000;
}

/* Nothing but us tells a broker's thread that a queue ran empty: not even at the log's end, where
 * it is not known that more will come, may it be left to find out, which takes up to a second. */
Test(consumer_fetch, a_record_behind_the_log_s_end_does_not_wait_for_a_look_at_the_queue)
{
    uint64_t latency = mean_latency(1);

    cr_expect_lt(latency, 250, "%u ms", (unsigned)latency);
}

Test(consumer_fetch, nor_beside_a_partition_at_its_end)
{
    uint64_t latency = mean_latency(2);

    cr_expect_lt(latency, 250, "%u ms", (unsigned)latency);
}

/* A fetch that has nothing but partitions at their ends waits at the broker, and no second one is
 * sent meanwhile: with 500 ms that made a fetch for each 64 kB take as long. */
Test(consumer_fetch, a_partition_at_its_end_does_not_make_another_crawl)
{
    rd_kafka_t *producer = member_producer_new();
    struct member *member;
    uint64_t took;

    mock_create_topic(member_mock, "orders", 2);
    for (int i = 0; i < BACKLOG; i++)
        produce(producer, RECORD_SIZE);
    rd_kafka_destroy(producer);
    member = member_join("orders");
    wanted = 1;
    member_await(took_wanted, member);
    wanted = BACKLOG;
    took = uv_hrtime();
    member_await(took_wanted, member);
    took = (uv_hrtime() - took) / 1000000;
    cr_expect_lt(took, 20000, "%u ms", (unsigned)took);
    member_leave(member);
}
