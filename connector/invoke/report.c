/* report: what is told of the dispatcher: its metrics and its part of /status. */
#include "invoke/dispatcher_state.h"

#include <utlist.h>

static const struct metric_row dispatcher_rows[] = {
    [D_RECEIVED] = {METRIC_COUNTER, "kafka_connector_records_received_total",
                    "Records taken from Kafka."},
    [D_EMPTY] = {METRIC_COUNTER, "kafka_connector_records_empty_total",
                 "Records without a value, skipped (empty_records=skip)."},
    [D_NO_FUNCTION] = {METRIC_COUNTER, "kafka_connector_records_no_function_total",
                       "Records of a topic that no function wants, skipped."},
    [D_REPEATED] = {METRIC_COUNTER, "kafka_connector_records_repeated_total",
                    "Records that Kafka delivered again and that were passed over."},
    [D_EXPIRED] = {METRIC_COUNTER, "kafka_connector_records_expired_total",
                   "Offsets that were gone from the log before they were read."},
    [D_MADE_ANEW] = {METRIC_COUNTER, "kafka_connector_partitions_made_anew_total",
                     "Partitions whose topic was found deleted and made anew."},
    [D_COMMITS] = {METRIC_COUNTER, "kafka_connector_commits_total", "Commits acknowledged."},
    [D_COMMIT_FAILURES] = {METRIC_COUNTER, "kafka_connector_commit_failures_total",
                           "Commits refused or not answered; they are sent again."},
    [D_LETTER_FAILURES] = {METRIC_COUNTER, "kafka_connector_dead_letter_failures_total",
                           "Dead letters refused by the broker; they are sent again."},
    [D_LETTERS_TRUNCATED] = {METRIC_COUNTER, "kafka_connector_dead_letters_truncated_total",
                             "Dead letters that were too large: their value was cut."},
    [D_IN_FLIGHT] = {METRIC_GAUGE, "kafka_connector_in_flight", "Invocations under way."},
    [D_LETTERS] = {METRIC_GAUGE, "kafka_connector_dead_letters_in_flight",
                   "Dead letters on their way to the broker."},
    [D_LETTER_FAULT] = {METRIC_GAUGE, "kafka_connector_dead_letter_fault",
                        "1: dead letters cannot be written just now."},
    [D_BUFFERED_BYTES] = {METRIC_GAUGE, "kafka_connector_buffered_bytes",
                          "Memory of the records held, of max_buffered_bytes."},
    [D_GATEWAY_STATE] = {METRIC_GAUGE, "kafka_connector_gateway_state",
                         "0: invocations reach the gateway, 2: they find no connection."},
    [D_PARTITIONS] = {METRIC_GAUGE, "kafka_connector_partitions", "Partitions assigned."},
    [D_STALLED] = {METRIC_GAUGE, "kafka_connector_stalled",
                   "1: a partition stands still and nothing explains it (stall_timeout)."},
};

static const struct metric_row partition_rows[] = {
    [P_LAG] = {METRIC_GAUGE, "kafka_connector_partition_lag",
               "Records between what is done and the end of the partition's log; -1: not known."},
    [P_COMMITTED] = {METRIC_GAUGE, "kafka_connector_partition_committed_offset",
                     "Offset that the group acknowledged; -1: none yet."},
    [P_WINDOW] = {METRIC_GAUGE, "kafka_connector_partition_window_fill",
                  "Records between the lowest unfinished one and the newest taken, of "
                  "partition_window."},
    [P_STATE] = {METRIC_GAUGE, "kafka_connector_partition_state",
                 "0: starting, 1: running, 2: full, 3: draining, 4: aside (lost, and kept for the "
                 "case that it comes back)."},
    [P_PAUSED] = {METRIC_GAUGE, "kafka_connector_partition_paused",
                  "1: its topic is paused by hand (POST /pause)."},
};

