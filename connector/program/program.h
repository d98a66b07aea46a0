/*
 * program: what every executable of the connector's does around its modes: picks one, reads its
 * options, tells every fault at once, and runs it; prints the help.
 *
 * Exit status: 0 ended as asked, 1 the mode (or `check`) found the world not as needed, 2 the
 * command line or the configuration is at fault.
 */
#ifndef PROGRAM_PROGRAM_H
#define PROGRAM_PROGRAM_H

#include "base/metrics.h"
#include "base/option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct mode {
    const char *name;
    const char *summary;
    const char *elsewhere; /* the executable that has it; NULL: this one has, and what follows */
    const char *examples;  /* for --help, as are the next two: indented lines, each ended */
    const char *statuses;  /* what 0 and 1 say when it ends; 2 is everywhere the options' */
    const char *page;      /* of the docs */
    const struct option_group *(*options)(size_t *count);
    const struct metrics_table *const *(*metrics)(size_t *count);
    void (*check)(struct option_faults *faults);
    bool (*ask)(FILE *to);                      /* NULL: it is a command, */
    int (*run)(struct option_faults *faults);   /* which ends by itself */
    bool (*is_meant)(char *const *environment); /* by what is set; NULL: only when it is named */
    const char *meant_by;                       /* that, in words */
    const char *foreign; /* sections of the settings file that are others'; NULL: none are */
    /* Told before it runs where its options came from, to read them again; NULL: it never does. */
    void (*keep)(const struct option_input *input, const char *settings_file);
};

/* The whole of main(): the exit status. `name` is the executable's. The first mode is the default;
 * the rows are borrowed for good. */
int program_main(int argc, char **argv, const char *name, const struct mode *rows, size_t count);

#endif
