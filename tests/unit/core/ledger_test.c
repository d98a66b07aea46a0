/* ledger: cases in words, then random walks against a model that keeps everything. */
#include "core/ledger.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum step_kind { STEP_END, STEP_TAKE, STEP_FINISH, STEP_ADVANCE };

struct step {
    enum step_kind kind;
    int64_t at; /* the offset; STEP_FINISH: how many were taken before it */
    uint32_t owed, memory;
    bool moves; /* STEP_FINISH: so it returns */
};

#define TAKE(offset, owed, memory)                                                                 \
    {                                                                                              \
        STEP_TAKE, offset, owed, memory, false                                                     \
    }
#define FINISH(nth, moves)                                                                         \
    {                                                                                              \
        STEP_FINISH, nth, 0, 0, moves                                                              \
    }
#define ADVANCE(offset)                                                                            \
    {                                                                                              \
        STEP_ADVANCE, offset, 0, 0, false                                                          \
    }

static const struct {
    const char *sentence;
    struct step steps[8];
    int64_t committable;
    size_t fill;
    int64_t memory;
} cases[] = {
    {"nothing was read: the start may be committed", {{0}}, 100, 0, 0},
    {"a record that is not done holds its own offset", {TAKE(100, 1, 7)}, 100, 1, 7},
    {"a record that is done lets the one behind it be committed",
     {TAKE(100, 1, 7), FINISH(0, true)},
     101,
     0,
     0},
    {"a record that is owed to nobody is done at once", {TAKE(100, 0, 7)}, 101, 0, 0},
    {"one that is owed to nobody waits for the one in front",
     {TAKE(100, 1, 7), TAKE(101, 0, 3)},
     100,
     2,
     10},
    {"it goes with the one in front",
     {TAKE(100, 1, 7), TAKE(101, 0, 3), FINISH(0, true)},
     102,
     0,
     0},
    {"all functions must be done with a record",
     {TAKE(100, 3, 7), FINISH(0, false), FINISH(0, false)},
     100,
     1,
     7},
    {"the last function moves the window",
     {TAKE(100, 3, 7), FINISH(0, false), FINISH(0, false), FINISH(0, true)},
     101,
     0,
     0},
    {"what is done behind one that is not moves nothing",
     {TAKE(100, 1, 7), TAKE(101, 1, 3), TAKE(102, 1, 1), FINISH(1, false), FINISH(2, false)},
     100,
     3,
     11},
    {"the window moves up to the next that is not done",
     {TAKE(100, 1, 7), TAKE(101, 1, 3), TAKE(102, 1, 1), FINISH(1, false), FINISH(0, true)},
     102,
     1,
     1},
    {"a gap in front of a record is no hindrance",
     {TAKE(100, 1, 7), TAKE(150, 1, 3), FINISH(0, true)},
     150,
     1,
     3},
    {"a gap behind the last is not known yet", {TAKE(100, 1, 7), FINISH(0, true)}, 101, 0, 0},
    {"the log's end is committed when nothing is left",
     {TAKE(100, 1, 7), ADVANCE(105), FINISH(0, true)},
     105,
     0,
     0},
    {"the log's end does not pass what is not done", {TAKE(100, 1, 7), ADVANCE(105)}, 100, 1, 7},
    {"the log's end alone may be committed", {ADVANCE(105)}, 105, 0, 0},
    {"an end below what was seen changes nothing",
     {TAKE(120, 1, 7), FINISH(0, true), ADVANCE(105)},
     121,
     0,
     0},
    {"the first record may lie far behind the start", {TAKE(900, 1, 7)}, 900, 1, 7},
};

static void play(struct ledger *ledger, const struct step *step, const char *sentence)
{
    uint64_t taken[COUNT(cases[0].steps)];
    size_t count = 0;

    for (; step->kind != STEP_END; step++)
        if (step->kind == STEP_TAKE)
            taken[count++] = ledger_take(ledger, step->at, step->owed, step->memory, 0);
        else if (step->kind == STEP_ADVANCE)
            ledger_advance(ledger, step->at);
        else
            cr_expect_eq(ledger_finish(ledger, taken[step->at]), step->moves, "%s", sentence);
}

