/* scaler: what is logged of calls that are refused. */
#include "base/xalloc.h"
#include "tests/harness/scaling.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(scaler_refused, .fini = scaling_close, .timeout = 240);

static size_t count_lines(FILE *log, const char *with)
{
    char line[1024];
    size_t count = 0;

    rewind(log);
    while (fgets(line, sizeof(line), log))
        count += strstr(line, with) != NULL;
    return count;
}

/* Metadata that differs each time is new each time. */
Test(scaler_refused, strangers_do_not_fill_the_log)
{
    FILE *log = tmpfile();
    int terminal = dup(STDERR_FILENO);

    scaling_open("127.0.0.1:1", NULL);
    dup2(fileno(log), STDERR_FILENO);
    for (int i = 0; i < 500; i++) {
        char *bad = xasprintf("lagThreshold=x%d", i);

        scaling_ask("app", (const char *[]){"topic=orders", "consumerGroup=workers", bad,
                                            "consumergroup=", NULL});
        free(bad);
    }
    dup2(terminal, STDERR_FILENO);
    cr_expect_eq(count_lines(log, " is refused: "), 60);
    cr_expect_eq(count_lines(log, "More than 60 refusals a minute"), 1);
    close(terminal);
    fclose(log);
}
