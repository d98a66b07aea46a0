/* dispatcher_metadata_test: a broker that takes less metadata with a commit than Kafka does by
 * default, or none (offset.metadata.max.bytes). */
#include "tests/harness/rig.h"

#include "base/log.h"
#include "core/lanes.h"
#include "core/progress.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS = 200 };

static struct rig *rig;
static struct faas_function *function;
static char *said;
static size_t said_size;
static FILE *said_to;

static void set_up(void)
{
    static const struct log_options options = {LOG_FORMAT_CONSOLE, LOG_LEVEL_WARNING};

    rig = rig_new();
    said_to = open_memstream(&said, &said_size);
    log_configure(&options, said_to);
    rig->options.order = ORDER_NONE;
    rig->options.max_inflight = RECORDS;
    memory_source_topic(rig->source, "orders", 1);
    function = rig_deploy(rig, "a", "orders", NULL);
}

static void tear_down(void)
{
    static const struct log_options options = {LOG_FORMAT_CONSOLE, LOG_LEVEL_WARNING};

    rig_free(rig);
    log_configure(&options, stderr);
    fclose(said_to);
    free(said);
}

TestSuite(dispatcher_metadata, .init = set_up, .fini = tear_down, .timeout = 60);

static struct faas_reply hold_every_second(void *context, const struct faas_call *call)
{
    (void)context;
    return (struct faas_reply){.latency_ms = call->offset % 2 ? 0 : FAAS_HELD};
}

static const char *metadata(void)
{
    return memory_source_metadata(rig->source, "orders", 0);
}

static size_t times_said(const char *text)
{
    size_t count = 0;

    fflush(said_to);
    for (const char *at = said; (at = strstr(at, text)); at++)
        count++;
    return count;
}

/* Every second record is finished, in runs of one: more than the broker takes. */
static void finish_half(void)
{
    faas_decide(function, hold_every_second, NULL);
    memory_source_fill(rig->source, "orders", 0, RECORDS, 0);
    rig_start(rig);
    cr_assert(rig_await_ran(rig, "a", RECORDS / 2));
}

/* It has left with the runs, and no more is under way. */
static bool is_told(struct rig *it)
{
    return rig_metric(it, "kafka_connector_invocations_done_total{function=\"a\"}") ==
               RECORDS / 2 &&
           !memory_source_committing(it->source) && times_said("commit metadata");
}

static void release(void)
{
    static const struct faas_reply at_once = {0};

    faas_decide(function, NULL, NULL);
    faas_script(function, &at_once);
    faas_release(function, -1);
}

Test(dispatcher_metadata, is_cut_to_what_the_broker_takes)
{
    struct progress progress = {0};

    memory_source_refuse_metadata(rig->source, 100);
    finish_half();
    cr_assert(rig_await(rig, is_told));
    cr_expect_lt(strlen(metadata()), 100, "%s", metadata());
    cr_assert(progress_decode(metadata(), 0, &progress), "%s", metadata());
    cr_expect(progress_finished(&progress, progress_name("a"), 1), "the lowest are kept");
    progress_clear(&progress);
    release();
    cr_assert(rig_await_committed(rig));
    cr_expect(rig_ran_each(rig, "a", "orders", RECORDS, 1));
    cr_expect_eq(times_said("commit metadata"), 1, "%s", said);
    cr_expect_leq(rig_metric(rig, "kafka_connector_commit_failures_total"), 6, "halved");
}

Test(dispatcher_metadata, where_none_is_taken_the_offset_goes_without)
{
    memory_source_refuse_metadata(rig->source, 1);
    finish_half();
    cr_assert(rig_await(rig, is_told));
    cr_expect_str_eq(metadata(), "");
    release();
    cr_assert(rig_await_committed(rig));
    cr_expect_eq(memory_source_committed(rig->source, "orders", 0), RECORDS);
    cr_expect_eq(times_said("commit metadata"), 1, "%s", said);
}

/* A drain's last commit waits for no back-off. */
Test(dispatcher_metadata, the_last_commit_of_a_drain_is_cut_too)
{
    rig->options.commit_interval = 60 * 1000;
    rig->drain_timeout_ms = 1;
    finish_half();
    memory_source_refuse_metadata(rig->source, 100);
    memory_source_revoke(rig->source);
    cr_assert(rig_await_released(rig));
    cr_expect_lt(strlen(metadata()), 100, "%s", metadata());
    cr_expect_gt(strlen(metadata()), 40, "runs are told: %s", metadata());
    cr_expect_eq(times_said("commit metadata"), 1, "%s", said);
}