Test(ledger, says_how_far_may_be_committed)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ledger ledger;

        ledger_init(&ledger, 100, 3);
        play(&ledger, cases[i].steps, cases[i].sentence);
        cr_expect_eq(ledger_committable(&ledger), cases[i].committable, "%s", cases[i].sentence);
        cr_expect_eq(ledger_fill(&ledger), cases[i].fill, "%s", cases[i].sentence);
        cr_expect_eq(ledger.memory, cases[i].memory, "%s", cases[i].sentence);
        cr_expect_eq(ledger_full(&ledger), cases[i].fill == 3, "%s", cases[i].sentence);
        ledger_release(&ledger);
    }
}

Test(ledger, has_seen_what_lies_below_next)
{
    struct ledger ledger;

    ledger_init(&ledger, 100, 3);
    cr_expect(ledger_seen(&ledger, 99), "below the start is none of ours");
    cr_expect_not(ledger_seen(&ledger, 100));
    ledger_take(&ledger, 100, 1, 0, 0);
    cr_expect(ledger_seen(&ledger, 100), "taken once");
    cr_expect_not(ledger_seen(&ledger, 101));
    ledger_advance(&ledger, 110);
    cr_expect(ledger_seen(&ledger, 109), "passed over");
    cr_expect_not(ledger_seen(&ledger, 110));
    ledger_release(&ledger);
}

Test(ledger, finds_what_is_in_its_window)
{
    static const struct {
        int64_t offset;
        uint32_t print; /* 0: none */
        const char *sentence;
    } places[] = {
        {9, 0, "done and out of the window"},     {10, 110, "the lowest"}, {11, 0, "a gap"},
        {12, 112, "done, and the lowest is not"}, {15, 115, "the newest"}, {16, 0, "not taken yet"},
    };
    static const int64_t taken[] = {9, 10, 12, 15};
    uint64_t sequences[4];
    struct ledger ledger;

    ledger_init(&ledger, 0, 4);
    for (size_t i = 0; i < 4; i++)
        sequences[i] = ledger_take(&ledger, taken[i], 1, 0, 100 + (uint32_t)taken[i]);
    ledger_finish(&ledger, sequences[0]);
    ledger_finish(&ledger, sequences[2]);
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        const struct ledger_entry *entry = ledger_entry_at(&ledger, places[i].offset);

        cr_expect_eq(entry ? entry->print : 0, places[i].print, "%s", places[i].sentence);
    }
    ledger_release(&ledger);
}

Test(ledger, is_full_until_its_lowest_is_done)
{
    struct ledger ledger;

    ledger_init(&ledger, 0, 1);
    for (int64_t offset = 0; offset < 5; offset++) {
        uint64_t sequence = ledger_take(&ledger, offset, 1, UINT32_MAX, 0);

        cr_expect(ledger_full(&ledger));
        cr_expect_eq(ledger.memory, UINT32_MAX);
        cr_expect(ledger_finish(&ledger, sequence));
        cr_expect_not(ledger_full(&ledger));
    }
    cr_expect_eq(ledger_committable(&ledger), 5);
    ledger_release(&ledger);
}

/* The model keeps every record there ever was and counts anew each time. */
enum { STEPS = 600, WALKS = 4000 };

struct model {
    struct ledger_entry entries[STEPS];
    uint64_t sequences[STEPS];
    size_t count, window;
    int64_t next;
};

static size_t model_lowest(const struct model *model)
{
    size_t i = 0;

    while (i < model->count && model->entries[i].owed == 0)
        i++;
    return i;
}

static int64_t model_memory(const struct model *model)
{
    int64_t sum = 0;

    for (size_t i = model_lowest(model); i < model->count; i++)
        sum += model->entries[i].memory;
    return sum;
}

