/* dispatcher: what is taken from the source, and to whom it is owed. See dispatcher.h. */
#include "invoke/dispatcher_state.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "core/start.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { LOOK_INTERVAL_MS = 1000 };

#define FROM(state) (1u << DISPATCHER_##state)

static const struct {
    const char *name;
    unsigned from;
} states[] = {
    [DISPATCHER_IDLE] = {"idle", FROM(IDLE) | FROM(WORKING) | FROM(DRAINING) | FROM(COMMITTING)},
    [DISPATCHER_WORKING] = {"working", FROM(IDLE)},
    [DISPATCHER_DRAINING] = {"draining", FROM(WORKING)},
    [DISPATCHER_COMMITTING] = {"committing", FROM(DRAINING)},
};

const char *dispatcher_state_name(enum dispatcher_state state)
{
    return states[state].name;
}

void dispatcher_set_state(struct dispatcher *dispatcher, enum dispatcher_state to)
{
    assert(states[to].from & 1u << dispatcher->state);
    log_debug(NULL, "dispatcher: %s -> %s", states[dispatcher->state].name, states[to].name);
    dispatcher->state = to;
}

int64_t dispatcher_now(const struct dispatcher *dispatcher)
{
    return (int64_t)uv_now(dispatcher->setup.loop);
}

bool dispatcher_commits_first(const struct dispatcher *dispatcher)
{
    return dispatcher->setup.options->delivery == DELIVERY_AT_MOST_ONCE;
}

static union metric_value *counter(struct dispatcher *dispatcher, int which)
{
    return &dispatcher->metrics->values[which];
}

/* ---- records ---- */

/* Whether a record more keeps to the window and the byte budget. */
static bool fits(const struct dispatcher *dispatcher, const struct partition *partition)
{
    const struct invoke_options *options = dispatcher->setup.options;

    if (ledger_fill(&partition->ledger) >= (size_t)options->partition_window)
        return false;
    return dispatcher->memory < options->max_buffered_bytes || !ledger_fill(&partition->ledger);
}

bool dispatcher_has_room(const struct dispatcher *dispatcher, const struct partition *partition)
{
    const struct invoke_options *options = dispatcher->setup.options;

    if (partition->paused || (!partition->bound && options->no_function == NO_FUNCTION_WAIT))
        return false;
    return fits(dispatcher, partition) || dispatcher_may_venture(dispatcher, partition);
}

static struct invocation *invoke(struct dispatcher *dispatcher, struct subscription *subscription,
                                 struct record *record, uint64_t sequence)
{
    const struct progress *restored = &subscription->partition->restored;
    struct invocation *invocation = invocation_new(dispatcher, subscription, record);
    struct progress_count used = progress_used(restored, subscription->name, record->offset);

    invocation->sequence = sequence;
    invocation_count(invocation, (struct retry_count){used.attempts, used.timeouts});
    invocation->detailed =
        calls_log_begin(dispatcher->setup.options, &subscription->function->calls);
    if (lanes_push(&subscription->lanes, record->key, record->key_size, &invocation->lane))
        invocation_admit(invocation);
    return invocation;
}

static void owe(struct dispatcher *dispatcher, struct partition *partition, struct record *record)
{
    int64_t before = partition->ledger.memory;
    size_t memory = record->memory + partition->bound * sizeof(struct invocation);
    uint64_t sequence = partition_take(partition, record, memory);
    struct subscription *subscription;
    bool detailed = false;

    dispatcher->memory += partition->ledger.memory - before;
    DL_FOREACH (partition->subscriptions, subscription)
        if (partition_owes(partition, subscription, record->offset))
            detailed |= invoke(dispatcher, subscription, record, sequence)->detailed;
    if (detailed)
        calls_log_received(dispatcher->setup.options, record,
                           counter(dispatcher, D_RECEIVED)->number);
}

static bool is_unwanted(const struct dispatcher *dispatcher, const struct record *record)
{
    return !record->value_size && dispatcher->setup.options->empty_records == EMPTY_SKIP;
}

