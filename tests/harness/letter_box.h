/*
 * letter_box: keeps dead letters in memory, at once or when a test says so; for tests of who sends
 * them.
 */
#ifndef HARNESS_LETTER_BOX_H
#define HARNESS_LETTER_BOX_H

#include "core/letters.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct kept_letter {
    char *topic, *function;
    int32_t partition;
    int64_t offset;
    enum letter_reason reason;
    long status;
    uint32_t attempts;
};

struct letter_box;

struct letter_box *letter_box_new(uv_loop_t *loop);
/* No letter may be under way. Run the loop once more before closing it. */
void letter_box_free(struct letter_box *box);
struct letters *letter_box_seam(struct letter_box *box);

/* On: letters are on their way until letter_box_keep, as if the broker were away. */
void letter_box_hold(struct letter_box *box, bool on);
/* Keeps the oldest `count` that are on their way (-1: all). Returns how many there were. */
int letter_box_keep(struct letter_box *box, int count);

/* Those on their way are refused for now, by the look of it for long; that is the fault. */
void letter_box_refuse(struct letter_box *box);

size_t letter_box_under_way(const struct letter_box *box);
size_t letter_box_cancelled(const struct letter_box *box);

/* Those that are kept, in their order; index < letter_box_kept(box). Borrowed. */
size_t letter_box_kept(const struct letter_box *box);
const struct kept_letter *letter_box_at(const struct letter_box *box, size_t index);
/* How many are for a function and a record. */
size_t letter_box_kept_of(const struct letter_box *box, const char *function, int64_t offset);

#endif