static void expect_same(const struct model *model, const struct ledger *ledger, uint64_t seed)
{
    size_t lowest = model_lowest(model), fill = model->count - lowest;
    int64_t committable = fill ? model->entries[lowest].offset : model->next;

    cr_assert_eq(ledger_committable(ledger), committable, "seed %" PRIu64, seed);
    cr_assert_eq(ledger_fill(ledger), fill, "seed %" PRIu64, seed);
    cr_assert_eq(ledger_full(ledger), fill == model->window, "seed %" PRIu64, seed);
    cr_assert_eq(ledger->memory, model_memory(model), "seed %" PRIu64, seed);
    cr_assert(ledger_seen(ledger, model->next - 1), "seed %" PRIu64, seed);
    cr_assert_not(ledger_seen(ledger, model->next), "seed %" PRIu64, seed);
}

static void random_take(struct model *model, struct ledger *ledger, uint64_t *random)
{
    struct ledger_entry entry = {
        .offset = model->next + (int64_t)(random_below(random, 4) ? 0 : random_below(random, 50)),
        .owed = (uint32_t)random_below(random, 4),
        .memory = (uint32_t)random_next(random),
    };

    if (model->count - model_lowest(model) == model->window)
        return;
    model->sequences[model->count] = ledger_take(ledger, entry.offset, entry.owed, entry.memory, 0);
    model->entries[model->count++] = entry;
    model->next = entry.offset + 1;
}

static void random_finish(struct model *model, struct ledger *ledger, uint64_t *random,
                          uint64_t seed)
{
    size_t lowest = model_lowest(model), picked;

    if (lowest == model->count)
        return;
    picked = lowest + random_below(random, model->count - lowest);
    if (model->entries[picked].owed == 0)
        picked = lowest;
    model->entries[picked].owed--;
    cr_assert_eq(ledger_finish(ledger, model->sequences[picked]), model_lowest(model) != lowest,
                 "seed %" PRIu64, seed);
}

static void random_advance(struct model *model, struct ledger *ledger, uint64_t *random)
{
    int64_t offset = model->next - 10 + (int64_t)random_below(random, 20);

    ledger_advance(ledger, offset);
    model->next = offset > model->next ? offset : model->next;
}

static void walk(uint64_t seed)
{
    struct model model = {.window = 1 + seed % 17, .next = (int64_t)(seed % 3) * 1000};
    uint64_t random = seed;
    struct ledger ledger;

    ledger_init(&ledger, model.next, model.window);
    for (int i = 0; i < STEPS; i++) {
        uint64_t die = random_below(&random, 20);

        if (die == 0)
            random_advance(&model, &ledger, &random);
        else if (die < 9)
            random_take(&model, &ledger, &random);
        else
            random_finish(&model, &ledger, &random, seed);
        expect_same(&model, &ledger, seed);
    }
    ledger_release(&ledger);
}

Test(ledger, agrees_with_a_model_that_keeps_everything)
{
    for (uint64_t seed = 1; seed <= WALKS; seed++)
        walk(seed);
}

/* Marks of one function, against a list of every record there ever was. */
struct marked {
    int64_t offset;
    uint64_t sequence;
    bool marked, done;
};

enum { MARKED = 8000 };

struct marks_model {
    struct marked entries[MARKED];
    size_t first, last; /* what is in the window */
};

static void model_runs(const struct marks_model *model, struct progress_function *to)
{
    for (size_t i = model->first; i < model->last;) {
        size_t begin = i;

        while (i < model->last && model->entries[i].marked)
            i++;
        if (begin < i)
            progress_add_run(to, model->entries[begin].offset, model->entries[i - 1].offset);
        else
            i++;
    }
}

static void expect_runs(const struct marks_model *model, const struct ledger *ledger,
                        const struct ledger_marks *marks)
{
    struct progress_function told = {0}, expected = {0};

    ledger_runs(ledger, marks, &told);
    model_runs(model, &expected);
    cr_assert_eq(told.run_count, expected.run_count, "window %zu", ledger->window);
    if (told.run_count)
        cr_assert(memcmp(told.runs, expected.runs, told.run_count * sizeof(*told.runs)) == 0,
                  "window %zu", ledger->window);
    free(told.runs);
    free(expected.runs);
}