static const struct metric_row function_rows[] = {
    [F_DONE] = {METRIC_COUNTER, "kafka_connector_invocations_done_total", "Invocations done."},
    [F_RETRIES] = {METRIC_COUNTER, "kafka_connector_retries_total",
                   "Attempts that failed and are followed by another."},
    [F_UNANSWERED] = {METRIC_COUNTER, "kafka_connector_unanswered_total",
                      "Attempts that were sent and not answered."},
    [F_UNSENT] = {METRIC_COUNTER, "kafka_connector_unsent_total",
                  "Attempts that found no connection."},
    [F_DROPPED] = {METRIC_COUNTER, "kafka_connector_invocations_dropped_total",
                   "Invocations given up (on_exhausted=drop, delivery=at-most-once)."},
    [F_UNBOUND] = {METRIC_COUNTER, "kafka_connector_invocations_unbound_total",
                   "Invocations that ended because their function was gone."},
    [F_TOO_OLD] = {METRIC_COUNTER, "kafka_connector_invocations_too_old_total",
                   "Invocations dropped because their record was older than max_record_age."},
    [F_DEAD_LETTERS] = {METRIC_COUNTER, "kafka_connector_dead_letters_total",
                        "Dead letters that the broker acknowledged."},
    [F_IN_FLIGHT] = {METRIC_GAUGE, "kafka_connector_function_in_flight", "Invocations under way."},
    [F_PENDING] = {METRIC_GAUGE, "kafka_connector_function_pending",
                   "Invocations owed: waiting, under way, backing off or held."},
    [F_HELD] = {METRIC_GAUGE, "kafka_connector_function_held",
                "Invocations held because nothing more may be tried (on_exhausted=wait)."},
    [F_STATE] = {METRIC_GAUGE, "kafka_connector_function_state", "0: up, 1: suspect, 2: away."},
    [F_PAUSED] = {METRIC_GAUGE, "kafka_connector_function_paused",
                  "1: it is paused by hand (POST /pause)."},
    [F_SECONDS] = {METRIC_HISTOGRAM, "kafka_connector_invocation_seconds",
                   "Time from the start of an attempt to its end."},
};

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

const struct metrics_table dispatcher_metrics = {{NULL}, dispatcher_rows, COUNT(dispatcher_rows)};
const struct metrics_table partition_metrics = {
    {"topic", "partition"}, partition_rows, COUNT(partition_rows)};
const struct metrics_table function_metrics = {{"function"}, function_rows, COUNT(function_rows)};

/* -1: not known. */
static int64_t lag(const struct dispatcher *dispatcher, const struct partition *partition)
{
    struct source *source = dispatcher->setup.source;
    int64_t end = partition->handle ? source->calls->log_end(source, partition->handle) : -1;
    int64_t lag = end - ledger_committable(&partition->ledger);

    if (end < 0)
        return -1;
    return lag > 0 ? lag : 0;
}

static void collect_partition(const struct dispatcher *dispatcher, struct partition *partition)
{
    union metric_value *values = partition->metrics->values;

    values[P_LAG].number = lag(dispatcher, partition);
    values[P_COMMITTED].number = partition->committed.offset;
    values[P_WINDOW].number = (int64_t)ledger_fill(&partition->ledger);
    values[P_STATE].number = partition->state;
    values[P_PAUSED].number = partition->paused;
}

static void collect_function(struct function *function)
{
    union metric_value *values = function->metrics->values;

    values[F_IN_FLIGHT].number = (int64_t)function->in_flight;
    values[F_PENDING].number = (int64_t)function->pending;
    values[F_HELD].number = (int64_t)function->held;
    values[F_STATE].number = function->target.state;
    values[F_PAUSED].number = function->paused;
}

const char *dispatcher_stalled(const struct dispatcher *dispatcher)
{
    return dispatcher->stalled;
}

const char *dispatcher_fault(const struct dispatcher *dispatcher)
{
    return dispatcher->committer.fault;
}

void dispatcher_collect(struct dispatcher *dispatcher)
{
    const struct letters *letters = dispatcher->setup.letters;
    union metric_value *values = dispatcher->metrics->values;
    struct function *function, *next;
    struct partition *partition;

    if (letters) {
        values[D_LETTERS].number = letters->under_way;
        values[D_LETTER_FAILURES].number = letters->failures;
        values[D_LETTERS_TRUNCATED].number = letters->truncated;
        values[D_LETTER_FAULT].number = letters->fault != NULL;
    }
    values[D_IN_FLIGHT].number = (int64_t)dispatcher->in_flight;
    values[D_BUFFERED_BYTES].number = dispatcher->memory;
    values[D_GATEWAY_STATE].number = dispatcher->gateway.state;
    values[D_PARTITIONS].number = (int64_t)dispatcher->partition_count;
    values[D_STALLED].number = dispatcher->stalled != NULL;
    DL_FOREACH (dispatcher->partitions, partition)
        collect_partition(dispatcher, partition);
    HASH_ITER (hh, dispatcher->functions, function, next)
        collect_function(function);
}

/* The invocation that keeps the committable offset from rising: the first of the partition's. */
static void add_oldest(const struct dispatcher *dispatcher, const struct partition *partition,
                       json *to)
{
    const struct invocation *oldest = partition->invocations;
    json *waits;

    if (!oldest)
        return;
    waits = json_add_object(to, "oldest_unfinished");
    json_add_number(waits, "offset", oldest->record->offset);
    json_add_text(waits, "function", oldest->subscription->function->path);
    json_add_text(waits, "invocation", invocation_state_name(oldest->state));
    json_add_text(waits, "because", dispatcher_waits_because(dispatcher, partition));
    json_add_number(waits, "attempts", invocation_attempts(oldest));
}

