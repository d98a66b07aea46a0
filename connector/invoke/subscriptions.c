/*
 * subscriptions: which functions there are, and which of them want a partition's records.
 *
 * Functions follow the map; one that the map names no more lives on until nothing is owed to it.
 */
#include "invoke/dispatcher_state.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static struct function *function_new(struct dispatcher *dispatcher, const char *path)
{
    struct callee *callee = callee_new(dispatcher->setup.caller, path);
    struct function *function;

    if (!callee) {
        log_warning(NULL, "function \"%s\": its name makes no URL; it is passed over", path);
        return NULL;
    }
    function = xcalloc(1, sizeof(*function));
    function->path = xstrdup(path);
    function->paused = pause_holds_function(&dispatcher->pauses, path);
    function->callee = callee;
    target_init(&function->target, FUNCTION_AWAY_AFTER, dispatcher_now(dispatcher));
    function->metrics =
        metrics_add(dispatcher->setup.metrics, &function_metrics, (const char *const[]){path});
    answers_init(&function->answers, dispatcher->setup.metrics, path);
    HASH_ADD_KEYPTR(hh, dispatcher->functions, function->path, strlen(path), function);
    return function;
}

static void function_free(struct dispatcher *dispatcher, struct function *function)
{
    assert(!function->pending && !function->subscriptions);
    calls_log_summary(dispatcher->setup.options, function->path, &function->calls);
    give_up_summary(function);
    if (function->listed)
        DL_DELETE(dispatcher->waiting, function);
    delay_cancel(&function->probe_due);
    dispatcher->away -= function->target.state == TARGET_AWAY;
    HASH_DEL(dispatcher->functions, function); // NOLINT(clang-analyzer-core.NullDereference)
    metrics_remove(dispatcher->setup.metrics, function->metrics);
    answers_release(&function->answers, dispatcher->setup.metrics);
    callee_free(function->callee);
    free(function->path);
    free(function);
}

struct function *dispatcher_function(const struct dispatcher *dispatcher, const char *path)
{
    struct function *function;

    HASH_FIND_STR(dispatcher->functions, path, function);
    return function;
}

void dispatcher_subscribe(struct dispatcher *dispatcher, struct partition *partition)
{
    enum order order = (enum order)dispatcher->setup.options->order;
    struct subscription *subscription, *next;
    const struct function_spec *const *specs = NULL;
    struct function *function;
    size_t count = 0;

    if (partition_rests(partition)) /* its next owner goes by the new map */
        return;
    partition->bound = 0;
    DL_FOREACH (partition->subscriptions, subscription)
        subscription->bound = false;
    if (dispatcher->map)
        specs = topic_map_functions(dispatcher->map, partition->topic, &count);
    for (size_t i = 0; i < count; i++) {
        function = dispatcher_function(dispatcher, specs[i]->path);
        if (!function)
            continue;
        subscription = partition_subscription(partition, function);
        if (!subscription)
            subscription = partition_subscribe(partition, function, order);
        subscription->bound = true;
        partition->bound++;
    }
    DL_FOREACH_SAFE (partition->subscriptions, subscription, next)
        if (!subscription->bound && !subscription->pending)
            partition_unsubscribe(subscription);
    if (partition->bound)
        partition->skipping = false;
}

/* Whatever the first of a lane waits for, it becomes ready. */
static void release_waiting(struct partition *partition, const struct function *function)
{
    struct invocation *invocation;

    DL_FOREACH2 (partition->invocations, invocation, next_sibling) {
        if (invocation->subscription->function != function || !invocation_waits(invocation))
            continue;
        invocation_stop(invocation);
        invocation_admit(invocation);
    }
}

/* One that ends lets the next in its lane become ready, until none is left. */
void dispatcher_end_unbound(struct dispatcher *dispatcher, struct function *function)
{
    struct partition *partition;

    DL_FOREACH (dispatcher->partitions, partition)
        release_waiting(partition, function);
    while (function->ready)
        invocation_finish(function->ready, END_UNBOUND);
}

static void unbind_function(struct dispatcher *dispatcher, struct function *function)
{
    struct log_subject subject = LOG_SUBJECT_NONE;

    subject.function = function->path;
    if (function->bound && function->pending)
        log_warning(&subject, "it is gone from the gateway: %zu invocations end as unbound",
                    function->pending);
    function->bound = false;
    delay_cancel(&function->probe_due);
    dispatcher_end_unbound(dispatcher, function);
}

static void bind_function(struct dispatcher *dispatcher, const struct function_spec *spec)
{
    struct function *function = dispatcher_function(dispatcher, spec->path);

    if (!function)
        function = function_new(dispatcher, spec->path);
    if (!function)
        return;
    function->bound = true;
    function->rules = retry_rules_for(&dispatcher->rules, &spec->retry);
}

static void free_unused_functions(struct dispatcher *dispatcher)
{
    struct function *function, *next;

    HASH_ITER (hh, dispatcher->functions, function, next)
        if (!function->bound && !function->subscriptions)
            function_free(dispatcher, function);
}

void dispatcher_set_map(struct dispatcher *dispatcher, const struct topic_map *map)
{
    const struct function_spec *spec = NULL;
    struct function *function, *next;
    struct partition *partition;

    dispatcher->map = map;
    HASH_ITER (hh, dispatcher->functions, function, next)
        if (!topic_map_find(map, function->path))
            unbind_function(dispatcher, function);
    while ((spec = topic_map_next(map, spec)))
        bind_function(dispatcher, spec);
    DL_FOREACH (dispatcher->partitions, partition)
        dispatcher_subscribe(dispatcher, partition);
    free_unused_functions(dispatcher);
    dispatcher->room = true; /* a topic that had no function may have one */
    dispatcher_fill_slots(dispatcher);
    drain_continue(dispatcher);
}

void dispatcher_free_functions(struct dispatcher *dispatcher)
{
    struct function *function, *next;

    HASH_ITER (hh, dispatcher->functions, function, next)
        function_free(dispatcher, function);
}
