/* input: see input.h. Lines are read by read(2) into a buffer of our own: stdio would wait for the
 * rest of a line while acknowledgements and Ctrl-C stay unheard. */
#include "producer/input.h"

#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024 };

struct input {
    int fd; /* -1: one value, in buffer */
    char *buffer;
    size_t start, end, room; /* what is unread in it */
    size_t searched;         /* no line break lies between start and here */
    bool at_end;
    const char *reason;
};

struct input *input_of_value(const char *value, size_t size)
{
    struct input *input = xcalloc(1, sizeof(*input));
    size_t length = strlen(value);

    input->fd = -1;
    input->end = size ? size : length;
    input->buffer = xmalloc(input->end + 1);
    for (size_t i = 0; i < input->end; i++)
        input->buffer[i] = length ? value[i % length] : 'x';
    return input;
}

struct input *input_of_file(const char *path, const char **reason)
{
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    struct input *input;

    if (fd < 0) {
        *reason = strerror(errno);
        return NULL;
    }
    input = xcalloc(1, sizeof(*input));
    input->fd = fd;
    return input;
}

void input_free(struct input *input)
{
    if (!input)
        return;
    if (input->fd >= 0)
        close(input->fd);
    free(input->buffer);
    free(input);
}

static enum input_state fail(struct input *input, const char *reason)
{
    input->reason = reason;
    return INPUT_FAULT;
}

/* Makes room for READ_SIZE more: first by moving what is unread to the front. */
static void make_room(struct input *input)
{
    if (input->start > 0) {
        memmove(input->buffer, input->buffer + input->start, input->end - input->start);
        input->searched -= input->start;
        input->end -= input->start;
        input->start = 0;
    }
    if (input->room - input->end < READ_SIZE) {
        input->room = input->room * 2 + READ_SIZE;
        input->buffer = xrealloc(input->buffer, input->room);
    }
}

/* INPUT_VALUE: something was read, or the end. */
static enum input_state fill(struct input *input)
{
    struct pollfd poll_fd = {.fd = input->fd, .events = POLLIN};
    ssize_t count;

    if (input->end - input->start > INPUT_LINE_MAX)
        return fail(input, "a line is longer than 1000000000 bytes");
    if (poll(&poll_fd, 1, 0) == 0)
        return INPUT_LATER;
    make_room(input);
    count = read(input->fd, input->buffer + input->end, READ_SIZE);
    if (count < 0)
        return errno == EINTR || errno == EAGAIN ? INPUT_LATER : fail(input, strerror(errno));
    input->end += (size_t)count;
    input->at_end = count == 0;
    return INPUT_VALUE;
}

/* The line that begins at start, if it is whole: one with a line break, or the file's last. */
static bool take_line(struct input *input, const void **value, size_t *size)
{
    char *line = input->buffer + input->start, *line_break;

    if (input->start == input->end)
        return false;
    line_break = memchr(input->buffer + input->searched, '\n', input->end - input->searched);
    input->searched = input->end;
    if (!line_break && !input->at_end)
        return false;
    *value = line;
    *size = line_break ? (size_t)(line_break - line) : input->end - input->start;
    input->start += *size + (line_break != NULL);
    input->searched = input->start;
    return true;
}

enum input_state input_next(struct input *input, const void **value, size_t *size)
{
    if (input->fd < 0) {
        *value = input->buffer;
        *size = input->end;
        return INPUT_VALUE;
    }
    while (!take_line(input, value, size)) {
        enum input_state filled;

        if (input->at_end)
            return INPUT_END;
        filled = fill(input);
        if (filled != INPUT_VALUE)
            return filled;
    }
    return INPUT_VALUE;
}

const char *input_reason(const struct input *input)
{
    return input->reason;
}
