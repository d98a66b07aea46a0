/* pause: see pause.h; and what the dispatcher does about it. */
#include "base/log.h"
#include "base/xalloc.h"
#include "invoke/dispatcher_state.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include <utstring.h>

bool pause_holds_topic(const struct pauses *pauses, const char *topic)
{
    return pauses->everything || name_set_has(&pauses->topics, topic);
}

bool pause_holds_function(const struct pauses *pauses, const char *path)
{
    return pauses->everything || name_set_has(&pauses->functions, path);
}

void pause_release(struct pauses *pauses)
{
    name_set_clear(&pauses->topics);
    name_set_clear(&pauses->functions);
    pauses->everything = false;
}

static void add_names(const struct name_set *names, const char *kind, json *to)
{
    json *list = json_add_array(to, kind);
    const char *name = NULL;

    while ((name = name_set_next(names, name)))
        json_add_text(list, NULL, name);
}

void pause_status(const struct pauses *pauses, json *to)
{
    json *about = json_add_object(to, "paused");

    json_add_bool(about, "everything", pauses->everything);
    add_names(&pauses->topics, "topics", about);
    add_names(&pauses->functions, "functions", about);
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
    return functions || is_subscribed(dispatcher, topic) ||
           name_set_has(&dispatcher->pauses.topics, topic);
}

static bool is_without_namespace(const char *name, const char *path)
{
    size_t size = strlen(name);

    return strncmp(path, name, size) == 0 && path[size] == '.';
}

/* The functions that a name may mean: the one of this path, or else those that are called so in
 * some namespace. */
static void find_paths(const struct dispatcher *dispatcher, const char *name,
                       struct name_set *paths)
{
    const struct name_set *paused = &dispatcher->pauses.functions;
    const struct function *function, *next;
    const char *path = NULL;

    if (dispatcher_function(dispatcher, name) || name_set_has(paused, name)) {
        name_set_add(paths, name);
        return;
    }
    HASH_ITER (hh, dispatcher->functions, function, next)
        if (is_without_namespace(name, function->path))
            name_set_add(paths, function->path);
    while ((path = name_set_next(paused, path)))
        if (is_without_namespace(name, path))
            name_set_add(paths, path);
}

static int refuse_take(json *answer, int status, char *reason)
{
    json_add_text(answer, "reason", reason);
    free(reason);
    return status;
}

static int refuse_several(json *answer, const char *name, const struct name_set *paths)
{
    const char *path = NULL;
    UT_string list;
    char *reason;

    utstring_init(&list);
    while ((path = name_set_next(paths, path)))
        utstring_printf(&list, "%s%s", utstring_len(&list) ? ", " : "", path);
    reason = xasprintf("function \"%s\" is there more than once: give one of %s", name,
                       utstring_body(&list));
    utstring_done(&list);
    return refuse_take(answer, 400, reason);
}

/* 0: it may be done. */
static int refusal(const struct dispatcher *dispatcher, const char *topic, const char *function,
                   const struct name_set *paths, json *answer)
{
    const char *path = name_set_next(paths, NULL);

    if (topic && function)
        return refuse_take(answer, 400, xstrdup("give a topic or a function, not both"));
    if (topic && !knows_topic(dispatcher, topic))
        return refuse_take(answer, 404, xasprintf("no topic \"%s\" is known here", topic));
    if (function && !path)
        return refuse_take(
            answer, 404,
            xasprintf("no function \"%s\" is known here; /status lists their names", function));
    return path && name_set_next(paths, path) ? refuse_several(answer, function, paths) : 0;
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

/* Does it to what the names mean. */
static int act(struct dispatcher *dispatcher, const char *topic, const char *name,
               int (*action)(struct dispatcher *dispatcher, const char *topic, const char *function,
                             json *answer),
               json *answer)
{
    struct name_set paths = {0};
    int status;

    if (name)
        find_paths(dispatcher, name, &paths);
    status = refusal(dispatcher, topic, name, &paths, answer);
    if (!status)
        status = action(dispatcher, topic, name_set_next(&paths, NULL), answer);
    name_set_clear(&paths);
    return status;
}

static int pause_known(struct dispatcher *dispatcher, const char *topic, const char *function,
                       json *answer)
{
    struct pauses *pauses = &dispatcher->pauses;

    if (topic)
        name_set_add(&pauses->topics, topic);
    else if (function)
        name_set_add(&pauses->functions, function);
    else
        pauses->everything = true;
    return confirm(dispatcher, "Paused", topic, function, answer);
}

static int resume_known(struct dispatcher *dispatcher, const char *topic, const char *function,
                        json *answer)
{
    struct pauses *pauses = &dispatcher->pauses;

    if ((topic || function) && pauses->everything)
        return refuse_take(
            answer, 409,
            xstrdup("everything is paused: resume without a name, then pause what is to wait"));
    if (topic)
        name_set_drop(&pauses->topics, topic);
    else if (function)
        name_set_drop(&pauses->functions, function);
    else
        pause_release(pauses);
    return confirm(dispatcher, "Resumed", topic, function, answer);
}

int dispatcher_pause(struct dispatcher *dispatcher, const char *topic, const char *function,
                     json *answer)
{
    return act(dispatcher, topic, function, pause_known, answer);
}

int dispatcher_resume(struct dispatcher *dispatcher, const char *topic, const char *function,
                      json *answer)
{
    return act(dispatcher, topic, function, resume_known, answer);
}
