/* watch: where its settings come from, what is wrong with them, and how they change while it runs.
 */
#include "base/xalloc.h"
#include "kafka/mock.h"
#include "tests/harness/await.h"
#include "tests/harness/watcher.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTINGS (const char *[])

static struct mock *mock;
static struct watcher *watcher;

static void set_up(void)
{
    const char *reason;

    mock = mock_new(1, &reason);
    cr_assert(mock, "%s", reason);
    mock_create_topic(mock, "orders", 1);
    mock_create_topic(mock, "returns", 1);
    watcher = watcher_new("orders", mock_bootstrap(mock));
    watcher_deploy(watcher, "other");
    cluster_write(watcher->cluster, "orders", 0, 1);
    cluster_write(watcher->cluster, "returns", 0, 1);
}

static void tear_down(void)
{
    watcher_free(watcher);
    mock_free(mock);
}

TestSuite(watch_settings, .init = set_up, .fini = tear_down, .timeout = 240);

/* ---- a settings file ---- */

#define ORDERS                                                                                     \
    "{\"Topic\":\"orders\",\"ConsumerGroupId\":\"g\",\"FunctionName\":\"sleeper\","                \
    "\"CooldownSeconds\":3600}"
#define RETURNS                                                                                    \
    "{\"Topic\":\"returns\",\"ConsumerGroupId\":\"g\",\"FunctionName\":\"other\","                 \
    "\"CooldownSeconds\":3600}"
#define FILE_OF(bindings) "{\"SlimFaasKafka\":{\"Bindings\":[" bindings "]}}"

static char *path_of(const char *name)
{
    return xasprintf("%s/%s", watcher->folder, name);
}

static void write_file(const char *name, const char *text)
{
    char *path = path_of(name);
    FILE *file = fopen(path, "w");

    cr_assert(file, "%s", path);
    fputs(text, file);
    fclose(file);
    free(path);
}

/* As editors do: another file takes the name. */
static void replace_file(const char *name, const char *text)
{
    char *path = path_of(name), *beside = path_of("beside");

    write_file("beside", text);
    cr_assert_eq(rename(beside, path), 0);
    free(beside);
    free(path);
}

static void start_with_file(const char *name)
{
    char *setting = xasprintf("settings=%s/%s", watcher->folder, name);

    watcher_start_bare(watcher, SETTINGS{setting, NULL});
    free(setting);
}

static void expect_text(const char *text)
{
    cr_expect(child_await_text(watcher->program, text, WATCHER_PATIENCE_MS), "no \"%s\" in:\n%s",
              text, child_output(watcher->program));
}

static void expect_woken_once(const char *function)
{
    cr_expect(watcher_await_wakes(watcher, function, 1), "%s", child_output(watcher->program));
    watcher_await_checks(watcher, 3);
    cr_expect_eq(watcher_wakes(watcher, function), 1, "%s was woken again", function);
}

/* All of SlimFaas Kafka's own file, and what .NET has in it beside. */
Test(watch_settings, an_appsettings_file_is_read_as_it_is)
{
    write_file("appsettings.json",
               "{\"Logging\":{\"LogLevel\":{\"Default\":\"Information\"}},\"AllowedHosts\":\"*\","
               "\"Kafka\":{\"BootstrapServers\":\"nowhere:1\",\"ClientId\":\"slimkafka-monitor\","
               "\"CheckIntervalSeconds\":5,\"KafkaTimeoutSeconds\":5,"
               "\"AllowAutoCreateTopics\":true},"
               "\"SlimFaas\":{\"BaseUrl\":\"http://slimfaas:5000\","
               "\"WakeUpPathTemplate\":\"/wake-function/{functionName}\","
               "\"HttpTimeoutSeconds\":10},"
               "\"SlimFaasKafka\":{\"Bindings\":[{\"Topic\":\"orders\","
               "\"ConsumerGroupId\":\"g\",\"FunctionName\":\"sleeper\",\"MinPendingMessages\":1,"
               "\"CooldownSeconds\":3600,\"ActivityKeepAliveSeconds\":60,"
               "\"MinConsumedDeltaForActivity\":1}]}}");
    start_with_file("appsettings.json");
    expect_woken_once("sleeper");
}

