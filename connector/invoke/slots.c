/*
 * slots: which invocation is called next, and the call.
 *
 * Functions that have something ready and may be called stand in a circle and are served in turn,
 * each one's oldest first. A function whose target is away leaves the circle until its next probe
 * is due. One function holds at most half of the slots while another waits.
 */
#include "invoke/dispatcher_state.h"

#include <utlist.h>

void dispatcher_list_function(struct dispatcher *dispatcher, struct function *function)
{
    if (function->listed || !function->ready)
        return;
    function->listed = true;
    DL_APPEND(dispatcher->waiting, function);
}

static void unlist(struct dispatcher *dispatcher, struct function *function)
{
    function->listed = false;
    DL_DELETE(dispatcher->waiting, function);
}

static void on_probe_due(void *context)
{
    struct function *function = context;

    function->probe_due = NULL;
    if (!function->ready)
        return;
    dispatcher_list_function(function->ready->dispatcher, function);
    dispatcher_fill_slots(function->ready->dispatcher);
}

/* Out of the circle until the probe under way has ended or the next one is due. */
static void put_aside(struct dispatcher *dispatcher, struct function *function, int64_t now)
{
    unlist(dispatcher, function);
    if (!function->target.probing && !function->probe_due)
        function->probe_due = delay_start(dispatcher->setup.loop, function->target.due_ms - now,
                                          on_probe_due, function);
}

static bool has_share(const struct dispatcher *dispatcher, const struct function *function)
{
    size_t slots = (size_t)dispatcher->setup.options->max_inflight;

    return function->in_flight < (slots + 1) / 2;
}

bool dispatcher_has_slot(const struct dispatcher *dispatcher, const struct function *function)
{
    return dispatcher->in_flight < (size_t)dispatcher->setup.options->max_inflight &&
           has_share(dispatcher, function);
}

/* The next function to serve, moved to the circle's end; NULL: none may be called now. One that is
 * left alone in the circle needs no share: nobody else wants the slot. */
static struct function *next_function(struct dispatcher *dispatcher, int64_t now)
{
    struct function *function, *next;

    DL_FOREACH_SAFE (dispatcher->waiting, function, next) {
        if (!function->ready) {
            unlist(dispatcher, function);
        } else if (!target_allows(&function->target, now)) {
            put_aside(dispatcher, function, now);
        } else if (has_share(dispatcher, function)) {
            unlist(dispatcher, function);
            dispatcher_list_function(dispatcher, function);
            return function;
        }
    }
    function = dispatcher->waiting;
    return function && !function->next ? function : NULL;
}

static void start_call(struct dispatcher *dispatcher, struct invocation *invocation)
{
    struct function *function = invocation->subscription->function;

    invocation_set_state(invocation, INVOCATION_CALLING);
    invocation->called_ms = dispatcher->moved_ms = dispatcher_now(dispatcher);
    invocation->gateway_probe = target_started(&dispatcher->gateway);
    invocation->function_probe = target_started(&function->target);
    invocation->call_number = ++dispatcher->calls_begun;
    if (invocation->detailed)
        calls_log_invoke(invocation->record, function->path);
    invocation->call = call_start(function->callee, invocation->record,
                                  invocation->count.timeouts > 0, invocation_answered, invocation);
}

static void on_gateway_probe_due(void *context)
{
    struct dispatcher *dispatcher = context;

    dispatcher->gateway_probe_due = NULL;
    dispatcher_fill_slots(dispatcher);
}

static bool gateway_allows(struct dispatcher *dispatcher, int64_t now)
{
    struct target *gateway = &dispatcher->gateway;

    if (target_allows(gateway, now))
        return true;
    if (!gateway->probing && !dispatcher->gateway_probe_due)
        dispatcher->gateway_probe_due = delay_start(dispatcher->setup.loop, gateway->due_ms - now,
                                                    on_gateway_probe_due, dispatcher);
    return false;
}

/* What was used up before a restart may leave nothing to be tried. That a gateway is away makes no
 * record too old: the one that probes it goes. */
static void serve(struct dispatcher *dispatcher, struct invocation *invocation)
{
    const struct retry_rules *rules = &invocation->subscription->function->rules;

    if (retry_spent(rules, &invocation->count))
        invocation_give_up(invocation, LETTER_UNANSWERED, 0);
    else if (dispatcher->setup.letters && retry_exhausted(rules, &invocation->count))
        invocation_give_up(invocation, LETTER_EXHAUSTED, 0);
    else if (dispatcher->gateway.state != TARGET_AWAY && invocation_too_old(invocation))
        invocation_give_up(invocation, LETTER_MAX_AGE, 0);
    else
        start_call(dispatcher, invocation);
}

/* What is committed and was not begun is called while the partitions drain, as long as there is
 * time: nobody would later. */
static bool may_start(const struct dispatcher *dispatcher)
{
    return dispatcher->state == DISPATCHER_WORKING ||
           (dispatcher->state == DISPATCHER_DRAINING && dispatcher->drain_due &&
            dispatcher_commits_first(dispatcher));
}

void dispatcher_fill_slots(struct dispatcher *dispatcher)
{
    int64_t now = dispatcher_now(dispatcher);
    size_t slots = (size_t)dispatcher->setup.options->max_inflight;
    struct function *function;

    if (dispatcher->filling || !may_start(dispatcher))
        return;
    dispatcher->filling = true;
    dispatcher_take_all(dispatcher);
    dispatcher_make_room(dispatcher);
    while (dispatcher->in_flight < slots && gateway_allows(dispatcher, now) &&
           (function = next_function(dispatcher, now)))
        serve(dispatcher, function->ready);
    dispatcher->filling = false;
    if (dispatcher->committer.awaited)
        committer_touch(dispatcher); /* a slot may be free for what waits for a commit */
}
