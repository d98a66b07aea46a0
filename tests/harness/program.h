/*
 * program: a program of ours (or any other) run by a test, on the test's loop: its output is kept,
 * its end is noticed, and it never outlives the test.
 */
#ifndef HARNESS_PROGRAM_H
#define HARNESS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct program;

/* Starts arguments[0], looked for in PATH, NULL-ended. `environment` ("name=value", NULL-ended, may
 * be NULL) is all it gets beside PATH and HOME. */
struct program *program_start(uv_loop_t *loop, const char *const *arguments,
                              const char *const *environment);

/* Kills it if it runs, and waits for that. NULL: nothing. */
void program_free(struct program *program);

void program_signal(struct program *program, int signal);
bool program_runs(const struct program *program);

/* Waits for its end. False: it still runs. *status: the exit status, or 128 + the signal. */
bool program_await_end(struct program *program, int64_t timeout_ms, int *status);

/* What it wrote to stdout and stderr so far, NUL-terminated. Borrowed until the loop turns. */
const char *program_output(const struct program *program);

/* How many lines hold the text. */
size_t program_count(const struct program *program, const char *text);

/* Runs the loop until so many lines hold the text. */
bool program_await_count(struct program *program, const char *text, size_t count,
                         int64_t timeout_ms);
bool program_await_text(struct program *program, const char *text, int64_t timeout_ms);

#endif
