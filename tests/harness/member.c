/* member: see member.h. */
#include "tests/harness/member.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

uv_loop_t member_loop;
struct mock *member_mock;
unsigned member_seen[PARTITIONS_MAX][RECORDS_MAX];
char *member_property;

/* ---- the loop, until something holds ---- */

static void on_patience(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void noop_closed(uv_handle_t *handle)
{
    (void)handle;
}

bool member_run_until(bool (*holds)(const void *), const void *of, uint64_t patience_ms)
{
    bool over = false, held;
    uv_timer_t timer;

    uv_timer_init(&member_loop, &timer);
    timer.data = &over;
    uv_timer_start(&timer, on_patience, patience_ms, 0);
    while (!(held = holds(of)) && !over)
        uv_run(&member_loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, noop_closed);
    uv_run(&member_loop, UV_RUN_NOWAIT); /* it may come to hold no more */
    return held;
}

bool member_holds_all(const void *of)
{
    const struct member *member = of;

    return consumer_state(member->consumer) == CONSUMER_ASSIGNED && member->held > 0;
}

bool member_at_ends(const void *of)
{
    const struct member *member = of;

    for (int i = 0; i < PARTITIONS_MAX; i++)
        if (member->parts[i].held && member->parts[i].end_told != member->parts[i].next)
            return false;
    return member->held > 0 && consumer_state(member->consumer) == CONSUMER_ASSIGNED;
}

bool member_has_commit_answer(const void *of)
{
    return ((const struct member *)of)->commit_answers > 0;
}

/* ---- the sink ---- */

void member_take(struct part *part)
{
    struct source *source = part->member->source;
    struct record *record;

    while (part->held && !part->member->revoking && !part->member->paused &&
           (record = source->calls->take(source, part->given.handle))) {
        cr_expect_eq(record->partition, part->given.number);
        part->disordered |= record->offset != part->next;
        part->next = record->offset + 1;
        part->member->taken++;
        member_seen[record->partition][record->offset]++;
        record_unref(&record);
    }
}

static void sink_assigned(void *sink, struct source_assignment *assignments, size_t count,
                          bool more)
{
    struct member *member = sink;

    member->assignments++;
    member->held += count;
    member->more = more;
    for (size_t i = 0; i < count; i++) {
        struct source_assignment *it = &assignments[i];
        struct part *part = &member->parts[it->number];
        int64_t wanted = member->start[it->number];

        it->start = wanted >= 0 ? wanted : it->committed >= 0 ? it->committed : it->low;
        it->partition = part;
        cr_expect_not(part->held, "told once");
        free(part->metadata);
        *part = (struct part){member, *it, xstrdup(it->metadata), true, it->start, -1, false};
    }
}

static void sink_ready(void *sink, void *partition)
{
    (void)sink;
    member_take(partition);
}

static void sink_end(void *sink, void *partition, int64_t offset)
{
    (void)sink;
    ((struct part *)partition)->end_told = offset;
}

static void sink_expired(void *sink, void *partition, int64_t offset, int64_t count)
{
    struct member *member = sink;

    ((struct part *)partition)->next = offset;
    member->expired += count;
}

void member_release(struct member *member)
{
    member->revoking = false;
    member->held = 0;
    for (int i = 0; i < PARTITIONS_MAX; i++)
        member->parts[i].held = false;
    member->source->calls->release(member->source);
}

static void sink_committed(void *sink, const struct source_answer *answers, size_t count)
{
    struct member *member = sink;

    member->commit_answers++;
    free(member->why_not);
    member->why_not = NULL;
    for (size_t i = 0; i < count; i++) {
        member->results[i] = answers[i].result;
        if (!member->why_not)
            member->why_not = xstrdup(answers[i].why_not);
    }
    if (member->revoking)
        member_release(member);
}

void member_commit(struct member *member, const char *metadata)
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
        member_commit(member, "drained");
    } else if (!member->revoke_held) {
        member_release(member);
    }
}

const struct sink_calls member_sink_calls = {
    .assigned = sink_assigned,
    .ready = sink_ready,
    .end = sink_end,
    .expired = sink_expired,
    .committed = sink_committed,
    .revoke = sink_revoke,
};

/* ---- members, topics and records ---- */

static struct member *join(const char *topic, const struct consumer_options *options)
{
    const char *brokers = mock_bootstrap(member_mock);
    char *bootstrap = xstrndup(brokers, strcspn(brokers, ",")); /* the first tells the others */
    char *properties[] = {"session.timeout.ms=3000", member_property};
    struct kafka_options kafka = {{&bootstrap, 1}, "test", {properties, member_property ? 2 : 1}};
    struct option_faults faults = {0};
    struct member *member = xcalloc(1, sizeof(*member));

    for (int i = 0; i < PARTITIONS_MAX; i++)
        member->start[i] = -1;
    member->consumer = consumer_new(&member_loop, &kafka, options, &faults);
    cr_assert_not_null(member->consumer, "%s", faults.count ? faults.items[0] : "");
    free(bootstrap);
    member->source = consumer_source(member->consumer);
    member->source->sink_calls = &member_sink_calls;
    member->source->sink = member;
    if (topic)
        consumer_subscribe(member->consumer, &topic, 1);
    return member;
}

struct member *member_join(const char *topic)
{
    return member_join_hiding(topic, NULL);
}

struct member *member_join_hiding(const char *topic, char *hidden)
{
    return join(topic, &(struct consumer_options){.group = "workers", .hidden = hidden});
}

struct member *member_join_named(const char *topic, char *instance_id)
{
    return join(topic, &(struct consumer_options){.group = "workers", .instance_id = instance_id});
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

void member_free(struct member *member)
{
    for (int i = 0; i < PARTITIONS_MAX; i++)
        free(member->parts[i].metadata);
    free(member->why_not);
    free(member);
}

void member_leave(struct member *member)
{
    consumer_close(member->consumer, on_closed, member);
    member_await(is_closed, member);
    cr_expect_eq(member->held, 0, "all partitions were given up before the end");
    member_free(member);
}

rd_kafka_t *member_producer_new(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "bootstrap.servers", mock_bootstrap(member_mock), NULL, 0);
    rd_kafka_conf_set(conf, "linger.ms", "0", NULL, 0);
    return rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
}

/* `count` records for each of the first partitions, acknowledged when this returns. */
void member_produce(const char *topic, int partitions, int count)
{
    rd_kafka_t *producer = member_producer_new();

    for (int i = 0; i < count * partitions; i++)
        cr_assert_eq(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic),
                                       RD_KAFKA_V_PARTITION(i % partitions),
                                       RD_KAFKA_V_VALUE("hello", 5), RD_KAFKA_V_END),
                     0);
    cr_assert_eq(rd_kafka_flush(producer, MEMBER_PATIENCE_MS), 0);
    rd_kafka_destroy(producer);
}

void member_set_up(void)
{
    static const struct log_options quiet = {LOG_FORMAT_CONSOLE, LOG_LEVEL_INFO};
    const char *reason = NULL;

    log_configure(&quiet, stderr);
    uv_loop_init(&member_loop);
    member_mock = mock_new(1, &reason);
    cr_assert_not_null(member_mock, "%s", reason);
    memset(member_seen, 0, sizeof(member_seen));
}

void member_tear_down(void)
{
    uv_run(&member_loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&member_loop), 0, "no handle is left behind");
    mock_free(member_mock);
}
