/* How kafka/consumer keeps records coming, against librdkafka's mock brokers. These do not end a
 * fetch that waits when a record comes: up to fetch.wait.max.ms (50) of each wait is theirs. What
 * is counted is how often records were waited for far longer: a busy machine makes some so late,
 * what is tested makes most of them. */
#include "tests/harness/member.h"

#include <criterion/criterion.h>

enum { RECORD_SIZE = 8000, RECORDS = 20, LATE_MS = 400, LATE_MOST = 3 };

TestSuite(consumer_fetch, .init = member_set_up, .fini = member_tear_down, .timeout = 120);

static size_t wanted;

static bool took_wanted(const void *of)
{
    return ((const struct member *)of)->taken >= wanted;
}

/* Whether it took longer than LATE_MS until so many are taken. */
static bool await_late(struct member *member, size_t count)
{
    bool late;

    wanted = count;
    late = !member_run_until(took_wanted, member, LATE_MS);
    member_await(took_wanted, member);
    return late;
}

static bool never(const void *of)
{
    (void)of;
    return false;
}

/* One batch, which the mock brokers give out as one. */
static void produce(rd_kafka_t *producer, int records, size_t size)
{
    static char value[RECORD_SIZE];

    for (int i = 0; i < records; i++)
        cr_assert_eq(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("orders"),
                                       RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_VALUE(value, size),
                                       RD_KAFKA_V_END),
                     0);
    cr_assert_eq(rd_kafka_flush(producer, MEMBER_PATIENCE_MS), 0);
}

/* Takes one record after another of the first partition; how many were late. */
static size_t late_records(int partitions)
{
    rd_kafka_t *producer = member_producer_new();
    struct member *member;
    size_t late = 0;

    mock_create_topic(member_mock, "orders", partitions);
    member = member_join("orders");
    produce(producer, 1, 1);
    await_late(member, 1); /* waits for the group */
    for (size_t count = 2; count <= RECORDS; count++) {
        member_run_until(never, NULL, 100);
        produce(producer, 1, 1);
        late += await_late(member, count);
    }
    rd_kafka_destroy(producer);
    member_leave(member);
    return late;
}

/* At the log's end it is not known that more will come: it is asked for all the same. */
Test(consumer_fetch, a_record_behind_the_log_s_end_does_not_wait_for_a_look_at_the_queue)
{
    cr_expect_leq(late_records(1), LATE_MOST);
}

Test(consumer_fetch, nor_beside_a_partition_at_its_end)
{
    cr_expect_leq(late_records(2), LATE_MOST);
}

/* Takes a backlog in the first of some partitions; how often nothing came for LATE_MS. */
static size_t late_of_backlog(int partitions, int batches, int records, size_t size)
{
    rd_kafka_t *producer = member_producer_new();
    struct member *member;
    size_t late = 0;

    mock_create_topic(member_mock, "orders", partitions);
    for (int i = 0; i < batches; i++)
        produce(producer, records, size);
    rd_kafka_destroy(producer);
    member = member_join("orders");
    await_late(member, 1); /* waits for the group */
    while (member->taken < (size_t)batches * (size_t)records)
        late += await_late(member, member->taken + 1);
    member_leave(member);
    return late;
}

/* A fetch that has nothing but partitions at their ends waits at the broker, and no second one is
 * sent meanwhile: with 500 ms that made a fetch for each 64 kB take as long. */
Test(consumer_fetch, a_partition_at_its_end_does_not_make_another_crawl)
{
    cr_expect_leq(late_of_backlog(2, 300, 1, RECORD_SIZE), LATE_MOST);
}

static bool lies_fetched(const void *of)
{
    const struct member *member = of;

    return member->source->calls->has_records(member->source, member->parts[0].given.handle);
}

static bool is_held(const void *of)
{
    return ((const struct member *)of)->held > 0;
}

/* A batch is more than queued.min.messages: while it lies there no other is fetched, and nothing
 * but us tells a broker's thread that it was taken; it looks once a second. */
Test(consumer_fetch, a_queue_that_ran_empty_is_filled_at_once)
{
    enum { BATCHES = 8, BATCH = 120, REST_MS = 50 };
    rd_kafka_t *producer = member_producer_new();
    struct member *member;
    size_t late = 0;

    mock_create_topic(member_mock, "orders", 1);
    for (int i = 0; i < BATCHES; i++)
        produce(producer, BATCH, 10);
    rd_kafka_destroy(producer);
    member = member_join("orders");
    member->paused = true;
    member_await(is_held, member);
    for (int i = 0; i < BATCHES; i++) {
        late += !member_run_until(lies_fetched, member, LATE_MS);
        member_await(lies_fetched, member);
        member_run_until(never, NULL, REST_MS);
        member->paused = false;
        member_take(&member->parts[0]);
        member->paused = true;
    }
    cr_expect_leq(late, LATE_MOST);
    member_leave(member);
}
