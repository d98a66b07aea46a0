/*
 * sandbox: Kafka and OpenFaaS on one's own machine, as far as the connector can tell: librdkafka's
 * mock brokers and a gateway whose functions are local programs. In memory, loopback only.
 */
#include "base/log.h"
#include "base/option.h"
#include "base/version.h"
#include "base/xalloc.h"
#include "kafka/mock.h"
#include "sandbox/functions_file.h"
#include "sandbox/gateway.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

enum { FILE_POLL_MS = 300 };

/* ---- options ---- */

struct sandbox_options {
    char *listen;
    int64_t brokers;
    int64_t partitions;
    char *functions;
    char *bootstrap_file;
    bool asleep;
    bool help, version;
};

#define FIELD(name) offsetof(struct sandbox_options, name)

static const struct option_row option_rows[] = {
    {.name = "listen",
     .type = OPTION_STRING,
     .offset = FIELD(listen),
     .default_text = "127.0.0.1:8080",
     .value_name = "ADDRESS:PORT",
     .text = "Where the gateway listens; port 0 is any free one. The functions are programs of "
             "this machine that whoever reaches the gateway can run: keep it on 127.0.0.1.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "brokers",
     .type = OPTION_INT,
     .offset = FIELD(brokers),
     .default_text = "1",
     .min = 1,
     .max = 9,
     .text = "How many Kafka brokers.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "partitions",
     .type = OPTION_INT,
     .offset = FIELD(partitions),
     .default_text = "3",
     .min = 1,
     .max = 1000,
     .text = "How many partitions a topic has.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "functions",
     .type = OPTION_STRING,
     .offset = FIELD(functions),
     .default_text = "sandbox/functions",
     .value_name = "PATH",
     .text = "File of the functions: a name, topics and a program a line. Read again when it "
             "changes.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "bootstrap_file",
     .type = OPTION_STRING,
     .offset = FIELD(bootstrap_file),
     .value_name = "PATH",
     .text = "Write the brokers' addresses to this file, once everything is up; their ports are "
             "other ones at each start.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "asleep",
     .type = OPTION_BOOL,
     .offset = FIELD(asleep),
     .text = "The functions have no replicas until they are woken (POST /wake-function/NAME).",
     .flags = OPTION_FLAG_ONLY},
    {.name = "help",
     .aliases = "h",
     .type = OPTION_BOOL,
     .offset = FIELD(help),
     .text = "Show this.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "version",
     .type = OPTION_BOOL,
     .offset = FIELD(version),
     .text = "Show the version.",
     .flags = OPTION_FLAG_ONLY},
};

static const struct option_table option_table = {"Sandbox", option_rows,
                                                 sizeof(option_rows) / sizeof(*option_rows)};

/* ---- state ---- */

struct sandbox {
    struct sandbox_options options;
    uv_loop_t loop;
    uv_signal_t interrupt, terminate;
    uv_fs_poll_t file;
    struct mock *kafka;
    struct faas_gateway *gateway;
    struct function_line *functions; /* those that are deployed */
};

/* ---- functions ---- */

static void create_topics(struct sandbox *sandbox, const char *topics)
{
    char *copy = xstrdup(topics), *rest = copy, *topic;
    while ((topic = strsep(&rest, ",")))
        mock_create_topic(sandbox->kafka, topic, (int)sandbox->options.partitions);
    free(copy);
}

static void deploy(struct sandbox *sandbox, const struct function_line *line)
{
    create_topics(sandbox, line->topics);
    struct faas_function *function = faas_deploy(sandbox->gateway, line->name, NULL, line->topics);
    faas_program(function, (char *[]){"/bin/sh", "-c", line->program, NULL});
    faas_set_replicas(function, !sandbox->options.asleep);
    log_info(NULL, "Function %s on %s: %s", line->name, line->topics, line->program);
}

static bool same_line(const struct function_line *a, const struct function_line *b)
{
    return a && b && strcmp(a->topics, b->topics) == 0 && strcmp(a->program, b->program) == 0;
}

/* What stays as it was is left alone, so that its calls are not cut. */
static void deploy_all(struct sandbox *sandbox, struct function_line *lines)
{
    const struct function_line *line;
    DL_FOREACH (sandbox->functions, line) {
        if (functions_file_find(lines, line->name))
            continue;
        faas_remove(faas_find(sandbox->gateway, line->name));
        log_info(NULL, "Function %s is gone", line->name);
    }
    DL_FOREACH (lines, line)
        if (!same_line(line, functions_file_find(sandbox->functions, line->name)))
            deploy(sandbox, line);
    functions_file_release(&sandbox->functions);
    sandbox->functions = lines;
}

static void on_file_changed(uv_fs_poll_t *poll, int status, const uv_stat_t *before,
                            const uv_stat_t *now)
{
    (void)status, (void)before, (void)now;
    struct sandbox *sandbox = poll->data;
    struct function_line *lines = NULL;
    char *reason = NULL;
    if (functions_file_read(sandbox->options.functions, &lines, &reason))
        deploy_all(sandbox, lines);
    else
        log_warning(NULL, "The functions stay as they are: %s", reason);
    free(reason);
}

static void on_call(void *context, enum faas_event event, const struct faas_call *call, int status)
{
    (void)context;
    struct log_subject subject = {*call->topic ? call->topic : NULL, call->partition, call->offset,
                                  call->function};
    if (event != FAAS_RAN)
        return;
    if (status < 400)
        log_info(&subject, "ran on %zu bytes, status %d", call->body_size, status);
    else
        log_warning(&subject, "failed on %zu bytes, status %d", call->body_size, status);
}

