/* The shipped connector and producer with a real Apache Kafka and a scripted gateway: whatever
 * comes and goes, each record of the log is accounted for. */
#include "tests/harness/await.h"
#include "tests/harness/broker.h"
#include "tests/harness/scene.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

enum { SOON_MS = 30 * 1000, LONG_MS = 90 * 1000, MAX_INFLIGHT = 64 };

/* Every record in the log ran; at most so many runs were one too many; none came before its turn.
 */
static void expect_all(struct scene *scene, int64_t records, int64_t repeated)
{
    struct account account = scene_account(scene);
    char *text = account_text(&account);

    cr_log_info("%s: %s", scene->topic, text);
    cr_expect_eq(account.records, records, "%s", text);
    cr_expect_eq(account.lost, 0, "%s", text);
    cr_expect_leq(account.repeated, repeated, "%s, at most %ld were allowed", text, (long)repeated);
    cr_expect_eq(account.strange, 0, "%s", text);
    cr_expect_eq(account.disordered, 0, "%s", text);
    free(text);
}

/* ---- what it says ---- */

static const char drawn[] = " _____ _       _      _\n"
                            "|  ___(_) __ _| | ___| |_\n";

static void expect_line(struct child *program, const char *line)
{
    cr_expect_geq(child_count(program, line), 1, "no line \"%s\" in:\n%s", line,
                  child_output(program));
}

Test(invoke, says_what_the_first_connector_said)
{
    struct scene *scene = scene_new("faas-request", NULL, 1);
    struct faas_function *figlet = faas_deploy(scene->gateway, "figlet", NULL, "faas-request");
    struct child *connector, *producer;

    faas_remove(scene->function);
    faas_namespaces(scene->gateway, false);
    faas_script(figlet, &(struct faas_reply){.body = drawn});
    connector = scene_connector(scene, (const char *[]){"print_response=true", NULL});
    producer = scene_load(scene, 1, -1, NULL);
    cr_assert(child_await_text(connector, "Response [200] from figlet", SOON_MS), "%s",
              child_output(connector));
    expect_line(connector, "Binding to topics: [faas-request]\n");
    expect_line(connector, "Rebalanced: &{Type:rebalance OK Claimed:map[faas-request:[0]] "
                           "Released:map[] Current:map[faas-request:[0]]}\n");
    expect_line(connector, "Syncing topic map\n");
    expect_line(connector, "[#1] Received on [faas-request,0]: 'Test the function.'\n");
    expect_line(connector, "Invoke function: figlet\n");
    expect_line(connector, "|  ___(_) __ _| | ___| |_\n");
    cr_expect(scene_await_done(scene, producer, SOON_MS));
    expect_line(producer, "Msg: topic(faas-request)/partition(0)/offset(0)\n");
    cr_expect_eq(call_log_arrived(scene->log, "figlet"), 1);
    cr_expect_str_eq(call_log_at(scene->log, 0)->body, "Test the function.");
    scene_stop(connector);
    child_free(producer);
    scene_free(scene);
}

/* ---- members come and go ---- */

Test(invoke, members_join_and_leave_under_load)
{
    struct scene *scene = scene_new("rebalances", NULL, 6);
    struct child *stays = scene_connector(scene, NULL), *load;
    int joined = 0;

    scene_await_assigned(stays, 1);
    load = scene_load(scene, 16000, 1000, NULL);
    while (child_runs(load)) {
        struct child *guest = scene_connector(scene, NULL);

        scene_await_assigned(guest, 1);
        await_time(&scene->loop, 1000);
        scene_stop(guest);
        joined++;
    }
    cr_expect_geq(joined, 3);
    cr_expect(scene_await_done(scene, load, LONG_MS));
    expect_all(scene, 16000, 0);
    cr_expect_eq(scene_account(scene).crossed, 0, "two members called for one key at once");
    scene_stop(stays);
    child_free(load);
    scene_free(scene);
}

Test(invoke, a_kill_repeats_only_what_was_not_committed)
{
    struct scene *scene = scene_new("kill", NULL, 3);
    struct child *connector = scene_connector(scene, NULL);
    struct child *load = scene_load(scene, 8000, 1000, NULL);
    int64_t uncommitted;
    size_t covered;
    int status;

    cr_assert(scene_await_ran(scene, 3000, SOON_MS), "%s", child_output(connector));
    covered = call_log_arrived(scene->log, NULL);
    cr_assert(scene_await_covered(scene, covered, SOON_MS), "commits do not follow under load");
    child_signal(connector, SIGKILL);
    cr_assert(child_await_end(connector, SOON_MS, &status));
    child_free(connector);
    uncommitted = scene_uncommitted(scene, SIZE_MAX);
    cr_log_info("kill: %ld calls were not committed", (long)uncommitted);
    cr_expect_leq(uncommitted, (int64_t)(call_log_arrived(scene->log, NULL) - covered));
    connector = scene_connector(scene, NULL);
    cr_expect(scene_await_done(scene, load, LONG_MS), "%s", child_output(connector));
    expect_all(scene, 8000, uncommitted);
    scene_stop(connector);
    child_free(load);
    scene_free(scene);
}

