/*
 * progress: see progress.h. Here is the value; its encoding is in progress_text.c.
 */
#include "core/progress.h"

#include "base/xalloc.h"
#include "core/fnv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void progress_clear(struct progress *progress)
{
    for (size_t i = 0; i < progress->function_count; i++) {
        free(progress->functions[i].runs);
        free(progress->functions[i].counts);
    }
    free(progress->functions);
    progress->functions = NULL;
    progress->function_count = 0;
}

uint32_t progress_name(const char *path)
{
    return fnv1a(FNV1A_BASIS, path, strlen(path));
}

/* Room for one more; grows at powers of two. */
static void *grown(void *items, size_t count, size_t size)
{
    if (count & (count - 1))
        return items;
    return xrealloc(items, (count ? 2 * count : 1) * size);
}

struct progress_function *progress_add(struct progress *progress, uint32_t name)
{
    struct progress_function *function;

    progress->functions =
        grown(progress->functions, progress->function_count, sizeof(*progress->functions));
    function = &progress->functions[progress->function_count++];
    *function = (struct progress_function){.name = name};
    return function;
}

void progress_add_run(struct progress_function *function, int64_t first, int64_t last)
{
    struct progress_run *top =
        function->run_count ? &function->runs[function->run_count - 1] : NULL;

    assert(first <= last && (!top || first > top->last));
    if (top && first == top->last + 1) {
        top->last = last;
        return;
    }
    function->runs = grown(function->runs, function->run_count, sizeof(*function->runs));
    function->runs[function->run_count++] = (struct progress_run){first, last};
}

void progress_add_count(struct progress_function *function, struct progress_count count)
{
    assert(!function->count_count ||
           count.offset > function->counts[function->count_count - 1].offset);
    function->counts = grown(function->counts, function->count_count, sizeof(*function->counts));
    function->counts[function->count_count++] = count;
}

const struct progress_function *progress_find(const struct progress *progress, uint32_t name)
{
    for (size_t i = 0; i < progress->function_count; i++)
        if (progress->functions[i].name == name)
            return &progress->functions[i];
    return NULL;
}

static int run_of(const void *key, const void *item)
{
    int64_t offset = *(const int64_t *)key;
    const struct progress_run *run = item;

    return offset < run->first ? -1 : offset > run->last;
}

bool progress_finished(const struct progress *progress, uint32_t name, int64_t offset)
{
    const struct progress_function *function = progress_find(progress, name);

    return function && function->run_count &&
           bsearch(&offset, function->runs, function->run_count, sizeof(*function->runs), run_of);
}

static int count_of(const void *key, const void *item)
{
    int64_t offset = *(const int64_t *)key;
    const struct progress_count *count = item;

    return offset < count->offset ? -1 : offset > count->offset;
}

struct progress_count progress_used(const struct progress *progress, uint32_t name, int64_t offset)
{
    const struct progress_function *function = progress_find(progress, name);
    const struct progress_count *count = NULL;

    if (function && function->count_count)
        count = bsearch(&offset, function->counts, function->count_count, sizeof(*count), count_of);
    return count ? *count : (struct progress_count){.offset = offset};
}

void progress_carry(struct progress_function *to, const struct progress_function *from,
                    int64_t offset)
{
    for (size_t i = 0; i < from->run_count; i++)
        if (from->runs[i].last >= offset)
            progress_add_run(to, from->runs[i].first > offset ? from->runs[i].first : offset,
                             from->runs[i].last);
    for (size_t i = 0; i < from->count_count; i++)
        if (from->counts[i].offset >= offset)
            progress_add_count(to, from->counts[i]);
}

int64_t progress_top(const struct progress *progress)
{
    int64_t top = -1;

    for (size_t i = 0; i < progress->function_count; i++) {
        const struct progress_function *function = &progress->functions[i];

        if (function->run_count && function->runs[function->run_count - 1].last > top)
            top = function->runs[function->run_count - 1].last;
        if (function->count_count && function->counts[function->count_count - 1].offset > top)
            top = function->counts[function->count_count - 1].offset;
    }
    return top;
}
