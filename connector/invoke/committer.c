/*
 * committer: when progress is committed.
 *
 * A commit leaves when COMMIT_AFTER invocations finished or commit_interval passed since something
 * changed; one is under way at a time, for all partitions that changed. A partition that was not
 * committed is sent again, later and later, and holds up no other.
 *
 * Metadata that is too long for the broker (offset.metadata.max.bytes) never keeps an offset back:
 * it is sent again at once with half of it, in the end without any.
 *
 * With delivery=at-most-once calls wait for commits: one leaves at once while a slot is free that
 * only waits for it, and what is taken while it is under way goes with the next.
 */
#include "base/log.h"
#include "base/xalloc.h"
#include "invoke/dispatcher_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    RETRY_MS = 250,
    RETRY_MOST_MS = 5000,
    START_MS = 100,
    METADATA_LEAST = PROGRESS_TEXT_LEAST,
};

void committer_init(struct dispatcher *dispatcher)
{
    dispatcher->committer.metadata_most = PROGRESS_TEXT_SIZE;
    dispatcher->committer.metadata_said = PROGRESS_TEXT_SIZE;
}

static void send_due(struct dispatcher *dispatcher)
{
    if (dispatcher->state == DISPATCHER_WORKING && !dispatcher->committer.under_way)
        committer_send(dispatcher);
}

static void on_due(void *context)
{
    struct dispatcher *dispatcher = context;

    dispatcher->committer.due = NULL;
    send_due(dispatcher);
}

static bool is_starting(const struct dispatcher *dispatcher)
{
    struct partition *partition;

    DL_FOREACH (dispatcher->partitions, partition)
        if (partition->state == PARTITION_STARTING)
            return true;
    return false;
}

/* A partition is not read before its start is committed: that waits for no long interval. */
static int64_t interval_ms(const struct dispatcher *dispatcher)
{
    int64_t interval = dispatcher->setup.options->commit_interval;

    return interval > START_MS && is_starting(dispatcher) ? START_MS : interval;
}

static bool is_urgent(const struct dispatcher *dispatcher)
{
    const struct committer *committer = &dispatcher->committer;

    return committer->finished >= COMMIT_AFTER ||
           (committer->awaited &&
            dispatcher->in_flight < (size_t)dispatcher->setup.options->max_inflight);
}

void committer_touch(struct dispatcher *dispatcher)
{
    struct committer *committer = &dispatcher->committer;

    if (dispatcher->state != DISPATCHER_WORKING || committer->under_way)
        return;
    if (is_urgent(dispatcher))
        committer_send(dispatcher);
    else if (!committer->due)
        committer->due =
            delay_start(dispatcher->setup.loop, interval_ms(dispatcher), on_due, dispatcher);
}

/* ---- what leaves ---- */

/* The last commit of a drain waits for nothing. */
static bool may_leave(const struct dispatcher *dispatcher, const struct partition *partition)
{
    return partition_dirty(partition) && (dispatcher->state != DISPATCHER_WORKING ||
                                          dispatcher_now(dispatcher) >= partition->commit_at);
}

static struct source_position position_of(const struct dispatcher *dispatcher,
                                          struct partition *partition, size_t place)
{
    char text[PROGRESS_TEXT_SIZE + 1] = "";

    if (dispatcher->committer.metadata_most)
        partition_progress(partition, dispatcher->committer.metadata_most, text);
    partition_send_take(partition, partition_position(partition), xstrdup(text));
    partition->committing = true;
    partition->place = place;
    return (struct source_position){partition->handle, partition->sent.offset,
                                    partition->sent.metadata};
}

bool committer_send(struct dispatcher *dispatcher)
{
    struct source *source = dispatcher->setup.source;
    struct source_position *positions = xcalloc(dispatcher->partition_count, sizeof(*positions));
    struct partition *partition;
    size_t count = 0;

    DL_FOREACH (dispatcher->partitions, partition) {
        if (!may_leave(dispatcher, partition))
            continue;
        positions[count] = position_of(dispatcher, partition, count);
        count++;
    }
    delay_cancel(&dispatcher->committer.due);
    dispatcher->committer.finished = 0;
    if (count) {
        dispatcher->committer.under_way = true;
        source->calls->done(source, positions, count);
    }
    free(positions);
    return count > 0;
}

/* ---- what was answered ---- */

static void note_refusal(struct partition *partition, const struct source_answer *answer)
{
    struct log_subject subject = partition_subject(partition);
    const char *why = answer->result == SOURCE_TOPIC_REFUSED ? answer->why_not : NULL;

    if (why && (!partition->refused || strcmp(partition->refused, why) != 0))
        log_warning(&subject, "its commit was refused: %s; it is sent again", why);
    if (answer->result != SOURCE_TOPIC_REFUSED && answer->result != SOURCE_COMMITTED)
        return; /* says nothing of this topic */
    if (!why && partition->refused)
        log_info(&subject, "its commits succeed again");
    free(partition->refused);
    partition->refused = xstrdup(why);
}

static void put_off(struct dispatcher *dispatcher, struct partition *partition)
{
    int64_t wait = RETRY_MS;

    for (unsigned i = 0; i < partition->refusals && wait < RETRY_MOST_MS; i++)
        wait *= 2;
    partition->refusals++;
    partition->commit_at =
        dispatcher_now(dispatcher) + (wait < RETRY_MOST_MS ? wait : RETRY_MOST_MS);
    partition->changed = true;
}

static bool is_too_long(const struct partition *partition, const struct source_answer *answer)
{
    return answer->result == SOURCE_TOO_LONG && *partition->sent.metadata;
}

