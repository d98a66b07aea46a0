/*
 * members: the connectors of a run: each start of one is a member with a number of its own, which
 * it sends along with each call. What befell it is kept, with its output and its most memory.
 */
#ifndef FAULTS_MEMBERS_H
#define FAULTS_MEMBERS_H

#include "tests/faults/plan.h"
#include "tests/harness/child.h"

#include <stdbool.h>
#include <stdint.h>

enum member_event {
    MEMBER_KILLED,
    MEMBER_TERMED,
    MEMBER_FROZEN,
    MEMBER_LOST, /* it said that it lost its assignment */
};

struct happening {
    enum member_event event;
    int64_t from_us, until_us; /* clock_us; of a moment both are the same */
};

enum { HAPPENINGS_MAX = 64, MEMBERS_MAX = 256 };

struct one {
    struct child *child;
    int slot;
    int64_t started_us;
    struct happening happenings[HAPPENINGS_MAX];
    size_t happening_count;
    long peak_kib;
    size_t read; /* of its output */
    bool termed, killed;
};

struct members {
    uv_loop_t *loop;
    const struct plan *plan;
    const char *bootstrap, *gateway_url, *group;
    struct one *one[MEMBERS_MAX]; /* by number */
    int count;
};

/* Starts one; returns its number. Members of a slot >= 0 share an instance_id, if the plan wants
 * any. */
int members_start(struct members *members, int slot);
void members_release(struct members *members);

/* Waits until each has been given its partitions. */
void members_await_assigned(struct members *members);

/* SIGKILL, SIGTERM, SIGSTOP, SIGCONT. */
void members_signal(struct members *members, int number, int signal);
bool members_runs(const struct members *members, int number);
/* Whether it has come so far that SIGTERM is its own to handle. */
bool members_serves(const struct members *members, int number);

/* Reads what they wrote and how much memory they took; now and then. */
void members_look(struct members *members);

/* Ends all that run, by SIGTERM. False: one does not end. */
bool members_stop(struct members *members);

long members_peak_kib(const struct members *members);

/* NULL: each that was not killed ran until SIGTERM and ended with status 0. Caller frees. */
char *members_complaint(const struct members *members);

/* Writes each one's output into `folder`. */
void members_keep(const struct members *members, const char *folder);

/* The first happening in [from, until]; NULL: none. */
const struct happening *member_happening(const struct one *one, enum member_event event,
                                         int64_t from_us, int64_t until_us);

#endif
