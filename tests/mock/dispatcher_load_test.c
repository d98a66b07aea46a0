/* dispatcher_load_test: a hundred thousand records, whose calls nobody keeps. */
#include "tests/harness/rig.h"

#include "tests/harness/await.h"

#include <criterion/criterion.h>

enum { RECORDS = 100 * 1000, PARTITIONS = 4, PATIENCE_MS = 200 * 1000 };

struct tally {
    unsigned char runs[PARTITIONS][RECORDS / PARTITIONS];
    int64_t last[PARTITIONS]; /* without keys: each partition in order */
    size_t disordered;
};

static struct faas_reply count(void *context, const struct faas_call *call)
{
    struct tally *tally = context;

    tally->runs[call->partition][call->offset]++;
    tally->disordered += call->offset != tally->last[call->partition];
    tally->last[call->partition] = call->offset + 1;
    return (struct faas_reply){0};
}

static bool all_committed(void *context)
{
    struct rig *rig = context;

    return memory_source_all_committed(rig->source);
}

Test(dispatcher_load, a_hundred_thousand_records_through_two_functions, .timeout = 240)
{
    static struct tally a, b;
    struct rig *rig = rig_new();

    call_log_free(rig->calls);
    rig->calls = NULL;
    rig->options.log_calls = LOG_CALLS_SUMMARY;
    faas_decide(rig_deploy(rig, "a", "orders", NULL), count, &a);
    faas_decide(rig_deploy(rig, "b", "orders", NULL), count, &b);
    memory_source_topic(rig->source, "orders", PARTITIONS);
    for (int i = 0; i < PARTITIONS; i++)
        memory_source_fill(rig->source, "orders", i, RECORDS / PARTITIONS, 0);
    rig_start(rig);
    cr_assert(await(&rig->loop, all_committed, rig, PATIENCE_MS));
    for (int i = 0; i < PARTITIONS; i++)
        for (int64_t offset = 0; offset < RECORDS / PARTITIONS; offset++)
            cr_assert(a.runs[i][offset] == 1 && b.runs[i][offset] == 1);
    cr_expect_eq(a.disordered + b.disordered, 0);
    cr_expect_leq(memory_source_most_held(rig->source), PARTITIONS * 1000);
    cr_expect_eq(rig_metric(rig, "kafka_connector_buffered_bytes"), 0);
    rig_free(rig);
}
