/* lanes: see lanes.h. */
#include "core/lanes.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <uthash.h>

struct lane {
    unsigned hash;
    struct lane_item *first, *last;
    UT_hash_handle hh;
};

void lanes_init(struct lanes *lanes, enum order order)
{
    *lanes = (struct lanes){.order = order};
}

void lanes_release(struct lanes *lanes)
{
    struct lane *lane, *next;

    HASH_ITER (hh, lanes->lanes, lane, next) {
        HASH_DEL(lanes->lanes, lane);
        free(lane);
    }
}

/* All without a key share a lane, as does everything when the whole partition is kept in order. */
static unsigned lane_hash(const struct lanes *lanes, const void *key, size_t key_size)
{
    unsigned hash = 0;

    if (lanes->order == ORDER_KEY && key)
        HASH_VALUE(key, key_size, hash);
    return hash;
}

bool lanes_push(struct lanes *lanes, const void *key, size_t key_size, struct lane_item *item)
{
    unsigned hash = lane_hash(lanes, key, key_size);
    struct lane *lane;

    *item = (struct lane_item){0};
    if (lanes->order == ORDER_NONE)
        return true;
    HASH_FIND_BYHASHVALUE(hh, lanes->lanes, &hash, sizeof(hash), hash, lane);
    if (lane) {
        item->lane = lane;
        item->prev = lane->last;
        lane->last->next = item;
        lane->last = item;
        return false;
    }
    lane = xcalloc(1, sizeof(*lane));
    lane->hash = hash;
    lane->first = lane->last = item;
    item->lane = lane;
    HASH_ADD_BYHASHVALUE(hh, lanes->lanes, hash, sizeof(lane->hash), hash, lane);
    return true;
}

struct lane_item *lanes_take_out(struct lanes *lanes, struct lane_item *item)
{
    struct lane_item *prev = item->prev, *next = item->next;
    struct lane *lane = item->lane;

    if (!lane)
        return NULL;
    *(prev ? &prev->next : &lane->first) = next;
    *(next ? &next->prev : &lane->last) = prev;
    *item = (struct lane_item){0};
    if (!lane->first) {
        HASH_DEL(lanes->lanes, lane);
        free(lane);
        return NULL;
    }
    return prev ? NULL : next;
}

bool lanes_first(const struct lane_item *item)
{
    return !item->lane || item->lane->first == item;
}
