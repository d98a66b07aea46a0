/* functions_file_test: the lines of the sandbox's functions. */
#include "sandbox/functions_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *sentence;
    const char *text;
    const char *name, *topics, *program; /* of the first line; name NULL: there is none */
} good[] = {
    {"a line", "figlet faas-request figlet\n", "figlet", "faas-request", "figlet"},
    {"the last line may lack its end", "f t cat", "f", "t", "cat"},
    {"a program keeps its words", "f t tr a-z A-Z | rev\n", "f", "t", "tr a-z A-Z | rev"},
    {"several topics", "f a,b.c,_d cat", "f", "a,b.c,_d", "cat"},
    {"blanks and tabs between, before and behind", " \tf \t t\tcat \r\n", "f", "t", "cat"},
    {"comments and empty lines", "# no\n\n  # no\nf t cat\n", "f", "t", "cat"},
    {"nothing at all", "", NULL, NULL, NULL},
};

Test(functions_file, reads_lines)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        struct function_line *lines = NULL;
        char *reason = NULL;
        cr_expect(functions_file_parse(good[i].text, &lines, &reason), "%s: %s", good[i].sentence,
                  reason);
        cr_expect_eq(lines == NULL, good[i].name == NULL, "%s", good[i].sentence);
        if (lines) {
            cr_expect_str_eq(lines->name, good[i].name, "%s", good[i].sentence);
            cr_expect_str_eq(lines->topics, good[i].topics, "%s", good[i].sentence);
            cr_expect_str_eq(lines->program, good[i].program, "%s", good[i].sentence);
        }
        functions_file_release(&lines);
    }
}

static const struct {
    const char *text, *fault;
} bad[] = {
    {"f t cat\nf u cat\n", "line 2: this name"},
    {"f t cat\n\nfig.let t cat\n", "line 3: a function's name"},
    {"f\n", "line 1: behind the name"},
    {"f t\n", "line 1: behind the topics"},
    {"f t  \n", "line 1: behind the topics"},
    {"f a,,b cat\n", "line 1: behind the name"},
    {"f ,a cat\n", "line 1: behind the name"},
    {"f a, cat\n", "line 1: behind the name"},
    {"f a/b cat\n", "line 1: behind the name"},
    {"f\x01 t cat\n", "line 1: a function's name"},
};

Test(functions_file, names_the_line_that_is_wrong_and_adds_nothing)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct function_line *lines = NULL;
        char *reason = NULL;
        cr_expect_not(functions_file_parse(bad[i].text, &lines, &reason), "%s", bad[i].text);
        cr_expect(reason && strstr(reason, bad[i].fault), "%s gave: %s", bad[i].text, reason);
        cr_expect_null(lines);
        free(reason);
    }
}

Test(functions_file, names_the_file_it_cannot_read)
{
    struct function_line *lines = NULL;
    char *reason = NULL;
    cr_expect_not(functions_file_read("/nonexistent/functions", &lines, &reason));
    cr_expect(reason && strstr(reason, "/nonexistent/functions"), "%s", reason);
    free(reason);
}

Test(functions_file, the_demo_has_figlet_on_the_first_topic)
{
    struct function_line *lines = NULL;
    char *reason = NULL;
    cr_assert(functions_file_read("sandbox/functions", &lines, &reason), "%s", reason);
    const struct function_line *figlet = functions_file_find(lines, "figlet");
    cr_assert(figlet);
    cr_expect_str_eq(figlet->topics, "faas-request");
    cr_expect_null(functions_file_find(lines, "fig"));
    functions_file_release(&lines);
}
