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

static struct log_subject subject_of(const struct invocation *invocation)
{
    return (struct log_subject){invocation->record->topic, invocation->record->partition,
                                invocation->record->offset,
                                invocation->subscription->function->path};
}

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

static void on_back_off_over(void *context)
{
    struct invocation *invocation = context;

    invocation->delay = NULL;
    invocation_go(invocation);
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
    static const int counters[] = {
        [END_DONE] = F_DONE, [END_DROPPED] = F_DROPPED, [END_UNBOUND] = F_UNBOUND};
    struct dispatcher *dispatcher = invocation->dispatcher;
    struct lane_item *next;

    counter(invocation, counters[end])->number++;
    invocation_stop(invocation);
    next = lanes_pop(&invocation->subscription->lanes, &invocation->lane);
    if (next)
        invocation_go((struct invocation *)next);
    dispatcher->committer.finished++;
    if (invocation->log == invocation->subscription->partition->log)
        account(dispatcher, invocation); /* else its log was deleted: nothing to commit */
    invocation_set_state(invocation, INVOCATION_ENDED);
    invocation_free(invocation);
}

/* No more may be tried. */
void invocation_give_up(struct invocation *invocation, const char *why)
{
    struct log_subject subject = subject_of(invocation);
    struct dispatcher *dispatcher = invocation->dispatcher;

    if (dispatcher->setup.options->on_exhausted == EXHAUSTED_DROP) {
        log_warning(&subject, "dropped: %s (on_exhausted=drop)", why);
        invocation_finish(invocation, END_DROPPED);
        return;
    }
    log_warning(&subject, "held: %s (on_exhausted=wait); what is behind it waits", why);
    invocation_set_state(invocation, INVOCATION_HELD);
}

/* Refused again and again: nothing is lost by asking on, seldom. */
static void exhausted(struct invocation *invocation, int64_t wait)
{
    int64_t attempts = invocation->subscription->function->rules.attempts;
    struct log_subject subject = subject_of(invocation);

    if (invocation->dispatcher->setup.options->on_exhausted == EXHAUSTED_DROP) {
        invocation_give_up(invocation, "its attempts are used up");
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
    struct log_subject subject = subject_of(invocation);

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

static void judge_gateway(struct dispatcher *dispatcher, bool probe,
                          const struct http_answer *answer)
{
    int64_t now = dispatcher_now(dispatcher), wait;
    bool was_away = dispatcher->gateway.state == TARGET_AWAY;

    if (answer->outcome == HTTP_NOT_SENT) {
        wait = retry_probe_wait_ms(&dispatcher->rules, target_probes(&dispatcher->gateway), -1,
                                   next_random(dispatcher));
        target_failed(&dispatcher->gateway, probe, now, wait);
    } else {
        target_succeeded(&dispatcher->gateway, probe, now);
    }
    if (was_away != (dispatcher->gateway.state == TARGET_AWAY))
        log_gateway(dispatcher, answer->reason);
}

/* What the answer says of the function as a whole. The wait is its next probe's. */
static void judge_function(struct function *function, enum verdict verdict, bool probe, int64_t now,
                           int64_t wait)
{
    struct log_subject subject = LOG_SUBJECT_NONE;
    bool was_away = function->target.state == TARGET_AWAY;

    subject.function = function->path;
    if (verdict == VERDICT_DONE)
        target_succeeded(&function->target, probe, now);
    else if (verdict == VERDICT_RETRY || verdict == VERDICT_EXHAUSTED)
        target_failed(&function->target, probe, now, wait);
    else
        target_quit(&function->target, probe);
    if (was_away == (function->target.state == TARGET_AWAY))
        return;
    if (was_away)
        log_info(&subject, "answers again");
    else
        log_warning(&subject,
                    "does not answer as it should, %d times in a row: one try at a time "
                    "from now on, the rest waits",
                    FUNCTION_AWAY_AFTER);
}

/* Until its next attempt. While the function is away it is the probe, if no other record may be,
 * and must not be late for that; unless its attempts end in its being dropped. */
static int64_t next_wait(const struct invocation *invocation, const struct http_answer *answer,
                         int64_t probe_wait)
{
    struct dispatcher *dispatcher = invocation->dispatcher;
    const struct function *function = invocation->subscription->function;
    const struct retry_count *count = &invocation->count;

    if (function->target.state == TARGET_AWAY &&
        dispatcher->setup.options->on_exhausted == EXHAUSTED_WAIT)
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
    case VERDICT_RETRY:
        counter(invocation, F_RETRIES)->number++;
        back_off(invocation, wait);
        break;
    case VERDICT_UNSENT:
        counter(invocation, F_UNSENT)->number++;
        invocation_go(invocation);
        break;
    case VERDICT_EXHAUSTED:
        exhausted(invocation, wait);
        break;
    case VERDICT_UNANSWERED:
        invocation_give_up(invocation, answer->reason);
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
    partition->changed = true;
    committer_touch(invocation->dispatcher);
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
    remember(invocation, count);
    log_answer(invocation, answer);
    judge_gateway(dispatcher, invocation->gateway_probe, answer);
    judge_function(function, verdict, invocation->function_probe, dispatcher_now(dispatcher),
                   probe_wait);
    follow(invocation, verdict, answer, probe_wait);
    if (!function->bound)
        dispatcher_end_unbound(dispatcher, function);
    dispatcher_list_function(dispatcher, function);
    if (dispatcher->state == DISPATCHER_WORKING)
        dispatcher_fill_slots(dispatcher);
    else
        drain_continue(dispatcher);
}
