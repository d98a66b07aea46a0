/*
 * kafka/consumer against librdkafka's mock brokers: a member and a sink that writes down what it
 * is told, on one loop. The mock's groups wait 3 s before their first rebalance and a second less
 * than the session's timeout before any other, so sessions are short here.
 */
#include "kafka/consumer.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "core/progress.h"
#include "kafka/mock.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS_MAX = 8, RECORDS_MAX = 1000, PATIENCE_MS = 30000 };
enum { API_FETCH = 1, API_OFFSET_COMMIT = 8, API_OFFSET_FETCH = 9 };

/* One partition as the sink saw it. */
struct part {
    struct member *member;
    struct source_assignment given; /* as told; metadata is a copy of its own */
    char *metadata;
    bool held;
    int64_t next;     /* behind the last record taken */
    int64_t end_told; /* -1: none */
    bool disordered;
};

/* A consumer and its sink. */
struct member {
    struct consumer *consumer;
    struct source *source;
    struct part parts[PARTITIONS_MAX]; /* by number: the tests use one topic a member */
    size_t held;
    int64_t start[PARTITIONS_MAX]; /* wanted; -1: the committed offset or the log's first */
    unsigned assignments, revokes, losses, commit_answers;
    size_t taken;
    bool drain;       /* a revoke commits all and releases when answered */
    bool revoke_held; /* a revoke waits for the test */
    bool revoking;
    bool paused;   /* takes nothing */
    char *why_not; /* of the last commit; NULL: committed */
    bool closed;
};

static uv_loop_t loop;
static struct mock *mock;
static unsigned seen[PARTITIONS_MAX][RECORDS_MAX]; /* how often a record was taken, by anybody */

/* The loop, until something holds. */