static void skip_empty(struct dispatcher *dispatcher, struct partition *partition, int64_t offset)
{
    counter(dispatcher, D_EMPTY)->number++;
    ledger_advance(&partition->ledger, offset + 1);
}

static void skip_unbound(struct dispatcher *dispatcher, struct partition *partition, int64_t offset)
{
    struct log_subject subject = partition_subject(partition);

    counter(dispatcher, D_NO_FUNCTION)->number++;
    ledger_advance(&partition->ledger, offset + 1);
    if (!partition->skipping)
        log_warning(&subject, "no function wants this topic: its records are skipped "
                              "(no_function=skip)");
    partition->skipping = true;
}

/* This is another log: deleted and made anew, or cut short by a leader that lacked its end. What is
 * still owed of the old one is called all the same, and is nothing to this one's ledger. */
static void begin_anew(struct dispatcher *dispatcher, struct partition *partition, int64_t offset)
{
    struct log_subject subject = partition_subject(partition);

    log_warning(&subject, "the topic was made anew: it is read from offset %" PRId64, offset);
    counter(dispatcher, D_MADE_ANEW)->number++;
    dispatcher->memory -= partition->ledger.memory;
    dispatcher->room = true;
    partition_begin_anew(partition, offset);
}

/* Whether a record that was passed already is the one that was read there. If not, all that comes
 * from here on must be read: to take another log's records for repeats would lose them. Of what was
 * skipped the ledger knows nothing, and nothing is lost when it is skipped again. */
static bool is_repeat(const struct dispatcher *dispatcher, const struct partition *partition,
                      const struct record *record)
{
    const struct ledger_entry *entry = ledger_entry_at(&partition->ledger, record->offset);

    if (record->offset < ledger_committable(&partition->ledger))
        return false;
    return entry ? entry->print == record_print(record)
                 : is_unwanted(dispatcher, record) || !partition->bound;
}

static void receive(struct dispatcher *dispatcher, struct partition *partition,
                    struct record *record)
{
    if (ledger_seen(&partition->ledger, record->offset)) {
        if (is_repeat(dispatcher, partition, record)) {
            counter(dispatcher, D_REPEATED)->number++;
            return;
        }
        begin_anew(dispatcher, partition, record->offset);
    }
    counter(dispatcher, D_RECEIVED)->number++;
    if (is_unwanted(dispatcher, record))
        skip_empty(dispatcher, partition, record->offset);
    else if (!partition->bound)
        skip_unbound(dispatcher, partition, record->offset);
    else
        owe(dispatcher, partition, record);
}

void dispatcher_take(struct dispatcher *dispatcher, struct partition *partition)
{
    struct source *source = dispatcher->setup.source;
    struct record *record;

    if (partition->state == PARTITION_FULL && dispatcher_has_room(dispatcher, partition))
        partition_set_state(partition, PARTITION_RUNNING);
    while (partition->state == PARTITION_RUNNING) {
        if (!dispatcher_has_room(dispatcher, partition)) {
            partition_set_state(partition, PARTITION_FULL);
            break;
        }
        record = source->calls->take(source, partition->handle);
        if (!record)
            break;
        partition->ventured = !fits(dispatcher, partition);
        receive(dispatcher, partition, record);
        record_unref(&record);
    }
    if (partition_dirty(partition))
        committer_touch(dispatcher);
}

void dispatcher_take_all(struct dispatcher *dispatcher)
{
    struct partition *partition;

    if (!dispatcher->room)
        return;
    dispatcher->room = false;
    DL_FOREACH (dispatcher->partitions, partition)
        if (partition->state == PARTITION_FULL)
            dispatcher_take(dispatcher, partition);
}

/* ---- the sink ---- */

static void log_start(struct dispatcher *dispatcher, const struct source_assignment *assignment,
                      enum start_reason reason, int64_t start)
{
    struct log_subject subject = {assignment->topic, assignment->number, -1, NULL};
    enum log_level level = LOG_LEVEL_DEBUG; /* the usual ones: a line a partition is too much */

