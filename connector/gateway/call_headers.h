/*
 * call_headers: the header lines of a call, in one block of memory that is used again. Private to
 * call; which lines there are: see call.h.
 *
 * All are one entry of curl's list, "A: 1\r\nB: 2": curl sends an entry as it is and adds the last
 * line's end. It goes through the list a dozen times a request, so that an entry a line would cost
 * about 4,000 instructions more (of 80,000). It knows an entry by its first line only.
 */
#ifndef GATEWAY_CALL_HEADERS_H
#define GATEWAY_CALL_HEADERS_H

#include "core/record.h"
#include "gateway/http.h"

/* What all calls begin with: whole lines, each ended by CR LF; may be empty. */
struct call_head {
    char *text;
    size_t size;
};

/* Zero-initialised is empty. */
struct call_lines {
    struct http_line line; /* its text is the block */
    size_t size;           /* of the block */
    char *at;              /* where the next byte goes */
};

/* The head's lines and behind them the record's, as one entry whose `next` the caller sets. Valid
 * until the next fill. */
struct http_line *call_lines_fill(struct call_lines *lines, const struct call_head *head,
                                  const struct record *record);
void call_lines_release(struct call_lines *lines);

#endif
