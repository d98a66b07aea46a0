/*
 * input: the values of the records to be sent: one value for all, or the lines of a file.
 *
 * Never waits: when stdin or a pipe has no whole line yet, INPUT_LATER says so, and the caller can
 * go on serving what was sent.
 */
#ifndef PRODUCER_INPUT_H
#define PRODUCER_INPUT_H

#include <stddef.h>

/* librdkafka's own limit of a record (message.max.bytes); a longer line ends the input. */
enum { INPUT_LINE_MAX = 1000000000 };

struct input;

enum input_state {
    INPUT_VALUE, /* here is one */
    INPUT_LATER, /* not yet */
    INPUT_END,   /* no more */
    INPUT_FAULT, /* cannot be read, see input_reason; no more */
};

/* Always the same value; `size` > 0: repeated or cut to so many bytes. */
struct input *input_of_value(const char *value, size_t size);

/* The lines of a file, without their line breaks ("-": stdin). NULL: *reason, strerror's. */
struct input *input_of_file(const char *path, const char **reason);

void input_free(struct input *input);

/* The next value, borrowed until the next call. */
enum input_state input_next(struct input *input, const void **value, size_t *size);

const char *input_reason(const struct input *input);

#endif