static void on_patience(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void noop_closed(uv_handle_t *handle)
{
    (void)handle;
}

static bool run_until(bool (*holds)(const void *), const void *of, uint64_t patience_ms)
{
    bool over = false;
    uv_timer_t timer;

    uv_timer_init(&loop, &timer);
    timer.data = &over;
    uv_timer_start(&timer, on_patience, patience_ms, 0);
    while (!over && !holds(of))
        uv_run(&loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, noop_closed);
    uv_run(&loop, UV_RUN_NOWAIT);
    return holds(of);
}

#define await(holds, of) cr_assert(run_until((holds), (of), PATIENCE_MS), "%s never came", #holds)

/* The sink. */

static void sink_take(struct part *part)
{
    struct source *source = part->member->source;
    struct record *record;

    while (part->held && !part->member->revoking && !part->member->paused &&
           (record = source->calls->take(source, part->given.handle))) {
        cr_expect_eq(record->partition, part->given.number);
        part->disordered |= record->offset != part->next;
        part->next = record->offset + 1;
        part->member->taken++;
        seen[record->partition][record->offset]++;
        record_unref(&record);
    }
}

static void sink_assigned(void *sink, struct source_assignment *assignments, size_t count)
{
    struct member *member = sink;

    member->assignments++;
    member->held = count;
    for (size_t i = 0; i < count; i++) {
        struct source_assignment *it = &assignments[i];
        struct part *part = &member->parts[it->number];
        int64_t wanted = member->start[it->number];

        it->start = wanted >= 0 ? wanted : it->committed >= 0 ? it->committed : it->low;
        it->partition = part;
        free(part->metadata);
        *part = (struct part){member, *it, xstrdup(it->metadata), true, it->start, -1, false};
    }
}

static void sink_ready(void *sink, void *partition)
{
    (void)sink;
    sink_take(partition);
}

static void sink_end(void *sink, void *partition, int64_t offset)
{
    (void)sink;
    ((struct part *)partition)->end_told = offset;
}

static void sink_release(struct member *member)
{
    member->revoking = false;
    member->held = 0;
    for (int i = 0; i < PARTITIONS_MAX; i++)
        member->parts[i].held = false;
    member->source->calls->release(member->source);
}

static void sink_committed(void *sink, const char *why_not)
{
    struct member *member = sink;

    member->commit_answers++;
    free(member->why_not);
    member->why_not = xstrdup(why_not);
    if (member->revoking)
        sink_release(member);
}

static void sink_commit(struct member *member, const char *metadata)
{
    struct source_position positions[PARTITIONS_MAX];
    size_t count = 0;

    for (int i = 0; i < PARTITIONS_MAX; i++) {
        struct part *part = &member->parts[i];

        if (part->held)
            positions[count++] = (struct source_position){part->given.handle, part->next, metadata};
    }
    member->source->calls->done(member->source, positions, count);
}

static void sink_revoke(void *sink, bool lost)
{
    struct member *member = sink;

    member->revokes++;
    member->losses += lost;
    member->revoking = !lost;
    if (lost) {
        member->held = 0;
        for (int i = 0; i < PARTITIONS_MAX; i++)
            member->parts[i].held = false;
    } else if (member->drain && !member->revoke_held) {
        sink_commit(member, "drained");
    } else if (!member->revoke_held) {
        sink_release(member);
    }
}

static const struct sink_calls sink_calls = {
    .assigned = sink_assigned,
    .ready = sink_ready,
    .end = sink_end,
    .committed = sink_committed,
    .revoke = sink_revoke,
};

/* Members, topics and records. */

static struct member *join(const char *topic)
{
    char *bootstrap = (char *)mock_bootstrap(mock), *properties[] = {"session.timeout.ms=3000"};
    struct kafka_options kafka = {{&bootstrap, 1}, "test", {properties, 1}};
    struct consumer_options options = {"workers", NULL};
    struct option_faults faults = {0};
    struct member *member = xcalloc(1, sizeof(*member));

    for (int i = 0; i < PARTITIONS_MAX; i++)
        member->start[i] = -1;
    member->consumer = consumer_new(&loop, &kafka, &options, &faults);
    cr_assert_not_null(member->consumer, "%s", faults.count ? faults.items[0] : "");
    member->source = consumer_source(member->consumer);
    member->source->sink_calls = &sink_calls;
    member->source->sink = member;
    if (topic)
        consumer_subscribe(member->consumer, &topic, 1);
    return member;
}

static void on_closed(void *context)
{
    struct member *member = context;

    member->closed = true;
    cr_expect_eq(consumer_state(member->consumer), CONSUMER_CLOSED);
    consumer_free(member->consumer);
}

static bool is_closed(const void *of)
{
    return ((const struct member *)of)->closed;
}

static void member_free(struct member *member)
{
    for (int i = 0; i < PARTITIONS_MAX; i++)
        free(member->parts[i].metadata);
    free(member->why_not);
    free(member);
}

static void leave(struct member *member)
{
    consumer_close(member->consumer, on_closed, member);
    await(is_closed, member);
    cr_expect_eq(member->held, 0, "all partitions were given up before the end");
    member_free(member);
}

static rd_kafka_t *producer_new(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "bootstrap.servers", mock_bootstrap(mock), NULL, 0);
    rd_kafka_conf_set(conf, "linger.ms", "0", NULL, 0);
    return rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
}

/* `count` records for each of the first partitions, acknowledged when this returns. */
static void produce(const char *topic, int partitions, int count)
{
    rd_kafka_t *producer = producer_new();

    for (int i = 0; i < count * partitions; i++)
        cr_assert_eq(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic),
                                       RD_KAFKA_V_PARTITION(i % partitions),
                                       RD_KAFKA_V_VALUE("hello", 5), RD_KAFKA_V_END),
                     0);
    cr_assert_eq(rd_kafka_flush(producer, PATIENCE_MS), 0);
    rd_kafka_destroy(producer);
}

static void set_up(void)
{
    static const struct log_options quiet = {LOG_FORMAT_CONSOLE, LOG_LEVEL_INFO};
    const char *reason = NULL;

    log_configure(&quiet, stderr);
    uv_loop_init(&loop);
    mock = mock_new(1, &reason);
    cr_assert_not_null(mock, "%s", reason);
    memset(seen, 0, sizeof(seen));
}

static void tear_down(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&loop), 0, "no handle is left behind");
    mock_free(mock);
}

TestSuite(consumer, .init = set_up, .fini = tear_down, .timeout = 120);

