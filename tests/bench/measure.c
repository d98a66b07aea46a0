/*
 * measure: runs a program that calls functions for records against a stub gateway, and prints what
 * it did as a line of numbers, in the order of their names in `print_result`.
 *
 *     measure --topic=T --records=N [--partitions=P] [--latency=MS] [--keep=FILE] -- PROGRAM ARG...
 *
 * The program gets the environment, with gateway_url. Time and CPU are those between the first
 * call's arrival and the last new record's, memory is read at the latter. It is then sent SIGTERM
 * and waited for: what it calls meanwhile counts. --keep: the first call's head and body, for the
 * ceiling. Exit status: 0 all records came once (in whatever order), 1 they did not, 2 no run.
 */
#include "base/xalloc.h"
#include "tests/bench/accounts.h"
#include "tests/bench/stub.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXIT_NO_RUN = 2, SIZE_MOST = 100000000, WATCH_MS = 1000, STUCK_S = 30 };

struct options {
    const char *topic, *keep;
    size_t records, partitions, latency_ms;
    char **command; /* NULL-ended */
};

/* What of the program is read at a moment. */
struct moment {
    uint64_t time_ns, cpu_ns;
    size_t peak_kib, resident_kib;
};

struct run {
    struct options options;
    struct stub stub;
    struct accounts accounts;
    uv_process_t program;
    uv_timer_t watch;
    uv_signal_t interrupt, terminate;
    struct moment first, last;
    size_t calls, calls_before; /* before the last look */
    int quiet_s;
    bool ending; /* it was sent a signal */
    int64_t exit_status;
    int exit_signal;
};

_Noreturn static void no_run(const char *what, const char *why)
{
    fprintf(stderr, "measure: %s: %s\n", what, why);
    exit(EXIT_NO_RUN);
}

/* ---- the program ---- */

static size_t status_kib(int pid, const char *name)
{
    char *path = xasprintf("/proc/%d/status", pid), line[256];
    FILE *file = fopen(path, "r");
    size_t kib = 0;

    while (file && !kib && fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtoul(line + strlen(name), NULL, 10);
    if (file)
        fclose(file);
    free(path);
    return kib;
}

static uint64_t cpu_ns(int pid)
{
    struct timespec time = {0};
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) == 0)
        clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static struct moment moment_now(const struct run *run)
{
    return (struct moment){uv_hrtime(), cpu_ns(run->program.pid),
                           status_kib(run->program.pid, "VmHWM:"),
                           status_kib(run->program.pid, "VmRSS:")};
}

static void end_program(struct run *run, int signal)
{
    run->ending = true;
    uv_process_kill(&run->program, signal);
}

static void on_exit_of_program(uv_process_t *program, int64_t status, int signal)
{
    struct run *run = program->data;

    run->exit_status = status;
    run->exit_signal = signal;
    uv_stop(program->loop);
}

static void start_program(struct run *run, uv_loop_t *loop)
{
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
    };
    uv_process_options_t options = {
        .exit_cb = on_exit_of_program,
        .file = run->options.command[0],
        .args = run->options.command,
        .stdio_count = 3,
        .stdio = stdio,
    };
    char *url = xasprintf("http://127.0.0.1:%d", run->stub.port);
    int fault;

    setenv("gateway_url", url, true);
    free(url);
    run->program.data = run;
    fault = uv_spawn(loop, &run->program, &options);
    if (fault)
        no_run(options.file, uv_strerror(fault));
}

/* ---- calls ---- */

static void keep_call(const char *path, const char *head, size_t head_size, const char *body,
                      size_t body_size)
{
    FILE *file = fopen(path, "w");

    if (!file)
        no_run(path, "cannot be written");
    fwrite(head, 1, head_size, file);
    fwrite(body, 1, body_size, file);
    if (fclose(file))
        no_run(path, "cannot be written");
}

static void on_called(void *context, const char *head, size_t head_size, const char *body,
                      size_t body_size)
{
    struct run *run = context;
    size_t before = run->accounts.distinct;

    if (run->calls++ == 0) {
        run->first = moment_now(run);
        if (run->options.keep)
            keep_call(run->options.keep, head, head_size, body, body_size);
    }
    accounts_add(&run->accounts, body, body_size);
    if (run->accounts.distinct == before || run->accounts.distinct < run->options.records)
        return;
    run->last = moment_now(run);
    end_program(run, SIGTERM);
}

