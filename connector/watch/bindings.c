/* bindings: see bindings.h. */
#include "watch/bindings.h"

#include "base/xalloc.h"

#include <stdlib.h>

struct bindings {
    const struct binding_world *world;
    struct binding **list;
    size_t count;
};

struct bindings *bindings_new(const struct binding_world *world)
{
    struct bindings *bindings = xcalloc(1, sizeof(*bindings));

    bindings->world = world;
    return bindings;
}

static void free_list(struct binding **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        binding_free(list[i]);
    free(list);
}

void bindings_free(struct bindings *bindings)
{
    if (!bindings)
        return;
    free_list(bindings->list, bindings->count);
    free(bindings);
}

/* Takes the binding out of the list. NULL: there is none. */
static struct binding *take(struct bindings *bindings, const struct binding_options *options)
{
    for (size_t i = 0; i < bindings->count; i++) {
        struct binding *binding = bindings->list[i];

        if (!binding || !binding_is(binding, options))
            continue;
        bindings->list[i] = NULL;
        return binding;
    }
    return NULL;
}

void bindings_set(struct bindings *bindings, const struct watch_options *options)
{
    size_t count = options->bindings.count;
    struct binding **list = xcalloc(count + 1, sizeof(struct binding *));

    for (size_t i = 0; i < count; i++) {
        const struct binding_options *wanted = watch_binding(options, i);
        const struct activity_rules rules = watch_rules(options, wanted);

        list[i] = take(bindings, wanted);
        if (list[i])
            binding_set_rules(list[i], &rules);
        else
            list[i] = binding_new(bindings->world, wanted, &rules);
    }
    free_list(bindings->list, bindings->count);
    bindings->list = list;
    bindings->count = count;
}

size_t bindings_count(const struct bindings *bindings)
{
    return bindings->count;
}

void bindings_tick(struct bindings *bindings, int64_t now_ms)
{
    for (size_t i = 0; i < bindings->count; i++)
        binding_tick(bindings->list[i], now_ms);
}

void bindings_collect(struct bindings *bindings)
{
    for (size_t i = 0; i < bindings->count; i++)
        binding_collect(bindings->list[i]);
}

void bindings_describe(const struct bindings *bindings, json *to)
{
    json *list = json_add_array(to, "bindings");

    for (size_t i = 0; i < bindings->count; i++)
        binding_describe(bindings->list[i], json_add_object(list, NULL));
}

size_t bindings_stale(const struct bindings *bindings, const char **why)
{
    size_t stale = 0;

    *why = NULL;
    for (size_t i = 0; i < bindings->count; i++) {
        const char *reason = binding_stale(bindings->list[i]);

        if (reason && stale++ == 0)
            *why = reason;
    }
    return stale;
}
