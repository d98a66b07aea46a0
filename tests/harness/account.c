/* account: see account.h. */
#include "tests/harness/account.h"

#include "base/xalloc.h"
#include "sandbox/gateway.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct key { /* what is to stay in order */
    char *name;
    int64_t offset;   /* the highest one called for */
    int64_t ended_us; /* when the last of its calls ends; INT64_MAX: not yet */
    UT_hash_handle hh;
};

struct tally_partition {
    int64_t records;
    int *runs, *calls; /* by offset */
};

struct tally {
    const char *function, *topic;
    struct tally_partition *partitions;
    int count;
    struct key *keys;
    struct account account;
};

static void tally_init(struct tally *tally, struct cluster *cluster)
{
    tally->count = cluster_partitions(cluster, tally->topic);
    tally->partitions = xcalloc((size_t)tally->count, sizeof(*tally->partitions));
    for (int i = 0; i < tally->count; i++) {
        struct tally_partition *partition = &tally->partitions[i];

        partition->records = cluster_end(cluster, tally->topic, i);
        partition->runs = xcalloc((size_t)partition->records + 1, sizeof(*partition->runs));
        partition->calls = xcalloc((size_t)partition->records + 1, sizeof(*partition->calls));
        tally->account.records += partition->records;
    }
}

static void tally_release(struct tally *tally)
{
    struct key *key, *next;

    for (int i = 0; i < tally->count; i++) {
        free(tally->partitions[i].runs);
        free(tally->partitions[i].calls);
    }
    free(tally->partitions);
    HASH_ITER (hh, tally->keys, key, next) {
        HASH_DEL(tally->keys, key);
        free(key->name);
        free(key);
    }
}

static struct key *key_of(struct tally *tally, const struct call_entry *entry)
{
    char *name = xasprintf("%d %s", (int)entry->partition, entry->key ? entry->key : "");
    struct key *key;

    HASH_FIND_STR(tally->keys, name, key);
    if (key) {
        free(name);
        return key;
    }
    key = xcalloc(1, sizeof(*key));
    key->name = name;
    key->offset = -1;
    HASH_ADD_KEYPTR(hh, tally->keys, key->name, strlen(key->name), key);
    return key;
}

static void check_order(struct tally *tally, const struct call_entry *entry, bool first)
{
    struct key *key = key_of(tally, entry);
    int64_t ended_us = entry->ended ? entry->ended_us : INT64_MAX;

    tally->account.disordered += first && entry->offset < key->offset;
    tally->account.crossed += entry->arrived_us < key->ended_us;
    if (entry->offset > key->offset)
        key->offset = entry->offset;
    if (ended_us > key->ended_us)
        key->ended_us = ended_us;
}

static void add_entry(struct tally *tally, const struct call_entry *entry)
{
    struct tally_partition *partition = &tally->partitions[entry->partition];
    bool in_log = entry->partition >= 0 && entry->partition < tally->count && entry->offset >= 0 &&
                  entry->offset < partition->records;

    if (!in_log) {
        tally->account.strange++;
        return;
    }
    check_order(tally, entry, partition->calls[entry->offset]++ == 0);
    partition->runs[entry->offset] += entry->ran;
}

static void count_runs(struct tally *tally)
{
    for (int i = 0; i < tally->count; i++)
        for (int64_t offset = 0; offset < tally->partitions[i].records; offset++) {
            int runs = tally->partitions[i].runs[offset];

            tally->account.lost += runs == 0;
            tally->account.repeated += runs > 1 ? runs - 1 : 0;
        }
}

/* "figlet" is "figlet" of the default namespace. */
static bool is_of(const struct call_entry *entry, const char *function, const char *topic)
{
    size_t length = strlen(function);
    bool same = strchr(function, '.')
                    ? strcmp(entry->function, function) == 0
                    : strncmp(entry->function, function, length) == 0 &&
                          strcmp(entry->function + length, "." FAAS_NAMESPACE) == 0;

    return same && strcmp(entry->topic, topic) == 0;
}

struct account account_of(const struct call_log *log, struct cluster *cluster, const char *function,
                          const char *topic)
{
    struct tally tally = {.function = function, .topic = topic};

    tally_init(&tally, cluster);
    for (size_t i = 0; i < call_log_arrived(log, NULL); i++)
        if (is_of(call_log_at(log, i), function, topic))
            add_entry(&tally, call_log_at(log, i));
    count_runs(&tally);
    tally_release(&tally);
    return tally.account;
}

int64_t account_uncommitted(const struct call_log *log, size_t calls, struct cluster *cluster,
                            const char *function, const char *topic)
{
    int partitions = cluster_partitions(cluster, topic);
    int64_t *committed = xcalloc((size_t)partitions, sizeof(*committed)), count = 0;

    for (int i = 0; i < partitions; i++)
        committed[i] = cluster_committed(cluster, topic, i);
    for (size_t i = 0; i < call_log_arrived(log, NULL) && i < calls; i++) {
        const struct call_entry *entry = call_log_at(log, i);

        if (is_of(entry, function, topic) && entry->partition >= 0 && entry->partition < partitions)
            count += entry->offset >= committed[entry->partition];
    }
    free(committed);
    return count;
}

char *account_text(const struct account *account)
{
    return xasprintf("%" PRId64 " records: lost %" PRId64 ", repeated %" PRId64 ", strange %" PRId64
                     ", disordered %" PRId64 ", crossed %" PRId64,
                     account->records, account->lost, account->repeated, account->strange,
                     account->disordered, account->crossed);
}