/* A program that calls no more, or does not end, is waited for no longer. */
static void on_watch(uv_timer_t *watch)
{
    struct run *run = watch->data;

    run->quiet_s = run->calls == run->calls_before ? run->quiet_s + 1 : 0;
    run->calls_before = run->calls;
    if (run->quiet_s < STUCK_S)
        return;
    if (!run->ending)
        run->last = moment_now(run);
    end_program(run, SIGKILL);
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    end_program(signal->data, SIGKILL);
}

/* ---- the story ---- */

static size_t number_of(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (!*text || *end || number > SIZE_MOST)
        no_run(text, "is no number");
    return number;
}

static struct options read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"topic", required_argument, NULL, 't'},      {"records", required_argument, NULL, 'n'},
        {"partitions", required_argument, NULL, 'p'}, {"latency", required_argument, NULL, 'l'},
        {"keep", required_argument, NULL, 'k'},       {NULL, 0, NULL, 0},
    };
    struct options options = {.partitions = 1};
    int which;

    while ((which = getopt_long(argc, argv, "+", known, NULL)) >= 0)
        switch (which) {
        case 't':
            options.topic = optarg;
            break;
        case 'n':
            options.records = number_of(optarg);
            break;
        case 'p':
            options.partitions = number_of(optarg);
            break;
        case 'l':
            options.latency_ms = number_of(optarg);
            break;
        case 'k':
            options.keep = optarg;
            break;
        default:
            exit(EXIT_NO_RUN);
        }
    options.command = argv + optind;
    if (!options.topic || !options.records || !options.partitions || !options.command[0])
        no_run("usage", "--topic=T --records=N [--partitions=P] [--latency=MS] [--keep=FILE] -- "
                        "PROGRAM ARG...");
    return options;
}

static void start(struct run *run, uv_loop_t *loop)
{
    const struct options *options = &run->options;

    accounts_init(&run->accounts, options->records, options->partitions);
    if (!stub_start(
            &run->stub, loop,
            &(struct stub_setup){options->topic, (int64_t)options->latency_ms, on_called, run}))
        no_run("stub", "there is no port for it");
    uv_signal_init(loop, &run->interrupt);
    uv_signal_init(loop, &run->terminate);
    uv_timer_init(loop, &run->watch);
    run->interrupt.data = run->terminate.data = run->watch.data = run;
    uv_signal_start(&run->interrupt, on_signal, SIGINT);
    uv_signal_start(&run->terminate, on_signal, SIGTERM);
    uv_timer_start(&run->watch, on_watch, WATCH_MS, WATCH_MS);
    start_program(run, loop);
}

static void print_result(const struct run *run)
{
    const struct accounts *accounts = &run->accounts;
    double seconds = (double)run->last.time_ns / 1e9 - (double)run->first.time_ns / 1e9;
    double cpu_us = (double)run->last.cpu_ns / 1e3 - (double)run->first.cpu_ns / 1e3;
    double between = accounts->distinct > 1 ? (double)(accounts->distinct - 1) : 1;

    printf("rate=%.0f cpu_us=%.2f peak_kib=%zu resident_kib=%zu lost=%zu repeated=%zu "
           "disordered=%zu strange=%zu bytes=%zu\n",
           seconds > 0 ? between / seconds : 0, cpu_us / between, run->last.peak_kib,
           run->last.resident_kib, run->options.records - accounts->distinct, accounts->repeated,
           accounts->disordered, accounts->strange, run->stub.bytes);
}

int main(int argc, char **argv)
{
    static struct run run;
    bool complete;

    signal(SIGPIPE, SIG_IGN);
    run.options = read_options(argc, argv);
    start(&run, uv_default_loop());
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    if (!run.calls)
        no_run(run.options.command[0], "it called nothing");
    print_result(&run);
    complete = run.accounts.distinct == run.options.records && !run.accounts.repeated &&
               !run.accounts.strange;
    if (run.exit_status || run.exit_signal)
        fprintf(stderr, "measure: %s ended with status %" PRId64 ", signal %d\n",
                run.options.command[0], run.exit_status, run.exit_signal);
    accounts_release(&run.accounts);
    return complete ? EXIT_SUCCESS : EXIT_FAILURE;
}
