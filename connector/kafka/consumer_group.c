/*
 * consumer_group: being given partitions and giving them up.
 *
 * A REBALANCE event is kept until it is answered by rd_kafka_assign; librdkafka goes on sending
 * heartbeats meanwhile and starts no other rebalance. With eager assignment all partitions come at
 * once and go at once.
 */
#include "kafka/consumer_private.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

static void keep(struct consumer *consumer, rd_kafka_event_t *event)
{
    if (consumer->rebalance)
        rd_kafka_event_destroy(consumer->rebalance);
    consumer->rebalance = event;
}

/* Answers the event kept. NULL: no partitions. */
static rd_kafka_resp_err_t answer(struct consumer *consumer,
                                  const rd_kafka_topic_partition_list_t *partitions)
{
    rd_kafka_resp_err_t error = rd_kafka_assign(consumer->kafka, partitions);

    if (error && partitions)
        return error;
    keep(consumer, NULL);
    return error;
}

/* Partitions. A queue must be cut off from the consumer queue before the assignment is answered:
 * librdkafka forwards it when the fetch starts, unless the application has set its forwarding. */

static void empty_queue(struct source_partition *partition)
{
    rd_kafka_event_t *stale;

    while ((stale = rd_kafka_queue_poll(partition->queue, 0)))
        rd_kafka_event_destroy(stale);
}

static void open_queue(struct consumer *consumer, size_t i)
{
    struct source_partition *partition = &consumer->partitions[i];

    partition->queue =
        rd_kafka_queue_get_partition(consumer->kafka, partition->topic, partition->number);
    rd_kafka_queue_forward(partition->queue, NULL);
    /* What an earlier assignment left there would keep the queue from ever being empty, and only
     * an empty queue wakes us. */
    empty_queue(partition);
    kafka_wake_watch(&consumer->wake, partition->queue, consumer_mark(consumer->generation, i));
}

static void close_queue(struct source_partition *partition)
{
    if (!partition->queue)
        return;
    kafka_wake_ignore(partition->queue);
    rd_kafka_queue_destroy(partition->queue);
}

static const char *keep_name(struct consumer *consumer, const char *topic)
{
    char **name = NULL;

    while ((name = utarray_next(consumer->names, name)))
        if (strcmp(*name, topic) == 0)
            return *name;
    utarray_push_back(consumer->names, &topic); // NOLINT(clang-analyzer-core.NonNullParamChecker)
    return *(char **)xcheck(utarray_back(consumer->names));
}

/* Their list is sorted: the name before is the likely one. */
static void make_partitions(struct consumer *consumer)
{
    const char *name = "";

    consumer->count = (size_t)consumer->assigned->cnt;
    consumer->partitions = xcalloc(consumer->count + 1, sizeof(*consumer->partitions));
    for (size_t i = 0; i < consumer->count; i++) {
        if (strcmp(name, consumer->assigned->elems[i].topic) != 0)
            name = keep_name(consumer, consumer->assigned->elems[i].topic);
        consumer->partitions[i].topic = name;
        consumer->partitions[i].number = consumer->assigned->elems[i].partition;
        consumer->partitions[i].end_offset = -1;
    }
}

void consumer_forget_partitions(struct consumer *consumer)
{
    for (size_t i = 0; i < consumer->count; i++)
        close_queue(&consumer->partitions[i]);
    free(consumer->partitions);
    consumer->partitions = NULL;
    consumer->count = 0;
    if (consumer->assigned)
        rd_kafka_topic_partition_list_destroy(consumer->assigned);
    consumer->assigned = NULL;
    consumer->told = consumer->claimed = consumer->astray = 0;
    consumer->answer_due = false;
    consumer->generation++;
}

/* Where to go on when no partitions are held. */
static enum consumer_state state_without_partitions(const struct consumer *consumer)
{
    if (consumer->closing)
        return CONSUMER_CLOSING;
    if (consumer->fatal)
        return CONSUMER_FAILED;
    return consumer->topics->cnt ? CONSUMER_JOINING : CONSUMER_IDLE;
}

void consumer_give_up(struct consumer *consumer)
{
    reading_abandon(consumer);
    answer(consumer, NULL);
    consumer_log_trouble(consumer, NULL, NULL);
    if (consumer->told)
        consumer_log_rebalance(REBALANCE_START, consumer->assigned);
    consumer_forget_partitions(consumer);
    consumer_move(consumer, state_without_partitions(consumer));
}

static void lose(struct consumer *consumer)
{
    consumer->counts.lost++;
    log_warning(NULL, "The assignment was lost before it could be given up");
    consumer->source.sink_calls->revoke(consumer->source.sink, true);
    consumer_give_up(consumer);
}

