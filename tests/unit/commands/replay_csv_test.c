/* replay_csv: traces from files, and where a file is wrong. */
#include "commands/replay_trace.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Reads a text as a file. */
static bool read_text(const char *text, struct trace *trace, struct option_faults *faults)
{
    char path[] = "/tmp/replay_csv_test.XXXXXX";
    int file = mkstemp(path);
    bool good;

    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    good = trace_read(path, trace, faults);
    unlink(path);
    return good;
}

Test(replay_csv, reads_offsets_by_the_second)
{
    static const int64_t ends[2][7] = {{100, 110, 120, 130, 230, 330, 430},
                                       {50, 50, 50, 50, 52, 54, 54}};
    struct option_faults faults = {0};
    struct trace trace;

    cr_assert(read_text("time,partition,committed,end\n"
                        "1000,3,90,100\r\n"
                        " 1003 , 3 , 95 , 130 \n"
                        "\n"
                        "1003,7,,50\n"
                        "1005.0,7,-1,54\n"
                        "1006,3,400,430\n",
                        &trace, &faults));
    cr_expect_eq(trace.seconds, 6);
    cr_assert_eq(trace.partitions, 2);
    cr_expect_eq(trace.numbers[0], 3);
    cr_expect_eq(trace.numbers[1], 7);
    cr_expect_eq(trace.committed[0], 90, "the first commit");
    cr_expect_eq(trace.committed[1], 50, "nothing committed: from the end");
    for (size_t p = 0; p < 2; p++)
        for (int64_t s = 0; s <= 6; s++)
            cr_expect_eq(trace_end(&trace, p, s), ends[p][s], "%zu at %ld: %ld", p, (long)s,
                         (long)trace_end(&trace, p, s));
    trace_release(&trace);
    cr_expect_eq(faults.count, 0);
}

static const struct {
    const char *text, *fault; /* a part of it, behind the path */
} wrong[] = {
    {"", "has no line of offsets"},
    {"time,partition,committed,end\n", "has no line of offsets"},
    {"1,0,0,0\n2,0,0\n", "line 2: has 3 columns, not 4"},
    {"1,0,0,0,0\n", "line 1: has 5 columns, not 4"},
    {"1,0,0,0\n\nx,0,0,0\n", "line 3, column 1 (time): \"x\" is not a number of seconds"},
    {"inf,0,0,0\n", "column 1 (time): \"inf\""},
    {"1,a,0,0\n", "line 1, column 2 (partition): \"a\" is not a whole number"},
    {"1,-1,0,0\n", "column 2 (partition): \"-1\""},
    {"1,4294967296,0,0\n", "column 2 (partition): \"4294967296\" is too large"},
    {"1,0,none,0\n", "column 3 (committed): \"none\" is not a whole number"},
    {"1,0,8,7\n", "column 3 (committed): \"8\" is beyond the end"},
    {"1,0,0,1.5\n", "column 4 (end): \"1.5\" is not a whole number"},
    {"1,0,0,99999999999999999999\n", "column 4 (end): \"99999999999999999999\" is too large"},
    {"1,0,0,\n", "column 4 (end): \"\" is not a whole number"},
    {"1,0,0,281474976710657\n", "column 4 (end): \"281474976710657\" is too large"},
    {"1,0,0,9\n2,1,0,9\n3,0,0,8\n", "line 3, column 4 (end): is lower than on line 1, of the same"},
    {"5,0,0,1\n5,0,0,2\n", "line 2, column 1 (time): is not later than on line 1"},
    {"5,0,0,1\n", "all lines are of one time"},
    {"0,0,0,1\n9999999,0,0,1\n", "over 9999999 seconds"},
};

Test(replay_csv, names_line_and_column)
{
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct option_faults faults = {0};
        struct trace trace;

        cr_expect_not(read_text(wrong[i].text, &trace, &faults), "%s", wrong[i].text);
        cr_assert_eq(faults.count, 1, "%s: %zu", wrong[i].text, faults.count);
        cr_expect(strstr(faults.items[0], wrong[i].fault), "%s: %s", wrong[i].text,
                  faults.items[0]);
        option_faults_release(&faults);
    }
}

Test(replay_csv, tells_a_file_that_is_not_there)
{
    struct option_faults faults = {0};
    struct trace trace;

    cr_expect_not(trace_read("/nonexistent/trace.csv", &trace, &faults));
    cr_expect_eq(faults.count, 1);
    option_faults_release(&faults);
}
