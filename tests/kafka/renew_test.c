/* Members of one instance_id with a real Apache Kafka, which fences one when the other comes. */
#include "tests/harness/scene.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { SOON_MS = 60 * 1000, LONG_MS = 120 * 1000, RECORDS = 6000 };

static const char *const settings[] = {"instance_id=twin", NULL};

/* The first comes back when its wait is over, fences the second, which waits in turn; whichever is
 * left goes on alone. */
Test(renew, twins_fence_each_other_until_one_is_left)
{
    struct scene *scene = scene_new("renew-twins", NULL, 3);
    struct child *first = scene_connector(scene, settings), *second, *load;
    struct account account;
    char *text;

    scene_await_assigned(first, 1);
    load = scene_load(scene, RECORDS, 500, NULL);
    cr_assert(scene_await_ran(scene, 100, SOON_MS), "%s", child_output(first));
    second = scene_connector(scene, settings);
    cr_assert(child_await_text(first, "out of the consumer group", SOON_MS), "%s",
              child_output(first));
    cr_assert(child_await_text(second, "out of the consumer group", SOON_MS), "%s",
              child_output(second));
    scene_stop(second); /* while it is out */
    cr_expect(scene_await_done(scene, load, LONG_MS), "%s", child_output(first));
    cr_expect(strstr(child_output(first), "with a new Kafka client"), "%s", child_output(first));
    scene_stop(first);
    account = scene_account(scene);
    text = account_text(&account);
    cr_log_info("%s: %s", scene->topic, text);
    cr_expect_eq(account.records, RECORDS, "%s", text);
    cr_expect_eq(account.lost, 0, "%s", text);
    cr_expect_eq(account.strange, 0, "%s", text);
    free(text);
    child_free(load);
    scene_free(scene);
}