static bool holds_all(const void *of)
{
    const struct member *member = of;

    return consumer_state(member->consumer) == CONSUMER_ASSIGNED && member->held > 0;
}

static bool at_ends(const void *of)
{
    const struct member *member = of;

    for (int i = 0; i < PARTITIONS_MAX; i++) {
        if (member->parts[i].held && member->parts[i].end_told != member->parts[i].next)
            return false;
    }
    return member->held > 0 && consumer_state(member->consumer) == CONSUMER_ASSIGNED;
}

static bool has_commit_answer(const void *of)
{
    return ((const struct member *)of)->commit_answers > 0;
}

static bool is_revoking(const void *of)
{
    return ((const struct member *)of)->revoking;
}

Test(consumer, records_come_in_order_from_the_starts_chosen)
{
    struct member *member;

    mock_create_topic(mock, "orders", 3);
    produce("orders", 3, 20);
    member = join("orders");
    member->start[1] = 5;
    await(at_ends, member);
    cr_expect_eq(member->held, 3);
    for (int i = 0; i < 3; i++) {
        struct part *part = &member->parts[i];

        cr_expect_not(part->disordered, "partition %d in order from its start", i);
        cr_expect_eq(part->next, 20, "partition %d to its end", i);
        cr_expect_eq(part->end_told, 20, "the end is told of partition %d", i);
        cr_expect_eq(part->given.low, 0);
        cr_expect_eq(part->given.end, 20);
        cr_expect_eq(part->given.committed, -1);
        cr_expect_eq(part->given.partitions, 3);
        cr_expect_eq(part->given.least_born, -1);
        cr_expect_eq(member->source->calls->log_end(member->source, part->given.handle), 20);
    }
    cr_expect_eq(member->taken, 20 + 15 + 20);
    leave(member);
}

Test(consumer, records_that_come_later_wake_it)
{
    struct member *member;

    mock_create_topic(mock, "orders", 2);
    member = join("orders");
    await(at_ends, member);
    for (int round = 1; round <= 5; round++) {
        produce("orders", 2, 10);
        await(at_ends, member);
        while (member->taken < (size_t)round * 20)
            uv_run(&loop, UV_RUN_ONCE);
    }
    cr_expect_not(member->parts[0].disordered || member->parts[1].disordered);
    leave(member);
}

static void commit_progress(struct member *member, int partition, int64_t offset, int32_t born)
{
    char text[PROGRESS_TEXT_SIZE + 1];
    struct progress progress = {.born = born};
    struct source_position position = {member->parts[partition].given.handle, offset, text};

    progress_encode(&progress, text);
    member->commit_answers = 0;
    member->source->calls->done(member->source, &position, 1);
    cr_expect_eq(member->commit_answers, 0, "no answer from within done");
    await(has_commit_answer, member);
    cr_expect_null(member->why_not, "%s", member->why_not);
}

static struct member *member_with_commits(void)
{
    struct member *member;

    mock_create_topic(mock, "orders", 3);
    produce("orders", 3, 20);
    member = join("orders");
    await(holds_all, member);
    commit_progress(member, 0, 7, 3);
    commit_progress(member, 2, 9, 2);
    return member;
}

Test(consumer, what_was_committed_is_read_by_the_next_member)
{
    struct progress progress;
    struct member *member;

    leave(member_with_commits());
    member = join("orders");
    await(holds_all, member);
    cr_expect_eq(member->parts[0].given.committed, 7);
    cr_expect_eq(member->parts[1].given.committed, -1);
    cr_expect_eq(member->parts[2].given.committed, 9);
    cr_assert(progress_decode(member->parts[0].metadata, &progress));
    cr_expect_eq(progress.born, 3);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(member->parts[i].given.least_born, 2, "the least among the siblings");
    leave(member);
}

Test(consumer, an_error_of_the_commits_reading_is_not_none_committed)
{
    struct member *member;

    leave(member_with_commits());
    mock_push_errors(mock, API_OFFSET_FETCH, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 2);
    member = join("orders");
    await(holds_all, member);
    cr_expect_eq(member->assignments, 1);
    cr_expect_eq(member->parts[0].given.committed, 7);
    cr_expect_eq(member->parts[2].given.committed, 9);
    leave(member);
}

