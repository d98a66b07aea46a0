/* input: values and lines, and that it never waits. */
#include "base/xalloc.h"
#include "producer/input.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file of this content, already without a name. */
static struct input *of_text(const char *text, size_t size)
{
    char path[] = "/tmp/input-test-XXXXXX";
    int fd = mkstemp(path);
    const char *reason;
    struct input *input;

    cr_assert_eq(write(fd, text, size), (ssize_t)size);
    close(fd);
    input = input_of_file(path, &reason);
    unlink(path);
    cr_assert_not_null(input);
    return input;
}

static void expect_value(struct input *input, const char *wanted, const char *says)
{
    const void *value;
    size_t size;

    cr_assert_eq(input_next(input, &value, &size), INPUT_VALUE, "%s", says);
    cr_assert_eq(size, strlen(wanted), "%s: %zu bytes", says, size);
    cr_assert_eq(memcmp(value, wanted, size), 0, "%s: %.*s", says, (int)size, (const char *)value);
}

static void expect_end(struct input *input, const char *says)
{
    const void *value;
    size_t size;

    cr_assert_eq(input_next(input, &value, &size), INPUT_END, "%s", says);
    cr_assert_eq(input_next(input, &value, &size), INPUT_END, "%s: and stays so", says);
}

Test(input, a_record_a_line)
{
    static const struct {
        const char *says, *text;
        const char *lines[4];
    } cases[] = {
        {"an empty file has none", "", {NULL}},
        {"whole lines", "one\ntwo\n", {"one", "two"}},
        {"the last line needs no line break", "one\ntwo", {"one", "two"}},
        {"an empty line is an empty record", "\none\n\n", {"", "one", ""}},
        {"bytes are left as they are", " one\r\n\xff\n", {" one\r", "\xff"}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct input *input = of_text(cases[i].text, strlen(cases[i].text));

        for (size_t line = 0; cases[i].lines[line]; line++)
            expect_value(input, cases[i].lines[line], cases[i].says);
        expect_end(input, cases[i].says);
        input_free(input);
    }
}

Test(input, lines_longer_than_one_read)
{
    enum { SIZE = 300 * 1000 };
    char *text = xmalloc(3 * SIZE);
    struct input *input;
    const void *value;
    size_t size;

    memset(text, 'a', 3 * SIZE);
    text[SIZE] = text[2 * SIZE] = '\n';
    input = of_text(text, 3 * SIZE);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(input_next(input, &value, &size), INPUT_VALUE);
        cr_assert_eq(size, i == 0 ? SIZE : SIZE - 1, "line %d: %zu", i, size);
        cr_assert_null(memchr(value, '\n', size));
    }
    expect_end(input, "three lines");
    input_free(input);
    free(text);
}

Test(input, a_pipe_is_not_waited_for)
{
    int ends[2], saved = dup(STDIN_FILENO);
    const char *reason;
    const void *value;
    size_t size;
    struct input *input;

    cr_assert_eq(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    input = input_of_file("-", &reason);
    cr_assert_eq(input_next(input, &value, &size), INPUT_LATER, "nothing was written");
    cr_assert_eq(write(ends[1], "half", 4), 4);
    cr_assert_eq(input_next(input, &value, &size), INPUT_LATER, "half a line");
    cr_assert_eq(write(ends[1], " a line\nrest", 12), 12);
    expect_value(input, "half a line", "the line is whole");
    cr_assert_eq(input_next(input, &value, &size), INPUT_LATER, "the next is not");
    close(ends[1]);
    expect_value(input, "rest", "the end makes it whole");
    expect_end(input, "closed");
    dup2(saved, STDIN_FILENO);
    input_free(input);
}

Test(input, one_value_for_all)
{
    static const struct {
        const char *says, *value;
        size_t size;
        const char *wanted;
    } cases[] = {
        {"as it is", "abc", 0, "abc"},
        {"repeated", "abc", 8, "abcabcab"},
        {"cut", "abc", 2, "ab"},
        {"the same size", "abc", 3, "abc"},
        {"of an empty value", "", 3, "xxx"},
        {"empty", "", 0, ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct input *input = input_of_value(cases[i].value, cases[i].size);

        expect_value(input, cases[i].wanted, cases[i].says);
        expect_value(input, cases[i].wanted, "again and again");
        input_free(input);
    }
}

Test(input, a_file_that_is_not_there)
{
    const char *reason = NULL;

    cr_assert_null(input_of_file("/nowhere/at/all", &reason));
    cr_assert_str_eq(reason, "No such file or directory");
}

Test(input, a_folder_is_a_fault)
{
    const char *reason;
    struct input *input = input_of_file("/tmp", &reason);
    const void *value;
    size_t size;

    cr_assert_eq(input_next(input, &value, &size), INPUT_FAULT);
    cr_assert_str_eq(input_reason(input), "Is a directory");
    input_free(input);
}
