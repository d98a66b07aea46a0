/* progress: what is written reads back; what is not ours or damaged never reads as a state. */
#include "core/progress.h"

#include "base/base64.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const int32_t borns[] = {1,     2,     12,      127,     128,       129,       255,
                                16383, 16384, 2097151, 2097152, 268435455, 268435456, INT32_MAX};

static void expect_round_trip(int32_t born)
{
    struct progress progress = {born}, back = {-7};
    char text[PROGRESS_TEXT_SIZE + 1];
    size_t size = progress_encode(&progress, text);

    cr_assert_eq(strlen(text), size, "%" PRId32, born);
    cr_assert_leq(size, PROGRESS_TEXT_SIZE, "%" PRId32, born);
    cr_assert(progress_decode(text, &back), "%" PRId32, born);
    cr_assert_eq(back.born, born);
}

Test(progress, reads_back_what_it_wrote)
{
    uint64_t random = 20180501;

    for (size_t i = 0; i < COUNT(borns); i++)
        expect_round_trip(borns[i]);
    for (int i = 0; i < 100000; i++)
        expect_round_trip((int32_t)(1 + random_below(&random, INT32_MAX)));
}

/* The form is a promise to the version before and the one after: it must not drift. */
Test(progress, writes_the_form_that_was_promised)
{
    char text[PROGRESS_TEXT_SIZE + 1];

    progress_encode(&(struct progress){12}, text);
    cr_expect_str_eq(text, "kc1:AQyACnTf");
}

static void expect_not_ours(const char *text, const char *what)
{
    struct progress progress = {-7};

    cr_expect_not(progress_decode(text, &progress), "%s: \"%s\"", what, text);
    cr_expect_eq(progress.born, -7, "%s: it was touched", what);
}

Test(progress, refuses_every_prefix_of_a_text)
{
    for (size_t i = 0; i < COUNT(borns); i++) {
        char text[PROGRESS_TEXT_SIZE + 1];
        size_t size = progress_encode(&(struct progress){borns[i]}, text);

        while (size-- > 0) {
            text[size] = '\0';
            expect_not_ours(text, "a prefix");
        }
    }
}

Test(progress, refuses_every_single_bit_flip)
{
    for (size_t i = 0; i < COUNT(borns); i++) {
        char text[PROGRESS_TEXT_SIZE + 1];
        size_t size = progress_encode(&(struct progress){borns[i]}, text);

        for (size_t bit = 0; bit < size * 8; bit++) {
            text[bit / 8] ^= (char)(1 << bit % 8);
            expect_not_ours(text, "a bit flipped");
            text[bit / 8] ^= (char)(1 << bit % 8);
        }
    }
}

/* As a writer would that knows more, or worse: any bytes under a good checksum. */
static void seal(const uint8_t *bytes, size_t size, char text[PROGRESS_TEXT_SIZE + 1])
{
    uint8_t sealed[64];
    uint32_t sum = 2166136261u;

    memcpy(sealed, bytes, size);
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ bytes[i]) * 16777619u;
    for (int i = 0; i < 4; i++)
        sealed[size++] = (uint8_t)(sum >> 8 * i);
    memcpy(text, "kc1:", 4);
    base64_encode(sealed, size, text + 4);
}

static const struct {
    const char *sentence;
    const char *bytes;
    size_t size;
    int32_t born; /* 0: not ours */
} sealed_cases[] = {
    {"the form of version 1", "\1\x0c", 2, 12},
    {"bytes behind born are a later version's", "\1\x0c\xff\xff\xff", 5, 12},
    {"nothing at all", "", 0, 0},
    {"no born", "\1", 1, 0},
    {"another version", "\2\x0c", 2, 0},
    {"version 0", "\0\x0c", 2, 0},
    {"born 0: no topic has so few partitions", "\1\0", 2, 0},
    {"born at its highest", "\1\xff\xff\xff\xff\7", 6, INT32_MAX},
    {"born one higher", "\1\x80\x80\x80\x80\x08", 6, 0},
    {"born that would wrap to 1 in 32 bits", "\1\x81\x80\x80\x80\x10", 6, 0},
    {"a number without an end", "\1\x81\x80\x80", 4, 0},
    {"a number that is too long for 64 bits",
     "\1\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 14, 0},
};

Test(progress, judges_what_is_under_a_good_checksum)
{
    for (size_t i = 0; i < COUNT(sealed_cases); i++) {
        struct progress progress = {-7};
        char text[PROGRESS_TEXT_SIZE + 1];

        seal((const uint8_t *)sealed_cases[i].bytes, sealed_cases[i].size, text);
        cr_expect_eq(progress_decode(text, &progress), sealed_cases[i].born != 0, "%s",
                     sealed_cases[i].sentence);
        cr_expect_eq(progress.born, sealed_cases[i].born ? sealed_cases[i].born : -7, "%s",
                     sealed_cases[i].sentence);
    }
}

Test(progress, leaves_what_is_not_ours_alone)
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
        expect_not_ours(others[i].text, others[i].sentence);
    memset(endless, 'A', sizeof(endless) - 1);
    memcpy(endless, "kc1:", 4);
    expect_not_ours(endless, "a text longer than brokers take");
}
