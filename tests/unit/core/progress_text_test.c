/* progress_text: what is written reads back; what does not fit is left out from the right end; what
 * is not ours or damaged never reads as a state. */
#include "core/progress.h"

#include "base/base64.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const int32_t borns[] = {1,     2,     12,      127,     128,       129,       255,
                                16383, 16384, 2097151, 2097152, 268435455, 268435456, INT32_MAX};
static const int64_t offsets[] = {0,
                                  1,
                                  100,
                                  INT64_C(1) << 31,
                                  INT64_C(1) << 62,
                                  INT64_MAX - 100000,
                                  INT64_MAX - 20,
                                  INT64_MAX - 1};

/* ---- any progress at all ---- */

/* Most gaps are small; some are of any length. Never beyond INT64_MAX - 1. */
static int64_t step(uint64_t *random, int64_t at)
{
    uint64_t room = (uint64_t)(INT64_MAX - 1 - at), gap = random_below(random, 4);

    if (random_below(random, 10) == 0)
        gap = random_next(random) >> random_below(random, 64);
    return at + (int64_t)(gap < room ? gap : random_below(random, room + 1));
}

static void add_runs(uint64_t *random, struct progress_function *function, int64_t at, size_t count)
{
    while (count-- && at < INT64_MAX) {
        int64_t first = step(random, at), last = step(random, first);

        progress_add_run(function, first, last);
        at = last + 1;
    }
}

static void add_counts(uint64_t *random, struct progress_function *function, int64_t at,
                       size_t count)
{
    while (count-- && at < INT64_MAX) {
        struct progress_count used = {step(random, at), 0, 0};

        used.attempts = (uint32_t)(random_next(random) >> (32 + random_below(random, 32)));
        used.timeouts = (uint32_t)random_below(random, 3);
        progress_add_count(function, used);
        at = used.offset + 1;
    }
}

static struct progress any(uint64_t *random, int64_t offset, size_t functions, size_t most)
{
    struct progress progress = {.born = borns[random_below(random, COUNT(borns))]};

    for (uint32_t i = 0; i < functions; i++) {
        struct progress_function *function =
            progress_add(&progress, (uint32_t)random_next(random) * 16 + i);

        add_runs(random, function, offset, random_below(random, most + 1));
        add_counts(random, function, offset, random_below(random, most + 1));
    }
    return progress;
}

/* ---- there and back ---- */

static bool same_function(const struct progress_function *one,
                          const struct progress_function *other)
{
    return one->run_count == other->run_count && one->count_count == other->count_count &&
           (!one->run_count ||
            memcmp(one->runs, other->runs, one->run_count * sizeof(*one->runs)) == 0) &&
           (!one->count_count ||
            memcmp(one->counts, other->counts, one->count_count * sizeof(*one->counts)) == 0);
}

static void expect_same(const struct progress *given, const struct progress *back, uint64_t seed)
{
    static const struct progress_function nothing;

    cr_assert_eq(back->born, given->born, "seed %" PRIu64, seed);
    for (size_t i = 0; i < given->function_count; i++) {
        const struct progress_function *function = progress_find(back, given->functions[i].name);

        cr_assert(same_function(&given->functions[i], function ? function : &nothing),
                  "seed %" PRIu64, seed);
    }
    for (size_t i = 0; i < back->function_count; i++)
        cr_assert(progress_find(given, back->functions[i].name), "seed %" PRIu64, seed);
}

Test(progress_text, reads_back_what_it_wrote)
{
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        uint64_t random = seed;
        int64_t offset = offsets[random_below(&random, COUNT(offsets))];
        struct progress given = any(&random, offset, random_below(&random, 5), 12), back = {0};
        char text[PROGRESS_TEXT_SIZE + 1];
        size_t size = progress_encode(&given, offset, PROGRESS_TEXT_SIZE, text);

        cr_assert_eq(strlen(text), size, "seed %" PRIu64, seed);
        cr_assert(progress_decode(text, offset, &back), "seed %" PRIu64, seed);
        expect_same(&given, &back, seed);
        progress_clear(&given);
        progress_clear(&back);
    }
}

/* The form is a promise to the version before and the one after: it must not drift. */
Test(progress_text, writes_the_form_that_was_promised)
{
    struct progress progress = {.born = 12};
    struct progress_function *function;
    char text[PROGRESS_TEXT_SIZE + 1];

    progress_encode(&progress, 100, PROGRESS_TEXT_SIZE, text);
    cr_expect_str_eq(text, "kc1:AQwAZCAPEQ==");
    function = progress_add(&progress, 0x04030201);
    progress_add_run(function, 100, 100);
    progress_add_run(function, 103, 110);
    progress_add_count(function, (struct progress_count){101, 2, 1});
    progress_add_count(function, (struct progress_count){300, 1, 0});
    progress_encode(&progress, 100, PROGRESS_TEXT_SIZE, text);
    cr_expect_str_eq(text, "kc1:AQwBAQIDBAIAAAIHAgECAcYBAQD0hkfD");
    progress_clear(&progress);
}

