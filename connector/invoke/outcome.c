/*
 * outcome: what the answer to a call leads to.
 *
 * core/retry judges the attempt; each verdict has its case in `follow`. A new rule about outcomes
 * belongs into core/retry when it is about what an answer means, and here when it is about what
 * follows.
 */
#include "base/log.h"
#include "invoke/dispatcher_state.h"

#include <inttypes.h>

static uint64_t next_random(struct dispatcher *dispatcher)
{
    uint64_t x = dispatcher->random; /* xorshift64: jitter needs no more */

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return dispatcher->random = x;
}

static union metric_value *counter(const struct invocation *invocation, int which)
{
    return &invocation->subscription->function->metrics->values[which];
}

/* Whether an invocation whose attempts are used up is tried on. */
static bool asks_on(const struct dispatcher *dispatcher)
{
    return !dispatcher->setup.letters && !dispatcher_drops(dispatcher);
}

static void on_back_off_over(void *context)
{
    struct invocation *invocation = context;

    invocation->delay = NULL;
    invocation_admit(invocation);
    dispatcher_fill_slots(invocation->dispatcher);
}

static void back_off(struct invocation *invocation, int64_t wait_ms)
{
    invocation_set_state(invocation, INVOCATION_BACKING_OFF);
    invocation->delay =
        delay_start(invocation->dispatcher->setup.loop, wait_ms, on_back_off_over, invocation);
}

/* Something is to be committed, and when the window moved there is perhaps room. */
static void account(struct dispatcher *dispatcher, const struct invocation *invocation)
{
    struct ledger *ledger = &invocation->subscription->partition->ledger;
    int64_t before = ledger->memory;

    dispatcher->room |= partition_finish(invocation->subscription, invocation->sequence);
    dispatcher->memory += ledger->memory - before;
    committer_touch(dispatcher);
}

void invocation_finish(struct invocation *invocation, enum invocation_end end)
{
    static const int counters[] = {[END_DONE] = F_DONE,
                                   [END_DROPPED] = F_DROPPED,
                                   [END_UNBOUND] = F_UNBOUND,
                                   [END_TOO_OLD] = F_TOO_OLD,
                                   [END_DEAD_LETTER] = F_DEAD_LETTERS};
    struct dispatcher *dispatcher = invocation->dispatcher;
    struct invocation *next;

    counter(invocation, counters[end])->number++;
    invocation_stop(invocation);
    next = (struct invocation *)lanes_take_out(&invocation->subscription->lanes, &invocation->lane);
    if (next && next->state == INVOCATION_QUEUED) /* else a letter too, on its way behind it */
        invocation_admit(next);
    dispatcher->committer.finished++;
    if (invocation->log == invocation->subscription->partition->log)
        account(dispatcher, invocation); /* else its log was deleted: nothing to commit */
    invocation_set_state(invocation, INVOCATION_ENDED);
    invocation_free(invocation);
}

/* Refused again and again: with on_exhausted=wait nothing is lost by asking on, seldom. */
static void exhausted(struct invocation *invocation, long status, int64_t wait)
{
    int64_t attempts = invocation->subscription->function->rules.attempts;
    struct log_subject subject = invocation_subject(invocation);

    if (!asks_on(invocation->dispatcher)) {
        invocation_give_up(invocation, LETTER_EXHAUSTED, status);
        return;
    }
    if (invocation->count.attempts == attempts)
        log_warning(&subject,
                    "its %" PRId64 " attempts are used up; tried on every retry_max_wait "
                    "(on_exhausted=wait), what is behind it waits",
                    attempts);
    back_off(invocation, wait);
}

static void unanswered(struct invocation *invocation, const struct http_answer *answer)
{
    struct log_subject subject = invocation_subject(invocation);

    counter(invocation, F_UNANSWERED)->number++;
    log_warning(&subject, "no answer (%s): the function may have run; if it needs longer, raise %s",
                answer->reason, answer->timed_out ? "upstream_timeout" : "the gateway's timeouts");
}

static struct attempt attempt_of(const struct http_answer *answer)
{
    static const enum attempt_end ends[] = {[HTTP_ANSWERED] = ATTEMPT_ANSWERED,
                                            [HTTP_UNKNOWN] = ATTEMPT_UNKNOWN,
                                            [HTTP_NOT_SENT] = ATTEMPT_NOT_SENT};

    return (struct attempt){ends[answer->outcome], answer->status, answer->internal_error,
                            answer->retry_after_ms};
}

static void log_gateway(const struct dispatcher *dispatcher, const char *reason)
{
    if (dispatcher->gateway.state == TARGET_AWAY)
        log_warning(NULL, "the gateway is away (%s): records wait for it", reason);
    else
        log_info(NULL, "the gateway is there again");
}

static void judge_gateway(struct invocation *invocation, const struct http_answer *answer)
{
    struct dispatcher *dispatcher = invocation->dispatcher;
    bool probe = invocation->gateway_probe, was_away = dispatcher->gateway.state == TARGET_AWAY;
    int64_t now = dispatcher_now(dispatcher), wait;

    if (answer->outcome == HTTP_NOT_SENT) {
        wait = retry_probe_wait_ms(&dispatcher->rules, target_probes(&dispatcher->gateway), -1,
                                   next_random(dispatcher));
        target_failed(&dispatcher->gateway, probe, now, wait);
    } else {
        target_succeeded(&dispatcher->gateway, probe, now);
    }
    if (was_away == (dispatcher->gateway.state == TARGET_AWAY))
        return;
    if (was_away)
        dispatcher->back_call = dispatcher->calls_begun;
    log_gateway(dispatcher, answer->reason);
}

