/* program: see program.h. Run through setpriv, so that the kernel kills it when the test dies, by
 * whatever: an assertion ends a test without its clean-up. */
#include "tests/harness/program.h"

#include "base/xalloc.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <utstring.h>

enum { ARGUMENTS_MAX = 64, ENVIRONMENT_MAX = 64, STOP_MS = 10 * 1000, CHUNK = 64 * 1024 };
enum { OUTPUT_MAX = 64 * 1024 * 1024 };

struct program {
    uv_loop_t *loop;
    uv_process_t child;
    uv_pipe_t pipe;
    char chunk[CHUNK];
    UT_string output;
    bool runs, pipe_open;
    int status;
    int handles; /* not closed yet */
};

static void on_closed(uv_handle_t *handle)
{
    ((struct program *)handle->data)->handles--;
}

static void on_end(uv_process_t *child, int64_t status, int signal)
{
    struct program *program = child->data;

    program->runs = false;
    program->status = signal ? 128 + signal : (int)status;
    uv_close((uv_handle_t *)child, on_closed);
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    struct program *program = handle->data;

    (void)wanted;
    *buffer = uv_buf_init(program->chunk, sizeof program->chunk);
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct program *program = stream->data;

    if (size > 0)
        utstring_bincpy(&program->output, buffer->base, (size_t)size);
    if (utstring_len(&program->output) > OUTPUT_MAX)
        fail("a program wrote more than %d bytes", OUTPUT_MAX);
    if (size >= 0)
        return;
    program->pipe_open = false;
    uv_close((uv_handle_t *)stream, on_closed);
}

/* What `list` holds behind what is there. */
static void append(const char **to, size_t room, const char *const *list)
{
    size_t count = 0;

    while (to[count])
        count++;
    for (; list && *list; list++) {
        if (count + 1 >= room)
            fail("too many arguments or variables for a program");
        to[count++] = *list;
    }
    to[count] = NULL;
}

static void spawn(struct program *program, const char **arguments, const char **environment)
{
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&program->pipe},
        {.flags = UV_INHERIT_FD, .data.fd = 1},
    };
    uv_process_options_t options = {
        .file = arguments[0],
        .args = (char **)arguments,
        .env = (char **)environment,
        .exit_cb = on_end,
        .stdio_count = 3,
        .stdio = stdio,
    };
    int error = uv_spawn(program->loop, &program->child, &options);

    if (error)
        fail("cannot start %s: %s", arguments[0], uv_strerror(error));
}

struct program *program_start(uv_loop_t *loop, const char *const *arguments,
                              const char *const *environment)
{
    struct program *program = xcalloc(1, sizeof *program);
    /* sh only joins the two outputs, in the order they were written */
    const char *all[ARGUMENTS_MAX] = {"setpriv", "--pdeathsig",      "KILL", "--", "sh",
                                      "-c",      "exec \"$@\" 2>&1", "sh"};
    char *path = xasprintf("PATH=%s", getenv("PATH"));
    char *home = xasprintf("HOME=%s", getenv("HOME") ? getenv("HOME") : "/");
    const char *variables[ENVIRONMENT_MAX] = {path, home};

    append(all, ARGUMENTS_MAX, arguments);
    append(variables, ENVIRONMENT_MAX, environment);
    program->loop = loop;
    program->runs = program->pipe_open = true;
    program->handles = 2;
    program->child.data = program->pipe.data = program;
    utstring_init(&program->output);
    uv_pipe_init(loop, &program->pipe, 0);
    spawn(program, all, variables);
    uv_read_start((uv_stream_t *)&program->pipe, on_room, on_output);
    free(path);
    free(home);
    return program;
}

/* Ended, and all it wrote is here. */
static bool is_over(void *context)
{
    struct program *program = context;

    return program->handles == 0;
}

void program_free(struct program *program)
{
    if (!program)
        return;
    if (program->runs)
        program_signal(program, SIGKILL);
    if (!await(program->loop, is_over, program, STOP_MS))
        fail("a killed program does not end");
    utstring_done(&program->output);
    free(program);
}

void program_signal(struct program *program, int signal)
{
    if (program->runs)
        uv_process_kill(&program->child, signal);
}

bool program_runs(const struct program *program)
{
    return program->runs;
}

bool program_await_end(struct program *program, int64_t timeout_ms, int *status)
{
    bool over = await(program->loop, is_over, program, timeout_ms);

    *status = program->status;
    return over;
}

const char *program_output(const struct program *program)
{
    return utstring_body(&program->output);
}

size_t program_count(const struct program *program, const char *text)
{
    size_t count = 0;

    for (const char *at = program_output(program); (at = strstr(at, text)); count++) {
        at = strchr(at, '\n');
        if (!at)
            return count + 1;
    }
    return count;
}

struct wanted {
    struct program *program;
    const char *text;
    size_t count;
};

static bool is_written(void *context)
{
    struct wanted *wanted = context;

    return program_count(wanted->program, wanted->text) >= wanted->count;
}

bool program_await_count(struct program *program, const char *text, size_t count,
                         int64_t timeout_ms)
{
    struct wanted wanted = {program, text, count};

    return await(program->loop, is_written, &wanted, timeout_ms);
}

bool program_await_text(struct program *program, const char *text, int64_t timeout_ms)
{
    return program_await_count(program, text, 1, timeout_ms);
}