Test(watch_settings, a_file_that_is_replaced_is_read_again_and_what_stays_keeps_its_state)
{
    write_file("s.json", FILE_OF(ORDERS));
    start_with_file("s.json");
    expect_woken_once("sleeper");
    replace_file("s.json", FILE_OF(RETURNS "," ORDERS));
    expect_text("Settings read again: 2 bindings");
    expect_woken_once("other");
    cr_expect_eq(watcher_wakes(watcher, "sleeper"), 1, "it forgot the cool-down");
    replace_file("s.json", FILE_OF(RETURNS));
    expect_text("Settings read again: 1 binding\n");
    cr_expect_eq(watcher_value(watcher, "slimfaaskafka_pending_messages"), -1000,
                 "a binding that is gone has no metrics");
    cr_expect_eq(watcher_metric(watcher, "kafka_connector_bindings"), 1);
}

Test(watch_settings, a_file_that_is_written_in_place_is_read_again)
{
    write_file("s.json", FILE_OF(ORDERS));
    start_with_file("s.json");
    expect_woken_once("sleeper");
    write_file("s.json", FILE_OF(ORDERS "," RETURNS));
    expect_text("Settings read again: 2 bindings");
    expect_woken_once("other");
}

/* folder/s.json -> ..data/s.json, ..data -> v1: only ..data is changed, by a rename over it. */
Test(watch_settings, a_config_map_is_read_again)
{
    char *first = path_of("v1"), *second = path_of("v2"), *data = path_of("..data"),
         *beside = path_of("..data_tmp"), *link = path_of("s.json");

    cr_assert_eq(mkdir(first, 0700) + mkdir(second, 0700), 0);
    write_file("v1/s.json", FILE_OF(ORDERS));
    write_file("v2/s.json", FILE_OF(ORDERS "," RETURNS));
    cr_assert_eq(symlink("v1", data) + symlink("..data/s.json", link), 0);
    start_with_file("s.json");
    expect_woken_once("sleeper");
    cr_assert_eq(symlink("v2", beside), 0);
    cr_assert_eq(rename(beside, data), 0);
    expect_text("Settings read again: 2 bindings");
    expect_woken_once("other");
    cr_expect_eq(child_count(watcher->program, "Settings read again"), 1);
    free(first), free(second), free(data), free(beside), free(link);
}

Test(watch_settings, a_faulty_file_changes_nothing_and_a_mended_one_does)
{
    write_file("s.json", FILE_OF(ORDERS));
    start_with_file("s.json");
    expect_woken_once("sleeper");
    replace_file("s.json", FILE_OF(ORDERS ",{\"Topic\":\"a b\",\"CooldownSeconds\":\"x\"}"));
    expect_text(
        "Settings: SlimFaasKafka__Bindings__1__CooldownSeconds: \"x\" is not a whole number");
    expect_text("Settings: SlimFaasKafka__Bindings__1__ConsumerGroupId: it must be given");
    expect_text("Settings: SlimFaasKafka__Bindings__1__Topic: \"a b\" is not a topic's name");
    expect_text("4 faults; all stays as it was");
    cr_expect_eq(watcher_metric(watcher, "kafka_connector_settings_fault"), 1);
    cr_expect_eq(watcher_metric(watcher, "kafka_connector_bindings"), 1);
    replace_file("s.json", "{\"SlimFaasKafka\":");
    expect_text("is not JSON");
    replace_file("s.json", FILE_OF(ORDERS "," RETURNS));
    expect_text("Settings read again: 2 bindings");
    cr_expect_eq(watcher_metric(watcher, "kafka_connector_settings_fault"), 0);
    expect_woken_once("other");
    cr_expect_eq(watcher_wakes(watcher, "sleeper"), 1);
}

