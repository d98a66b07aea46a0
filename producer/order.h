/*
 * order: what a request to a listening producer asks for: {"count": 5000, "messageSize": 64}.
 */
#ifndef PRODUCER_ORDER_H
#define PRODUCER_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ORDER_COUNT_MAX = 10 * 1000 * 1000,
    ORDER_SIZE_MAX = 1000 * 1000, /* brokers take up to 1 MiB, key and headers included */
};

struct order {
    int64_t count; /* records, 1 .. ORDER_COUNT_MAX */
    int64_t size;  /* bytes of a value, 1 .. ORDER_SIZE_MAX */
    char *key;     /* of each; NULL: as the options have it */
};

/* Reads a body of JSON; an empty one is an order by default. False: *reason (caller frees) is a
 * sentence with every fault in it, and there is nothing to release. */
bool order_read(struct order *order, const char *body, size_t size, char **reason);
void order_release(struct order *order);

#endif
