/* job: see job.h. */
#include "tests/faults/job.h"

#include "tests/harness/await.h"
#include "tests/harness/fail.h"

enum { LONGEST_MS = 10 * 60 * 1000 };

static void work(uv_work_t *work)
{
    struct job *job = (struct job *)work;

    job->run(job->context);
}

static void over(uv_work_t *work, int status)
{
    (void)status;
    ((struct job *)work)->running = false;
}

void job_start(struct job *job, uv_loop_t *loop, void (*run)(void *context), void *context)
{
    job->run = run;
    job->context = context;
    job->running = true;
    uv_queue_work(loop, &job->work, work, over);
}

static bool is_over(void *context)
{
    return !((struct job *)context)->running;
}

void job_wait(struct job *job)
{
    if (job->running && !await(job->work.loop, is_over, job, LONGEST_MS))
        fail("a call to the brokers does not come back");
}

void job_do(uv_loop_t *loop, void (*run)(void *context), void *context)
{
    struct job job;

    job_start(&job, loop, run, context);
    job_wait(&job);
}