Test(watch_settings, sighup_has_them_read_again)
{
    write_file("s.json", FILE_OF(ORDERS));
    start_with_file("s.json");
    expect_woken_once("sleeper");
    child_signal(watcher->program, SIGHUP);
    expect_text("Settings read again: 1 binding\n");
    expect_woken_once("sleeper");
    watcher_stop(watcher);
}

Test(watch_settings, rules_and_addresses_change_without_a_new_start)
{
    write_file("s.json", "{\"SlimFaas\":{\"WakeUpPathTemplate\":\"/wrong/{functionName}\"},"
                         "\"SlimFaasKafka\":{\"Bindings\":[" ORDERS "]}}");
    start_with_file("s.json");
    expect_text("it cannot be woken: status 404");
    replace_file("s.json", "{\"Kafka\":{\"ClientId\":\"another\",\"KafkaTimeoutSeconds\":7},"
                           "\"SlimFaasKafka\":{\"Bindings\":[" ORDERS "]}}");
    expect_text("Changed, and taken up only at the next start: Kafka__ClientId, "
                "Kafka__KafkaTimeoutSeconds\n");
    expect_woken_once("sleeper");
    replace_file("s.json", "{\"SlimFaasKafka\":{\"Bindings\":[{\"Topic\":\"orders\","
                           "\"ConsumerGroupId\":\"g\",\"FunctionName\":\"sleeper\","
                           "\"CooldownSeconds\":0}]}}");
    cr_expect(watcher_await_wakes(watcher, "sleeper", 3));
}

/* ---- at the start ---- */

/* Without the harness' settings, and without a mode. */
static struct child *start_plain(const char *const *arguments, const char *const *environment)
{
    const char *build = getenv("BUILD");
    char *path = xasprintf("%s/kafka-connector", build ? build : "build");
    const char *all[10] = {path};
    struct child *child;

    for (size_t i = 0; arguments && arguments[i]; i++)
        all[i + 1] = arguments[i];
    child = child_start(&watcher->loop, all, environment);
    free(path);
    return child;
}

static void expect_faults(const char *const *environment, const char *const *faults)
{
    struct child *child = start_plain(SETTINGS{"watch", NULL}, environment);
    int status;

    cr_assert(child_await_end(child, WATCHER_PATIENCE_MS, &status));
    cr_expect_eq(status, 2);
    for (; *faults; faults++)
        cr_expect(strstr(child_output(child), *faults), "no \"%s\" in:\n%s", *faults,
                  child_output(child));
    child_free(child);
}

#define BINDING "SlimFaasKafka__Bindings__"

Test(watch_settings, all_faults_are_told_at_once_each_with_its_binding)
{
    expect_faults(
        SETTINGS{BINDING "0__Topic=orders", BINDING "2__ConsumerGroupId=g",
                 BINDING "2__FunctionName=f", BINDING "2__Topic=a/b", BINDING "5__Topic=t",
                 BINDING "5__ConsumerGroupId=g", BINDING "5__FunctionName=f",
                 "SlimKafka__Bindings__7__Topic=t", BINDING "7__ConsumerGroupId=g",
                 BINDING "7__FunctionName=f", BINDING "8__Topik=t",
                 BINDING "5__CooldownSeconds=soon", "Kafka__CheckIntervalSeconds=-1",
                 "Kafka__BootstrapServers=kafka:x", "SlimFaas__WakeUpPathTemplate=/wake", NULL},
        SETTINGS{BINDING "0__ConsumerGroupId: it must be given",
                 BINDING "0__FunctionName: it must be given",
                 BINDING "2__Topic: \"a/b\" is not a topic's name",
                 BINDING "7: topic, group and function are those of " BINDING "5",
                 "unknown " BINDING "8__Topik; did you mean " BINDING "8__Topic?",
                 BINDING "5__CooldownSeconds: \"soon\" is not a whole number [environment]",
                 "Kafka__CheckIntervalSeconds: \"-1\"", "broker_host: \"kafka:x\"",
                 "SlimFaas__WakeUpPathTemplate: \"/wake\" has no {functionName}", "9 faults",
                 NULL});
}

