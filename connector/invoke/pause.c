/* pause: see pause.h; and what the dispatcher does about it. */
#include "base/log.h"
#include "base/xalloc.h"
#include "invoke/dispatcher_state.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct pause_name {
    UT_hash_handle hh;
    char name[];
};

/* ---- names ---- */

static struct pause_name *find(const struct pause_name *names, const char *name)
{
    struct pause_name *found;

    HASH_FIND_STR(names, name, found);
    return found;
}

static void add(struct pause_name **names, const char *name)
{
    size_t size = strlen(name) + 1;
    struct pause_name *added;

    if (find(*names, name))
        return;
    added = xcalloc(1, sizeof(*added) + size);
    memcpy(added->name, name, size);
    HASH_ADD_STR(*names, name, added);
}

static void drop(struct pause_name **names, struct pause_name *name)
{
    if (!name)
        return;
    HASH_DEL(*names, name); // NOLINT(clang-analyzer-core.NullDereference)
    free(name);
}

static void clear(struct pause_name **names)
{
    struct pause_name *name, *next;

    HASH_ITER (hh, *names, name, next)
        drop(names, name);
}

bool pause_holds_topic(const struct pauses *pauses, const char *topic)
{
    return pauses->everything || find(pauses->topics, topic);
}

bool pause_holds_function(const struct pauses *pauses, const char *path)
{
    return pauses->everything || find(pauses->functions, path);
}

void pause_release(struct pauses *pauses)
{
    clear(&pauses->topics);
    clear(&pauses->functions);
    pauses->everything = false;
}

static void add_names(const struct pause_name *names, const char *kind, json *to)
{
    json *list = json_add_array(to, kind);

    for (; names; names = names->hh.next)
        json_add_text(list, NULL, names->name);
}

void pause_status(const struct pauses *pauses, json *to)
{
    json *about = json_add_object(to, "paused");

    json_add_bool(about, "everything", pauses->everything);
    add_names(pauses->topics, "topics", about);
    add_names(pauses->functions, "functions", about);
}

/* ---- what follows ---- */

static void readmit(struct partition *partition)
{
    struct invocation *invocation;

    DL_FOREACH2 (partition->invocations, invocation, next_sibling)
        if (invocation->state == INVOCATION_READY || invocation->state == INVOCATION_PAUSED ||
            invocation->state == INVOCATION_UNCOMMITTED)
            invocation_admit(invocation);
}

static void apply(struct dispatcher *dispatcher)
{
    struct function *function, *next;
    struct partition *partition;

    HASH_ITER (hh, dispatcher->functions, function, next)
        function->paused = pause_holds_function(&dispatcher->pauses, function->path);
    DL_FOREACH (dispatcher->partitions, partition)
        partition->paused = pause_holds_topic(&dispatcher->pauses, partition->topic);
    DL_FOREACH (dispatcher->partitions, partition)
        readmit(partition);
    dispatcher->room = true; /* a topic may be taken from again */
    dispatcher_fill_slots(dispatcher);
    drain_continue(dispatcher);
}

/* ---- what is asked ---- */

static bool is_subscribed(const struct dispatcher *dispatcher, const char *topic)
{
    const struct option_list *topics = &dispatcher->setup.options->topics;

    for (size_t i = 0; i < topics->count; i++)
        if (strcmp(topics->items[i], topic) == 0)
            return true;
    return false;
}

static bool knows_topic(const struct dispatcher *dispatcher, const char *topic)
{
    const struct partition *partition;
    size_t functions = 0;

    DL_FOREACH (dispatcher->partitions, partition)
        if (strcmp(partition->topic, topic) == 0)
            return true;
    if (dispatcher->map)
        topic_map_functions(dispatcher->map, topic, &functions);
    return functions || is_subscribed(dispatcher, topic) || find(dispatcher->pauses.topics, topic);
}

static bool knows_function(const struct dispatcher *dispatcher, const char *path)
{
    return dispatcher_function(dispatcher, path) || find(dispatcher->pauses.functions, path);
}

static int refuse_take(json *answer, int status, char *reason)
{
    json_add_text(answer, "reason", reason);
    free(reason);
    return status;
}

/* 0: it may be done. */
static int refusal(const struct dispatcher *dispatcher, const char *topic, const char *function,
                   json *answer)
{
    if (topic && function)
        return refuse_take(answer, 400, xstrdup("give a topic or a function, not both"));
    if (topic && !knows_topic(dispatcher, topic))
        return refuse_take(answer, 404, xasprintf("no topic \"%s\" is known here", topic));
    if (function && !knows_function(dispatcher, function))
        return refuse_take(
            answer, 404,
            xasprintf("no function \"%s\" is known here; /status lists their names", function));
    return 0;
}

static int confirm(struct dispatcher *dispatcher, const char *done, const char *topic,
                   const char *function, json *answer)
{
    struct log_subject subject = LOG_SUBJECT_NONE;

    subject.topic = topic;
    subject.function = function;
    if (topic)
        log_plain(&subject, "%s by hand: topic %s", done, topic);
    else if (function)
        log_plain(&subject, "%s by hand: function %s", done, function);
    else
        log_info(NULL, "%s by hand: everything", done);
    apply(dispatcher);
    pause_status(&dispatcher->pauses, answer);
    return 200;
}

int dispatcher_pause(struct dispatcher *dispatcher, const char *topic, const char *function,
                     json *answer)
{
    struct pauses *pauses = &dispatcher->pauses;
    int status = refusal(dispatcher, topic, function, answer);

    if (status)
        return status;
    if (topic)
        add(&pauses->topics, topic);
    else if (function)
        add(&pauses->functions, function);
    else
        pauses->everything = true;
    return confirm(dispatcher, "Paused", topic, function, answer);
}

int dispatcher_resume(struct dispatcher *dispatcher, const char *topic, const char *function,
                      json *answer)
{
    struct pauses *pauses = &dispatcher->pauses;
    int status = refusal(dispatcher, topic, function, answer);

    if (status)
        return status;
    if ((topic || function) && pauses->everything)
        return refuse_take(
            answer, 409,
            xstrdup("everything is paused: resume without a name, then pause what is to wait"));
    if (topic)
        drop(&pauses->topics, find(pauses->topics, topic));
    else if (function)
        drop(&pauses->functions, find(pauses->functions, function));
    else
        pause_release(pauses);
    return confirm(dispatcher, "Resumed", topic, function, answer);
}
