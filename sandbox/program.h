/*
 * program: a function that is a local program, run as OpenFaaS' classic watchdog does: the body on
 * its stdin, the answer from its stdout, both its own process group.
 */
#ifndef SANDBOX_PROGRAM_H
#define SANDBOX_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct program; /* one that runs */

struct program_job {
    char *const *argv; /* NULL-ended; argv[0] is looked for in PATH */
    char *const *environment;
    const void *body;
    size_t body_size;
    uint64_t time_limit_ms; /* then it is killed */
    size_t output_limit;    /* more and it is killed */
    /* Called once, from the loop and not from within program_start. ok: exit status 0 and nothing
     * killed it. `output` is what it wrote, or why it could not be started; borrowed. */
    void (*ended)(void *context, bool ok, const void *output, size_t size);
    void *context;
};

/* The job is copied, what it points to is not needed afterwards. */
struct program *program_start(uv_loop_t *loop, const struct program_job *job);
/* Kills it and all it started, without telling. */
void program_kill(struct program *program);

#endif
