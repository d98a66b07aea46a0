/*
 * help: what --help prints of an executable and of a mode, and --help=markdown for the docs.
 */
#ifndef PROGRAM_HELP_H
#define PROGRAM_HELP_H

#include "base/option.h"
#include "program/program.h"

#include <stddef.h>

/* How it is called, its modes, of which the first is the default, and where options come from. */
void help_print_program(const char *name, const struct mode *modes, size_t count);

/* What a mode does, examples, exit status, its page of the docs; then the options. */
void help_print_mode(const struct mode *mode, const struct option_group *groups, size_t count);

/* The tables as the docs have them: options and metrics. */
void help_print_markdown(const struct mode *mode, const struct option_group *groups, size_t count);

#endif
