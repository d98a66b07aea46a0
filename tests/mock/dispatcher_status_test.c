/* dispatcher_status_test: what /status says of functions, for whoever looks at the page. */
#include "tests/harness/rig.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct rig *rig;

static void set_up(void)
{
    rig = rig_new();
    memory_source_topic(rig->source, "orders", 1);
}

static void tear_down(void)
{
    rig_free(rig);
}

TestSuite(dispatcher_status, .init = set_up, .fini = tear_down, .timeout = 60);

static void expect_status(const char *part)
{
    json *status = json_object();
    char *text;

    dispatcher_status(rig->dispatcher, status);
    text = json_print(status, false);
    cr_expect(strstr(text, part), "no %s in %s", part, text);
    free(text);
    json_free(status);
}

Test(dispatcher_status, tells_a_functions_topics_and_what_became_of_its_calls)
{
    struct faas_function *function = rig_deploy(rig, "figlet", "orders,returns", NULL);

    faas_next(function, 1, &(struct faas_reply){.status = 503});
    memory_source_append(rig->source, "orders", 0, "k", "v");
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    expect_status("\"function\":\"figlet\",\"topics\":[\"orders\",\"returns\"],\"bound\":true,"
                  "\"state\":\"up\",\"state_seconds\":");
    expect_status("\"done\":1,\"retries\":1,\"unanswered\":0,\"unsent\":0,\"dropped\":0,"
                  "\"unbound\":0,\"too_old\":0,\"dead_letters\":0");
    expect_status("\"answers\":{\"2xx\":1,\"3xx\":0,\"4xx\":0,\"5xx\":1,\"of_late\":2,"
                  "\"errors_of_late\":1}");
    expect_status("\"gateway\":\"up\",\"gateway_state_seconds\":");
}

/* 500 is the function's own answer and ends the invocation: without dead letters nothing but the
 * answers' count told that a function refuses all it is sent. */
Test(dispatcher_status, tells_of_a_function_that_answers_with_errors_only)
{
    struct faas_function *function = rig_deploy(rig, "figlet", "orders", NULL);

    faas_script(function, &(struct faas_reply){.status = 500});
    memory_source_fill(rig->source, "orders", 0, 70, 10);
    rig_start(rig);
    cr_assert(rig_await_committed(rig));
    expect_status("\"state\":\"up\"");
    expect_status("\"done\":70");
    expect_status("\"5xx\":70,\"of_late\":64,\"errors_of_late\":64}");
    cr_expect_eq(
        rig_metric(rig, "kafka_connector_answers_total{function=\"figlet\",class=\"5xx\"}"), 70);
    cr_expect_eq(
        rig_metric(rig, "kafka_connector_answers_total{function=\"figlet\",class=\"2xx\"}"), 0);
}

/* What it is owed has not ended: the map names it no more, and so no topic of it. */
Test(dispatcher_status, one_that_is_gone_has_no_topics)
{
    struct faas_function *function = rig_deploy(rig, "figlet", "orders", NULL);

    faas_script(function, &(struct faas_reply){.latency_ms = FAAS_HELD});
    memory_source_append(rig->source, "orders", 0, "k", "v");
    rig_start(rig);
    cr_assert(rig_await_arrived(rig, "figlet", 1));
    rig_unlist(rig, "figlet");
    for (int i = 0; i < TOPIC_MAP_MISSING_LIMIT; i++)
        rig_list(rig);
    expect_status("\"function\":\"figlet\",\"topics\":[],\"bound\":false");
    faas_release(function, -1);
    cr_assert(rig_await_committed(rig));
}