static void expect_mode(const char *const *arguments, const char *const *environment,
                        const char *line)
{
    struct child *child = start_plain(arguments, environment);

    cr_expect(child_await_text(child, line, WATCHER_PATIENCE_MS), "no \"%s\" in:\n%s", line,
              child_output(child));
    child_free(child);
}

#define NOWHERE                                                                                    \
    "Kafka__BootstrapServers=127.0.0.1:1", "broker_host=127.0.0.1:1", "admin_listen=none",         \
        "gateway_url=http://127.0.0.1:1"
#define ONE                                                                                        \
    "SlimKafka__Bindings__0__Topic=t", "SlimKafka__Bindings__0__ConsumerGroupId=g",                \
        "SlimKafka__Bindings__0__FunctionName=f"

Test(watch_settings, bindings_in_the_environment_mean_this_mode)
{
    expect_mode(NULL, SETTINGS{NOWHERE, ONE, NULL},
                "mode watch (its bindings are in the environment)");
    expect_mode(NULL, SETTINGS{NOWHERE, NULL}, "mode invoke (the default)");
    expect_mode(NULL, SETTINGS{NOWHERE, ONE, "mode=invoke", NULL},
                "mode invoke (the environment's mode)");
    expect_mode(NULL, SETTINGS{NOWHERE, "mode=watch", NULL}, "mode watch (the environment's mode)");
    expect_mode(SETTINGS{"watch", NULL}, SETTINGS{NOWHERE, NULL},
                "mode watch (the first argument)");
    expect_mode(SETTINGS{"invoke", NULL}, SETTINGS{NOWHERE, ONE, NULL},
                "mode invoke (the first argument)");
}

Test(watch_settings, check_asks_broker_and_server)
{
    char *broker = xasprintf("Kafka__BootstrapServers=%s", watcher->bootstrap);
    char *server = xasprintf("SlimFaas__BaseUrl=%s", faas_gateway_url(watcher->gateway));
    struct child *child = start_plain(SETTINGS{"check", NULL}, SETTINGS{ONE, broker, server, NULL});
    int status;

    cr_assert(child_await_end(child, WATCHER_PATIENCE_MS, &status));
    cr_expect_eq(status, 0, "%s", child_output(child));
    cr_expect(strstr(child_output(child), "brokers: 1"), "%s", child_output(child));
    cr_expect(strstr(child_output(child), "/health: status 404"), "%s", child_output(child));
    child_free(child);
    child = start_plain(SETTINGS{"check", NULL}, SETTINGS{NOWHERE, ONE, NULL});
    cr_assert(child_await_end(child, WATCHER_PATIENCE_MS, &status));
    cr_expect_eq(status, 1, "%s", child_output(child));
    cr_expect(strstr(child_output(child), "\nKafka__BootstrapServers 127.0.0.1:"), "%s",
              child_output(child));
    cr_expect(strstr(child_output(child), "\nSlimFaas__BaseUrl http://"), "%s",
              child_output(child));
    child_free(child);
    free(server);
    free(broker);
}

/* It was all well, with nothing to do. */
Test(watch_settings, check_tells_that_nothing_would_be_watched)
{
    char *broker = xasprintf("Kafka__BootstrapServers=%s", watcher->bootstrap);
    char *server = xasprintf("SlimFaas__BaseUrl=%s", faas_gateway_url(watcher->gateway));
    struct child *child =
        start_plain(SETTINGS{"check", "watch", NULL}, SETTINGS{broker, server, NULL});
    int status;

    cr_assert(child_await_end(child, WATCHER_PATIENCE_MS, &status));
    cr_expect_eq(status, 1, "%s", child_output(child));
    cr_expect(strstr(child_output(child), "no bindings (SlimFaasKafka__Bindings__0__Topic"), "%s",
              child_output(child));
    cr_expect(strstr(child_output(child), "brokers: 1"), "%s", child_output(child));
    child_free(child);
    free(server);
    free(broker);
}
