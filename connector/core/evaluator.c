/* evaluator: see evaluator.h. */
#include "core/evaluator.h"

/* A partition, as one policy sees it. */
struct view {
    const struct scale_policy *policy;
    const struct history *history;
    struct lag_rule rule;
    size_t count; /* of samples */
};

static struct view view_of(const struct scale_policy *policy,
                           const struct evaluator_partition *partition)
{
    return (struct view){
        .policy = policy,
        .history = partition->history,
        .rule = kafka_policy_lag_rule(&policy->kafka),
        .count = history_count(partition->history),
    };
}

/* Samples of the history from one of the policy's to the next. */
static size_t stride_of(const struct scale_policy *policy)
{
    return policy->finer > 1 ? (size_t)policy->finer : 1;
}

static unsigned missed_most(const struct scale_policy *policy)
{
    return EVALUATOR_MISSED_MOST * (unsigned)stride_of(policy);
}

/* ---- one sample ---- */

static int64_t lag_at(const struct view *view, size_t i)
{
    struct history_sample sample = history_at(view->history, i);
    struct offsets offsets = {sample.committed, view->history->start, sample.end};

    return lag_of(&view->rule, &offsets);
}

static int64_t age_at(const struct view *view, size_t i)
{
    return history_age(view->history, i).ms;
}

static bool is_over_by_time(const struct view *view, size_t i)
{
    return view->policy->time_lag_ms && age_at(view, i) >= view->policy->time_lag_ms;
}

static bool is_over(const struct view *view, size_t i, int64_t lag)
{
    return lag >= view->policy->kafka.lag_threshold || is_over_by_time(view, i);
}

/* ---- the stretch ---- */

/* Walks back as long as samples are over and no gap is too long. A sample without a lag (the commit
 * hidden, the log's start not read) is a missed one; the newest has one. */
static void find_stretch(const struct view *view, struct partition_finding *finding)
{
    unsigned most = missed_most(view->policy), gap = history_missed(view->history);
    int64_t first_ms = EVALUATOR_NEVER;
    size_t i;

    for (i = view->count; i > 0 && gap <= most; i--) {
        struct history_sample sample = history_at(view->history, i - 1);
        int64_t lag = lag_at(view, i - 1);

        if (lag != LAG_UNKNOWN && !is_over(view, i - 1, lag))
            break;
        first_ms = lag == LAG_UNKNOWN ? first_ms : sample.at_ms;
        gap = sample.missed + (lag == LAG_UNKNOWN ? gap + 1 : 0);
    }
    finding->over = first_ms != EVALUATOR_NEVER;
    finding->at_edge = i == 0 || gap > most;
    if (finding->over)
        finding->stretch_ms = history_at(view->history, view->count - 1).at_ms - first_ms;
}

/* A proof from within the stretch says what was in front of it. */
static void lengthen(struct partition_finding *finding, const struct recovery_proof *proof,
                     int64_t newest_ms)
{
    int64_t first_ms = newest_ms - finding->stretch_ms;

    if (finding->at_edge && proof->at_ms >= first_ms && proof->since_ms < first_ms)
        finding->stretch_ms = newest_ms - proof->since_ms;
}

/* ---- draining ---- */

/* The first sample of those that tell whether it drains. False: they are too few. */
static bool drain_window(const struct view *view, size_t *from)
{
    int64_t since_ms = history_at(view->history, view->count - 1).at_ms;

    since_ms -= view->policy->sustain_ms / 2;
    if (view->count < EVALUATOR_DRAIN_SAMPLES)
        return false;
    *from = view->count - EVALUATOR_DRAIN_SAMPLES;
    while (*from > 0 && history_at(view->history, *from - 1).at_ms >= since_ms)
        --*from;
    return true;
}

/* What the value grows by in a millisecond, by least squares over the samples from one on. Values
 * < 0 are none. */
static double slope(const struct view *view, int64_t (*value)(const struct view *, size_t),
                    size_t from)
{
    int64_t origin_ms = history_at(view->history, from).at_ms;
    double n = 0, x_sum = 0, y_sum = 0, xx = 0, xy = 0, spread;

    for (size_t i = from; i < view->count; i++) {
        double x = (double)(history_at(view->history, i).at_ms - origin_ms);
        int64_t y = value(view, i);

        if (y < 0)
            continue;
        n++;
        x_sum += x;
        y_sum += (double)y;
        xx += x * x;
        xy += x * (double)y;
    }
    spread = n * xx - x_sum * x_sum;
    return spread > 0 ? (n * xy - x_sum * y_sum) / spread : 0;
}

/* The whole window says that it falls, its newer half how fast by now: a backlog melts ever faster
 * when consumers come up, and a fall that has ended must not count any more. */