    if (reason == START_ADDED)
        level = LOG_LEVEL_INFO;
    else if (reason == START_EXPIRED || reason == START_MADE_ANEW)
        level = LOG_LEVEL_WARNING;
    log_write(level, &subject, "starts at offset %" PRId64 ": %s", start,
              start_reason_text(reason));
    if (reason == START_EXPIRED)
        counter(dispatcher, D_EXPIRED)->number += start - assignment->committed;
    if (reason == START_MADE_ANEW)
        counter(dispatcher, D_MADE_ANEW)->number++;
}

/* What the last owner left. False: nothing that could be read; then the partition is born now. */
static bool read_progress(const struct source_assignment *assignment, struct progress *left)
{
    struct log_subject subject = {assignment->topic, assignment->number, -1, NULL};
    bool known = progress_decode(assignment->metadata, assignment->committed, left);

    if (!known && assignment->metadata && *assignment->metadata)
        log_warning(&subject, "the metadata of its commit is not ours: it is ignored");
    if (!known)
        left->born = assignment->partitions;
    return known;
}

/* What is said of an old log means nothing for the new one. */
static void restore(struct partition *partition, const struct source_assignment *assignment,
                    enum start_reason reason, struct progress *left)
{
    if (reason == START_MADE_ANEW) {
        progress_clear(left);
        left->born = assignment->partitions;
    }
    partition->restored = *left;
    partition->born = left->born;
}

/* The window's, and a venture's (make_room.c). */
static size_t ring_size(const struct dispatcher *dispatcher)
{
    return (size_t)dispatcher->setup.options->partition_window +
           (dispatcher->setup.letters ? 1 : 0);
}

static void add_partition(struct dispatcher *dispatcher, struct source_assignment *assignment)
{
    enum initial_offset initial = (enum initial_offset)dispatcher->setup.options->initial_offset;
    struct progress left = {0};
    bool known = read_progress(assignment, &left);
    struct start_memory memory;
    enum start_reason reason;
    struct partition *partition;
    char number[16];

    memory = (struct start_memory){progress_top(&left) + 1,
                                   name_set_has(&dispatcher->known_topics, assignment->topic)};
    assignment->start = start_position(assignment, initial, memory, &reason);
    log_start(dispatcher, assignment, reason, assignment->start);
    partition = partition_new(assignment, assignment->start, ring_size(dispatcher));
    restore(partition, assignment, reason, &left);
    partition->changed = !known;
    partition->commit_first = dispatcher_commits_first(dispatcher);
    partition->paused = pause_holds_topic(&dispatcher->pauses, partition->topic);
    snprintf(number, sizeof(number), "%" PRId32, assignment->number);
    partition->metrics = metrics_add(dispatcher->setup.metrics, &partition_metrics,
                                     (const char *const[]){partition->topic, number});
    DL_APPEND(dispatcher->partitions, partition);
    dispatcher->partition_count++;
    dispatcher_subscribe(dispatcher, partition);
    assignment->partition = partition;
    if (reason == START_COMMITTED) {
        partition->committed =
            (struct partition_mark){assignment->committed, xstrdup(assignment->metadata)};
        partition_set_state(partition, PARTITION_RUNNING);
        name_set_add(&dispatcher->known_topics, partition->topic);
    }
    if (dispatcher->stopping)
        partition_set_state(partition, PARTITION_DRAINING);
}

static void on_assigned(void *sink, struct source_assignment *assignments, size_t count, bool more)
{
    struct dispatcher *dispatcher = sink;

    if (!count)
        return;
    if (dispatcher->state == DISPATCHER_IDLE)
        dispatcher_set_state(dispatcher, DISPATCHER_WORKING);
    for (size_t i = 0; i < count; i++)
        if (!aside_take_back(dispatcher, &assignments[i]))
            add_partition(dispatcher, &assignments[i]);
    if (!more)
        aside_drop(dispatcher);
    dispatcher->committer.finished = 0; /* no commit leaves from within this for its sake */
    committer_touch(dispatcher);
    dispatcher_fill_slots(dispatcher);
}

