/* orders: see orders.h. */
#include "tests/harness/orders.h"

#include "core/lanes.h"
#include "core/progress.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct rig *rig;
struct faas_function *function;

void orders_set_up_without_function(void)
{
    rig = rig_new();
    memory_source_topic(rig->source, "orders", 1);
    rig->options.order = ORDER_NONE;
}

void orders_set_up(void)
{
    orders_set_up_without_function();
    function = rig_deploy(rig, "a", "orders", NULL);
}

void orders_tear_down(void)
{
    rig_free(rig);
    rig = NULL;
    function = NULL;
}

int64_t committed(void)
{
    return memory_source_committed(rig->source, "orders", 0);
}

void commit_before(int partition, int64_t offset, int32_t born)
{
    char text[PROGRESS_TEXT_SIZE + 1];

    progress_encode(&(struct progress){.born = born}, offset, PROGRESS_TEXT_SIZE, text);
    memory_source_set_committed(rig->source, "orders", partition, offset, text);
}

int64_t orders_dropped(void)
{
    return rig_function_metric(rig, "a", "invocations_dropped_total");
}

size_t orders_most_runs(int64_t count)
{
    size_t most = 0;

    for (int64_t offset = 0; offset < count; offset++) {
        size_t runs = call_log_ran_on(rig->calls, "a", "orders", 0, offset);

        most = runs > most ? runs : most;
    }
    return most;
}

void orders_start_with_a_commit_under_way(void)
{
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    memory_source_hold_commits(rig->source, true);
    memory_source_fill(rig->source, "orders", 0, 10, 0);
    cr_assert(rig_await_ran(rig, "a", 10));
    rig_settle(rig, 50);
    cr_assert(memory_source_committing(rig->source));
}

void orders_kill_members(unsigned seed)
{
    static const struct faas_reply soon = {.latency_ms = 2};

    rig->options.order = ORDER_KEY;
    faas_script(function, &soon);
    rig_start(rig);
    for (int i = 0; i < 30; i++) {
        memory_source_fill(rig->source, "orders", 0, 50, 9);
        rig_settle(rig, rand_r(&seed) % 20);
        rig_kill(rig);
        rig_start(rig);
    }
    cr_assert(rig_await_committed(rig));
}