/* ---- start and end ---- */

static void write_bootstrap_file(const char *path, const char *bootstrap)
{
    char *beside = xasprintf("%s.new", path); /* renamed, so that nobody reads half of it */
    FILE *file = fopen(beside, "we");
    bool written = file && fprintf(file, "%s\n", bootstrap) > 0;
    if (file && fclose(file) != 0)
        written = false;
    if (!written || rename(beside, path) != 0)
        die("--bootstrap-file %s: %s", path, strerror(errno));
    free(beside);
}

static void start_brokers(struct sandbox *sandbox)
{
    const char *reason;
    sandbox->kafka = mock_new((int)sandbox->options.brokers, &reason);
    if (!sandbox->kafka)
        die("cannot start the brokers: %s", reason);
}

static void start_gateway(struct sandbox *sandbox)
{
    char *reason;
    sandbox->gateway = faas_gateway_new(&sandbox->loop, sandbox->options.listen, &reason);
    if (!sandbox->gateway)
        die("%s; choose another with --listen ADDRESS:PORT", reason);
    faas_namespaces(sandbox->gateway, false); /* plain names, as one writes them in the file */
    faas_observe(sandbox->gateway, on_call, sandbox);
}

static void start_functions(struct sandbox *sandbox)
{
    struct function_line *lines = NULL;
    char *reason;
    if (!functions_file_read(sandbox->options.functions, &lines, &reason))
        die("--functions: %s", reason);
    deploy_all(sandbox, lines);
    uv_fs_poll_init(&sandbox->loop, &sandbox->file);
    sandbox->file.data = sandbox;
    uv_fs_poll_start(&sandbox->file, on_file_changed, sandbox->options.functions, FILE_POLL_MS);
}

static void on_signal(uv_signal_t *signal, int number)
{
    log_info(NULL, "%s: ends", strsignal(number));
    uv_stop(signal->loop);
}

static void await_signal(struct sandbox *sandbox, uv_signal_t *signal, int number)
{
    uv_signal_init(&sandbox->loop, signal);
    uv_signal_start(signal, on_signal, number);
}

static void tell_ready(const struct sandbox *sandbox)
{
    const struct sandbox_options *options = &sandbox->options;
    const char *bootstrap = mock_bootstrap(sandbox->kafka);
    if (options->bootstrap_file)
        write_bootstrap_file(options->bootstrap_file, bootstrap);
    log_info(NULL, "Gateway: %s, functions of %s", faas_gateway_url(sandbox->gateway),
             options->functions);
    log_info(NULL, "Kafka: %s", bootstrap);
    printf("%s\n", bootstrap);
    fflush(stdout);
}

static void stop(struct sandbox *sandbox)
{
    uv_close((uv_handle_t *)&sandbox->interrupt, NULL);
    uv_close((uv_handle_t *)&sandbox->terminate, NULL);
    uv_close((uv_handle_t *)&sandbox->file, NULL);
    faas_gateway_free(sandbox->gateway);
    uv_run(&sandbox->loop, UV_RUN_DEFAULT);
    uv_loop_close(&sandbox->loop);
    functions_file_release(&sandbox->functions);
    mock_free(sandbox->kafka);
}

static int run(struct sandbox *sandbox)
{
    uv_loop_init(&sandbox->loop);
    await_signal(sandbox, &sandbox->interrupt, SIGINT);
    await_signal(sandbox, &sandbox->terminate, SIGTERM);
    start_gateway(sandbox);
    start_brokers(sandbox);
    start_functions(sandbox);
    tell_ready(sandbox);
    uv_run(&sandbox->loop, UV_RUN_DEFAULT);
    stop(sandbox);
    return EXIT_SUCCESS;
}

static int tell_help(void)
{
    puts("sandbox runs Kafka brokers and an OpenFaaS-like gateway on this machine, to try the\n"
         "connector without either: in memory, on 127.0.0.1, gone when it ends.\n"
         "Usage: sandbox [OPTION...]\n\n"
         "It prints the brokers' addresses. With them, in other terminals:\n"
         "  broker_host=ADDRESSES gateway_url=http://127.0.0.1:8080 print_response=true "
         "kafka-connector\n"
         "  producer -broker ADDRESSES -topic faas-request -value hello\n"
         "Or all of it at once: ./build.sh demo\n\n"
         "Ctrl-C or SIGTERM ends it. Exit status: 0, or 2 when it cannot start.\n");
    option_print_help(&option_table, stdout);
    return EXIT_SUCCESS;
}

static int tell_faults(const struct option_faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        fprintf(stderr, "sandbox: %s\n", faults->items[i]);
    return 2;
}

int main(int argc, char **argv)
{
    struct sandbox sandbox = {0};
    struct option_group group = {&option_table, &sandbox.options};
    struct option_input input = {.argc = argc - 1, .argv = argv + 1};
    struct option_faults faults = {0};
    int status = EXIT_SUCCESS;

    option_read(&group, 1, &input, &faults);
    if (sandbox.options.help)
        status = tell_help();
    else if (sandbox.options.version)
        printf("sandbox %s\n", program_version);
    else if (faults.count)
        status = tell_faults(&faults);
    else
        status = run(&sandbox);
    option_faults_release(&faults);
    option_release(&group, 1);
    return status;
}