void consumer_out(struct consumer *consumer)
{
    if (consumer->told)
        lose(consumer);
    else if (consumer->assigned)
        consumer_give_up(consumer);
    else
        consumer_move(consumer, state_without_partitions(consumer));
}

/* ---- being given partitions ---- */

static void read_again(struct consumer *consumer, const char *why, size_t count)
{
    char *text = count > 1 ? xasprintf("%s; and of %zu more", why, count - 1) : xstrdup(why);

    consumer_log_trouble(consumer, "Cannot read where partitions start", text);
    free(text);
    consumer->readings++;
    consumer->read_at = uv_now(consumer->loop) + consumer->back_off_ms;
    consumer->back_off_ms *= 2;
    if (consumer->back_off_ms > BACK_OFF_MAX_MS)
        consumer->back_off_ms = BACK_OFF_MAX_MS;
}

/* The sink chooses the starts. Those that could not be read are told later. */
static void tell_assigned(struct consumer *consumer, const struct reading *reading)
{
    struct source_assignment *assignments = xcalloc(consumer->count, sizeof(*assignments));
    size_t count = reading_fill(reading, consumer->partitions, assignments);

    if (count) {
        consumer->told += count;
        consumer->answer_due = true;
        consumer->source.sink_calls->assigned(consumer->source.sink, assignments, count,
                                              consumer->told < consumer->count);
    }
    for (size_t i = 0; i < count; i++) {
        struct source_partition *partition = assignments[i].handle;

        partition->told = true;
        partition->sink_partition = assignments[i].partition;
        partition->next = assignments[i].start;
    }
    free(assignments);
}

/* All that were told and are not astray, each from where it is to go on. Those that run already are
 * begun anew by librdkafka (an eager group knows no other way), so what waits in their queues comes
 * again. */
static rd_kafka_topic_partition_list_t *begin_told(struct consumer *consumer)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)consumer->told);

    for (size_t i = 0; i < consumer->count; i++) {
        struct source_partition *partition = &consumer->partitions[i];

        if (!partition->told || partition->astray)
            continue;
        if (partition->queue)
            empty_queue(partition);
        else
            open_queue(consumer, i);
        rd_kafka_topic_partition_list_add(list, partition->topic, partition->number)->offset =
            partition->next;
    }
    return list;
}

