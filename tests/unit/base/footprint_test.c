/* footprint: what is let go of is less memory, and comes back when it is used. */
#include "base/footprint.h"

#include "base/duration.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* Of the program and its libraries, in KiB. */
static long mapped_kib(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[128];
    long kib = -1;

    while (fgets(line, sizeof(line), status))
        if (sscanf(line, "RssFile: %ld kB", &kib) == 1)
            break;
    fclose(status);
    return kib;
}

Test(footprint, trim_lets_go_of_what_is_not_used_and_all_goes_on)
{
    long before = mapped_kib(), after;
    int64_t ms;
    const char *reason;

    footprint_trim();
    after = mapped_kib();
    cr_assert_gt(after, 0);
    cr_expect_lt(after, before);
    cr_expect(duration_parse("1m30s", &ms, &reason));
    cr_expect_eq(ms, 90000);
}
