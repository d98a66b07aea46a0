/* wake: which queue is told of, and when. */
#include "kafka/wake.h"

#include <criterion/criterion.h>

enum { MARK = 7, OTHER = 8, TOLD_MOST = 8 };

static uv_loop_t loop;
static struct kafka_wake wake;
static rd_kafka_t *client;
static rd_kafka_queue_t *queue, *other;
static uint64_t told[TOLD_MOST];
static size_t told_count;
static bool stops, is_closed;

static void on_woken(void *context, uint64_t mark)
{
    cr_assert_eq(context, &wake);
    cr_assert_lt(told_count, TOLD_MOST);
    told[told_count++] = mark;
    if (stops)
        kafka_wake_stop(&wake);
}

static void on_closed(void *context)
{
    (void)context;
    is_closed = true;
}

static void set_up(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "bootstrap.servers", "127.0.0.1:1", NULL, 0);
    rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
    client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    cr_assert_not_null(client);
    queue = rd_kafka_queue_new(client);
    other = rd_kafka_queue_new(client);
    uv_loop_init(&loop);
    kafka_wake_open(&wake, &loop, on_woken, &wake);
}

static void tear_down(void)
{
    kafka_wake_close(&wake, on_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(is_closed);
    cr_expect_eq(uv_loop_close(&loop), 0);
    rd_kafka_queue_destroy(queue);
    rd_kafka_queue_destroy(other);
    rd_kafka_destroy(client);
    kafka_wake_release(&wake);
}

TestSuite(wake, .init = set_up, .fini = tear_down, .timeout = 120);

/* The answer to a question that no broker gets. */
static void enqueue(rd_kafka_queue_t *to)
{
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new("orders");
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DELETETOPICS);

    rd_kafka_AdminOptions_set_request_timeout(options, 10, NULL, 0);
    rd_kafka_DeleteTopics(client, &topic, 1, options, to);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_DeleteTopic_destroy(topic);
}

static void empty(rd_kafka_queue_t *from)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(from, 60000);

    cr_assert_not_null(event);
    rd_kafka_event_destroy(event);
}

static void expect_told(size_t count, uint64_t mark)
{
    while (told_count < count)
        uv_run(&loop, UV_RUN_ONCE);
    cr_expect_eq(told[count - 1], mark);
}

Test(wake, what_came_before_is_told_of)
{
    enqueue(queue);
    while (!rd_kafka_queue_length(queue))
        uv_sleep(1);
    kafka_wake_watch(&wake, queue, MARK);
    expect_told(1, MARK);
}

Test(wake, an_empty_queue_that_gets_something_is_told_of)
{
    kafka_wake_watch(&wake, queue, MARK);
    kafka_wake_watch(&wake, other, OTHER);
    expect_told(2, OTHER);
    enqueue(queue);
    expect_told(3, MARK);
    empty(queue);
    enqueue(other);
    expect_told(4, OTHER);
    kafka_wake_ignore(queue);
    enqueue(queue);
    empty(queue);
    empty(other);
    uv_run(&loop, UV_RUN_NOWAIT);
    cr_expect_eq(told_count, 4);
}

Test(wake, it_stops_at_once)
{
    stops = true;
    kafka_wake_watch(&wake, queue, MARK);
    kafka_wake_watch(&wake, other, OTHER);
    expect_told(1, MARK);
    uv_run(&loop, UV_RUN_NOWAIT);
    cr_expect_eq(told_count, 1);
}