static void add_partition(const struct dispatcher *dispatcher, const struct partition *partition,
                          json *to)
{
    json *object = json_add_object(to, NULL);

    json_add_text(object, "topic", partition->topic);
    json_add_number(object, "partition", partition->number);
    json_add_text(object, "state", partition_state_name(partition->state));
    json_add_bool(object, "paused", partition->paused);
    json_add_number(object, "committed_offset", partition->committed.offset);
    json_add_text(object, "commit_refused", partition->refused);
    json_add_number(object, "committable_offset", ledger_committable(&partition->ledger));
    json_add_number(object, "next_offset", partition->ledger.next);
    json_add_number(object, "lag", lag(dispatcher, partition));
    json_add_number(object, "window_fill", (int64_t)ledger_fill(&partition->ledger));
    json_add_number(object, "functions", (int64_t)partition->bound);
    add_oldest(dispatcher, partition, object);
}

/* The topics that the map says it wants; none when it names it no more. */
static void add_topics(const struct dispatcher *dispatcher, const struct function *function,
                       json *to)
{
    const struct function_spec *spec =
        dispatcher->map ? topic_map_find(dispatcher->map, function->path) : NULL;
    json *list = json_add_array(to, "topics");

    for (size_t i = 0; spec && i < spec->topic_count; i++)
        json_add_text(list, NULL, spec->topics[i]);
}

static void add_counts(const struct function *function, json *to)
{
    static const struct {
        const char *name;
        int row;
    } counts[] = {
        {"done", F_DONE},       {"retries", F_RETRIES},          {"unanswered", F_UNANSWERED},
        {"unsent", F_UNSENT},   {"dropped", F_DROPPED},          {"unbound", F_UNBOUND},
        {"too_old", F_TOO_OLD}, {"dead_letters", F_DEAD_LETTERS}};

    for (size_t i = 0; i < COUNT(counts); i++)
        json_add_number(to, counts[i].name, function->metrics->values[counts[i].row].number);
}

static int64_t seconds_in_state(const struct dispatcher *dispatcher, const struct target *target)
{
    return (dispatcher_now(dispatcher) - target->since_ms) / 1000;
}

static void add_function(const struct dispatcher *dispatcher, const struct function *function,
                         json *to)
{
    json *object = json_add_object(to, NULL);

    json_add_text(object, "function", function->path);
    add_topics(dispatcher, function, object);
    json_add_bool(object, "bound", function->bound);
    json_add_text(object, "state", target_state_name(function->target.state));
    json_add_number(object, "state_seconds", seconds_in_state(dispatcher, &function->target));
    json_add_bool(object, "paused", function->paused);
    json_add_number(object, "in_flight", (int64_t)function->in_flight);
    json_add_number(object, "pending", (int64_t)function->pending);
    json_add_number(object, "held", (int64_t)function->held);
    add_counts(function, object);
    answers_status(&function->answers, object);
}

static void add_letters(const struct dispatcher *dispatcher, json *to)
{
    const struct letters *letters = dispatcher->setup.letters;
    json *about;

    if (!letters)
        return;
    about = json_add_object(to, "dead_letters");
    json_add_text(about, "topic", dispatcher->setup.options->dead_letter_topic);
    json_add_number(about, "in_flight", letters->under_way);
    json_add_number(about, "failures", letters->failures);
    json_add_number(about, "truncated", letters->truncated);
    json_add_text(about, "fault", letters->fault);
}

void dispatcher_status(struct dispatcher *dispatcher, json *status)
{
    json *about = json_add_object(status, "dispatcher"), *list;
    struct function *function, *next;
    struct partition *partition;

    json_add_text(about, "state", dispatcher_state_name(dispatcher->state));
    json_add_number(about, "received", dispatcher->metrics->values[D_RECEIVED].number);
    json_add_number(about, "in_flight", (int64_t)dispatcher->in_flight);
    json_add_number(about, "max_inflight", dispatcher->setup.options->max_inflight);
    json_add_number(about, "buffered_bytes", dispatcher->memory);
    json_add_number(about, "max_buffered_bytes", dispatcher->setup.options->max_buffered_bytes);
    json_add_text(about, "commit_fault", dispatcher->committer.fault);
    json_add_text(about, "stalled", dispatcher->stalled);
    add_letters(dispatcher, status);
    json_add_text(status, "gateway", target_state_name(dispatcher->gateway.state));
    json_add_number(status, "gateway_state_seconds",
                    seconds_in_state(dispatcher, &dispatcher->gateway));
    pause_status(&dispatcher->pauses, status);
    list = json_add_array(status, "functions");
    HASH_ITER (hh, dispatcher->functions, function, next)
        add_function(dispatcher, function, list);
    list = json_add_array(status, "partitions");
    DL_FOREACH (dispatcher->partitions, partition)
        add_partition(dispatcher, partition, list);
}
