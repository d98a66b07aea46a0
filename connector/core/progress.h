/*
 * progress: what a partition's commit metadata says beside the offset, and its encoding.
 *
 * Form, as text: "kc1:" and base64 of { version 1, varint born, ..., FNV-1a of all before, 4 bytes
 * little-endian }. Bytes behind `born` that this version does not know are passed over, so that a
 * later version's commit can be read. At most PROGRESS_TEXT_SIZE characters, because brokers
 * refuse more (offset.metadata.max.bytes). Anything else (another program's metadata, a damaged
 * one) reads as "not ours", never as a wrong state.
 */
#ifndef CORE_PROGRESS_H
#define CORE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROGRESS_TEXT_SIZE = 4096 };

struct progress {
    int32_t born; /* the topic's partition count when this partition's ledger began; >= 1 */
};

/* Writes the text with a NUL. Returns its length. */
size_t progress_encode(const struct progress *progress, char text[PROGRESS_TEXT_SIZE + 1]);

/* False: not ours, *progress untouched. text may be NULL. */
bool progress_decode(const char *text, struct progress *progress);

#endif
