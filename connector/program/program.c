/* program: see program.h. */
#include "program/program.h"

#include "base/log.h"
#include "base/secret.h"
#include "base/version.h"
#include "base/xalloc.h"
#include "program/elsewhere.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static const struct mode *modes;
static size_t mode_count;

static struct {
    char *config_file;
    struct log_options log;
} program;

static const struct option_row program_rows[] = {
    {.name = "config_file",
     .aliases = "settings",
     .type = OPTION_PATH,
     .text = "A JSON file with any of these options; environment and flags win over it."},
};

static const struct option_table program_table = {"Settings file", program_rows, 1};

static const struct option_group program_groups[] = {
    {&program_table, &program.config_file},
    {&log_option_table, &program.log},
};

enum { GROUPS_MAX = 16, PROGRAM_GROUPS = sizeof(program_groups) / sizeof(*program_groups) };

/* The program's own options, and the mode's. */
static size_t all_options(const struct mode *mode, struct option_group all[GROUPS_MAX])
{
    size_t count;
    const struct option_group *own = mode->options(&count);

    assert(count + PROGRAM_GROUPS <= GROUPS_MAX);
    memcpy(all, program_groups, sizeof(program_groups));
    memcpy(all + PROGRAM_GROUPS, own, count * sizeof(*own));
    return count + PROGRAM_GROUPS;
}

static const struct mode *find_mode(const char *name)
{
    for (size_t i = 0; name && i < mode_count; i++)
        if (strcmp(modes[i].name, name) == 0)
            return &modes[i];
    return NULL;
}

/* Of an executable of its own, too, a mode is one of kafka-connector's. */
static void print_mode(const struct mode *mode)
{
    printf("kafka-connector %s: %s %s\n\n"
           "Usage: kafka-connector %s [--OPTION=VALUE ...]\n",
           program_version, mode->name, mode->summary, mode->name);
    if (mode->ask)
        printf("       kafka-connector check %s [--OPTION=VALUE ...]\n", mode->name);
}

static void print_modes(void)
{
    printf("kafka-connector %s: joins Kafka to functions behind an HTTP gateway\n\n"
           "Usage: kafka-connector [MODE] [--OPTION=VALUE ...]\n"
           "       kafka-connector check [MODE] [--OPTION=VALUE ...]\n"
           "       kafka-connector [MODE] --help | --version\n\nModes:\n",
           program_version);
    for (size_t i = 0; i < mode_count; i++)
        printf("  %-8s %s%s\n", modes[i].name, modes[i].summary, i == 0 ? " (default)" : "");
    printf("  %-8s reads the configuration, tells every fault; of the modes that stay (invoke, "
           "watch,\n"
           "           scale) asks brokers and gateway once\n",
           "check");
}

static void print_sources(void)
{
    printf("\nEvery option is read from, the strongest first: a flag (--log_level=error), the\n"
           "environment (log_level=error), a JSON file named by --config_file ({\"log_level\": "
           "\"error\"}).\n"
           "Any librdkafka property: -X security.protocol=SASL_SSL, or in the environment\n"
           "kafka_security_protocol=SASL_SSL.\n");
}

static void print_options(const struct mode *mode,
                          void (*print)(const struct option_table *, FILE *))
{
    struct option_group groups[GROUPS_MAX];
    size_t count = all_options(mode, groups);

    for (size_t i = 0; i < count; i++)
        print(groups[i].table, stdout);
}

/* For the docs: the tables as its check compares them. */
static void print_option_table(const struct option_table *table, FILE *to)
{
    fprintf(to, "### %s\n\n", table->title);
    option_print_markdown(table, to);
    fputc('\n', to);
}

static void print_markdown(const struct mode *mode)
{
    size_t count;
    const struct metrics_table *const *tables;

    print_options(mode, print_option_table);
    if (!mode->metrics)
        return;
    tables = mode->metrics(&count);
    puts("## Metrics");
    for (size_t i = 0; i < count; i++) {
        putchar('\n');
        metrics_print_markdown(tables[i], stdout);
    }
}

static void print_help_of(const struct option_table *table, FILE *to)
{
    fputc('\n', to);
    option_print_help(table, to);
}

/* The mode whose options are asked about; NULL: none is named. */
static const struct mode *asked_mode(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (find_mode(argv[i]))
            return find_mode(argv[i]);
    return NULL;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-help") == 0 || strcmp(word, "-h") == 0;
}

/* Where no mode is named the options are the default's. */
static void print_help(const struct mode *named, const char *word)
{
    const struct mode *mode = named ? named : &modes[0];

    if (!is_help(word)) {
        print_markdown(mode);
        return;
    }
    if (named)
        print_mode(named);
    else
        print_modes();
    print_sources();
    print_options(mode, print_help_of);
}

/* Whether a text was asked for, which is all that is done then. */
static bool print_asked(int argc, char **argv)
{
    const struct mode *named = asked_mode(argc, argv);

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-version") == 0) {
            printf("kafka-connector %s\n", program_version);
            return true;
        }
        if (!is_help(argv[i]) && strcmp(argv[i], "--help=markdown") != 0)
            continue;
        if (named && named->elsewhere)
            elsewhere_run(named->elsewhere, argv);
        print_help(named, argv[i]);
        return true;
    }
    return false;
}

