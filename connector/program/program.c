/* program: see program.h. */
#include "program/program.h"

#include "base/log.h"
#include "base/secret.h"
#include "base/version.h"
#include "base/xalloc.h"
#include "program/elsewhere.h"
#include "program/help.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static const char *executable;
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

/* The mode's options, and behind them the program's own. */
static size_t all_options(const struct mode *mode, struct option_group all[GROUPS_MAX])
{
    size_t count;
    const struct option_group *own = mode->options(&count);

    assert(count + PROGRAM_GROUPS <= GROUPS_MAX);
    memcpy(all, own, count * sizeof(*own));
    memcpy(all + count, program_groups, sizeof(program_groups));
    return count + PROGRAM_GROUPS;
}

static const struct mode *find_mode(const char *name)
{
    for (size_t i = 0; name && i < mode_count; i++)
        if (strcmp(modes[i].name, name) == 0)
            return &modes[i];
    return NULL;
}

/* Whose options are asked about; NULL: no mode is named. */
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

/* Of a mode that is named, else of the executable and its default. */
static void print_help(const struct mode *named, const char *word)
{
    struct option_group groups[GROUPS_MAX];
    const struct mode *mode = named ? named : &modes[0];
    size_t count = all_options(mode, groups);

    if (!is_help(word)) {
        help_print_markdown(mode, groups, count);
        return;
    }
    if (!named)
        help_print_program(executable, modes, mode_count);
    help_print_mode(mode, groups, count);
}

/* Whether a text was asked for, which is all that is done then. */
static bool print_asked(int argc, char **argv)
{
    const struct mode *mode = asked_mode(argc, argv);

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-version") == 0) {
            printf("kafka-connector %s\n", program_version);
            return true;
        }
        if (!is_help(argv[i]) && strcmp(argv[i], "--help=markdown") != 0)
            continue;
        if (mode && mode->elsewhere)
            elsewhere_run(mode->elsewhere, argv);
        print_help(mode, argv[i]);
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

int program_main(int argc, char **argv, const char *name, const struct mode *rows, size_t count)
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
    executable = name;
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
