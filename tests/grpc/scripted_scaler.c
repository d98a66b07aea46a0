/* scripted_scaler: see scripted_scaler.h. */
#include "tests/grpc/scripted_scaler.h"

#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

struct object {
    char *name;
    struct scaler_answer answer;
    struct scaler_watcher *watchers;
    UT_hash_handle hh;
};

struct scaler_watcher {
    struct scaler *scaler;
    struct object *object;
    void (*changed)(void *context, const struct scaler_answer *answer);
    void *context;
    struct scaler_watcher *prev, *next;
};

struct scaler {
    struct object *objects;
    int64_t watchers;
};

/* NULL: the metadata has none such. */
static const char *entry(const struct scaler_ref *ref, const char *key)
{
    for (size_t i = 0; i < ref->count; i++)
        if (strcmp(ref->metadata[i].key, key) == 0)
            return ref->metadata[i].value;
    return NULL;
}

static struct object *object_of(struct scaler *scaler, const char *name)
{
    struct object *object;

    HASH_FIND_STR(scaler->objects, name, object);
    if (object)
        return object;
    object = xcalloc(1, sizeof(*object));
    object->name = xstrdup(name);
    object->answer = (struct scaler_answer){.reason = "as it was told", .target = 5};
    HASH_ADD_KEYPTR(hh, scaler->objects, object->name, strlen(object->name), object);
    return object;
}

static void tell(struct object *object)
{
    struct scaler_watcher *watcher, *next;

    DL_FOREACH_SAFE (object->watchers, watcher, next)
        watcher->changed(watcher->context, &object->answer);
}

static void set(struct object *object, const struct scaler_ref *ref)
{
    const char *status = entry(ref, "status"), *active = entry(ref, "active");
    const char *value = entry(ref, "value"), *target = entry(ref, "target");
    const char *times = entry(ref, "times");

    if (status)
        object->answer.status = strcmp(status, "invalid") == 0       ? SCALER_INVALID
                                : strcmp(status, "unavailable") == 0 ? SCALER_UNAVAILABLE
                                                                     : SCALER_OK;
    if (active)
        object->answer.active = strcmp(active, "true") == 0;
    if (value)
        object->answer.value = strtoll(value, NULL, 10);
    if (target)
        object->answer.target = strtoll(target, NULL, 10);
    for (long left = times ? strtol(times, NULL, 10) : 0; left > 0; left--) {
        object->answer.active = !object->answer.active;
        tell(object);
    }
    if (!times)
        tell(object);
}

struct scaler_answer scaler_ask(struct scaler *scaler, enum scaler_call call,
                                const struct scaler_ref *ref)
{
    const char *name = entry(ref, "set");

    (void)call;
    if (entry(ref, "watchers"))
        return (struct scaler_answer){.reason = "", .value = scaler->watchers};
    if (name)
        set(object_of(scaler, name), ref);
    else
        name = entry(ref, "object");
    return object_of(scaler, name ? name : "")->answer;
}

struct scaler_answer scaler_spec(struct scaler *scaler, const struct scaler_ref *ref)
{
    return scaler_ask(scaler, SCALER_GET_METRICS, ref);
}

struct scaler_watcher *scaler_watch(struct scaler *scaler, const struct scaler_ref *ref,
                                    void (*changed)(void *context,
                                                    const struct scaler_answer *answer),
                                    void *context, struct scaler_answer *first)
{
    const char *name = entry(ref, "object");
    struct object *object = object_of(scaler, name ? name : "");
    struct scaler_watcher *watcher;

    *first = object->answer;
    if (first->status == SCALER_INVALID)
        return NULL;
    watcher = xcalloc(1, sizeof(*watcher));
    *watcher = (struct scaler_watcher){scaler, object, changed, context, NULL, NULL};
    DL_APPEND(object->watchers, watcher);
    scaler->watchers++;
    return watcher;
}

void scaler_unwatch(struct scaler_watcher *watcher)
{
    watcher->scaler->watchers--;
    DL_DELETE(watcher->object->watchers, watcher);
    free(watcher);
}

struct scaler *scripted_scaler_new(void)
{
    struct scaler *scaler = xcalloc(1, sizeof(*scaler));

    object_of(scaler, "ready")->answer.active = true;
    return scaler;
}

void scripted_scaler_free(struct scaler *scaler)
{
    struct object *object, *next;

    assert(!scaler->watchers);
    HASH_ITER (hh, scaler->objects, object, next) {
        HASH_DEL(scaler->objects, object);
        free(object->name);
        free(object);
    }
    free(scaler);
}

const char *scripted_scaler_unready(void *scaler)
{
    return object_of(scaler, "ready")->answer.active ? NULL : "it was told so";
}