struct command {
    const struct mode *mode;
    const char *why; /* it was picked, for the first line of the log */
    bool check;
    int argc; /* what is left */
    char **argv;
};

/* A word behind the flags that belongs in front of them; not where it may be a flag's value. */
static void refuse_late_word(const struct command *command)
{
    for (int i = 0; i < command->argc; i++) {
        const char *word = command->argv[i];
        const char *before = i > 0 ? command->argv[i - 1] : "";
        bool is_value = before[0] == '-' && !strchr(before, '=');

        if (!is_value && (strcmp(word, "check") == 0 || find_mode(word)))
            die("\"%s\" goes first: kafka-connector [check] [MODE] [--OPTION=VALUE ...]", word);
    }
}

/* Who is named nowhere: the first mode that what is set means, else the default. */
static const struct mode *unnamed_mode(const char **why)
{
    for (size_t i = 0; i < mode_count; i++)
        if (modes[i].is_meant && modes[i].is_meant(environ)) {
            *why = modes[i].meant_by;
            return &modes[i];
        }
    *why = "the default";
    return &modes[0];
}

static struct command read_command(int argc, char **argv)
{
    struct command command = {.argc = argc - 1, .argv = argv + 1};
    const char *wanted = getenv("mode");

    command.check = command.argc && strcmp(command.argv[0], "check") == 0;
    if (command.check)
        command.argc--, command.argv++;
    if (command.argc && command.argv[0][0] != '-') {
        wanted = *command.argv++;
        command.argc--;
        command.why = "the first argument";
    } else {
        command.why = "the environment's mode";
    }
    command.mode = wanted && *wanted ? find_mode(wanted) : unnamed_mode(&command.why);
    if (!command.mode)
        die("\"%s\" (%s) is neither a mode nor a command; see kafka-connector --help", wanted,
            command.why);
    refuse_late_word(&command);
    return command;
}

static int tell_faults(struct option_faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        fprintf(stderr, "kafka-connector: %s\n", faults->items[i]);
    fprintf(stderr, "kafka-connector: %zu fault%s in the configuration; nothing was started\n",
            faults->count, faults->count == 1 ? "" : "s");
    option_faults_release(faults);
    return 2;
}

/* Not a fault: the variable may be somebody else's. */
static void warn_of_misspelt(const struct command *command)
{
    struct option_group groups[GROUPS_MAX];
    size_t count = all_options(command->mode, groups);

    for (char **entry = environ; *entry; entry++) {
        char *name = xstrndup(*entry, strcspn(*entry, "="));
        const char *meant = option_misspelt(groups, count, name);

        if (meant && command->check)
            printf("environment: %s is no option; did you mean %s?\n", name, meant);
        else if (meant)
            log_warning(NULL, "Environment: %s is no option; did you mean %s?", name, meant);
        free(name);
    }
}

static int ask(const struct mode *mode)
{
    if (mode->ask)
        return mode->ask(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
    printf("%s: ends by itself, so nobody was asked: run it and see\n", mode->name);
    return EXIT_SUCCESS;
}

static int run(const struct command *command, struct option_faults *faults)
{
    int status;

    if (command->check) {
        printf("configuration: no fault found\n");
        warn_of_misspelt(command);
        return ask(command->mode);
    }
    log_configure(&program.log, stderr); /* before the first line: json means every line */
    if (command->mode->ask)
        log_info(NULL, "kafka-connector %s: mode %s (%s)", program_version, command->mode->name,
                 command->why);
    warn_of_misspelt(command);
    status = command->mode->run(faults);
    return faults->count ? tell_faults(faults) : status;
}

int program_main(int argc, char **argv, const struct mode *rows, size_t count)
{
    struct option_faults faults = {0};
    struct option_group groups[GROUPS_MAX];
    struct option_input input;
    struct command command;
    size_t group_count;
    int status;

    /* What librdkafka's threads allocate is freed by ours: in one arena it is used again. */
    mallopt(M_ARENA_MAX, 1);
    secret_hide(environ);
    secret_hide(argv);
    modes = rows;
    mode_count = count;
    if (print_asked(argc, argv))
        return EXIT_SUCCESS;
    command = read_command(argc, argv);
    if (command.mode->elsewhere)
        elsewhere_run(command.mode->elsewhere, argv);
    group_count = all_options(command.mode, groups);
    input = (struct option_input){.argc = command.argc,
                                  .argv = command.argv,
                                  .environment = environ,
                                  .file_flag = "config_file",
                                  .foreign = command.mode->foreign};
    option_read(groups, group_count, &input, &faults);
    command.mode->check(&faults);
    if (command.mode->keep) {
        input.others = program_groups;
        input.other_count = PROGRAM_GROUPS;
        command.mode->keep(&input, program.config_file);
    }
    status = faults.count ? tell_faults(&faults) : run(&command, &faults);
    option_release(groups, group_count);
    return status;
}