static void log_function(const struct function *function)
{
    struct log_subject subject = LOG_SUBJECT_NONE;

    subject.function = function->path;
    if (function->target.state != TARGET_AWAY)
        log_info(&subject, "answers again");
    else
        log_warning(&subject,
                    "does not answer as it should, %d times in a row: one try at a time "
                    "from now on, the rest waits",
                    FUNCTION_AWAY_AFTER);
}

static void note_call(uint64_t *last, const struct invocation *invocation)
{
    if (*last < invocation->call_number)
        *last = invocation->call_number;
}

/* What the answer says of the function as a whole. The wait is its next probe's. */
static void judge_function(struct invocation *invocation, enum verdict verdict, int64_t wait)
{
    struct dispatcher *dispatcher = invocation->dispatcher;
    struct function *function = invocation->subscription->function;
    bool probe = invocation->function_probe, was_away = function->target.state == TARGET_AWAY;
    bool doubted = function->target.failures >= FUNCTION_DOUBTED_AFTER;
    int64_t now = dispatcher_now(dispatcher);

    if (verdict == VERDICT_DONE || verdict == VERDICT_REFUSED) {
        target_succeeded(&function->target, probe, now);
        note_call(&function->good_call, invocation);
        if (doubted)
            function->back_call = dispatcher->calls_begun;
    } else if (verdict == VERDICT_RETRY || verdict == VERDICT_EXHAUSTED) {
        target_failed(&function->target, probe, now, wait);
        note_call(&function->bad_call, invocation);
    } else {
        target_quit(&function->target, probe);
    }
    if (was_away == (function->target.state == TARGET_AWAY))
        return;
    dispatcher->away += was_away ? -1 : 1;
    function->gone_call = dispatcher->calls_begun;
    log_function(function);
}

/* Until its next attempt. While the function is away it is the probe, if no other record may be,
 * and must not be late for that; unless its attempts end in its being dropped. */
static int64_t next_wait(const struct invocation *invocation, const struct http_answer *answer,
                         int64_t probe_wait)
{
    struct dispatcher *dispatcher = invocation->dispatcher;
    const struct function *function = invocation->subscription->function;
    const struct retry_count *count = &invocation->count;

    if (function->target.state == TARGET_AWAY && asks_on(dispatcher))
        return probe_wait;
    if (count->attempts >= function->rules.attempts)
        return function->rules.max_wait_ms;
    return retry_wait_ms(&function->rules, count->attempts + count->timeouts,
                         answer->retry_after_ms, next_random(dispatcher));
}

static void follow(struct invocation *invocation, enum verdict verdict,
                   const struct http_answer *answer, int64_t probe_wait)
{
    int64_t wait = next_wait(invocation, answer, probe_wait);

    switch (verdict) {
    case VERDICT_DONE:
        invocation_finish(invocation, END_DONE);
        break;
    case VERDICT_REFUSED:
        invocation->refused = true;
        invocation_give_up(invocation, LETTER_STATUS, answer->status);
        break;
    case VERDICT_RETRY:
        counter(invocation, F_RETRIES)->number++;
        back_off(invocation, wait);
        break;
    case VERDICT_UNSENT:
        counter(invocation, F_UNSENT)->number++;
        invocation_admit(invocation);
        break;
    case VERDICT_EXHAUSTED:
        exhausted(invocation, answer->status, wait);
        break;
    case VERDICT_UNANSWERED:
        invocation_give_up(invocation, LETTER_UNANSWERED, 0);
        break;
    }
}

static void log_answer(struct invocation *invocation, const struct http_answer *answer)
{
    struct function *function = invocation->subscription->function;

    calls_count_add(&function->calls, answer);
    metric_observe(counter(invocation, F_SECONDS), (double)answer->elapsed_us / 1e6);
    if (invocation->detailed)
        calls_log_answer(invocation->dispatcher->setup.options, invocation->record, function->path,
                         answer);
    if (answer->outcome == HTTP_ANSWERED)
        answers_add(&function->answers, answer->status);
    if (answer->outcome == HTTP_UNKNOWN)
        unanswered(invocation, answer);
}

/* Attempts are progress too: they outlive a restart. */
static void remember(struct invocation *invocation, struct retry_count count)
{
    struct partition *partition = invocation->subscription->partition;

    if (count.attempts == invocation->count.attempts &&
        count.timeouts == invocation->count.timeouts)
        return;
    invocation_count(invocation, count);
    partition_touch(partition);
    committer_touch(invocation->dispatcher);
}

void dispatcher_go_on(struct dispatcher *dispatcher, struct function *function)
{
    if (!function->bound)
        dispatcher_end_unbound(dispatcher, function);
    dispatcher_list_function(dispatcher, function);
    dispatcher_fill_slots(dispatcher);
    drain_continue(dispatcher);
}

void invocation_answered(void *context, const struct http_answer *answer)
{
    struct invocation *invocation = context;
    struct dispatcher *dispatcher = invocation->dispatcher;
    struct function *function = invocation->subscription->function;
    struct attempt attempt = attempt_of(answer);
    struct retry_count count = invocation->count;
    enum verdict verdict = retry_judge(&function->rules, &attempt, &count);
    int64_t probe_wait = retry_probe_wait_ms(&function->rules, target_probes(&function->target),
                                             answer->retry_after_ms, next_random(dispatcher));

    invocation->call = NULL;
    dispatcher->moved_ms = dispatcher_now(dispatcher);
    remember(invocation, count);
    log_answer(invocation, answer);
    judge_gateway(invocation, answer);
    judge_function(invocation, verdict, probe_wait);
    follow(invocation, verdict, answer, probe_wait);
    dispatcher_go_on(dispatcher, function);
}
