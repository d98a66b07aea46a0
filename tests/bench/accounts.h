/*
 * accounts: which records have come, which of them twice or too late. A record's value begins by
 * saying who it is, "PARTITION:NUMBER:", numbered from 0 in each partition.
 */
#ifndef BENCH_ACCOUNTS_H
#define BENCH_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct accounts {
    size_t records, partitions; /* records in all, dealt out to the partitions in turn */
    bool *seen;                 /* by record */
    size_t *next;               /* by partition: behind the highest number that came */
    size_t distinct;
    size_t repeated;
    size_t disordered; /* first arrivals behind a later record of their partition */
    size_t strange;    /* values that are no record of ours */
};

void accounts_init(struct accounts *accounts, size_t records, size_t partitions);
void accounts_release(struct accounts *accounts);

/* `value` need not end with a NUL. */
void accounts_add(struct accounts *accounts, const char *value, size_t size);

#endif