static bool falls_below(const struct view *view, int64_t (*value)(const struct view *, size_t),
                        int64_t limit)
{
    size_t from;
    double pace;

    if (!drain_window(view, &from) || slope(view, value, from) >= 0)
        return false;
    pace = slope(view, value, from + (view->count - from) / 2);
    return (double)value(view, view->count - 1) + pace * (double)view->policy->drain_ms <
           (double)limit;
}

static bool is_draining(const struct view *view, int64_t lag)
{
    int64_t threshold = view->policy->kafka.lag_threshold;

    if (lag >= threshold && !falls_below(view, lag_at, threshold))
        return false;
    return !is_over_by_time(view, view->count - 1) ||
           falls_below(view, age_at, view->policy->time_lag_ms);
}

/* ---- commits ---- */

static bool is_unmoved(const struct view *view)
{
    size_t stride = stride_of(view->policy);
    int64_t now = history_at(view->history, view->count - 1).committed;

    return view->count > stride && now >= 0 &&
           history_at(view->history, view->count - 1 - stride).committed == now;
}

/* A first commit is a move; one that was set back by hand is none. */
static bool has_moved(const struct view *view, size_t i)
{
    int64_t delta;

    if (history_moved(view->history, i, &delta))
        return delta > 0;
    return i > 0 && history_at(view->history, i).committed >= 0 &&
           history_at(view->history, i - 1).committed == OFFSET_NONE;
}

static int64_t find_move(const struct view *view)
{
    for (size_t i = view->count; i > 0; i--)
        if (has_moved(view, i - 1))
            return history_at(view->history, i - 1).at_ms;
    return EVALUATOR_NEVER;
}

/* ---- flow ---- */

/* What an offset grew by a second, from the first sample in the last `span_ms` on. */
static double growth(const struct view *view, int64_t (*offset)(const struct history_sample *),
                     int64_t span_ms)
{
    struct history_sample now = history_at(view->history, view->count - 1), then = now;

    for (size_t i = view->count - 1; i > 0; i--) {
        struct history_sample before = history_at(view->history, i - 1);

        if (now.at_ms - before.at_ms > span_ms || offset(&before) < 0)
            break;
        then = before;
    }
    if (then.at_ms == now.at_ms || offset(&now) < offset(&then))
        return 0;
    return 1000.0 * (double)(offset(&now) - offset(&then)) / (double)(now.at_ms - then.at_ms);
}

static int64_t committed_of(const struct history_sample *sample)
{
    return sample->committed;
}

static int64_t end_of(const struct history_sample *sample)
{
    return sample->end;
}

static int64_t flow_span_ms(const struct scale_policy *policy)
{
    int64_t least_ms = policy->sampling_ms * (EVALUATOR_DRAIN_SAMPLES - 1);

    return policy->sustain_ms / 4 > least_ms ? policy->sustain_ms / 4 : least_ms;
}

static struct flow flow_of(const struct view *view)
{
    int64_t span_ms = flow_span_ms(view->policy);

    return (struct flow){
        .arrived = growth(view, end_of, span_ms),
        .consumed = growth(view, committed_of, span_ms),
        .arrived_long = growth(view, end_of, view->policy->down_ms),
    };
}

/* ---- one partition ---- */

static void find_over(const struct view *view, const struct evaluator_partition *partition,
                      struct partition_finding *finding)
{
    const struct scale_policy *policy = view->policy;

    find_stretch(view, finding);
    if (!finding->over)
        return;
    lengthen(finding, &partition->proof, history_at(view->history, view->count - 1).at_ms);
    finding->sustained = finding->stretch_ms >= policy->sustain_ms;
    finding->draining = is_draining(view, finding->lag);
    finding->raising = finding->sustained && !finding->draining &&
                       !(policy->kafka.exclude_persistent_lag && finding->unmoved);
}

struct partition_finding evaluator_find(const struct scale_policy *policy,
                                        const struct evaluator_partition *partition)
{
    struct view view = view_of(policy, partition);
    struct partition_finding finding = {.lag = LAG_UNKNOWN, .stretch_ms = -1};

    finding.moved_ms = EVALUATOR_NEVER;
    if (!view.count)
        return finding;
    finding.lag = lag_at(&view, view.count - 1);
    finding.known =
        finding.lag != LAG_UNKNOWN && history_missed(view.history) <= missed_most(policy);
    finding.unmoved = is_unmoved(&view);
    finding.moved_ms = find_move(&view);
    if (policy->sizing == SIZING_PACE)
        finding.flow = flow_of(&view);
    if (finding.known)
        find_over(&view, partition, &finding);
    return finding;
}

/* ---- all partitions ---- */

static int64_t newest_ms(const struct history *history)
{
    size_t count = history_count(history);

    return count ? history_at(history, count - 1).at_ms : EVALUATOR_NEVER;
}

