/* accounts: see accounts.h. */
#include "tests/bench/accounts.h"

#include "base/xalloc.h"

#include <stdlib.h>

void accounts_init(struct accounts *accounts, size_t records, size_t partitions)
{
    *accounts = (struct accounts){.records = records, .partitions = partitions};
    accounts->seen = xcalloc(records, sizeof(*accounts->seen));
    accounts->next = xcalloc(partitions, sizeof(*accounts->next));
}

void accounts_release(struct accounts *accounts)
{
    free(accounts->seen);
    free(accounts->next);
    *accounts = (struct accounts){0};
}

/* A number with a colon behind it. False: there is none. */
static bool take_number(const char **at, const char *end, size_t *number)
{
    const char *start = *at;

    *number = 0;
    while (*at < end && **at >= '0' && **at <= '9' && *at - start < 12)
        *number = *number * 10 + (size_t)(*(*at)++ - '0');
    return *at > start && *at < end && *(*at)++ == ':';
}

void accounts_add(struct accounts *accounts, const char *value, size_t size)
{
    const char *end = value + size;
    size_t partition, number, record;

    if (!take_number(&value, end, &partition) || !take_number(&value, end, &number) ||
        partition >= accounts->partitions ||
        (record = number * accounts->partitions + partition) >= accounts->records) {
        accounts->strange++;
        return;
    }
    if (accounts->seen[record]) {
        accounts->repeated++;
        return;
    }
    accounts->seen[record] = true;
    accounts->distinct++;
    if (number < accounts->next[partition])
        accounts->disordered++;
    else
        accounts->next[partition] = number + 1;
}
