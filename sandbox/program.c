/*
 * program: a function that is a local program.
 *
 * The body is handed over in a memory file rather than a pipe: a program that does not read it
 * cannot block us or raise SIGPIPE. It ends when it has exited and its stdout is closed; a child
 * that keeps stdout open counts as still running, up to the time limit.
 */
#define _GNU_SOURCE /* memfd_create */
#include "sandbox/program.h"

#include "base/xalloc.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utstring.h>

struct program {
    uv_process_t process;
    uv_pipe_t output;
    uv_timer_t timer;
    int handles; /* not closed yet */
    size_t output_limit;
    UT_string text;
    bool failed, exited, eof;
    void (*ended)(void *context, bool ok, const void *output, size_t size); /* NULL: told */
    void *context;
};

static void on_closed(uv_handle_t *handle)
{
    struct program *program = handle->data;
    if (--program->handles)
        return;
    utstring_done(&program->text);
    free(program);
}

/* The process is closed only once it has exited, or it would stay a zombie. */
static void close_rest(struct program *program)
{
    uv_close((uv_handle_t *)&program->output, on_closed);
    uv_close((uv_handle_t *)&program->timer, on_closed);
    if (program->exited)
        uv_close((uv_handle_t *)&program->process, on_closed);
}

static void end(struct program *program)
{
    void (*ended)(void *, bool, const void *, size_t) = program->ended;
    program->ended = NULL;
    ended(program->context, !program->failed, utstring_body(&program->text),
          utstring_len(&program->text));
    close_rest(program);
}

/* It leads a process group of its own (UV_PROCESS_DETACHED), which goes with it. */
static void kill_group(struct program *program)
{
    if (uv_process_get_pid(&program->process) > 0)
        kill(-uv_process_get_pid(&program->process), SIGKILL);
}

static void on_limit(uv_timer_t *timer)
{
    struct program *program = timer->data;
    program->failed = true;
    kill_group(program);
    end(program);
}

static void on_exit_status(uv_process_t *process, int64_t status, int signal)
{
    struct program *program = process->data;
    program->exited = true;
    program->failed |= status != 0 || signal != 0;
    if (!program->ended)
        uv_close((uv_handle_t *)process, on_closed);
    else if (program->eof)
        end(program);
}

static void on_room_wanted(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    *buffer = uv_buf_init(xmalloc(suggested), (unsigned)suggested);
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct program *program = stream->data;
    if (size > 0)
        utstring_bincpy(&program->text, buffer->base, (size_t)size);
    free(buffer->base);
    if (utstring_len(&program->text) > program->output_limit)
        on_limit(&program->timer);
    else if (size < 0) {
        program->eof = true;
        uv_read_stop(stream);
        if (program->exited)
            end(program);
    }
}

static int body_file(const void *body, size_t size)
{
    int fd = memfd_create("body", MFD_CLOEXEC);
    for (size_t done = 0; fd >= 0 && done < size;) {
        ssize_t written = write(fd, (const char *)body + done, size - done);
        if (written <= 0) {
            close(fd);
            return -1;
        }
        done += (size_t)written;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

static int spawn(uv_loop_t *loop, struct program *program, const struct program_job *job)
{
    int input = body_file(job->body, job->body_size); /* -1: uv_spawn will say so */
    uv_stdio_container_t stdio[] = {
        {.flags = UV_INHERIT_FD, .data.fd = input},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)&program->output},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
    };
    uv_process_options_t options = {.file = job->argv[0],
                                    .args = (char **)job->argv,
                                    .env = (char **)job->environment,
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio_count = 3,
                                    .stdio = stdio,
                                    .exit_cb = on_exit_status};
    int error = uv_spawn(loop, &program->process, &options);
    if (input >= 0)
        close(input);
    return error;
}

struct program *program_start(uv_loop_t *loop, const struct program_job *job)
{
    struct program *program = xcalloc(1, sizeof(*program));
    program->ended = job->ended;
    program->context = job->context;
    program->output_limit = job->output_limit;
    utstring_init(&program->text);
    uv_pipe_init(loop, &program->output, 0);
    uv_timer_init(loop, &program->timer);
    program->process.data = program->output.data = program->timer.data = program;
    program->handles = 3;
    int error = spawn(loop, program, job);
    if (error) {
        program->exited = true;
        utstring_printf(&program->text, "cannot run %s: %s\n", job->argv[0], uv_strerror(error));
        uv_timer_start(&program->timer, on_limit, 0, 0);
    } else {
        uv_timer_start(&program->timer, on_limit, job->time_limit_ms, 0);
        uv_read_start((uv_stream_t *)&program->output, on_room_wanted, on_output);
    }
    return program;
}

void program_kill(struct program *program)
{
    program->ended = NULL;
    kill_group(program);
    close_rest(program);
}