/* Owed to this function alone, or to another alone; in some stretches to one of them only. */
static void take_marked(struct marks_model *model, struct ledger *ledger,
                        struct ledger_marks *marks, uint64_t *random)
{
    size_t stretch = model->last / 150 % 3;
    bool owed = stretch == 2 ? random_below(random, 3) != 0 : stretch == 0;
    int64_t gap = random_below(random, 8) ? 0 : (int64_t)random_below(random, 9);
    struct marked *entry = &model->entries[model->last++];

    *entry = (struct marked){.offset = ledger->next + gap, .marked = !owed};
    entry->sequence = ledger_take(ledger, entry->offset, 1, 0, 0);
    ledger_mark(ledger, marks, entry->sequence, !owed);
}

static void finish_marked(struct marks_model *model, struct ledger *ledger,
                          struct ledger_marks *marks, uint64_t *random)
{
    size_t fill = model->last - model->first, far = random_below(random, 4) ? 8 : fill;
    struct marked *entry =
        &model->entries[model->first + random_below(random, far < fill ? far : fill)];

    if (entry->done)
        entry = &model->entries[model->first];
    entry->marked = entry->done = true;
    ledger_mark(ledger, marks, entry->sequence, true);
    ledger_finish(ledger, entry->sequence);
    while (model->first < model->last && model->entries[model->first].done)
        model->first++;
}

static void walk_marks(size_t window, uint64_t seed)
{
    static struct marks_model model;
    struct ledger_marks marks;
    struct ledger ledger;
    uint64_t random = seed;

    memset(&model, 0, sizeof(model));
    ledger_init(&ledger, (int64_t)(seed % 5) * 1000, window);
    ledger_marks_init(&marks, &ledger);
    while (model.last < MARKED && model.first < 4 * window + 200) {
        if (!ledger_full(&ledger) && random_below(&random, 100) < 55)
            take_marked(&model, &ledger, &marks, &random);
        else if (ledger_fill(&ledger))
            finish_marked(&model, &ledger, &marks, &random);
        if (window < 100 || random_below(&random, 16) == 0)
            expect_runs(&model, &ledger, &marks);
    }
    cr_assert_gt(model.first, 2 * window, "it went round");
    ledger_marks_release(&marks);
    ledger_release(&ledger);
}

Test(ledger, tells_what_is_marked_as_runs)
{
    static const size_t windows[] = {1, 2, 63, 64, 65, 127, 128, 129, 1000};

    for (size_t i = 0; i < COUNT(windows); i++)
        for (uint64_t seed = 1; seed <= 20; seed++)
            walk_marks(windows[i], seed);
}

/* A function that comes while records are under way was never owed them. */
Test(ledger, has_every_entry_marked_at_first)
{
    struct progress_function told = {0};
    struct ledger_marks marks;
    struct ledger ledger;

    ledger_init(&ledger, 100, 65);
    for (int64_t offset = 100; offset < 165; offset++)
        ledger_take(&ledger, offset, 1, 0, 0);
    ledger_marks_init(&marks, &ledger);
    ledger_runs(&ledger, &marks, &told);
    cr_assert_eq(told.run_count, 1);
    cr_expect(told.runs[0].first == 100 && told.runs[0].last == 164);
    free(told.runs);
    ledger_marks_release(&marks);
    ledger_release(&ledger);
}

/* More could be told to nobody. */
Test(ledger, tells_the_lowest_runs)
{
    struct progress_function told = {0};
    struct ledger_marks marks;
    struct ledger ledger;

    ledger_init(&ledger, 0, 10000);
    ledger_marks_init(&marks, &ledger);
    for (int64_t offset = 0; offset < 10000; offset++)
        ledger_mark(&ledger, &marks, ledger_take(&ledger, offset, 1, 0, 0), offset % 2);
    ledger_runs(&ledger, &marks, &told);
    cr_assert_eq(told.run_count, PROGRESS_RUNS_MOST);
    cr_expect_eq(told.runs[0].first, 1);
    cr_expect_eq(told.runs[told.run_count - 1].last, 2 * PROGRESS_RUNS_MOST - 1);
    free(told.runs);
    ledger_marks_release(&marks);
    ledger_release(&ledger);
}