/* Halves what metadata may take, as far as it was refused; what would hold next to nothing is
 * dropped whole. */
static void note_lengths(struct dispatcher *dispatcher, const struct source_answer *answers)
{
    struct committer *committer = &dispatcher->committer;
    const struct partition *partition;
    size_t longest = 0, size;

    DL_FOREACH (dispatcher->partitions, partition) {
        if (!partition->committing || !is_too_long(partition, &answers[partition->place]))
            continue;
        size = strlen(partition->sent.metadata);
        longest = size > longest ? size : longest;
    }
    committer->too_long = longest;
    if (!longest)
        return;
    committer->metadata_most = longest / 2 < METADATA_LEAST ? 0 : longest / 2;
}

/* Once it is known how much is taken. */
static void tell_length(struct committer *committer)
{
    if (committer->too_long || committer->metadata_most == committer->metadata_said)
        return;
    committer->metadata_said = committer->metadata_most;
    log_warning(NULL,
                "the broker takes no longer commit metadata than %zu characters "
                "(offset.metadata.max.bytes): after a crash more of what is finished runs again",
                committer->metadata_most);
}

static void settle(struct dispatcher *dispatcher, struct partition *partition,
                   const struct source_answer *answer)
{
    partition->committing = false;
    note_refusal(partition, answer);
    if (is_too_long(partition, answer)) {
        partition->changed = true;
        return;
    }
    if (answer->result != SOURCE_COMMITTED) {
        put_off(dispatcher, partition);
        return;
    }
    partition->refusals = 0;
    partition->commit_at = 0;
    name_set_add(&dispatcher->known_topics, partition->topic);
    partition_acknowledged(partition);
}

/* The group's fault, not a topic's. */
static void note_fault(struct committer *committer, const struct source_answer *answers,
                       size_t count)
{
    const char *why_not = NULL;

    committer->unreached = false;
    for (size_t i = 0; i < count; i++) {
        committer->unreached |= answers[i].result == SOURCE_UNREACHED;
        if (answers[i].result == SOURCE_UNREACHED || answers[i].result == SOURCE_REFUSED)
            why_not = answers[i].why_not;
    }
    if (why_not && (!committer->fault || strcmp(committer->fault, why_not) != 0))
        log_warning(NULL, "commit failed: %s; it is sent again", why_not);
    else if (!why_not && committer->fault)
        log_info(NULL, "commits succeed again");
    free(committer->fault);
    committer->fault = xstrdup(why_not);
}

static void count_batch(struct dispatcher *dispatcher, const struct source_answer *answers,
                        size_t count)
{
    bool committed = true;

    for (size_t i = 0; i < count; i++)
        committed &= answers[i].result == SOURCE_COMMITTED;
    dispatcher->metrics->values[committed ? D_COMMITS : D_COMMIT_FAILURES].number++;
}

/* After all are settled: taking may send the next commit. */
static void begin(struct dispatcher *dispatcher, struct partition *partition)
{
    if (partition->state != PARTITION_STARTING || partition->committed.offset < 0)
        return;
    partition_set_state(partition, PARTITION_RUNNING);
    dispatcher_take(dispatcher, partition);
}

static void on_again(void *context)
{
    struct dispatcher *dispatcher = context;

    dispatcher->committer.again = NULL;
    send_due(dispatcher);
}

/* What was put off has a clock of its own, so that what was not is not kept waiting. */
static void touch_again(struct dispatcher *dispatcher)
{
    struct committer *committer = &dispatcher->committer;
    int64_t now = dispatcher_now(dispatcher), first = INT64_MAX;
    struct partition *partition;

    DL_FOREACH (dispatcher->partitions, partition) {
        if (!partition_dirty(partition))
            continue;
        if (partition->commit_at <= now)
            committer_touch(dispatcher);
        else if (partition->commit_at < first)
            first = partition->commit_at;
    }
    delay_cancel(&committer->again);
    if (first < INT64_MAX)
        committer->again = delay_start(dispatcher->setup.loop, first - now, on_again, dispatcher);
}

/* Not while a drain still waits for calls: its last commit follows. */
static void send_shorter(struct dispatcher *dispatcher)
{
    bool may =
        dispatcher->state == DISPATCHER_WORKING || dispatcher->state == DISPATCHER_COMMITTING;

    if (dispatcher->committer.too_long && may && !dispatcher->committer.under_way)
        committer_send(dispatcher);
}

void committer_answered(struct dispatcher *dispatcher, const struct source_answer *answers,
                        size_t count)
{
    struct committer *committer = &dispatcher->committer;
    struct partition *partition;

    committer->under_way = false;
    note_lengths(dispatcher, answers);
    tell_length(committer);
    count_batch(dispatcher, answers, count);
    note_fault(committer, answers, count);
    DL_FOREACH (dispatcher->partitions, partition)
        if (partition->committing)
            settle(dispatcher, partition, &answers[partition->place]);
    DL_FOREACH (dispatcher->partitions, partition)
        begin(dispatcher, partition);
    send_shorter(dispatcher);
    dispatcher_fill_slots(dispatcher);
    if (dispatcher->state == DISPATCHER_WORKING)
        touch_again(dispatcher);
    drain_continue(dispatcher);
}

void committer_release(struct dispatcher *dispatcher)
{
    delay_cancel(&dispatcher->committer.due);
    delay_cancel(&dispatcher->committer.again);
    free(dispatcher->committer.fault);
    dispatcher->committer.fault = NULL;
}