Test(consumer, siblings_of_another_member_tell_born)
{
    struct member *first = member_with_commits(), *second;

    second = join("orders");
    await(holds_all, second);
    await(holds_all, first);
    for (int i = 0; i < 3; i++) {
        struct part *part = first->parts[i].held ? &first->parts[i] : &second->parts[i];

        cr_expect(first->parts[i].held != second->parts[i].held, "one owner of partition %d", i);
        cr_expect_eq(part->given.least_born, 2);
    }
    leave(first);
    leave(second);
}

static bool took_a_hundred(const void *of)
{
    return ((const struct member *)of)->taken >= 100;
}

/* How many records have been taken by anybody. */
static size_t count_seen(void)
{
    size_t count = 0;

    for (int p = 0; p < PARTITIONS_MAX; p++) {
        for (int i = 0; i < RECORDS_MAX; i++)
            count += seen[p][i] > 0;
    }
    return count;
}

static size_t count_repeated(void)
{
    size_t count = 0;

    for (int p = 0; p < PARTITIONS_MAX; p++) {
        for (int i = 0; i < RECORDS_MAX; i++)
            count += seen[p][i] > 1;
    }
    return count;
}

static bool all_seen(const void *of)
{
    return count_seen() == *(const size_t *)of;
}

static bool never(const void *of)
{
    (void)of;
    return false;
}

static void commit_all(struct member *member)
{
    member->commit_answers = 0;
    sink_commit(member, "steady");
    await(has_commit_answer, member);
    cr_expect_null(member->why_not, "%s", member->why_not);
}

static void resume(struct member *member)
{
    member->paused = false;
    for (int i = 0; i < PARTITIONS_MAX; i++) {
        if (member->parts[i].held)
            sink_take(&member->parts[i]);
    }
}

static bool holds_four(const void *of)
{
    return holds_all(of) && ((const struct member *)of)->held == 4;
}

/* The mock refuses commits while its group rejoins, and now and then has it rejoin twice: so
 * nothing is taken around a rebalance, and all is committed before one. */
Test(consumer, a_revoke_is_held_and_nothing_is_lost_or_repeated)
{
    size_t expected = 4 * 200;
    struct member *first, *second;

    mock_create_topic(mock, "orders", 4);
    produce("orders", 4, 200);
    first = join("orders");
    await(all_seen, &expected);
    commit_all(first);
    first->revoke_held = true;
    second = join("orders");
    second->paused = true;
    await(is_revoking, first);
    produce("orders", 4, 200);
    run_until(never, NULL, 500);
    cr_expect(first->revoking && second->assignments == 0, "nobody has them while they are held");
    cr_expect_eq(consumer_state(first->consumer), CONSUMER_REVOKING);
    cr_expect_eq(count_seen(), expected, "nothing is taken meanwhile");
    first->revoke_held = false;
    first->paused = true;
    sink_release(first);
    await(holds_all, second);
    await(holds_all, first);
    run_until(never, NULL, 1000);
    await(holds_all, second);
    cr_expect_eq(first->held + second->held, 4);
    resume(first);
    resume(second);
    expected = 4 * 400;
    await(all_seen, &expected);
    commit_all(first);
    first->paused = true;
    second->drain = true; /* its partitions go back to the first, with its last commit */
    leave(second);
    produce("orders", 4, 100);
    await(holds_four, first);
    resume(first);
    expected = 4 * 500;
    await(all_seen, &expected);
    cr_expect_eq(count_repeated(), 0, "each record once");
    cr_expect_eq(consumer_counts(first->consumer)->lost, 0);
    leave(first);
}

Test(consumer, a_topic_that_does_not_exist_is_awaited)
{
    struct member *member;

    mock_create_topic(mock, "late", 1);
    produce("late", 1, 3);
    mock_hide_topic(mock, "late", true);
    member = join("late");
    run_until(never, NULL, 4000);
    cr_expect_eq(member->assignments, 0);
    cr_expect_eq(consumer_state(member->consumer), CONSUMER_JOINING);
    cr_expect_eq(consumer_counts(member->consumer)->errors, 1, "it was told once");
    mock_hide_topic(mock, "late", false);
    await(at_ends, member);
    cr_expect_eq(member->taken, 3);
    leave(member);
}

