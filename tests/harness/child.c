/* child: see child.h. Run through setpriv, so that the kernel kills it when the test dies, by
 * whatever: an assertion ends a test without its clean-up. */
#include "tests/harness/child.h"

#include "base/xalloc.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <utstring.h>

enum { ARGUMENTS_MAX = 64, ENVIRONMENT_MAX = 64, STOP_MS = 10 * 1000, CHUNK = 64 * 1024 };
enum { OUTPUT_MAX = 64 * 1024 * 1024 };

struct child {
    uv_loop_t *loop;
    uv_process_t handle;
    uv_pipe_t pipe;
    char chunk[CHUNK];
    UT_string output;
    bool runs, pipe_open;
    int status;
    int handles; /* not closed yet */
};

static void on_closed(uv_handle_t *handle)
{
    ((struct child *)handle->data)->handles--;
}

static void on_end(uv_process_t *handle, int64_t status, int signal)
{
    struct child *child = handle->data;

    child->runs = false;
    child->status = signal ? 128 + signal : (int)status;
    uv_close((uv_handle_t *)handle, on_closed);
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    struct child *child = handle->data;

    (void)wanted;
    *buffer = uv_buf_init(child->chunk, sizeof(child->chunk));
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct child *child = stream->data;

    if (size > 0)
        utstring_bincpy(&child->output, buffer->base, (size_t)size);
    if (utstring_len(&child->output) > OUTPUT_MAX)
        fail("a program wrote more than %d bytes", OUTPUT_MAX);
    if (size >= 0)
        return;
    child->pipe_open = false;
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

static void spawn(struct child *child, const char **arguments, const char **environment)
{
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&child->pipe},
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
    int error = uv_spawn(child->loop, &child->handle, &options);

    if (error)
        fail("cannot start %s: %s", arguments[0], uv_strerror(error));
}

char *child_program(const char *name)
{
    const char *folder = getenv("BUILD");

    return xasprintf("%s/%s", folder ? folder : "build", name);
}

void child_list_merge(const char *to[CHILD_LIST_MAX], const char *const *first,
                      const char *const *second)
{
    size_t count = 0;

    for (; *first; first++) {
        size_t size = strcspn(*first, "=") + 1;
        bool replaced = false;

        for (size_t i = 0; second && second[i]; i++)
            replaced |= strncmp(*first, second[i], size) == 0;
        if (!replaced && count + 1 < CHILD_LIST_MAX)
            to[count++] = *first;
    }
    for (; second && *second && count + 1 < CHILD_LIST_MAX; second++)
        to[count++] = *second;
    if (count + 1 >= CHILD_LIST_MAX)
        fail("too many settings");
    to[count] = NULL;
}

struct child *child_start(uv_loop_t *loop, const char *const *arguments,
                          const char *const *environment)
{
    struct child *child = xcalloc(1, sizeof(*child));
    /* sh only joins the two outputs, in the order they were written */
    const char *all[ARGUMENTS_MAX] = {"setpriv", "--pdeathsig",      "KILL", "--", "sh",
                                      "-c",      "exec \"$@\" 2>&1", "sh"};
    char *path = xasprintf("PATH=%s", getenv("PATH"));
    char *home = xasprintf("HOME=%s", getenv("HOME") ? getenv("HOME") : "/");
    const char *variables[ENVIRONMENT_MAX] = {path, home};

    append(all, ARGUMENTS_MAX, arguments);
    append(variables, ENVIRONMENT_MAX, environment);
    child->loop = loop;
    child->runs = child->pipe_open = true;
    child->handles = 2;
    child->handle.data = child->pipe.data = child;
    utstring_init(&child->output);
    uv_pipe_init(loop, &child->pipe, 0);
    spawn(child, all, variables);
    uv_read_start((uv_stream_t *)&child->pipe, on_room, on_output);
    free(path);
    free(home);
    return child;
}

/* Ended, and all it wrote is here. */
static bool is_over(void *context)
{
    struct child *child = context;

    return child->handles == 0;
}

void child_free(struct child *child)
{
    if (!child)
        return;
    if (child->runs)
        child_signal(child, SIGKILL);
    if (!await(child->loop, is_over, child, STOP_MS))
        fail("a killed program does not end");
    utstring_done(&child->output);
    free(child);
}

void child_signal(struct child *child, int signal)
{
    if (child->runs)
        uv_process_kill(&child->handle, signal);
}

bool child_runs(const struct child *child)
{
    return child->runs;
}

int child_pid(const struct child *child)
{
    return uv_process_get_pid(&child->handle);
}

bool child_await_end(struct child *child, int64_t timeout_ms, int *status)
{
    bool over = await(child->loop, is_over, child, timeout_ms);

    *status = child->status;
    return over;
}

const char *child_output(const struct child *child)
{
    return utstring_body(&child->output);
}

size_t child_count(const struct child *child, const char *text)
{
    size_t count = 0;

    for (const char *at = child_output(child); (at = strstr(at, text)); count++) {
        at = strchr(at, '\n');
        if (!at)
            return count + 1;
    }
    return count;
}

struct wanted {
    struct child *child;
    const char *text;
    size_t count;
};

static bool is_written(void *context)
{
    struct wanted *wanted = context;

    return child_count(wanted->child, wanted->text) >= wanted->count;
}

bool child_await_count(struct child *child, const char *text, size_t count, int64_t timeout_ms)
{
    struct wanted wanted = {child, text, count};

    return await(child->loop, is_written, &wanted, timeout_ms);
}

bool child_await_text(struct child *child, const char *text, int64_t timeout_ms)
{
    return child_await_count(child, text, 1, timeout_ms);
}
