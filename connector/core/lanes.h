/*
 * lanes: what may be done at once and what must wait for what, for one function on one partition.
 *
 * ORDER_KEY: records of one key form a lane, those without a key one lane together.
 * ORDER_PARTITION: all records form one lane. ORDER_NONE: no record waits for another. In a lane
 * only the first item may go; it is taken out when it is done, and the one behind it may go then.
 * (An owner that knows better may let others go behind it, and take them out when they are done.)
 * Keys are told apart by a 32-bit hash (uthash's): two keys that share one are kept in order among
 * each other too, which does no harm and needs no copy of the key.
 */
#ifndef CORE_LANES_H
#define CORE_LANES_H

#include <stdbool.h>
#include <stddef.h>

enum order { ORDER_KEY, ORDER_PARTITION, ORDER_NONE };

struct lane;

/* Embedded in what waits; the owner's memory. */
struct lane_item {
    struct lane *lane;             /* NULL: in none */
    struct lane_item *prev, *next; /* NULL: the first has none before it, the last none behind */
};

struct lanes {
    enum order order;
    struct lane *lanes; /* by hash; only lanes with items exist */
};

void lanes_init(struct lanes *lanes, enum order order);

/* Forgets all lanes; the items are not touched. */
void lanes_release(struct lanes *lanes);

/* Appends an item. key NULL: none. True: it is the first of its lane and may go. */
bool lanes_push(struct lanes *lanes, const void *key, size_t key_size, struct lane_item *item);

/* Takes out an item that is done. Returns the one that may go now because of it, or NULL. */
struct lane_item *lanes_take_out(struct lanes *lanes, struct lane_item *item);

/* Whether an item is the first of its lane and may go. */
bool lanes_first(const struct lane_item *item);

#endif