Test(progress_text, leaves_out_functions_that_share_a_name)
{
    struct progress progress = {.born = 1}, back = {0};
    char text[PROGRESS_TEXT_SIZE + 1];

    for (uint32_t i = 0; i < 6; i++)
        progress_add_run(progress_add(&progress, i % 4), 10 + i, 20 + i);
    progress_encode(&progress, 10, PROGRESS_TEXT_SIZE, text);
    cr_assert(progress_decode(text, 10, &back));
    cr_expect_eq(back.function_count, 2);
    for (uint32_t name = 0; name < 4; name++)
        cr_expect_eq(progress_finished(&back, name, 15), name >= 2, "%" PRIu32, name);
    progress_clear(&progress);
    progress_clear(&back);
}

/* ---- what does not fit ---- */

/* How many of the given ones are said: the first, and no other. */
static size_t said_runs(const struct progress_function *given, const struct progress_function *back)
{
    size_t said = back ? back->run_count : 0;

    cr_assert_leq(said, given->run_count);
    if (said)
        cr_assert(memcmp(back->runs, given->runs, said * sizeof(*given->runs)) == 0);
    return said;
}

static size_t said_counts(const struct progress_function *given,
                          const struct progress_function *back)
{
    size_t said = back ? back->count_count : 0;

    cr_assert_leq(said, given->count_count);
    if (said)
        cr_assert(memcmp(back->counts, given->counts, said * sizeof(*given->counts)) == 0);
    return said;
}

struct left_out {
    int64_t top_run, top_count; /* the highest that are said; -1: none */
    int64_t run, count;         /* the lowest that are not; INT64_MAX: none */
};

static void look_at(const struct progress_function *given, const struct progress_function *back,
                    struct left_out *out)
{
    size_t runs = said_runs(given, back), counts = said_counts(given, back);

    if (runs && given->runs[runs - 1].first > out->top_run)
        out->top_run = given->runs[runs - 1].first;
    if (runs < given->run_count && given->runs[runs].first < out->run)
        out->run = given->runs[runs].first;
    if (counts && given->counts[counts - 1].offset > out->top_count)
        out->top_count = given->counts[counts - 1].offset;
    if (counts < given->count_count && given->counts[counts].offset < out->count)
        out->count = given->counts[counts].offset;
}

/* What the next to be said of every function may take, in characters. */
enum { NEXT_MOST = 160 };

static bool expect_fits(const struct progress *given, int64_t offset, size_t limit, uint64_t seed)
{
    struct left_out out = {-1, -1, INT64_MAX, INT64_MAX};
    struct progress back = {0};
    char text[PROGRESS_TEXT_SIZE + 1];
    size_t size = progress_encode(given, offset, limit, text);

    cr_assert_leq(size, limit, "seed %" PRIu64, seed);
    cr_assert_eq(strlen(text), size, "seed %" PRIu64, seed);
    cr_assert(progress_decode(text, offset, &back), "seed %" PRIu64, seed);
    cr_assert_eq(back.born, given->born, "seed %" PRIu64, seed);
    for (size_t i = 0; i < given->function_count; i++)
        look_at(&given->functions[i], progress_find(&back, given->functions[i].name), &out);
    cr_assert_lt(out.top_run, out.run, "seed %" PRIu64 ": runs go from the top", seed);
    cr_assert_lt(out.top_count, out.count, "seed %" PRIu64 ": the newest counts go first", seed);
    if (out.run != INT64_MAX)
        cr_assert_eq(out.top_count, -1, "seed %" PRIu64 ": counts go before runs", seed);
    if (out.run != INT64_MAX || out.count != INT64_MAX)
        cr_assert_geq(size + NEXT_MOST, limit, "seed %" PRIu64 ": no more than must go", seed);
    progress_clear(&back);
    return out.run != INT64_MAX || out.count != INT64_MAX;
}

Test(progress_text, leaves_out_what_does_not_fit)
{
    size_t cut = 0;

    for (uint64_t seed = 1; seed <= 2000; seed++) {
        uint64_t random = seed;
        int64_t offset = offsets[random_below(&random, 5)];
        struct progress given =
            any(&random, offset, 1 + random_below(&random, 4), seed % 20 ? 100 : 3000);
        size_t most = PROGRESS_TEXT_SIZE - PROGRESS_TEXT_LEAST + 1;

        cut += expect_fits(&given, offset, PROGRESS_TEXT_LEAST + random_below(&random, most), seed);
        cut += expect_fits(&given, offset, PROGRESS_TEXT_LEAST, seed);
        cut += expect_fits(&given, offset, PROGRESS_TEXT_SIZE, seed);
        progress_clear(&given);
    }
    cr_expect_geq(cut, 2000, "most did not fit: %zu", cut);
}