/* Once stopped, there are no partitions any more, though the source still has them. */
static bool is_stopped(const struct dispatcher *dispatcher)
{
    return dispatcher->state == DISPATCHER_IDLE;
}

static void on_ready(void *sink, void *partition)
{
    if (is_stopped(sink))
        return;
    dispatcher_take(sink, partition);
    dispatcher_fill_slots(sink);
}

static void on_end(void *sink, void *context, int64_t offset)
{
    struct partition *partition = context;

    if (is_stopped(sink))
        return;
    ledger_advance(&partition->ledger, offset);
    if (partition_dirty(partition))
        committer_touch(sink);
}

static void on_expired(void *sink, void *context, int64_t offset, int64_t count)
{
    struct dispatcher *dispatcher = sink;
    struct log_subject subject;

    if (is_stopped(dispatcher))
        return;
    subject = partition_subject(context);
    log_warning(&subject,
                "%" PRId64 " records expired before they were read: it goes on at offset "
                "%" PRId64,
                count, offset);
    counter(dispatcher, D_EXPIRED)->number += count;
}

static void on_committed(void *sink, const struct source_answer *answers, size_t count)
{
    committer_answered(sink, answers, count);
}

static void on_revoke(void *sink, bool lost)
{
    drain_revoke(sink, lost);
}

static const struct sink_calls sink_calls = {
    .assigned = on_assigned,
    .ready = on_ready,
    .end = on_end,
    .expired = on_expired,
    .committed = on_committed,
    .revoke = on_revoke,
};

/* ---- life ---- */

static void on_summary_due(void *context)
{
    struct dispatcher *dispatcher = context;
    struct function *function, *next;

    HASH_ITER (hh, dispatcher->functions, function, next) {
        calls_log_summary(dispatcher->setup.options, function->path, &function->calls);
        give_up_summary(function);
    }
    dispatcher->summary_due =
        delay_start(dispatcher->setup.loop, CALLS_SUMMARY_INTERVAL_MS, on_summary_due, dispatcher);
}

static void on_look_due(void *context)
{
    struct dispatcher *dispatcher = context;

    dispatcher_look(dispatcher);
    drain_continue(dispatcher); /* a letter was refused, perhaps: nobody tells that */
    dispatcher->look_due =
        delay_start(dispatcher->setup.loop, LOOK_INTERVAL_MS, on_look_due, dispatcher);
}

struct dispatcher *dispatcher_new(const struct dispatcher_setup *setup)
{
    struct dispatcher *dispatcher = xcalloc(1, sizeof(*dispatcher));

    dispatcher->setup = *setup;
    dispatcher->rules = invoke_retry_rules(setup->options, setup->async);
    dispatcher->random = uv_hrtime() | 1;
    target_init(&dispatcher->gateway, 1, dispatcher_now(dispatcher));
    dispatcher->metrics = metrics_add(setup->metrics, &dispatcher_metrics, NULL);
    dispatcher->summary_due =
        delay_start(setup->loop, CALLS_SUMMARY_INTERVAL_MS, on_summary_due, dispatcher);
    dispatcher->look_due = delay_start(setup->loop, LOOK_INTERVAL_MS, on_look_due, dispatcher);
    committer_init(dispatcher);
    setup->source->sink_calls = &sink_calls;
    setup->source->sink = dispatcher;
    return dispatcher;
}

void dispatcher_free(struct dispatcher *dispatcher)
{
    if (!dispatcher)
        return;
    dispatcher_drop_partitions(dispatcher);
    dispatcher_free_functions(dispatcher);
    delay_cancel(&dispatcher->summary_due);
    delay_cancel(&dispatcher->look_due);
    delay_cancel(&dispatcher->drain_due);
    delay_cancel(&dispatcher->drain_again);
    delay_cancel(&dispatcher->aside_due);
    delay_cancel(&dispatcher->gateway_probe_due);
    committer_release(dispatcher);
    free(dispatcher->stalled);
    pause_release(&dispatcher->pauses);
    name_set_clear(&dispatcher->known_topics);
    metrics_remove(dispatcher->setup.metrics, dispatcher->metrics);
    free(dispatcher);
}
