/* help: see help.h. */
#include "program/help.h"

#include "base/metrics.h"
#include "base/version.h"

#include <stdio.h>

void help_print_program(const char *name, const struct mode *modes, size_t count)
{
    printf("%s %s: joins Kafka to functions behind an HTTP gateway\n\n"
           "Usage: %s [MODE] [--OPTION=VALUE ...]\n"
           "       %s check [MODE] [--OPTION=VALUE ...]\n"
           "       %s [MODE] --help | --version\n\nModes:\n",
           name, program_version, name, name, name);
    for (size_t i = 0; i < count; i++)
        printf("  %-8s %s%s\n", modes[i].name, modes[i].summary, i == 0 ? " (default)" : "");
    printf(
        "  %-8s reads the configuration and reports every fault; for invoke, watch and scale it\n"
        "           asks brokers and gateway once: exit status 0 all is well, 1 something is not\n"
        "           there, 2 bad configuration\n"
        "\nEvery option is read from, the strongest first: a flag (--log_level=error), the\n"
        "environment (log_level=error), a JSON file named by --config_file\n"
        "({\"log_level\": \"error\"}).\n"
        "Any librdkafka property: -X security.protocol=SASL_SSL, or in the environment\n"
        "kafka_security_protocol=SASL_SSL.\n\n",
        "check");
}

void help_print_mode(const struct mode *mode, const struct option_group *groups, size_t count)
{
    printf("kafka-connector %s: %s\n\n"
           "Examples:\n%s\n"
           "Exit status: %s, 2 bad configuration.\n"
           "Docs: %s. Other modes: kafka-connector --help\n",
           mode->name, mode->summary, mode->examples, mode->statuses, mode->page);
    for (size_t i = 0; i < count; i++) {
        putchar('\n');
        option_print_help(groups[i].table, stdout);
    }
}

void help_print_markdown(const struct mode *mode, const struct option_group *groups, size_t count)
{
    size_t table_count;
    const struct metrics_table *const *tables;

    for (size_t i = 0; i < count; i++) {
        printf("### %s\n\n", groups[i].table->title);
        option_print_markdown(groups[i].table, stdout);
        putchar('\n');
    }
    if (!mode->metrics)
        return;
    tables = mode->metrics(&table_count);
    puts("## Metrics");
    for (size_t i = 0; i < table_count; i++) {
        putchar('\n');
        metrics_print_markdown(tables[i], stdout);
    }
}
