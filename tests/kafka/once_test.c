/* delivery=at-most-once with a real Apache Kafka: whatever happens, no record is called twice, and
 * only what is killed loses any. */
#include "tests/harness/await.h"
#include "tests/harness/scene.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

enum { SOON_MS = 30 * 1000, LONG_MS = 90 * 1000, WINDOW = 200, PARTITIONS = 3 };

static const char *const settings[] = {"delivery=at-most-once", "partition_window=200", NULL};

static void expect_no_repeat(struct scene *scene, int64_t records, int64_t lost)
{
    struct account account = scene_account(scene);
    char *text = account_text(&account);

    cr_log_info("%s: %s", scene->topic, text);
    cr_expect_eq(account.records, records, "%s", text);
    cr_expect_eq(account.repeated, 0, "%s", text);
    cr_expect_leq(account.lost, lost, "%s, at most %ld were allowed", text, (long)lost);
    cr_expect_eq(account.strange, 0, "%s", text);
    cr_expect_eq(account.disordered, 0, "%s", text);
    free(text);
}

Test(once, kills_repeat_nothing)
{
    struct scene *scene = scene_new("once-kill", NULL, PARTITIONS);
    struct child *connector = scene_connector(scene, settings);
    struct child *load = scene_load(scene, 8000, 1000, NULL);
    int kills = 0, status;

    for (size_t ran = 1500; ran <= 4500; ran += 1500, kills++) {
        cr_assert(scene_await_ran(scene, ran, SOON_MS), "%s", child_output(connector));
        child_signal(connector, SIGKILL);
        cr_assert(child_await_end(connector, SOON_MS, &status));
        child_free(connector);
        connector = scene_connector(scene, settings);
    }
    cr_expect(scene_await_done(scene, load, LONG_MS), "%s", child_output(connector));
    scene_stop(connector); /* waits for what is committed and under way */
    expect_no_repeat(scene, 8000, kills * PARTITIONS * WINDOW);
    child_free(load);
    scene_free(scene);
}

Test(once, members_that_join_and_leave_lose_and_repeat_nothing)
{
    struct scene *scene = scene_new("once-rebalances", NULL, 6);
    struct child *stays = scene_connector(scene, settings), *load;

    scene_await_assigned(stays, 1);
    load = scene_load(scene, 8000, 1000, NULL);
    while (child_runs(load)) {
        struct child *guest = scene_connector(scene, settings);

        scene_await_assigned(guest, 1);
        await_time(&scene->loop, 1000);
        scene_stop(guest);
    }
    cr_expect(scene_await_done(scene, load, LONG_MS), "%s", child_output(stays));
    scene_stop(stays);
    expect_no_repeat(scene, 8000, 0);
    child_free(load);
    scene_free(scene);
}
