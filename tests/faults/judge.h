/*
 * judge: what a run's calls say of the connectors.
 *
 * lost: an acknowledged record that is owed and was never answered 200 by a function. Not owed is
 * what lies below the log's start, because it was deleted, and in a compacted topic what a later
 * record of its key replaced.
 *
 * strange: a call whose body, partition and offset are no record's, or an aborted one's.
 *
 * A lane is what must stay in order, for one function: the records of a key in a partition, those
 * without one, or all of a partition. Of its calls
 *   disordered  is a first one for a record behind one for a later record; of what is not owed, not
 *               that of a member that was frozen, or lost its partitions, and does not know yet,
 *   overtaken   a first one while the record before it, if owed, was not yet answered 200,
 *   crossed     one that came while another was under way. Allowed is it when the other's member
 *               was killed or frozen or had lost its partitions: its calls run on, and nobody can
 *               call them back.
 *
 * repeated: a run on a record beyond the first. Each must have a cause: its call was cut, or not
 * answered in time, though the function ran; its member was killed, frozen or lost its partitions,
 * or brokers were in trouble, so that its result was not committed.
 *
 * again: repeated, whatever the cause, though a commit in the brokers' log covered it before. But a
 * member that was frozen cannot know that, and what brokers in trouble log, nobody may see.
 *
 * allowed: how many may be repeated. For each kill, freeze and loss of partitions, what its member
 * had run, or was running, and no commit covered that others could see then: what brokers log in
 * trouble, or a second before, may be acknowledged to nobody (a coordinator whose replica is frozen
 * appends a commit and waits). What a frozen member calls before it knows. Each call that was not
 * answered.
 *
 * late: a kill that left more uncommitted than what was under way and two commits' worth of
 * finished calls, though brokers were well.
 */
#ifndef FAULTS_JUDGE_H
#define FAULTS_JUDGE_H

#include "tests/faults/admin.h"
#include "tests/faults/calls.h"
#include "tests/faults/commits.h"
#include "tests/faults/members.h"
#include "tests/faults/writer.h"

enum cause {
    CAUSE_CUT, /* or not answered in time */
    CAUSE_KILL,
    CAUSE_FREEZE,
    CAUSE_LOST,   /* the assignment; mostly because a coordinator did not answer */
    CAUSE_BROKER, /* brokers were in trouble when the last commit of a drain was to be made */
    CAUSE_NONE,
    CAUSES,
};

enum { TROUBLES_MAX = 2 * PLAN_FAULTS_MAX };

struct span {
    int64_t from_us, until_us;
};

/* What happened beside what befell members. */
struct judge_input {
    struct span brokers[TROUBLES_MAX]; /* in trouble, until some time after they were back */
    size_t broker_count;
};

struct verdict {
    uint32_t owed, lost, strange, disordered, overtaken, crossed, late;
    uint32_t repeated, allowed, repeated_by[CAUSES];
    uint32_t again;       /* repeated though it was committed */
    uint32_t unexplained; /* assignments lost though nobody was frozen and brokers were well; a
                             machine too busy for heartbeats is no fault of the connector's */
    char *report;         /* a line for each of the first faults; "": none. Caller frees */
};

struct verdict judge(const struct plan *plan, const struct writer *writer,
                     const struct calls *calls, const struct members *members,
                     const struct admin *admin, const struct commits *commits,
                     const struct judge_input *input);

bool verdict_is_good(const struct verdict *verdict);
const char *cause_name(enum cause cause);

/* Which records are owed, by number, 1: owed. Of a writer that is over. Caller frees. */
uint8_t *judge_owed(const struct plan *plan, const struct writer *writer,
                    const struct admin *admin);

#endif