Test(consumer, a_topic_that_matches_is_found_when_it_comes)
{
    struct member *member = join("^late.*");

    run_until(never, NULL, 1000);
    mock_create_topic(mock, "late-1", 2);
    await(holds_all, member);
    cr_expect_eq(member->held, 2);
    leave(member);
}

Test(consumer, other_topics_are_revoked_and_assigned_anew)
{
    const char *bills = "bills";
    struct member *member;

    mock_create_topic(mock, "orders", 1);
    mock_create_topic(mock, "bills", 2);
    member = join("orders");
    await(holds_all, member);
    consumer_subscribe(member->consumer, &bills, 1);
    while (member->assignments < 2)
        uv_run(&loop, UV_RUN_ONCE);
    cr_expect_eq(member->revokes, 1);
    cr_expect_eq(member->held, 2);
    cr_expect_str_eq(member->parts[1].given.topic, "bills");
    consumer_subscribe(member->consumer, NULL, 0);
    while (consumer_state(member->consumer) != CONSUMER_IDLE)
        uv_run(&loop, UV_RUN_ONCE);
    cr_expect_eq(member->held, 0);
    leave(member);
}

Test(consumer, a_commit_refused_by_the_broker_says_why)
{
    struct member *member;

    mock_create_topic(mock, "orders", 1);
    member = join("orders");
    await(holds_all, member);
    mock_push_errors(mock, API_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, 1);
    sink_commit(member, "text");
    await(has_commit_answer, member);
    cr_expect_not_null(member->why_not);
    cr_expect_eq(consumer_counts(member->consumer)->commit_failures, 1);
    leave(member);
}

Test(consumer, a_commit_without_partitions_is_refused_from_the_loop)
{
    struct member *member = join(NULL);

    sink_commit(member, NULL);
    cr_expect_eq(member->commit_answers, 0, "not from within done");
    await(has_commit_answer, member);
    cr_expect_not_null(member->why_not);
    leave(member);
}

static bool has_lost(const void *of)
{
    return ((const struct member *)of)->losses > 0;
}

Test(consumer, a_broker_away_too_long_loses_the_assignment_and_it_comes_back)
{
    struct member *member;

    mock_create_topic(mock, "orders", 2);
    member = join("orders");
    await(holds_all, member);
    mock_broker_down(mock, 1);
    await(has_lost, member);
    cr_expect_eq(member->held, 0);
    mock_broker_up(mock, 1);
    await(holds_all, member);
    cr_expect_eq(consumer_counts(member->consumer)->lost, 1);
    leave(member);
}

Test(consumer, a_drain_whose_broker_is_away_ends_with_an_answer)
{
    struct member *first, *second;

    mock_create_topic(mock, "orders", 2);
    first = join("orders");
    await(holds_all, first);
    first->revoke_held = true;
    second = join("orders");
    await(is_revoking, first);
    mock_broker_down(mock, 1);
    first->revoke_held = false;
    sink_commit(first, "drained");
    await(has_commit_answer, first);
    cr_expect_not_null(first->why_not);
    cr_expect_eq(first->held, 0);
    mock_broker_up(mock, 1);
    leave(first);
    leave(second);
}

Test(consumer, closing_ends_in_any_state)
{
    static const char *const topics[] = {"orders"};
    struct member *idle, *joining, *reading;

    mock_create_topic(mock, "orders", 2);
    idle = join(NULL);
    leave(idle);
    joining = join("orders");
    leave(joining);
    mock_push_errors(mock, API_OFFSET_FETCH, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 100);
    reading = join(topics[0]);
    while (consumer_state(reading->consumer) != CONSUMER_READING)
        uv_run(&loop, UV_RUN_ONCE);
    leave(reading);
}

