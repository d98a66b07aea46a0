/*
 * child: a program of ours (or any other) run by a test, on the test's loop: its output is kept,
 * its end is noticed, and it never outlives the test.
 */
#ifndef HARNESS_CHILD_H
#define HARNESS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct child;

/* Starts arguments[0], looked for in PATH, NULL-ended. `environment` ("name=value", NULL-ended, may
 * be NULL) is all it gets beside PATH and HOME. */
struct child *child_start(uv_loop_t *loop, const char *const *arguments,
                          const char *const *environment);

/* The path of a program of ours that `make` has built: in build/ or, of another flavour, in the
 * folder that BUILD names. Caller frees. */
char *child_program(const char *name);

/* Of two lists of "name=value", NULL-ended, both, but of the first only those whose name is not in
 * the second, which may be NULL. Fails the test when that is too much. */
enum { CHILD_LIST_MAX = 40 };
void child_list_merge(const char *to[CHILD_LIST_MAX], const char *const *first,
                      const char *const *second);

/* Kills it if it runs, and waits for that. NULL: nothing. */
void child_free(struct child *child);

void child_signal(struct child *child, int signal);
bool child_runs(const struct child *child);
int child_pid(const struct child *child);

/* Waits for its end. False: it still runs. *status: the exit status, or 128 + the signal. */
bool child_await_end(struct child *child, int64_t timeout_ms, int *status);

/* What it wrote to stdout and stderr so far, NUL-terminated. Borrowed until the loop turns. */
const char *child_output(const struct child *child);

/* How many lines hold the text. */
size_t child_count(const struct child *child, const char *text);

/* Runs the loop until so many lines hold the text. */
bool child_await_count(struct child *child, const char *text, size_t count, int64_t timeout_ms);
bool child_await_text(struct child *child, const char *text, int64_t timeout_ms);

#endif