/* A window of a million whose every other record is finished. */
Test(progress_text, leaves_out_most_of_a_million)
{
    struct progress given = {.born = INT32_MAX}, back = {0};
    struct progress_function *function = progress_add(&given, 7);
    char text[PROGRESS_TEXT_SIZE + 1];

    for (int64_t offset = 0; offset < 1000000; offset += 2)
        progress_add_run(function, offset, offset);
    progress_encode(&given, 0, PROGRESS_TEXT_SIZE, text);
    cr_assert(progress_decode(text, 0, &back));
    cr_expect_geq(back.functions[0].run_count, PROGRESS_RUNS_MOST - 20);
    cr_expect_lt(back.functions[0].run_count, PROGRESS_RUNS_MOST);
    progress_clear(&given);
    progress_clear(&back);
}

/* ---- what is not ours ---- */

static void expect_not_ours(const char *text, int64_t offset, const char *what)
{
    struct progress progress = {.born = -7};

    cr_expect_not(progress_decode(text, offset, &progress), "%s: \"%s\"", what, text);
    cr_expect(progress.born == -7 && !progress.functions, "%s: it was touched", what);
}

static void damage(uint64_t seed, int64_t offset)
{
    uint64_t random = seed;
    struct progress progress = any(&random, offset, seed % 4, 5);
    char text[PROGRESS_TEXT_SIZE + 1];
    size_t size = progress_encode(&progress, offset, PROGRESS_TEXT_SIZE, text);

    progress_clear(&progress);
    for (int64_t other = -2; other <= 2; other++)
        if (other)
            expect_not_ours(text, offset + other, "another offset");
    expect_not_ours(text, -1, "none committed");
    expect_not_ours(text, offset ^ INT64_C(1) << 40, "an offset far away");
    for (size_t bit = 0; bit < size * 8; bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        expect_not_ours(text, offset, "a bit flipped");
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    while (size-- > 0) {
        text[size] = '\0';
        expect_not_ours(text, offset, "a prefix");
    }
}

Test(progress_text, refuses_prefixes_flipped_bits_and_other_offsets)
{
    for (uint64_t seed = 1; seed <= 60; seed++)
        damage(seed, 2 + (int64_t)(seed * seed * 1000));
}

/* As a writer would that knows more, or worse: any bytes under a good checksum. */
static void seal(const uint8_t *bytes, size_t size, int64_t offset,
                 char text[PROGRESS_TEXT_SIZE + 1])
{
    uint8_t sealed[256];
    uint32_t sum = 2166136261u;

    memcpy(sealed, bytes, size);
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ bytes[i]) * 16777619u;
    for (int i = 0; i < 8; i++)
        sum = (sum ^ (uint8_t)((uint64_t)offset >> 8 * i)) * 16777619u;
    for (int i = 0; i < 4; i++)
        sealed[size++] = (uint8_t)(sum >> 8 * i);
    memcpy(text, "kc1:", 4);
    base64_encode(sealed, size, text + 4);
}

#define BYTES(text) text, sizeof(text) - 1
#define MOST        "\xfe\xff\xff\xff\xff\xff\xff\xff\x7f" /* INT64_MAX - 1 */