Test(invoke, a_restart_repeats_nothing)
{
    struct scene *scene = scene_new("restart", NULL, 3);
    struct child *connector = scene_connector(scene, NULL);
    struct child *load = scene_load(scene, 6000, 1000, NULL);

    for (size_t ran = 1500; ran <= 4500; ran += 1500) {
        cr_assert(scene_await_ran(scene, ran, SOON_MS), "%s", child_output(connector));
        scene_stop(connector);
        connector = scene_connector(scene, NULL);
    }
    cr_expect(scene_await_done(scene, load, LONG_MS), "%s", child_output(connector));
    expect_all(scene, 6000, 0);
    scene_stop(connector);
    child_free(load);
    scene_free(scene);
}

/* ---- others go away ---- */

/* The group outlives it: nobody else may have had the partitions meanwhile, so nothing
 * is repeated. */
static void broker_goes_away(const char *name, int signal)
{
    static const char *const settings[] = {"kafka_session_timeout_ms=45000",
                                           "kafka_reconnect_backoff_max_ms=500", NULL};
    static const char *const arguments[] = {"-X=reconnect.backoff.max.ms=500",
                                            "-X=message.timeout.ms=120000", NULL};
    uv_loop_t loop; /* the broker's own: it outlives the scene */
    struct broker *broker;
    struct scene *scene;
    struct child *connector, *load;

    uv_loop_init(&loop);
    broker = broker_new(&loop);
    scene = scene_new(name, broker_bootstrap(broker), 3);
    connector = scene_connector(scene, settings);
    load = scene_load(scene, 6000, 1000, arguments);
    cr_assert(scene_await_ran(scene, 2000, SOON_MS), "%s", child_output(connector));
    broker_stop(broker, signal);
    await_time(&scene->loop, 1000);
    broker_restart(broker);
    cr_expect(scene_await_done(scene, load, LONG_MS), "%s", child_output(connector));
    expect_all(scene, cluster_records(scene->cluster, scene->topic), 0);
    scene_stop(connector);
    child_free(load);
    scene_free(scene);
    broker_free(broker);
    await_close(&loop);
}

Test(invoke, the_broker_is_restarted)
{
    broker_goes_away("broker-restart", SIGTERM);
}

Test(invoke, the_broker_is_killed)
{
    broker_goes_away("broker-kill", SIGKILL);
}

Test(invoke, the_gateway_is_away_for_a_while)
{
    struct scene *scene = scene_new("gateway-away", NULL, 3);
    struct child *connector = scene_connector(scene, NULL);
    struct child *load = scene_load(scene, 6000, 1000, NULL);
    int64_t cut;
    char *reason;

    cr_assert(scene_await_ran(scene, 2000, SOON_MS), "%s", child_output(connector));
    cut = (int64_t)call_log_in_flight(scene->log);
    faas_gateway_down(scene->gateway);
    await_time(&scene->loop, 3000);
    cr_assert(faas_gateway_up(scene->gateway, &reason));
    cr_expect(scene_await_done(scene, load, LONG_MS), "%s", child_output(connector));
    expect_all(scene, 6000, cut);
    scene_stop(connector);
    child_free(load);
    scene_free(scene);
}

/* The group gives its partitions up while it sleeps. Nobody else takes them, so it goes on where it
 * was: not even what was under way runs again. */
Test(invoke, a_frozen_process_repeats_nothing)
{
    struct scene *scene = scene_new("frozen", NULL, 3);
    struct child *connector = scene_connector(scene, NULL);
    struct child *load = scene_load(scene, 6000, 1000, NULL);

    for (size_t ran = 1500; ran <= 3000; ran += 1500) {
        cr_assert(scene_await_ran(scene, ran, SOON_MS), "%s", child_output(connector));
        child_signal(connector, SIGSTOP);
        await_time(&scene->loop, 4000); /* twice the session's timeout */
        child_signal(connector, SIGCONT);
    }
    cr_expect(scene_await_done(scene, load, LONG_MS), "%s", child_output(connector));
    cr_expect_geq(child_count(connector, "was lost before it could be given up"), 1, "%s",
                  child_output(connector));
    expect_all(scene, 6000, 0);
    scene_stop(connector);
    child_free(load);
    scene_free(scene);
}

