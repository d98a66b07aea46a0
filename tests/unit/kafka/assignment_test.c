/* assignment: the bytes that Kafka keeps for a member of a group. */
#include "kafka/assignment.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define BYTES(text) text, sizeof(text) - 1

static char seen[256];

static void on_partition(void *context, const char *topic, size_t topic_size, int32_t partition)
{
    size_t size = strlen(seen);

    (void)context;
    snprintf(seen + size, sizeof(seen) - size, "%.*s:%d ", (int)topic_size, topic, (int)partition);
}

static bool reads(const char *bytes, size_t size)
{
    seen[0] = '\0';
    return assignment_read(bytes, size, on_partition, NULL);
}

#define TWO_TOPICS                                                                                 \
    "\0\1\0\0\0\2"                                                                                 \
    "\0\1a\0\0\0\2\0\0\0\0\0\0\1\7"                                                                \
    "\0\2bc\0\0\0\1\0\0\0\5"                                                                       \
    "\377\377\377\377"

Test(assignment, tells_topics_and_partitions)
{
    cr_assert(reads(BYTES(TWO_TOPICS)));
    cr_expect_str_eq(seen, "a:0 a:263 bc:5 ");
}

Test(assignment, of_nothing_is_nothing)
{
    cr_expect(reads(BYTES("\0\0\0\0\0\0\377\377\377\377")));
    cr_expect_str_eq(seen, "");
    cr_expect_not(reads("", 0), "a member that has not been given anything yet");
}

Test(assignment, cut_anywhere_is_none)
{
    size_t whole = sizeof(TWO_TOPICS) - 1 - 4; /* the user's data behind it may be missing */

    for (size_t size = 0; size < whole; size++)
        cr_expect_not(reads(TWO_TOPICS, size), "%zu bytes", size);
    cr_expect(reads(TWO_TOPICS, whole));
}

Test(assignment, numbers_beyond_the_bytes_are_refused)
{
    cr_expect_not(reads(BYTES("\0\0\177\377\377\377")), "topics");
    cr_expect_not(reads(BYTES("\0\0\0\0\0\1\377\377")), "a name of less than nothing");
    cr_expect_not(reads(BYTES("\0\0\0\0\0\1\177\377a")), "a long name");
    cr_expect_not(reads(BYTES("\0\0\0\0\0\1\0\1a\177\377\377\377")), "partitions");
    cr_expect_str_eq(seen, "");
}