static void answer_assigned(struct consumer *consumer)
{
    rd_kafka_topic_partition_list_t *list = begin_told(consumer);
    rd_kafka_resp_err_t error = answer(consumer, list);

    if (error) {
        consumer_log_trouble(consumer, "Cannot take the assignment", rd_kafka_err2str(error));
    } else {
        consumer->answer_due = false;
        if (consumer->told == consumer->count && !consumer->astray)
            consumer_log_trouble(consumer, NULL, NULL);
        if (consumer->state != CONSUMER_ASSIGNED)
            consumer->counts.rebalances++;
        if (consumer->told != consumer->claimed || !consumer->told)
            consumer_log_rebalance(REBALANCE_OK, list);
        consumer->claimed = consumer->told;
        consumer_move(consumer, CONSUMER_ASSIGNED);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

/* librdkafka begins nothing while a commit is on its way: then it is done when that has ended, and
 * what runs already is not held up. */
static void answer_told(struct consumer *consumer)
{
    if (consumer->answer_due && !consumer->commit.in_flight)
        answer_assigned(consumer);
}

void consumer_committed(struct consumer *consumer)
{
    bool may = consumer->state == CONSUMER_READING || consumer->state == CONSUMER_ASSIGNED;

    if (may && consumer->answer_due && !rd_kafka_assignment_lost(consumer->kafka))
        answer_told(consumer);
}

static void note_given(struct consumer *consumer)
{
    if (consumer->count || !consumer->join_wait_ms)
        consumer->join_wait_ms = JOIN_WAIT_MIN_MS;
    consumer->join_at = uv_now(consumer->loop) + consumer->join_wait_ms;
    if (!consumer->count && consumer->join_wait_ms < JOIN_WAIT_MAX_MS)
        consumer->join_wait_ms *= 2;
}

static void on_assign(struct consumer *consumer, rd_kafka_event_t *event)
{
    rd_kafka_topic_partition_list_t *partitions = rd_kafka_event_topic_partition_list(event);

    keep(consumer, event);
    consumer->assigned = partitions ? rd_kafka_topic_partition_list_copy(partitions)
                                    : rd_kafka_topic_partition_list_new(0);
    rd_kafka_topic_partition_list_sort(consumer->assigned, NULL, NULL);
    make_partitions(consumer);
    consumer->back_off_ms = BACK_OFF_MIN_MS;
    consumer->readings = 0;
    note_given(consumer);
    consumer_move(consumer, CONSUMER_READING);
    if (consumer->count)
        reading_begin(consumer);
    else
        answer_assigned(consumer); /* a member too many: the sink is told nothing */
}

/* What could not be read at once is asked for once more before the others begin without it: most
 * that fails here passes. */
void consumer_read_done(struct consumer *consumer)
{
    struct reading *reading = consumer->reading;
    size_t unread;
    const char *failure = reading_failure(reading, &unread);

    consumer->reading = NULL;
    if (failure)
        read_again(consumer, failure, unread);
    else
        consumer->back_off_ms = BACK_OFF_MIN_MS;
    if (rd_kafka_assignment_lost(consumer->kafka)) {
        if (!consumer->told)
            consumer_give_up(consumer); /* else its REVOKE is on the way */
    } else {
        reading_settle(reading);
        if (!failure || consumer->readings > 1)
            tell_assigned(consumer, reading);
        answer_told(consumer);
    }
    reading_free(reading);
}

/* ---- giving partitions up ---- */

static void on_revoke(struct consumer *consumer, rd_kafka_event_t *event)
{
    keep(consumer, event);
    reading_abandon(consumer);
    if (!consumer->told) {
        consumer_give_up(consumer);
    } else if (rd_kafka_assignment_lost(consumer->kafka)) {
        lose(consumer);
    } else {
        consumer_move(consumer, CONSUMER_REVOKING);
        consumer->source.sink_calls->revoke(consumer->source.sink, false); /* may release */
    }
}

void consumer_release(struct source *source)
{
    struct consumer *consumer = (struct consumer *)source;

    if (consumer->state == CONSUMER_REVOKING)
        consumer_give_up(consumer);
}

/* An assignment comes only after the one before was revoked, and is wanted only while joining.
 * Should a librdkafka ever send one too early, it counts and what is held is lost. */
void consumer_on_rebalance(struct consumer *consumer, rd_kafka_event_t *event)
{
    bool assign = rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;

    if (assign && consumer->assigned)
        consumer_out(consumer);
    if (assign && consumer->state == CONSUMER_JOINING) {
        on_assign(consumer, event);
    } else if (assign) {
        keep(consumer, event);
        answer(consumer, NULL);
    } else {
        on_revoke(consumer, event);
    }
}

/* ---- the clock's part ---- */

static void tick_answer(struct consumer *consumer)
{
    if (consumer->answer_due)
        answer_told(consumer);
    else if ((consumer->told < consumer->count || consumer->astray) && !consumer->reading &&
             !consumer->closing && uv_now(consumer->loop) >= consumer->read_at)
        reading_begin(consumer);
}

static void tick_reading(struct consumer *consumer)
{
    if (rd_kafka_assignment_lost(consumer->kafka))
        consumer_out(consumer);
    else
        tick_answer(consumer);
}

/* A queue that is not empty when its wake-up should have come stays silent for good: so it is
 * looked at now and then. Costs a lock a partition. */
static void tick_assigned(struct consumer *consumer)
{
    unsigned generation = consumer->generation;

    for (size_t i = 0; consumer->state == CONSUMER_ASSIGNED && consumer->generation == generation &&
                       i < consumer->count;
         i++) {
        struct source_partition *partition = &consumer->partitions[i];

        if (partition->queue && rd_kafka_queue_length(partition->queue) > 0)
            consumer->source.sink_calls->ready(consumer->source.sink, partition->sink_partition);
    }
}

/* Given no partition, a member is one too many, or nobody was given any: the leader asks the
 * coordinator's broker which partitions there are, and if that has not heard of a new topic yet, it
 * says none; librdkafka, told of the topic by another broker before, sees no change later and stays
 * like that (2.0.2; seen again and again with three brokers and a topic just made). So it
 * subscribes once more, later and later. From a leader Kafka takes that as a reason to share the
 * partitions out again; any other member is answered what it has, and nobody notices. */
static void tick_empty(struct consumer *consumer)
{
    if (consumer->count || !consumer->topics->cnt || consumer->closing ||
        uv_now(consumer->loop) < consumer->join_at)
        return;
    consumer_forget_partitions(consumer);
    consumer_move(consumer, CONSUMER_JOINING);
    rd_kafka_subscribe(consumer->kafka, consumer->topics);
}

void consumer_group_tick(struct consumer *consumer)
{
    if (consumer->state == CONSUMER_READING)
        tick_reading(consumer);
    else if (consumer->state == CONSUMER_REVOKING && rd_kafka_assignment_lost(consumer->kafka))
        lose(consumer);
    else if (consumer->state == CONSUMER_ASSIGNED)
        tick_assigned(consumer);
    if (consumer->state == CONSUMER_ASSIGNED && !rd_kafka_assignment_lost(consumer->kafka))
        tick_answer(consumer);
    if (consumer->state == CONSUMER_ASSIGNED)
        tick_empty(consumer);
}
