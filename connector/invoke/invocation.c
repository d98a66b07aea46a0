/* invocation: see invocation.h. */
#include "invoke/invocation.h"

#include "base/xalloc.h"
#include "invoke/dispatcher_state.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

#define FROM(state) (1u << INVOCATION_##state)

/* A state's name, where it may come from, and what entering and leaving it does. */
static void enter_uncommitted(struct invocation *invocation);
static void leave_uncommitted(struct invocation *invocation);
static void enter_ready(struct invocation *invocation);
static void leave_ready(struct invocation *invocation);
static void enter_calling(struct invocation *invocation);
static void leave_calling(struct invocation *invocation);
static void leave_backing_off(struct invocation *invocation);
static void enter_held(struct invocation *invocation);
static void leave_held(struct invocation *invocation);
static void enter_dead_letter(struct invocation *invocation);
static void leave_dead_letter(struct invocation *invocation);

static const struct {
    const char *name;
    unsigned from;
    void (*enter)(struct invocation *invocation);
    void (*leave)(struct invocation *invocation);
} states[] = {
    [INVOCATION_QUEUED] = {"queued",
                           FROM(UNCOMMITTED) | FROM(PAUSED) | FROM(READY) | FROM(CALLING) |
                               FROM(BACKING_OFF) | FROM(HELD) | FROM(DEAD_LETTER),
                           NULL, NULL},
    [INVOCATION_UNCOMMITTED] = {"uncommitted", FROM(QUEUED) | FROM(PAUSED), enter_uncommitted,
                                leave_uncommitted},
    [INVOCATION_PAUSED] = {"paused",
                           FROM(QUEUED) | FROM(UNCOMMITTED) | FROM(READY) | FROM(CALLING) |
                               FROM(BACKING_OFF),
                           NULL, NULL},
    [INVOCATION_READY] = {"ready",
                          FROM(QUEUED) | FROM(UNCOMMITTED) | FROM(PAUSED) | FROM(CALLING) |
                              FROM(BACKING_OFF),
                          enter_ready, leave_ready},
    [INVOCATION_CALLING] = {"calling", FROM(READY), enter_calling, leave_calling},
    [INVOCATION_BACKING_OFF] = {"backing off", FROM(CALLING), NULL, leave_backing_off},
    [INVOCATION_HELD] = {"held", FROM(READY) | FROM(CALLING), enter_held, leave_held},
    [INVOCATION_DEAD_LETTER] = {"dead letter",
                                FROM(QUEUED) | FROM(READY) | FROM(CALLING) | FROM(BACKING_OFF),
                                enter_dead_letter, leave_dead_letter},
    [INVOCATION_ENDED] = {"ended", FROM(QUEUED) | FROM(CALLING), NULL, NULL},
};

const char *invocation_state_name(enum invocation_state state)
{
    return states[state].name;
}

struct log_subject invocation_subject(const struct invocation *invocation)
{
    const struct record *record = invocation->record;

    return (struct log_subject){record->topic, record->partition, record->offset,
                                invocation->subscription->function->path};
}

static void enter_uncommitted(struct invocation *invocation)
{
    invocation->dispatcher->committer.awaited++;
}

static void leave_uncommitted(struct invocation *invocation)
{
    invocation->dispatcher->committer.awaited--;
}

/* One that has been called before goes before those that have not: it is the older one, and what
 * the window waits for. */
static void enter_ready(struct invocation *invocation)
{
    struct function *function = invocation->subscription->function;

    if (invocation_tried(invocation))
        DL_PREPEND(function->ready, invocation);
    else
        DL_APPEND(function->ready, invocation);
    dispatcher_list_function(invocation->dispatcher, function);
}

static void leave_ready(struct invocation *invocation)
{
    DL_DELETE(invocation->subscription->function->ready, invocation);
}

static void enter_calling(struct invocation *invocation)
{
    invocation->refused = false;
    invocation->subscription->function->in_flight++;
    invocation->dispatcher->in_flight++;
}

static void leave_calling(struct invocation *invocation)
{
    invocation->subscription->function->in_flight--;
    invocation->dispatcher->in_flight--;
    invocation->call = NULL;
}

static void leave_backing_off(struct invocation *invocation)
{
    delay_cancel(&invocation->delay);
}

static void enter_held(struct invocation *invocation)
{
    invocation->subscription->function->held++;
}

