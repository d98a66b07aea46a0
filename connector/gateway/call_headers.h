/*
 * call_headers: the header lines that carry a record, in one block of memory that is used again.
 * Private to call; which lines there are: see call.h.
 */
#ifndef GATEWAY_CALL_HEADERS_H
#define GATEWAY_CALL_HEADERS_H

#include "core/record.h"
#include "gateway/http.h"

/* Zero-initialised is empty. */
struct call_lines {
    struct http_line *nodes; /* the block: the nodes, behind them their texts */
    size_t size;             /* of the block */
    size_t count;            /* nodes filled */
    char *at;                /* where the next text goes */
};

/* The record's lines, linked, with `tail` (may be NULL) behind them. Valid until the next fill. */
const struct http_line *call_lines_fill(struct call_lines *lines, const struct record *record,
                                        struct http_line *tail);
void call_lines_release(struct call_lines *lines);

#endif
