/* progress: what it says, against a table of every offset. */
#include "core/progress.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

enum { SPAN = 200 };

struct model {
    bool finished[SPAN];
    struct progress_count used[SPAN];
};

static void model_add(struct model *model, struct progress_function *function, uint64_t *random,
                      int64_t at)
{
    while (at < SPAN - 20) {
        int64_t first = at + (int64_t)random_below(random, 6);
        int64_t last = first + (int64_t)random_below(random, 6);

        progress_add_run(function, first, last);
        for (int64_t i = first; i <= last; i++)
            model->finished[i] = true;
        at = last + 1;
        if (random_below(random, 2))
            continue;
        model->used[at] = (struct progress_count){at, 1 + (uint32_t)random_below(random, 9), 1};
        progress_add_count(function, model->used[at++]);
    }
}

static int64_t model_top(const struct model *model)
{
    int64_t top = SPAN - 1;

    while (top >= 0 && !model->finished[top] && !model->used[top].attempts)
        top--;
    return top;
}

static void expect_model(const struct model *model, const struct progress *progress, int64_t from,
                         uint64_t seed)
{
    for (int64_t at = 0; at < SPAN; at++) {
        struct progress_count used = progress_used(progress, 1, at);
        bool known = at >= from;

        cr_assert_eq(progress_finished(progress, 1, at), known && model->finished[at],
                     "seed %" PRIu64 ": %" PRId64, seed, at);
        cr_assert_eq(used.attempts, known ? model->used[at].attempts : 0);
        cr_assert_eq(used.timeouts, known ? model->used[at].timeouts : 0);
        cr_assert_eq(used.offset, at);
        cr_assert_not(progress_finished(progress, 2, at), "of another function");
        cr_assert_eq(progress_used(progress, 2, at).attempts, 0, "of another function");
    }
}

Test(progress, says_what_it_was_told)
{
    for (uint64_t seed = 1; seed <= 500; seed++) {
        uint64_t random = seed;
        struct progress progress = {.born = 1}, carried = {.born = 1};
        struct model model = {0};
        int64_t from = (int64_t)random_below(&random, SPAN), top;

        model_add(&model, progress_add(&progress, 1), &random, (int64_t)random_below(&random, 250));
        top = model_top(&model);
        expect_model(&model, &progress, 0, seed);
        cr_assert_eq(progress_top(&progress), top, "seed %" PRIu64, seed);
        progress_carry(progress_add(&carried, 1), &progress.functions[0], from);
        expect_model(&model, &carried, from, seed);
        cr_assert_eq(progress_top(&carried), top >= from ? top : -1, "seed %" PRIu64, seed);
        progress_clear(&progress);
        progress_clear(&carried);
    }
}

/* What is carried may go on where what is there ends. */
Test(progress, joins_what_is_carried_to_what_touches_it)
{
    struct progress_function from = {0}, to = {0};

    progress_add_run(&from, 5, 20);
    progress_add_run(&to, 3, 9);
    progress_carry(&to, &from, 10);
    cr_expect_eq(to.run_count, 1);
    cr_expect(to.runs[0].first == 3 && to.runs[0].last == 20);
    free(from.runs);
    free(to.runs);
}

Test(progress, knows_nothing_when_empty)
{
    struct progress progress = {.born = 1};

    cr_expect_eq(progress_top(&progress), -1);
    cr_expect_not(progress_finished(&progress, 0, 0));
    cr_expect_eq(progress_used(&progress, 0, 9).offset, 9);
    cr_expect_null(progress_find(&progress, 0));
    progress_clear(&progress);
}