static const struct {
    const char *sentence;
    const char *bytes;
    size_t size;
    int64_t offset;
    int32_t born; /* 0: not ours */
    int64_t top;
} sealed_cases[] = {
    {"no function", BYTES("\1\x0c\0"), 100, 12, -1},
    {"bytes behind the last are a later version's", BYTES("\1\x0c\0\xff\xff"), 100, 12, -1},
    {"nothing at all", BYTES(""), 100, 0, 0},
    {"no born", BYTES("\1"), 100, 0, 0},
    {"no count of functions", BYTES("\1\x0c"), 100, 0, 0},
    {"another version", BYTES("\2\x0c\0"), 100, 0, 0},
    {"version 0", BYTES("\0\x0c\0"), 100, 0, 0},
    {"born 0: no topic has so few partitions", BYTES("\1\0\0"), 100, 0, 0},
    {"born at its highest", BYTES("\1\xff\xff\xff\xff\7\0"), 100, INT32_MAX, -1},
    {"born one higher", BYTES("\1\x80\x80\x80\x80\x08\0"), 100, 0, 0},
    {"born that would wrap to 1 in 32 bits", BYTES("\1\x81\x80\x80\x80\x10\0"), 100, 0, 0},
    {"a number without an end", BYTES("\1\x81\x80\x80"), 100, 0, 0},
    {"a number that is too long for 64 bits",
     BYTES("\1\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\0"), 100, 0, 0},
    {"a function of which nothing is said", BYTES("\1\1\1name\0\0"), 100, 1, -1},
    {"a function without counts", BYTES("\1\1\1name\0"), 100, 0, 0},
    {"half a name", BYTES("\1\1\1na"), 100, 0, 0},
    {"more functions than there are", BYTES("\1\1\2name\0\0"), 100, 0, 0},
    {"functions without end", BYTES("\1\1\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), 100, 0, 0},
    {"runs without end", BYTES("\1\1\1name\xff\xff\xff\xff\xff\xff\xff\xff\x7f\0\0"), 100, 0, 0},
    {"counts without end", BYTES("\1\1\1name\0\xff\xff\xff\xff\xff\xff\xff\xff\x7f\0\0\0"), 100, 0,
     0},
    {"a run", BYTES("\1\1\1name\1\2\3\0"), 100, 1, 105},
    {"runs that touch", BYTES("\1\1\1name\2\2\3\0\0\0"), 100, 1, 106},
    {"a run without its length", BYTES("\1\1\1name\1\2"), 100, 0, 0},
    {"a run that ends at the highest offset", BYTES("\1\1\1name\1\0" MOST "\0"), 0, 1,
     INT64_MAX - 1},
    {"one that begins there", BYTES("\1\1\1name\1" MOST "\0\0"), 0, 1, INT64_MAX - 1},
    {"one that ends behind it", BYTES("\1\1\1name\1\0" MOST "\0"), 1, 0, 0},
    {"one that begins behind it", BYTES("\1\1\1name\1" MOST "\0\0"), 1, 0, 0},
    {"one behind the highest", BYTES("\1\1\1name\2\0" MOST "\0\0\0"), 0, 0, 0},
    {"one far behind the highest", BYTES("\1\1\1name\2\0" MOST MOST "\0\0"), 0, 0, 0},
    {"a count at the highest offset", BYTES("\1\1\1name\0\1" MOST "\1\1"), 0, 1, INT64_MAX - 1},
    {"a count behind it", BYTES("\1\1\1name\0\1" MOST "\1\1"), 1, 0, 0},
    {"two counts at the end", BYTES("\1\1\1name\0\2" MOST "\1\1\0\1\1"), 0, 0, 0},
    {"two counts far behind the end", BYTES("\1\1\1name\0\2" MOST "\1\1" MOST "\1\1"), 0, 0, 0},
    {"no offset above the committed one", BYTES("\1\1\1name\1\0\0\0"), INT64_MAX, 0, 0},
    {"nor for a count", BYTES("\1\1\1name\0\1\0\0\0"), INT64_MAX, 0, 0},
    {"most attempts", BYTES("\1\1\1name\0\1\7\xff\xff\xff\xff\x0f\0"), 100, 1, 107},
    {"one attempt more", BYTES("\1\1\1name\0\1\7\x80\x80\x80\x80\x10\0"), 100, 0, 0},
    {"one no-answer too many", BYTES("\1\1\1name\0\1\7\0\x80\x80\x80\x80\x10"), 100, 0, 0},
};

Test(progress_text, judges_what_is_under_a_good_checksum)
{
    for (size_t i = 0; i < COUNT(sealed_cases); i++) {
        struct progress progress = {.born = -7};
        bool ours = sealed_cases[i].born != 0;
        char text[PROGRESS_TEXT_SIZE + 1];

        seal((const uint8_t *)sealed_cases[i].bytes, sealed_cases[i].size, sealed_cases[i].offset,
             text);
        cr_expect_eq(progress_decode(text, sealed_cases[i].offset, &progress), ours, "%s",
                     sealed_cases[i].sentence);
        cr_expect_eq(progress.born, ours ? sealed_cases[i].born : -7, "%s",
                     sealed_cases[i].sentence);
        cr_expect_eq(progress_top(&progress), ours ? sealed_cases[i].top : -1, "%s",
                     sealed_cases[i].sentence);
        progress_clear(&progress);
    }
}

Test(progress_text, leaves_what_is_not_ours_alone)
{
    static const struct {
        const char *sentence, *text;
    } others[] = {
        {"none", NULL},
        {"an empty text", ""},
        {"the prefix alone", "kc1:"},
        {"the prefix in capitals", "KC1:AQw="},
        {"another program's words", "NO_METADATA"},
        {"another program's JSON", "{\"offset\":1}"},
        {"no base64", "kc1:***="},
        {"four bytes: a checksum of nothing's size", "kc1:AAAAAA=="},
        {"control characters", "kc1:\n\t\x01\x7f"},
    };
    static char endless[1 << 20];

    for (size_t i = 0; i < COUNT(others); i++)
        expect_not_ours(others[i].text, 0, others[i].sentence);
    memset(endless, 'A', sizeof(endless) - 1);
    memcpy(endless, "kc1:", 4);
    expect_not_ours(endless, 0, "a text longer than brokers take");
}