/* Whether what is known of it goes back as far as "for sustainSeconds" needs. */
static bool reaches_back(const struct scale_policy *policy, const struct history *history)
{
    return history_count(history) > 0 &&
           newest_ms(history) - history_at(history, 0).at_ms >= policy->sustain_ms;
}

/* The newest moves of two partitions. */
struct moves {
    size_t first; /* whose is the newest; SIZE_MAX: none has moved */
    int64_t first_ms, second_ms;
};

static struct moves find_moves(const struct partition_finding *findings, size_t count)
{
    struct moves moves = {SIZE_MAX, EVALUATOR_NEVER, EVALUATOR_NEVER};

    for (size_t i = 0; i < count; i++) {
        int64_t moved_ms = findings[i].moved_ms;

        if (moved_ms > moves.first_ms)
            moves = (struct moves){i, moved_ms, moves.first_ms};
        else if (moved_ms > moves.second_ms)
            moves.second_ms = moved_ms;
    }
    return moves;
}

static void find_stuck(const struct evaluator_partition *partitions, size_t count,
                       const struct moves *moves, struct partition_finding *findings)
{
    for (size_t i = 0; i < count; i++) {
        struct partition_finding *it = &findings[i];
        int64_t began_ms = newest_ms(partitions[i].history) - it->stretch_ms;
        int64_t others_ms = moves->first == i ? moves->second_ms : moves->first_ms;

        it->stuck =
            it->sustained && it->lag > 0 && it->moved_ms <= began_ms && others_ms > began_ms;
    }
}

static int rank(const struct partition_finding *finding)
{
    return finding->raising ? 3 : finding->sustained ? 2 : finding->over;
}

static bool is_before(const struct partition_finding *a, const struct partition_finding *b)
{
    return rank(a) != rank(b) ? rank(a) > rank(b) : a->stretch_ms > b->stretch_ms;
}

static void count_in(struct evaluation *evaluation, const struct scale_policy *policy,
                     const struct partition_finding *finding)
{
    evaluation->partitions++;
    evaluation->unknown += !finding->known;
    evaluation->unread += finding->lag == LAG_UNKNOWN;
    evaluation->over += finding->over;
    evaluation->sustained += finding->sustained;
    evaluation->draining += finding->sustained && finding->draining;
    evaluation->stuck += finding->stuck;
    evaluation->raising += finding->raising;
    if (finding->lag > evaluation->highest_lag)
        evaluation->highest_lag = finding->lag;
    if (finding->stretch_ms > evaluation->longest_ms)
        evaluation->longest_ms = finding->stretch_ms;
    evaluation->busy += finding->stretch_ms >= flow_span_ms(policy);
    evaluation->flow.arrived += finding->flow.arrived;
    evaluation->flow.consumed += finding->flow.consumed;
    evaluation->flow.arrived_long += finding->flow.arrived_long;
    if (finding->over && !finding->sustained && finding->at_edge)
        evaluation->uncertain = true;
    if (finding->lag != LAG_UNKNOWN)
        kafka_sum_add(&evaluation->sum, &policy->kafka, finding->lag, finding->unmoved);
}

/* Nobody consumes: no commit has moved, as far back as the policy asks, where that is known of a
 * partition in which something waits. */
static bool is_waiting(const struct scale_policy *policy,
                       const struct evaluator_partition *partitions, size_t count,
                       const struct partition_finding *findings, const struct evaluation *all,
                       int64_t moved_ms)
{
    bool known = false;

    for (size_t i = 0; i < count && !known; i++)
        known =
            findings[i].known && findings[i].lag > 0 && reaches_back(policy, partitions[i].history);
    return known && kafka_policy_active(&policy->kafka, &all->sum) &&
           (moved_ms == EVALUATOR_NEVER || all->at_ms - moved_ms >= policy->sustain_ms);
}

struct evaluation evaluator_look(const struct scale_policy *policy,
                                 const struct evaluator_partition *partitions, size_t count,
                                 struct partition_finding *findings)
{
    struct evaluation all = {
        .at_ms = EVALUATOR_NEVER, .highest_lag = LAG_UNKNOWN, .longest_ms = -1};
    struct moves moves;

    for (size_t i = 0; i < count; i++)
        findings[i] = evaluator_find(policy, &partitions[i]);
    moves = find_moves(findings, count);
    find_stuck(partitions, count, &moves, findings);
    for (size_t i = 0; i < count; i++) {
        int64_t at_ms = newest_ms(partitions[i].history);

        count_in(&all, policy, &findings[i]);
        all.at_ms = at_ms > all.at_ms ? at_ms : all.at_ms;
        if (is_before(&findings[i], &findings[all.foremost]))
            all.foremost = i;
    }
    all.waiting = is_waiting(policy, partitions, count, findings, &all, moves.first_ms);
    return all;
}