static void leave_held(struct invocation *invocation)
{
    invocation->subscription->function->held--;
}

static void enter_dead_letter(struct invocation *invocation)
{
    invocation->subscription->letters++;
}

static void leave_dead_letter(struct invocation *invocation)
{
    struct letters *letters = invocation->dispatcher->setup.letters;

    invocation->subscription->letters--;
    if (invocation->letter)
        letters->calls->cancel(letters, invocation->letter);
    invocation->letter = NULL;
}

void invocation_set_state(struct invocation *invocation, enum invocation_state to)
{
    enum invocation_state from = invocation->state;

    assert(states[to].from & 1u << from);
    if (states[from].leave)
        states[from].leave(invocation);
    invocation->state = to;
    if (states[to].enter)
        states[to].enter(invocation);
}

/* What is owed to a function that is gone is not called: it may end at once. */
static enum invocation_state admitted_to(const struct invocation *invocation)
{
    const struct partition *partition = invocation->subscription->partition;
    const struct function *function = invocation->subscription->function;

    if (partition->state == PARTITION_ASIDE ||
        (partition->state == PARTITION_DRAINING && !partition->commit_first))
        return INVOCATION_QUEUED;
    if (!function->bound)
        return INVOCATION_READY;
    if (partition->paused || function->paused)
        return INVOCATION_PAUSED;
    return partition_permits(partition, invocation) ? INVOCATION_READY : INVOCATION_UNCOMMITTED;
}

void invocation_admit(struct invocation *invocation)
{
    enum invocation_state to = admitted_to(invocation);

    if (to != invocation->state)
        invocation_set_state(invocation, to);
}

/* What stands before a letter in its lane is a letter too. */
bool invocation_follows_letters(const struct invocation *invocation)
{
    const struct invocation *before = (const struct invocation *)invocation->lane.prev;

    return invocation->state == INVOCATION_QUEUED && before &&
           before->state == INVOCATION_DEAD_LETTER && invocation->subscription->function->bound &&
           admitted_to(invocation) == INVOCATION_READY;
}

bool invocation_waits(const struct invocation *invocation)
{
    return 1u << invocation->state &
           (FROM(UNCOMMITTED) | FROM(PAUSED) | FROM(BACKING_OFF) | FROM(HELD));
}

struct invocation *invocation_new(struct dispatcher *dispatcher, struct subscription *subscription,
                                  struct record *record)
{
    struct invocation *invocation = xcalloc(1, sizeof(*invocation));

    invocation->dispatcher = dispatcher;
    invocation->subscription = subscription;
    invocation->record = record_ref(record);
    invocation->log = subscription->partition->log;
    subscription->pending++;
    subscription->function->pending++;
    DL_APPEND2(subscription->partition->invocations, invocation, prev_sibling, next_sibling);
    return invocation;
}

void invocation_stop(struct invocation *invocation)
{
    struct function *function = invocation->subscription->function;

    if (invocation->state == INVOCATION_QUEUED)
        return;
    if (invocation->call) {
        call_cancel(invocation->call);
        target_quit(&invocation->dispatcher->gateway, invocation->gateway_probe);
        target_quit(&function->target, invocation->function_probe);
        dispatcher_list_function(invocation->dispatcher, function); /* who waits for a probe */
    }
    invocation_set_state(invocation, INVOCATION_QUEUED);
}

bool invocation_tried(const struct invocation *invocation)
{
    return invocation->count.attempts || invocation->count.timeouts;
}

uint32_t invocation_attempts(const struct invocation *invocation)
{
    return invocation->count.attempts + invocation->count.timeouts + invocation->refused;
}

void invocation_count(struct invocation *invocation, struct retry_count count)
{
    struct subscription *subscription = invocation->subscription;

    subscription->tried -= invocation_tried(invocation);
    invocation->count = count;
    subscription->tried += invocation_tried(invocation);
}

void invocation_free(struct invocation *invocation)
{
    struct subscription *subscription = invocation->subscription;

    assert(invocation->state == INVOCATION_ENDED);
    DL_DELETE2(subscription->partition->invocations, invocation, prev_sibling, next_sibling);
    subscription->pending--;
    subscription->function->pending--;
    subscription->tried -= invocation_tried(invocation);
    record_unref(&invocation->record);
    free(invocation);
}