/* Another member takes over meanwhile: what was under way may have run twice, nothing is lost. */
Test(invoke, a_frozen_process_gives_way)
{
    struct scene *scene = scene_new("gives-way", NULL, 3);
    struct child *frozen = scene_connector(scene, NULL), *other;
    struct child *load = scene_load(scene, 8000, 1000, NULL);
    int64_t uncommitted;
    size_t before;

    cr_assert(scene_await_ran(scene, 2000, SOON_MS), "%s", child_output(frozen));
    child_signal(frozen, SIGSTOP);
    other = scene_connector(scene, NULL);
    scene_await_assigned(other, 1);
    uncommitted = scene_uncommitted(scene, SIZE_MAX);
    cr_assert(scene_await_ran(scene, 4000, SOON_MS), "%s", child_output(other));
    before = call_log_arrived(scene->log, NULL);
    child_signal(frozen, SIGCONT);
    cr_assert(child_await_text(frozen, "was lost before it could be given up", SOON_MS), "%s",
              child_output(frozen));
    /* what it called for until it knew; what it had sent then may still come */
    uncommitted += (int64_t)(call_log_arrived(scene->log, NULL) - before) + MAX_INFLIGHT;
    cr_expect(scene_await_done(scene, load, LONG_MS), "%s", child_output(frozen));
    expect_all(scene, 8000, uncommitted);
    scene_stop(frozen);
    scene_stop(other);
    child_free(load);
    scene_free(scene);
}

/* ---- topics change ---- */

/* It is assigned and may be described; its commits are refused. */
Test(invoke, a_topic_that_may_not_be_read_holds_up_no_other)
{
    struct scene *scene = scene_new("allowed", NULL, 3);
    struct child *connector, *load;

    cluster_create(scene->cluster, "forbidden", 3);
    cluster_forbid_reading(scene->cluster, "forbidden");
    connector = scene_connector(scene, (const char *[]){"topics=allowed,forbidden", NULL});
    cr_assert(
        child_await_text(connector, "Current:map[allowed:[0 1 2] forbidden:[0 1 2]]", SOON_MS),
        "%s", child_output(connector));
    load = scene_load(scene, 1000, 1000, NULL);
    cr_expect(scene_await_done(scene, load, SOON_MS), "%s", child_output(connector));
    expect_all(scene, 1000, 0);
    cr_expect_geq(child_count(connector, "its commit was refused"), 1, "%s",
                  child_output(connector));
    scene_stop(connector);
    child_free(load);
    scene_free(scene);
}

Test(invoke, partitions_added_under_load_lose_nothing)
{
    struct scene *scene = scene_new("grown", NULL, 2);
    /* latest: a partition that is new must be read from its first record all the same */
    struct child *connector =
        scene_connector(scene, (const char *[]){"initial_offset=latest", NULL});
    struct child *load;

    scene_await_assigned(connector, 1);
    load = scene_load(scene, 10000, 1000,
                      (const char *[]){"-X=topic.metadata.refresh.interval.ms=200", NULL});
    cr_assert(scene_await_ran(scene, 2000, SOON_MS), "%s", child_output(connector));
    cluster_grow(scene->cluster, scene->topic, 6);
    cr_expect(scene_await_done(scene, load, LONG_MS), "%s", child_output(connector));
    cr_expect_gt(cluster_end(scene->cluster, scene->topic, 5), 0, "the load never saw them");
    expect_all(scene, 10000, 0);
    scene_stop(connector);
    child_free(load);
    scene_free(scene);
}

Test(invoke, a_topic_made_anew_is_read_from_its_beginning)
{
    struct scene *scene = scene_new("anew", NULL, 2);
    struct child *connector = scene_connector(scene, NULL);
    struct child *load = scene_load(scene, 1000, -1, NULL);

    cr_expect(scene_await_done(scene, load, SOON_MS), "%s", child_output(connector));
    expect_all(scene, 1000, 0);
    child_free(load);
    cluster_delete(scene->cluster, scene->topic);
    cluster_create(scene->cluster, scene->topic, 2);
    call_log_clear(scene->log);
    load = scene_load(scene, 600, -1, NULL);
    cr_expect(scene_await_done(scene, load, LONG_MS), "%s", child_output(connector));
    expect_all(scene, 600, 0);
    scene_stop(connector);
    child_free(load);
    scene_free(scene);
}

Test(invoke, fresh_replicas_leave_old_records_alone)
{
    static const char *const latest[] = {"initial_offset=latest", NULL};
    struct scene *scene = scene_new("old-records", NULL, 6);
    struct child *old = scene_load(scene, 10000, -1, NULL), *load, *replicas[2];
    int status;

    cr_assert(child_await_end(old, SOON_MS, &status) && status == 0, "%s", child_output(old));
    replicas[0] = scene_connector(scene, latest);
    replicas[1] = scene_connector(scene, latest);
    scene_await_assigned(replicas[0], 1);
    scene_await_assigned(replicas[1], 1);
    call_log_settle(scene->log, 3000);
    cr_expect_eq(call_log_arrived(scene->log, NULL), 0, "%s", child_output(replicas[0]));
    load = scene_load(scene, 600, -1, NULL);
    cr_expect(scene_await_done(scene, load, SOON_MS), "%s", child_output(replicas[0]));
    cr_expect_eq(call_log_ran(scene->log, NULL), 600);
    cr_expect_eq(scene_account(scene).lost, 10000, "only the new ones ran, each once");
    scene_stop(replicas[0]);
    scene_stop(replicas[1]);
    child_free(load);
    child_free(old);
    scene_free(scene);
}
