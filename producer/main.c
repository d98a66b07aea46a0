/* producer: sends records to a topic and tells how fast they were acknowledged. */
#include "base/secret.h"
#include "base/version.h"
#include "producer/clock.h"
#include "producer/options.h"
#include "producer/report.h"
#include "producer/sender.h"
#include "producer/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_CONFIGURATION = 2 };

extern char **environ;

static bool has_stray_argument(const struct option_faults *faults)
{
    static const char opening[] = "unexpected argument ";

    for (size_t i = 0; i < faults->count; i++)
        if (strncmp(faults->items[i], opening, strlen(opening)) == 0)
            return true;
    return false;
}

static void tell_faults(const struct option_faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        fprintf(stderr, "producer: %s\n", faults->items[i]);
    if (has_stray_argument(faults))
        fputs("producer: a topic is named by -topic=NAME, what is sent by -value=TEXT\n", stderr);
}

static void tell_start(const struct producer_options *options)
{
    long long limit = (long long)producer_limit(options);

    if (options->file && options->messages)
        printf("Sending the lines of %s, at most %lld.\n", options->file, limit);
    else if (options->file)
        printf("Sending the lines of %s.\n", options->file);
    else
        printf("Sending %lld message%s.\n", limit, limit == 1 ? "" : "s");
    fflush(stdout);
}

static void report_open(struct report *report, const struct producer_options *options)
{
    report_init(report, stdout, clock_us());
    report->each = producer_tells_each(options);
    report->progress = !report->each && isatty(STDERR_FILENO) ? stderr : NULL;
}

static int send_and_report(struct sender *sender, struct report *report)
{
    bool complete = sender_run(sender);

    report_close(report, clock_us());
    return complete && report->failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int send_all(const struct producer_options *options, struct option_faults *faults)
{
    struct report report;
    struct sender *sender;
    int status = EXIT_CONFIGURATION;

    report_open(&report, options);
    sender = sender_new(options, &report, faults);
    if (faults->count == 0) {
        tell_start(options);
        status = send_and_report(sender, &report);
    }
    sender_free(sender);
    report_release(&report);
    return status;
}

static int run(const struct producer_options *options, struct option_faults *faults)
{
    int status;

    producer_options_check(options, faults);
    status = options->listen ? service_run(options, faults) : send_all(options, faults);
    tell_faults(faults);
    return faults->count ? EXIT_CONFIGURATION : status;
}

static int tell_help(void)
{
    puts("producer sends records to a Kafka topic and tells how fast they were acknowledged.\n"
         "Usage: producer [-messages=N] [OPTION...]\n"
         "       producer -listen=[ADDRESS]:PORT [OPTION...]\n\n"
         "Exit status: 0 all were acknowledged, 1 some failed, 2 wrong options.\n"
         "Ctrl-C ends the sending; what was sent is waited for, 10 seconds at most.\n");
    option_print_help(&producer_option_table, stdout);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct producer_options options = {0};
    struct option_group group = {&producer_option_table, &options};
    struct option_input input = {.argc = argc - 1, .argv = argv + 1, .environment = environ};
    struct option_faults faults = {0};
    int status = EXIT_SUCCESS;

    secret_hide(environ);
    secret_hide(argv);
    option_read(&group, 1, &input, &faults);
    if (options.help)
        status = tell_help();
    else if (options.version)
        printf("producer %s\n", program_version);
    else
        status = run(&options, &faults);
    option_faults_release(&faults);
    option_release(&group, 1);
    return status;
}
