/* job: a call that waits for a broker, made by libuv's worker: the gateway lives on the loop and
 * must answer meanwhile. */
#ifndef FAULTS_JOB_H
#define FAULTS_JOB_H

#include <stdbool.h>
#include <uv.h>

struct job {
    uv_work_t work; /* first */
    void (*run)(void *context);
    void *context;
    bool running;
};

/* Begins it; job->running until it is over, which is told by the loop. */
void job_start(struct job *job, uv_loop_t *loop, void (*run)(void *context), void *context);

/* Runs the loop until it is over. */
void job_wait(struct job *job);

/* Both. */
void job_do(uv_loop_t *loop, void (*run)(void *context), void *context);

#endif