Test(consumer, freeing_in_a_hurry_frees_all)
{
    struct member *member;

    mock_create_topic(mock, "orders", 2);
    produce("orders", 2, 50);
    member = join("orders");
    await(took_a_hundred, member);
    consumer_free(member->consumer);
    uv_run(&loop, UV_RUN_DEFAULT);
    member_free(member);
}

Test(consumer, freeing_in_a_hurry_while_the_worker_reads)
{
    struct member *member;

    mock_create_topic(mock, "orders", 2);
    mock_push_errors(mock, API_OFFSET_FETCH, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 100);
    member = join("orders");
    while (consumer_state(member->consumer) != CONSUMER_READING)
        uv_run(&loop, UV_RUN_ONCE);
    consumer_free(member->consumer);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(member->assignments, 0);
    member_free(member);
}

/* A sink with a window: it stops in the midst of a queue and goes on without being woken. */

static void take_three(void *sink, void *partition)
{
    struct member *member = sink;
    struct part *part = partition;

    for (int i = 0; i < 3 && member->taken < 10; i++) {
        struct record *record = member->source->calls->take(member->source, part->given.handle);

        if (!record)
            return;
        part->disordered |= record->offset != part->next;
        part->next = record->offset + 1;
        member->taken++;
        record_unref(&record);
    }
}

static bool took_some(const void *of)
{
    return ((const struct member *)of)->taken > 0;
}

Test(consumer, a_sink_that_was_full_goes_on_by_itself)
{
    static struct sink_calls calls;
    struct member *member;

    calls = sink_calls;
    calls.ready = take_three;
    mock_create_topic(mock, "orders", 1);
    produce("orders", 1, 50);
    member = join("orders");
    member->source->sink_calls = &calls;
    await(took_some, member);
    cr_expect_leq(member->taken, 10);
    calls.ready = sink_ready;
    sink_take(&member->parts[0]);
    cr_expect_eq(member->parts[0].end_told, -1, "the end is not told from within take");
    await(at_ends, member);
    cr_expect_eq(member->taken, 50);
    cr_expect_not(member->parts[0].disordered);
    leave(member);
}

/* What a record carries, as it came over the wire. */

static struct record *taken_record;

static void keep_ready(void *sink, void *partition)
{
    struct member *member = sink;
    struct part *part = partition;

    if (!taken_record)
        taken_record = member->source->calls->take(member->source, part->given.handle);
}

static bool has_record(const void *of)
{
    (void)of;
    return taken_record != NULL;
}

Test(consumer, a_record_carries_key_headers_and_time)
{
    static struct sink_calls calls;
    rd_kafka_t *producer = producer_new();
    struct member *member;

    mock_create_topic(mock, "orders", 1);
    rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("orders"), RD_KAFKA_V_PARTITION(0),
                      RD_KAFKA_V_KEY("a\0b", 3), RD_KAFKA_V_VALUE(NULL, 0),
                      RD_KAFKA_V_TIMESTAMP(1700000000123), RD_KAFKA_V_HEADER("one", "1\n", 2),
                      RD_KAFKA_V_HEADER("none", NULL, 0), RD_KAFKA_V_END);
    cr_assert_eq(rd_kafka_flush(producer, PATIENCE_MS), 0);
    rd_kafka_destroy(producer);
    calls = sink_calls;
    calls.ready = keep_ready;
    member = join("orders");
    member->source->sink_calls = &calls;
    await(has_record, NULL);
    cr_expect_str_eq(taken_record->topic, "orders");
    cr_expect_eq(taken_record->offset, 0);
    cr_expect_eq(taken_record->timestamp_ms, 1700000000123);
    cr_assert_eq(taken_record->key_size, 3);
    cr_expect_eq(memcmp(taken_record->key, "a\0b", 3), 0);
    cr_expect_null(taken_record->value, "a tombstone");
    cr_assert_eq(taken_record->header_count, 2);
    cr_expect_str_eq(taken_record->headers[0].name, "one");
    cr_expect_eq(taken_record->headers[0].size, 2);
    cr_expect_null(taken_record->headers[1].value);
    cr_expect_gt(taken_record->memory, sizeof(*taken_record) + 5);
    record_unref(&taken_record);
    leave(member);
}
