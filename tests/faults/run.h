/*
 * run: one run of the suite: a topic, a group of connectors, a load and faults, until all has
 * healed and everything owed is delivered and committed; then it is judged (judge.h).
 *
 * Everything lives on the loop, but the writer's thread and the jobs that wait for brokers.
 */
#ifndef FAULTS_RUN_H
#define FAULTS_RUN_H

#include "tests/faults/admin.h"
#include "tests/faults/calls.h"
#include "tests/faults/commits.h"
#include "tests/faults/job.h"
#include "tests/faults/judge.h"
#include "tests/faults/members.h"
#include "tests/faults/nodes.h"
#include "tests/faults/plan.h"
#include "tests/faults/writer.h"

struct run;

struct fault {
    struct planned_fault plan;
    enum { FAULT_WAITING, FAULT_ACTIVE, FAULT_OVER } phase;
    int64_t began_us;
    int subject; /* the slot, node or member it is about */
    int stage;   /* of those that have some */
    struct job job;
};

struct slot {
    int member;
    bool taken; /* by a fault */
};

struct run {
    uv_loop_t *loop;
    struct nodes *nodes;
    const char *folder; /* for what is worth keeping of a failure */
    struct plan plan;
    char topic[64]; /* and group */
    int64_t began_us;

    struct admin admin;
    struct writer writer;
    struct calls calls;
    struct members members;
    struct commits commits;
    struct judge_input evidence; /* what the judge goes by beside these */

    struct fault faults[PLAN_FAULTS_MAX];
    struct slot slots[PLAN_CONNECTORS_MAX];
    bool node_taken, gateway_taken, topic_taken;
    struct job asking; /* whether all is committed */
    int64_t asked_us;  /* when the last time */
    int64_t looked_us; /* at the members */
    char *failure;     /* what did not come to pass; NULL: all did */
};

struct outcome {
    struct verdict verdict;
    uint32_t records;
    size_t calls;
    long peak_kib;
    double seconds;
    bool good;
};

/* Prints what was wrong, if anything; then logs are in a folder that it names. */
struct outcome run_plan(uv_loop_t *loop, struct nodes *nodes, const char *folder,
                        const struct plan *plan);

/* faults.c: begins what is due, goes on with what is under way. */
void faults_step(struct run *run);
bool faults_are_over(const struct run *run);
/* Of the era that is: everything that is owed of what was written was answered by every function,
 * and, as far as is known, committed. To be asked again and again. */
bool run_is_settled(struct run *run);
uint32_t run_undelivered(struct run *run);

#endif
